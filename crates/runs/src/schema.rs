//! Inputs and outputs of typed tools, checked against the JSON Schemas that the skill brings.

mod effort;

use jsonschema::{PatternOptions, Validator};
use kontor_package::Content;
use serde_json::Value;

use crate::Error;

/// The largest schema that is read.
const LARGEST: usize = 1 << 20;
/// Problems that are told.
const TOLD: usize = 8;
/// The most that the automaton of one pattern may take.
const PATTERN: usize = 1 << 20;

/// A schema of a skill.
#[derive(Debug)]
pub struct Schema {
    path: String,
    validator: Validator,
    parts: u64,
}

impl Schema {
    /// Reads the schema at `path`. References lead within the file only, and patterns are matched in linear time.
    ///
    /// # Errors
    /// [`Error::Schema`] when it is none.
    pub fn of(content: &Content, path: &str) -> Result<Self, Error> {
        let refused = |reason: String| Error::Schema { path: path.to_owned(), reason };
        let bytes = content.get(path).ok_or_else(|| refused("the skill has no such file".to_owned()))?;
        if bytes.len() > LARGEST {
            return Err(refused("it is larger than 1 MiB".to_owned()));
        }
        let schema: Value = serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
        let parts = effort::of(&schema).map_err(refused)?;
        let patterns = PatternOptions::regex().size_limit(PATTERN).dfa_size_limit(PATTERN);
        let options = jsonschema::options().with_pattern_options(patterns).offline();
        let validator = options.build(&schema).map_err(|error| refused(clip(&error.to_string())))?;
        Ok(Self { path: path.to_owned(), validator, parts })
    }

    /// The schema's file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What does not fit, the first few; nothing when all does.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        if !effort::allows(self.parts, value) {
            return vec!["the whole: it is too large for so large a schema".to_owned()];
        }
        let told = self.validator.iter_errors(value).take(TOLD).map(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the whole".to_owned() } else { place };
            format!("{place}: {}", clip(&error.to_string()))
        });
        told.collect()
    }

    /// Passes when all fits.
    ///
    /// # Errors
    /// [`Error::Input`] with what does not.
    pub fn check(&self, value: &Value) -> Result<(), Error> {
        let problems = self.problems(value);
        if problems.is_empty() { Ok(()) } else { Err(Error::Input { schema: self.path.clone(), problems }) }
    }
}

/// Validators repeat the value, whatever its size.
fn clip(text: &str) -> String {
    const MOST: usize = 200;
    let mut short: String = text.chars().take(MOST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
