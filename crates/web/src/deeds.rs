//! What people do about a skill on its page: make it active for their agents, end that, report it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_access::secret;
use kontor_front::extract::{Form, Path};
use kontor_front::{Asked, Failure, Hub, LOGIN_PAGE};
use maud::html;
use serde::Deserialize;

use crate::sign_in::stale_form;
use crate::{Reader, layout, open};

/// The most characters of a report.
const LONGEST: usize = 2_000;

/// What a form of a skill's page carries.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    #[serde(default)]
    end: Option<String>,
    #[serde(default)]
    reason: String,
}

/// What forms carry to show that they were made for this session; none for who is not signed in.
pub fn form_token(asked: &Asked) -> Option<String> {
    asked.session.as_ref().map(|(_, cookie)| secret::form_token(cookie))
}

/// Passes for a form that was made for this session.
pub fn held(asked: &Asked, form: &str) -> Result<(), Failure> {
    let Some((_, cookie)) = &asked.session else { return Err(kontor_access::Error::Unauthenticated.into()) };
    if secret::is_form_token(cookie, form) { Ok(()) } else { Err(stale_form()) }
}

/// `POST /@{publisher}/{skill}/activate`: makes the version live for the caller's agents, or ends it.
pub async fn activate(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Path((publisher, skill)): Path<(String, String)>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &asked.caller, &publisher, &skill).await?;
    held(&asked, &submitted.form)?;
    let reference = found.reference();
    if submitted.end.is_some() {
        hub.app.registry.deactivate(&asked.caller, &reference).await?;
    } else {
        hub.app.registry.activate(&asked.caller, &reference).await?;
    }
    Ok(Redirect::to(&format!("/@{publisher}/{skill}#use")).into_response())
}

/// `GET /@{publisher}/{skill}/report`
pub async fn ask_report(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &asked.caller, &publisher, &skill).await?;
    let (language, reference, place) = (reader.language, found.reference(), open::place(&found));
    let title = language.pick("Report a skill", "举报技能");
    let body = html! {
        p.trail { a href=(place) { (reference) } }
        h1 { (title) }
        @if let Some(form) = form_token(&asked) {
            p.lead { (language.pick("Say what is wrong: harm, theft, a false promise. The administrators of this hub read it and answer you.", "请说明问题：危害、抄袭、虚假承诺等。本技能中心的管理员会阅读并答复您。")) }
            form method="post" action={ (place) "/report" } {
                input type="hidden" name="form" value=(form);
                label.field { span { (language.pick("What is wrong", "问题")) } textarea name="reason" required maxlength=(LONGEST) {} }
                button type="submit" { (language.pick("Report", "举报")) }
            }
        } @else {
            p.lead { (language.pick("Sign in to report a skill: whoever decides may have to ask you.", "请先登录再举报：处理者可能需要向您询问。")) }
            p { a.button href=(LOGIN_PAGE) { (language.words().sign_in) } }
        }
    };
    Ok(layout::page(&reader, title, "", &body))
}

/// `POST /@{publisher}/{skill}/report`
pub async fn report(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &asked.caller, &publisher, &skill).await?;
    held(&asked, &submitted.form)?;
    let reason: String = submitted.reason.chars().take(LONGEST).collect();
    hub.app.registry.report(&asked.caller, &found.reference(), &reason).await?;
    let language = reader.language;
    let title = language.pick("Thank you", "谢谢");
    let body = html! {
        h1 { (title) }
        p.lead { (language.pick("Your report was kept. An administrator reads it and answers you.", "您的举报已保存，管理员会阅读并答复。")) }
        p { a href=(open::place(&found)) { (found.reference()) } }
    };
    Ok(layout::page(&reader, title, "", &body))
}
