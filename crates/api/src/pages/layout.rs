//! The frame of every page, and the headers that keep it harmless.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kontor_types::Code;
use maud::{DOCTYPE, Markup, html};

use super::Language;
use crate::foreign::{Keeping, document};

/// Where the pages find their style.
pub const STYLE_PATH: &str = "/assets/pages.css";
/// Where they find the mark of the hub.
pub const MARK_PATH: &str = "/assets/mark.svg";

const STYLE: &str = include_str!("../../assets/pages.css");
const MARK: &str = include_str!("../../assets/mark.svg");
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The style of all pages.
pub async fn style(request: HeaderMap) -> Response {
    document(&request, "text/css; charset=utf-8", STYLE.as_bytes().to_vec(), Keeping::AMinute)
}

/// The mark of the hub, for the browser's tab.
pub async fn mark(request: HeaderMap) -> Response {
    document(&request, "image/svg+xml", MARK.as_bytes().to_vec(), Keeping::AMinute)
}

/// A page: its title, what was searched for, and what it shows.
pub fn page(language: Language, title: &str, query: &str, body: &Markup) -> Response {
    answer(language, StatusCode::OK, title, query, body)
}

/// A page that says something is not here.
pub fn not_found(language: Language) -> Response {
    let words = language.words();
    let body = html! {
        h1 { (words.not_found) }
        p.lead { (words.nothing_here) }
        p { a href="/" { (words.home) } }
    };
    answer(language, StatusCode::NOT_FOUND, words.not_found, "", &body)
}

/// A page that says what went wrong.
pub fn failed(language: Language, status: StatusCode, code: Code, detail: &str) -> Response {
    let words = language.words();
    let body = html! {
        h1 { (words.failed) }
        @if let Some(text) = language.failure(code) { p.lead { (text) } p.faint lang="en" { (detail) } }
        @else { p.lead { (detail) } }
        p { a href="/" { (words.home) } }
    };
    answer(language, status, words.failed, "", &body)
}

fn answer(language: Language, status: StatusCode, title: &str, query: &str, body: &Markup) -> Response {
    let words = language.words();
    let page = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Kontor" }
                link rel="icon" href=(MARK_PATH) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                a.skip href="#content" { (words.skip) }
                header {
                    div.bar {
                        a.home href="/" { "Kontor" }
                        form.search action="/" method="get" role="search" {
                            input type="search" name="q" value=(query) placeholder=(words.find) aria-label=(words.find);
                            button type="submit" { (words.search) }
                        }
                    }
                }
                main id="content" tabindex="-1" { (body) }
                footer { (words.footer) }
            }
        }
    };
    (status, headers(language), page.into_string()).into_response()
}

fn headers(language: Language) -> HeaderMap {
    let fixed = |text| HeaderValue::from_static(text);
    HeaderMap::from_iter([
        (CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (CONTENT_LANGUAGE, fixed(language.tag())),
        (VARY, fixed("accept, accept-language, authorization, cookie")),
        (CONTENT_SECURITY_POLICY, fixed(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (REFERRER_POLICY, fixed("same-origin")),
        (CACHE_CONTROL, fixed("private, no-cache")),
    ])
}
