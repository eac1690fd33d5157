//! Who reads a page, and how.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use kontor_access::Caller;
use kontor_front::{Asked, Hub};
use kontor_types::{Handle, Scope};

use crate::{Language, Theme};

/// Who reads a page, and how.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// The language.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// Who is signed in.
    pub person: Option<Handle>,
    /// Whether they may take part in reviews.
    pub may_review: bool,
    /// Whether they administer the hub.
    pub administrator: bool,
    /// Notices that they have not read.
    pub unread: u64,
}

impl Reader {
    /// The reader with these headers who asks as this caller.
    pub fn new(headers: &HeaderMap, caller: &Caller) -> Self {
        let person = caller.person.as_ref().map(|(_, handle)| handle.clone());
        Self {
            language: Language::of(headers),
            theme: Theme::of(headers),
            may_review: person.is_some() && caller.require(Scope::Review).is_ok(),
            administrator: caller.require_administrator().is_ok(),
            unread: 0,
            person,
        }
    }
}

impl FromRequestParts<Hub> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Infallible> {
        let asked = parts.extensions.get::<Arc<Asked>>();
        let nobody = Caller::anonymous();
        let caller = asked.map_or(&nobody, |asked| &asked.caller);
        // A page that cannot count notices is still a page.
        let unread = hub.app.registry.unread(caller).await.unwrap_or_default();
        Ok(Self { unread, ..Self::new(&parts.headers, caller) })
    }
}
