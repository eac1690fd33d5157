//! Who reads a page, and in which language.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kontor_access::Caller;
use kontor_front::Asked;
use kontor_types::Handle;

use crate::Language;

/// Who reads a page, and in which language.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// The language.
    pub language: Language,
    /// Who is signed in.
    pub person: Option<Handle>,
}

impl Reader {
    /// The reader of this language who asks as this caller.
    pub fn new(language: Language, caller: &Caller) -> Self {
        Self { language, person: caller.person.as_ref().map(|(_, handle)| handle.clone()) }
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let language = Language::of(&parts.headers);
        let asked = parts.extensions.get::<Arc<Asked>>();
        Ok(asked.map_or_else(|| Self { language, person: None }, |asked| Self::new(language, &asked.caller)))
    }
}
