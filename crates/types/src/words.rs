//! How a closed list of words is described to programs.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

/// The schema of a text that is one of these words, each with its meaning.
pub(crate) fn schema(about: &str, words: &[(&str, &str)]) -> RefOr<Schema> {
    let meanings: String = words.iter().flat_map(|(word, meaning)| ["\n- `", word, "`: ", meaning.trim()]).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().map(|(word, _)| *word)))
        .description(Some(format!("{}\n{meanings}", about.trim())))
        .into()
}
