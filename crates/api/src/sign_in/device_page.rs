//! Where a person approves a device: type the code, see who asks for what, decide. Plain forms, no script.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kontor_access::{Caller, DeviceRequest, Error, secret};
use kontor_types::Scope;
use maud::{Markup, html};
use serde::Deserialize;

use super::login_page::stale_form;
use super::{DEVICE_PAGE, LOGOUT};
use crate::extract::{Form, Query};
use crate::front::Asked;
use crate::pages::layout;
use crate::{Failure, Hub};

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
pub(super) async fn show(Extension(asked): Extension<Arc<Asked>>, Query(typed): Query<Typed>) -> Response {
    let code: String = typed.code.chars().filter(char::is_ascii).take(LONGEST_CODE).collect();
    let Some(form) = form_token(&asked) else { return signed_out(&code) };
    ask(&asked.caller, &form, &code, None)
}

/// `POST /device`
pub(super) async fn submit(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    let (access, caller) = (&hub.app.access, &asked.caller);
    let Some((_, cookie)) = &asked.session else { return Ok(signed_out(&submitted.code)) };
    if !secret::is_form_token(cookie, &submitted.form) {
        return Err(stale_form());
    }
    let code = submitted.code.as_str();
    let outcome = match submitted.step {
        Step::Look => {
            access.device_request(caller, code).await.map(|request| confirm(caller, &submitted.form, code, &request))
        }
        Step::Approve => access.decide_device_login(caller, code, true).await.map(|request| done(&request, true)),
        Step::Deny => access.decide_device_login(caller, code, false).await.map(|request| done(&request, false)),
    };
    match outcome {
        Ok(page) => Ok(page),
        Err(error @ (Error::UserCode | Error::TooManyTries)) => {
            Ok(ask(caller, &submitted.form, code, Some(&error.problem().detail)))
        }
        Err(error) => Err(error.into()),
    }
}

fn form_token(asked: &Asked) -> Option<String> {
    asked.session.as_ref().map(|(_, cookie)| secret::form_token(cookie))
}

fn signed_out(code: &str) -> Response {
    let shown = if code.is_empty() { "CODE" } else { code };
    let page = layout::page(
        "Approve a device",
        "",
        &html! {
            h1 { "Approve a device" }
            p.lead { "This browser is not signed in." }
            p { "On a machine where you are signed in, either approve the device there:" }
            pre { "kontor login approve " (shown) }
            p { "or sign this browser in, and come back here:" }
            pre { "kontor login --web" }
        },
    );
    (StatusCode::OK, page).into_response()
}

/// The first step: type the code.
fn ask(caller: &Caller, form: &str, code: &str, wrong: Option<&str>) -> Response {
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = layout::page(
        "Approve a device",
        "",
        &html! {
            h1 { "Approve a device" }
            p.lead { "Type the code that the device shows." }
            @if let Some(wrong) = wrong { p.note role="alert" { (wrong) } }
            form method="post" action=(DEVICE_PAGE) {
                input type="hidden" name="form" value=(form);
                p {
                    label for="code" { "Code " }
                    input #code name="code" value=(code) autocomplete="off" autocapitalize="characters" spellcheck="false"
                        required maxlength="20" size="12";
                }
                button type="submit" name="step" value="look" { "Continue" }
            }
            (identity(caller, form))
        },
    );
    (status, page).into_response()
}

/// The second step: see who asks for what.
fn confirm(caller: &Caller, form: &str, code: &str, request: &DeviceRequest) -> Response {
    layout::page(
        "Approve a device",
        "",
        &html! {
            h1 { "Let “" (request.label) "” sign in as you?" }
            p.lead { "The device chose that name itself. Approve only if you have just begun this sign-in, and the device
                shows the code " code { (code) } "." }
            p { "It will be able to:" }
            ul { @for scope in &request.scopes { li { (meaning(*scope)) } } }
            form method="post" action=(DEVICE_PAGE) {
                input type="hidden" name="form" value=(form);
                input type="hidden" name="code" value=(code);
                button type="submit" name="step" value="approve" { "Approve" }
                " "
                button type="submit" name="step" value="deny" { "Deny" }
            }
            (identity(caller, form))
        },
    )
}

fn done(request: &DeviceRequest, approved: bool) -> Response {
    let (title, rest) = if approved {
        ("Approved", "is signed in within a few seconds. You can close this page.")
    } else {
        ("Denied", "was turned away.")
    };
    layout::page(title, "", &html! { h1 { (title) } p.lead { "“" (request.label) "” " (rest) } })
}

fn identity(caller: &Caller, form: &str) -> Markup {
    html! {
        @if let Some((_, handle)) = &caller.person {
            form method="post" action=(LOGOUT) {
                input type="hidden" name="form" value=(form);
                p.faint { "You are signed in as @" (handle) ". " button type="submit" { "Sign out" } }
            }
        }
    }
}

const fn meaning(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "see and download the skills that you may see",
        Scope::Publish => "publish and change skills in your name",
        Scope::Run => "start runs in your name",
        Scope::Review => "decide on held versions in your name",
        Scope::Admin => "manage everything that you may manage",
    }
}
