//! Signing in with a password, and where one-time links lead. Only the button uses a link up, so that a program that looks
//! ahead does not.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::{Error, ExposeSecret as _, SecretString, secret};
use kontor_front::extract::{Form, Query};
use kontor_front::{Asked, Failure, Hub, LOGIN_PAGE, clear_session, set_session};
use maud::{Markup, html};
use serde::Deserialize;

use crate::account::PASSWORD;
use crate::{Reader, layout};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Code {
    code: String,
}

/// What a form sends: the code of a link, or a name and a password.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Shown {
    code: String,
    name: String,
    password: String,
    next: String,
}

/// Most characters of the address of a page that signing in leads back to.
const LONGEST: usize = 2_000;

/// The address of a page of this hub, when it is one; an address elsewhere is none.
fn page_here(next: &str) -> Option<&str> {
    let here = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    let plain = next.len() <= LONGEST && next.bytes().all(|byte| byte.is_ascii_graphic());
    Some(next).filter(|_| here && plain)
}

/// Answers who is not signed in on a page that needs somebody; signing in here leads back to it.
pub(crate) fn needed(reader: &Reader, wanted: &str) -> Response {
    let page = layout::page(reader, reader.language.words().sign_in, "", &both_ways(reader, "", wanted, None));
    (StatusCode::UNAUTHORIZED, page).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct Leave {
    form: String,
}

/// `GET /login?code=…`
pub(super) async fn show(
    State(hub): State<Hub>,
    reader: Reader,
    Query(query): Query<Code>,
) -> Result<Response, Failure> {
    let (language, words) = (reader.language, reader.language.words());
    if query.code.is_empty() {
        return Ok(layout::page(&reader, words.sign_in, "", &both_ways(&reader, "", "", None)));
    }
    let person = hub.app.access.sign_in_link(&SecretString::from(query.code.as_str())).await?;
    let host = hub.config.public_url.host_str().unwrap_or_default();
    let body = html! {
        h1 { (language.sign_in_as(person.as_str())) }
        p.lead { (language.sign_in_at(host)) }
        form method="post" action=(LOGIN_PAGE) {
            input type="hidden" name="code" value=(query.code);
            button type="submit" { (words.sign_in) }
        }
    };
    Ok(layout::page(&reader, words.sign_in, "", &body))
}

/// `POST /login`
pub(super) async fn submit(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    headers: HeaderMap,
    Form(form): Form<Shown>,
) -> Result<Response, Failure> {
    let browser = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let access = &hub.app.access;
    let opened = if form.code.is_empty() {
        access.sign_in(&form.name, &SecretString::from(form.password), browser, &asked.caller).await
    } else {
        access.open_session(&SecretString::from(form.code), browser, &asked.caller).await
    };
    let words = reader.language.words();
    let (status, wrong) = match &opened {
        Err(Error::WrongPassword) => (StatusCode::UNPROCESSABLE_ENTITY, words.wrong_password),
        Err(Error::TooManyPasswords { .. }) => (StatusCode::TOO_MANY_REQUESTS, words.too_many_passwords),
        _ => (StatusCode::OK, ""),
    };
    if !wrong.is_empty() {
        let page = layout::page(&reader, words.sign_in, "", &both_ways(&reader, &form.name, &form.next, Some(wrong)));
        return Ok((status, page).into_response());
    }
    let session = opened?;
    let next = page_here(&form.next).unwrap_or("/");
    let place = if chooses_a_password(&hub, &session.cookie).await? { PASSWORD } else { next };
    let mut response = Redirect::to(place).into_response();
    let lasts = session.expires_at.since(hub.app.clock.now());
    set_session(response.headers_mut(), &hub.config, session.cookie.expose_secret(), lasts)?;
    Ok(response)
}

/// Whether an administrator has come in who has no password yet, as at the first start: then they choose one.
async fn chooses_a_password(hub: &Hub, cookie: &SecretString) -> Result<bool, Failure> {
    let session = hub.app.access.session(cookie).await?;
    if session.caller.require_administrator().is_err() {
        return Ok(false);
    }
    Ok(hub.app.access.password_set_at(&session.caller).await?.is_none())
}

/// The two ways in: a name and a password, or a link.
fn both_ways(reader: &Reader, name: &str, next: &str, wrong: Option<&str>) -> Markup {
    let words = reader.language.words();
    let (invalid, about) = (wrong.map(|_| "true"), wrong.map(|_| "wrong"));
    let next = page_here(next);
    html! {
        h1 { (words.sign_in) }
        @if next.is_some() { p.lead { (reader.language.pick("This page is for people who are signed in. You come back to it then.", "此页面需要登录。登录后将返回此页。")) } }
        @if let Some(wrong) = wrong { p.note id="wrong" role="alert" { (wrong) } }
        form method="post" action=(LOGIN_PAGE) {
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
            p {
                label for="name" { (words.own_name) " " }
                input #name name="name" value=(name) autocomplete="username" autocapitalize="none" spellcheck="false"
                    required maxlength="60" aria-invalid=[invalid] aria-describedby=[about];
            }
            p {
                label for="password" { (words.password) " " }
                input #password type="password" name="password" autocomplete="current-password" required
                    maxlength="1024" aria-invalid=[invalid] aria-describedby=[about];
            }
            button type="submit" { (words.sign_in) }
        }
        h2 { (words.sign_in_without) }
        p { (words.sign_in_how) }
        pre { code { "kontor login --web" } }
    }
}

/// `POST /logout`
pub(super) async fn leave(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Form(form): Form<Leave>,
) -> Result<Response, Failure> {
    if let Some((session, cookie)) = &asked.session {
        if !secret::is_form_token(cookie, &form.form) {
            return Err(stale_form());
        }
        hub.app.access.close_session(session).await?;
    }
    let mut response = Redirect::to(LOGIN_PAGE).into_response();
    clear_session(response.headers_mut(), &hub.config)?;
    Ok(response)
}

/// A form that was not made for this session.
pub(crate) fn stale_form() -> Failure {
    Failure::new(kontor_types::Code::WrongOrigin, "this form was made for another session")
        .hint("go back, load the page again and repeat")
}
