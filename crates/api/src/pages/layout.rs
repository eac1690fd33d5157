//! The frame of every page, and the headers that keep it harmless.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::foreign::{Keeping, document};

/// Where the pages find their style.
pub const STYLE_PATH: &str = "/assets/pages.css";

const STYLE: &str = include_str!("../../assets/pages.css");
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The style of all pages.
pub async fn style(request: HeaderMap) -> Response {
    document(&request, "text/css; charset=utf-8", STYLE.as_bytes().to_vec(), Keeping::AMinute)
}

/// A page: its title, what was searched for, and what it shows.
pub fn page(title: &str, query: &str, body: &Markup) -> Response {
    answer(StatusCode::OK, title, query, body)
}

/// A page that says something is not here.
pub fn not_found() -> Response {
    let body = html! {
        h1 { "Not found" }
        p.lead { "There is nothing here that you may see. " a href="/" { "Search the hub" } "." }
    };
    answer(StatusCode::NOT_FOUND, "Not found", "", &body)
}

/// A page that says what went wrong.
pub fn failed(status: StatusCode, detail: &str) -> Response {
    let body = html! { h1 { "This did not work" } p.lead { (detail) } };
    answer(status, "This did not work", "", &body)
}

fn answer(status: StatusCode, title: &str, query: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Kontor" }
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                header.bar {
                    a.home href="/" { "Kontor" }
                    form.search action="/" method="get" role="search" {
                        input type="search" name="q" value=(query) placeholder="Find a skill" aria-label="Find a skill";
                        button type="submit" { "Search" }
                    }
                }
                main { (body) }
                footer { "Kontor, a hub for agent skills" }
            }
        }
    };
    (status, headers(), page.into_string()).into_response()
}

fn headers() -> HeaderMap {
    let fixed = |text| HeaderValue::from_static(text);
    HeaderMap::from_iter([
        (CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, fixed(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (REFERRER_POLICY, fixed("same-origin")),
        (CACHE_CONTROL, fixed("private, no-cache")),
    ])
}
