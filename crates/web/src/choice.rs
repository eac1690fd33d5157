//! Choices that a reader makes by a link and that a cookie remembers: the language, and how bright the pages are.

use axum::http::HeaderValue;
use axum::http::header::{COOKIE, HeaderMap, REFERER, SET_COOKIE};
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_front::{Failure, Hub};
use url::Url;

/// The word that a cookie of this name holds.
pub fn made<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, word)| word)
}

/// Remembers a word for a year, and leads back to the page that the choice was made on.
pub fn remember(hub: &Hub, request: &HeaderMap, name: &str, word: &str) -> Result<Response, Failure> {
    const YEAR: u32 = 31_536_000;
    let secure = if hub.config.is_secure() { "; Secure" } else { "" };
    let cookie = format!("{name}={word}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax{secure}");
    let cookie = HeaderValue::try_from(cookie).map_err(|_| Failure::not_found())?;
    let mut response = Redirect::to(&page_before(request)).into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// The page of this hub that led here. Only its path is taken, so no other host is ever led to.
fn page_before(headers: &HeaderMap) -> String {
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    let Some(page) = referer.and_then(|text| Url::parse(text).ok()) else { return "/".to_owned() };
    let path = page.path().trim_start_matches('/');
    page.query().map_or_else(|| format!("/{path}"), |query| format!("/{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::page("https://hub.example/@acme/pdf", "/@acme/pdf")]
    #[case::query("https://hub.example/?q=a%20b", "/?q=a%20b")]
    #[case::another_host("https://evil.example//evil.example/x", "/evil.example/x")]
    #[case::backslashes("https://evil.example/\\\\evil.example", "/evil.example")]
    #[case::nonsense("nonsense", "/")]
    #[case::script("javascript:alert(1)", "/alert(1)")]
    fn a_choice_leads_back_within_the_hub(#[case] referer: &'static str, #[case] path: &str) {
        let headers = HeaderMap::from_iter([(REFERER, HeaderValue::from_static(referer))]);
        assert_eq!(page_before(&headers), path);
    }
}
