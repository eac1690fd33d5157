//! Where a person approves a device: type the code, see who asks for what, decide. Plain forms, no script.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kontor_access::{Caller, DeviceRequest, Error, secret};
use kontor_front::extract::{Form, Query};
use kontor_front::{Asked, DEVICE_PAGE, Failure, Hub};
use maud::{Markup, html};
use serde::Deserialize;

use super::LOGOUT;
use super::login_page::stale_form;
use crate::{Reader, layout};

/// Codes are short; more than this is no code.
const LONGEST_CODE: usize = 40;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    code: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Submitted {
    form: String,
    code: String,
    #[serde(default)]
    step: Step,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    #[default]
    Look,
    Approve,
    Deny,
}

/// `GET /device`, with or without a code to begin with.
pub(super) async fn show(
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(typed): Query<Typed>,
) -> Response {
    let code: String = typed.code.chars().filter(char::is_ascii).take(LONGEST_CODE).collect();
    let Some(form) = form_token(&asked) else { return signed_out(&reader, &code) };
    Page { reader: &reader, caller: &asked.caller, form: &form }.ask(&code, None)
}

/// `POST /device`
pub(super) async fn submit(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    let (access, caller) = (&hub.app.access, &asked.caller);
    let Some((_, cookie)) = &asked.session else { return Ok(signed_out(&reader, &submitted.code)) };
    if !secret::is_form_token(cookie, &submitted.form) {
        return Err(stale_form());
    }
    let code = submitted.code.as_str();
    let page = Page { reader: &reader, caller, form: &submitted.form };
    let outcome = match submitted.step {
        Step::Look => access.device_request(caller, code).await.map(|request| page.confirm(code, &request)),
        Step::Approve => {
            access.decide_device_login(caller, code, true).await.map(|request| done(&reader, &request, true))
        }
        Step::Deny => {
            access.decide_device_login(caller, code, false).await.map(|request| done(&reader, &request, false))
        }
    };
    match outcome {
        Ok(page) => Ok(page),
        Err(Error::UserCode) => Ok(page.ask(code, Some(reader.language.words().wrong_code))),
        Err(Error::TooManyTries) => Ok(page.ask(code, Some(reader.language.words().too_many_codes))),
        Err(error) => Err(error.into()),
    }
}

fn form_token(asked: &Asked) -> Option<String> {
    asked.session.as_ref().map(|(_, cookie)| secret::form_token(cookie))
}

fn signed_out(reader: &Reader, code: &str) -> Response {
    let words = reader.language.words();
    let shown = if code.is_empty() { "CODE" } else { code };
    let body = html! {
        h1 { (words.approve_device) }
        p.lead { (words.not_signed_in) }
        p { (words.approve_there) }
        pre { code { "kontor login approve " (shown) } }
        p { (words.approve_here) }
        pre { code { "kontor login --web" } }
    };
    layout::page(reader, words.approve_device, "", &body)
}

/// The two steps of somebody who is signed in.
struct Page<'a> {
    reader: &'a Reader,
    caller: &'a Caller,
    form: &'a str,
}

impl Page<'_> {
    /// The first step: type the code.
    fn ask(&self, code: &str, wrong: Option<&str>) -> Response {
        let words = self.reader.language.words();
        let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let body = html! {
            h1 { (words.approve_device) }
            p.lead { (words.type_code) }
            @if let Some(wrong) = wrong { p.note id="wrong" role="alert" { (wrong) } }
            form method="post" action=(DEVICE_PAGE) {
                input type="hidden" name="form" value=(self.form);
                p {
                    label for="code" { (words.code) " " }
                    input #code name="code" value=(code) autocomplete="off" autocapitalize="characters" spellcheck="false"
                        required maxlength="20" size="12" aria-invalid=[wrong.map(|_| "true")]
                        aria-describedby=[wrong.map(|_| "wrong")];
                }
                button type="submit" name="step" value="look" { (words.go_on) }
            }
            (self.identity())
        };
        (status, layout::page(self.reader, words.approve_device, "", &body)).into_response()
    }

    /// The second step: see who asks for what.
    fn confirm(&self, code: &str, request: &DeviceRequest) -> Response {
        let words = self.reader.language.words();
        let body = html! {
            h1 { (self.reader.language.let_device_in(&request.label)) }
            p.lead { (words.approve_care) " " code { (code) } }
            p { (words.able_to) }
            ul { @for scope in &request.scopes { li { (self.reader.language.meaning(*scope)) } } }
            form method="post" action=(DEVICE_PAGE) {
                input type="hidden" name="form" value=(self.form);
                input type="hidden" name="code" value=(code);
                button type="submit" name="step" value="approve" { (words.approve) }
                " "
                button.quiet type="submit" name="step" value="deny" { (words.deny) }
            }
            (self.identity())
        };
        layout::page(self.reader, words.approve_device, "", &body)
    }

    fn identity(&self) -> Markup {
        html! {
            @if let Some((_, handle)) = &self.caller.person {
                form.identity method="post" action=(LOGOUT) {
                    input type="hidden" name="form" value=(self.form);
                    p.faint { (self.reader.language.signed_in_as(handle.as_str())) " "
                        button.quiet type="submit" { (self.reader.language.words().sign_out) } }
                }
            }
        }
    }
}

fn done(reader: &Reader, request: &DeviceRequest, approved: bool) -> Response {
    let words = reader.language.words();
    let (title, rest) =
        if approved { (words.approved, words.approved_rest) } else { (words.denied, words.denied_rest) };
    let body = html! { h1 { (title) } p.lead { "“" bdi { (request.label) } "” — " (rest) } };
    layout::page(reader, title, "", &body)
}
