//! The frame of every page, and the headers that keep it harmless.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kontor_front::LOGIN_PAGE;
use kontor_front::foreign::{Keeping, document};
use kontor_types::Code;
use maud::{DOCTYPE, Markup, html};

use crate::{Language, Reader, Theme, account, console, inbox, script};

/// Where the pages find their style.
pub const STYLE_PATH: &str = "/assets/pages.css";
/// Where they find the mark of the hub.
pub const MARK_PATH: &str = "/assets/mark.svg";

const STYLE: &str = include_str!("../assets/pages.css");
const MARK: &str = include_str!("../assets/mark.svg");
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The style of all pages.
pub async fn style(request: HeaderMap) -> Response {
    document(&request, "text/css; charset=utf-8", STYLE.as_bytes().to_vec(), Keeping::AMinute)
}

/// The mark of the hub, for the browser's tab.
pub async fn mark(request: HeaderMap) -> Response {
    document(&request, "image/svg+xml", MARK.as_bytes().to_vec(), Keeping::AMinute)
}

/// A page: its title, what was searched for, and what it shows.
pub fn page(reader: &Reader, title: &str, query: &str, body: &Markup) -> Response {
    answer(reader, StatusCode::OK, title, Some(query), body)
}

/// The home, whose search stands in its middle.
pub fn home(reader: &Reader, title: &str, body: &Markup) -> Response {
    answer(reader, StatusCode::OK, title, None, body)
}

/// A page that says something is not here.
pub fn not_found(reader: &Reader) -> Response {
    let words = reader.language.words();
    let body = html! {
        h1 { (words.not_found) }
        div.empty {
            p { (words.nothing_here) }
            p {
                a.button href="/" { (words.home) }
            }
        }
    };
    answer(reader, StatusCode::NOT_FOUND, words.not_found, Some(""), &body)
}

/// A page that says what went wrong.
pub fn failed(reader: &Reader, status: StatusCode, code: Code, detail: &str) -> Response {
    let words = reader.language.words();
    let body = html! {
        h1 { (words.failed) }
        @if let Some(text) = reader.language.failure(code) {
            p.lead { (text) }
            p.faint lang="en" { (sentence(detail)) }
        } @else {
            p.lead { (sentence(detail)) }
        }
        p { a href="/" { (words.home) } }
    };
    answer(reader, status, words.failed, Some(""), &body)
}

/// A message of the kind that programs print, as a sentence: a capital, a full stop, code where it has backticks.
fn sentence(text: &str) -> Markup {
    let mut letters = text.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let text = format!("{capital}{}", letters.as_str());
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
        @if !text.ends_with(['.', '!', '?']) { "." }
    }
}

fn answer(reader: &Reader, status: StatusCode, title: &str, query: Option<&str>, body: &Markup) -> Response {
    let words = reader.language.words();
    let page = html! {
        (DOCTYPE)
        html lang=(reader.language.tag()) data-theme=(reader.theme.word()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(scheme(reader.theme));
                title { (title) " · Kontor" }
                link rel="icon" href=(MARK_PATH) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                a.skip href="#content" { (words.skip) }
                (header(reader, query))
                main id="content" tabindex="-1" { (body) }
                (footer(reader))
                (script::load("suggest.js"))
            }
        }
    };
    (status, headers(reader.language), page.into_string()).into_response()
}

fn header(reader: &Reader, query: Option<&str>) -> Markup {
    let words = reader.language.words();
    let (other, its_name, chosen_at) = reader.language.other();
    html! {
        header {
            div.bar {
                a.home href="/" { "Kontor" }
                @if let Some(query) = query {
                    form.search action="/" method="get" role="search" data-suggest=(words.skills) {
                        input type="search" name="q" value=(query) placeholder=(words.find) aria-label=(words.find);
                        button type="submit" { (words.search) }
                    }
                }
                nav aria-label=(words.site) {
                    @if reader.may_review { a href=(console::reviews::REVIEWS) { (reader.language.pick("Reviews", "审核")) } }
                    @if reader.person.is_some() { a href=(crate::runs::PATH) { (reader.language.pick("Runs", "运行")) } }
                    @if reader.person.is_some() { a href=(crate::publish::PATH) { (reader.language.pick("Publish", "发布")) } }
                    @if reader.person.is_some() { a href=(crate::errand::PATH) { (reader.language.pick("Errands", "代办")) } }
                    @if reader.person.is_some() { a href=(inbox::PATH) { (reader.language.pick("Inbox", "收件箱")) (inbox::count(reader.unread)) } }
                    @if reader.administrator { a href=(console::PATH) { (reader.language.pick("Console", "控制台")) } }
                    @if reader.person.is_some() { a href=(account::PATH) { (reader.language.pick("Account", "账户")) } }
                    @match &reader.person {
                        Some(person) => a href={ "/@" (person) } { "@" (person) },
                        None => a href=(LOGIN_PAGE) { (words.sign_in) },
                    }
                    a href=(chosen_at) lang=(other.tag()) hreflang=(other.tag()) rel="nofollow" { (its_name) }
                }
            }
        }
    }
}

/// What the hub is, and how bright its pages are.
fn footer(reader: &Reader) -> Markup {
    let language = reader.language;
    html! {
        footer {
            div.foot {
                span { (language.words().footer) }
                nav aria-label=(language.pick("Brightness", "明暗")) {
                    @for theme in Theme::ALL {
                        a href={ "/theme/" (theme.word()) } rel="nofollow" aria-current=[(theme == reader.theme).then_some("true")] { (theme.name(language)) }
                    }
                }
            }
        }
    }
}

/// What the browser draws before the style is there.
const fn scheme(theme: Theme) -> &'static str {
    match theme {
        Theme::Machine => "light dark",
        Theme::Light => "light",
        Theme::Dark => "dark",
    }
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
