use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::header::{AUTHORIZATION, COOKIE as COOKIES, HeaderMap};
use axum::http::request::Parts;
use kontor_access::{Caller, SecretString, Session};
use kontor_types::Code;

use crate::origin::{Sender, is_safe};
use crate::{Config, Failure, Hub, Surface};

/// The session cookie's name over plain HTTP.
pub const COOKIE: &str = "kontor_session";
/// Over TLS: no subdomain and no other path can set it.
const SECURE_COOKIE: &str = "__Host-kontor_session";

/// The session cookie's name on this hub.
pub fn cookie_name(config: &Config) -> &'static str {
    if config.is_secure() { SECURE_COOKIE } else { COOKIE }
}

/// What is known about a request once it was let in.
#[derive(Clone)]
pub struct Asked {
    /// The hub that was asked.
    pub hub: Hub,
    /// Who asks, with what rights.
    pub caller: Caller,
    /// The browser session, and its cookie's secret, if there is one.
    pub session: Option<(Session, SecretString)>,
    /// The surface that was asked.
    pub surface: Surface,
    /// Whether the request came from this machine, and through no proxy.
    pub is_local: bool,
}

/// Who asks: the extractor for handlers. Anonymous callers are callers too.
#[derive(Debug, Clone)]
pub struct Asker(pub Caller);

impl FromRequestParts<Hub> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Hub) -> Result<Self, Infallible> {
        let asked = parts.extensions.get::<Arc<Asked>>();
        Ok(Self(asked.map_or_else(Caller::anonymous, |asked| asked.caller.clone())))
    }
}

/// The secret in `Authorization: Bearer …`; another scheme is somebody else's.
pub fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then(|| SecretString::from(secret))
}

/// The value of the session cookie.
pub fn session_cookie(config: &Config, headers: &HeaderMap) -> Option<SecretString> {
    let name = cookie_name(config);
    let values = headers.get_all(COOKIES).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| SecretString::from(value))
}

/// Finds out who asks. A wrong token is refused, since its bearer meant to be somebody; a stale cookie is nobody's.
pub async fn caller(
    hub: &Hub,
    headers: &HeaderMap,
    method: &Method,
    surface: Surface,
    sender: Sender,
) -> Result<(Caller, Option<(Session, SecretString)>), Failure> {
    if let Some(secret) = bearer(headers) {
        return Ok((hub.app.access.authenticate(&secret).await?, None));
    }
    let cookie = session_cookie(&hub.config, headers)
        .filter(|_| !matches!(surface, Surface::Text | Surface::Mcp | Surface::OpenAi));
    let Some(cookie) = cookie else { return Ok((Caller::anonymous(), None)) };
    if !is_safe(method) && sender != Sender::Ours {
        return Err(Failure::new(Code::WrongOrigin, "a form must come from a page of this hub"));
    }
    match hub.app.access.session(&cookie).await {
        Ok(session) => Ok((session.caller.clone(), Some((session, cookie)))),
        Err(kontor_access::Error::Unauthenticated) => Ok((Caller::anonymous(), None)),
        Err(error) => Err(error.into()),
    }
}

impl Asked {
    /// The client's address.
    pub const fn address(&self) -> Option<IpAddr> {
        self.caller.address
    }
}
