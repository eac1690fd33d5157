//! The cookie that carries a browser session.

use std::time::Duration;

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::asked::cookie_name;
use crate::{Config, Failure};

/// Gives the browser its session. Scripts cannot read it, and other sites' forms do not carry it.
pub fn set(headers: &mut HeaderMap, config: &Config, secret: &str, lasts: Duration) -> Result<(), Failure> {
    put(headers, config, secret, lasts.as_secs())
}

/// Takes the session away from the browser.
pub fn clear(headers: &mut HeaderMap, config: &Config) -> Result<(), Failure> {
    put(headers, config, "", 0)
}

fn put(headers: &mut HeaderMap, config: &Config, value: &str, seconds: u64) -> Result<(), Failure> {
    let (name, secure) = (cookie_name(config), if config.is_secure() { "; Secure" } else { "" });
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::try_from(text).map_err(|_| Failure::invalid("the session is no cookie"))?;
    value.set_sensitive(true);
    headers.insert(SET_COOKIE, value);
    Ok(())
}
