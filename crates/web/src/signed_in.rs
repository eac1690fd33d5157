//! Pages for somebody: who is not signed in meets the sign-in form there, which leads back.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use kontor_front::{Asked, Hub};

use crate::{Reader, sign_in};

/// Shows that somebody is signed in. A page that needs somebody asks for it; nobody else comes past it.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn;

impl FromRequestParts<Hub> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Response> {
        let asked = parts.extensions.get::<Arc<Asked>>();
        if asked.is_some_and(|asked| asked.caller.person.is_some()) {
            return Ok(Self);
        }
        let wanted = parts.uri.path_and_query().map_or("/", |wanted| wanted.as_str()).to_owned();
        let Ok(reader) = Reader::from_request_parts(parts, hub).await;
        Err(sign_in::needed(&reader, &wanted))
    }
}
