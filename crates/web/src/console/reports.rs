//! What people report about skills, and answering them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_front::extract::{Form, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::{Report, ReportFilter, ReportState};
use kontor_types::{Code, Cursor, PageSize};
use maud::{Markup, html};
use serde::Deserialize;

use super::{no_permission, page, refused};
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::words::minute;
use crate::{Language, Reader};

/// Where reports are.
pub const PATH: &str = "/console/reports";

const STATES: [(ReportState, (&str, &str)); 3] = [
    (ReportState::Open, ("Waiting", "待处理")),
    (ReportState::Upheld, ("Upheld", "成立")),
    (ReportState::Dismissed, ("Dismissed", "不成立")),
];

/// Which reports are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    state: String,
    cursor: String,
    late: Option<String>,
}

/// What an administrator decides.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    id: String,
    decision: String,
    #[serde(default)]
    answer: String,
}

/// `GET /console/reports`
pub async fn list(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(listed): Query<Listed>,
) -> Result<Response, Failure> {
    if !reader.administrator {
        return Ok(no_permission(&reader, PATH));
    }
    let language = reader.language;
    let state = STATES.iter().map(|(state, _)| *state).find(|state| state.as_str() == listed.state);
    let state = state.unwrap_or(ReportState::Open);
    let filter = ReportFilter { state: Some(state), ..ReportFilter::default() };
    let after: Option<Cursor> = listed.cursor.parse().ok().filter(|_| !listed.cursor.is_empty());
    let found = hub.app.registry.reports(&asked.caller, &filter, PageSize::default(), after.as_ref()).await?;
    let form = form_token(&asked);
    let late = language.pick("Somebody has decided this report already.", "已有人处理了此举报。");
    let body = html! {
        p.lead { (language.pick("What people say is wrong with skills. Whoever reported reads your answer.", "用户举报的问题。举报者会看到您的答复。")) }
        (refused(listed.late.is_some().then_some(late)))
        ul.chips { @for (one, name) in STATES {
            li { a href={ (PATH) "?state=" (one.as_str()) } aria-current=[(one == state).then_some("page")] { (language.pick(name.0, name.1)) } }
        } }
        @if found.items.is_empty() { div.empty { p { (language.pick("Nothing is here.", "这里没有内容。")) } } }
        @else { ol.notices { @for report in &found.items { (one(language, report, form.as_deref())) } } }
        @if let Some(next) = &found.next {
            p { a href={ (PATH) "?state=" (state.as_str()) "&cursor=" (next.as_str()) } rel="next" { (language.pick("More", "更多")) } }
        }
    };
    Ok(page(&reader, PATH, &body))
}

fn one(language: Language, report: &Report, form: Option<&str>) -> Markup {
    let name = format!("@{}/{}", report.publisher, report.slug);
    html! {
        li { div {
            p.said { a href={ "/" (name) } { (name) } }
            p.because { bdi { (report.reason) } }
            p.small.faint { time datetime=(report.created_at) { (minute(report.created_at)) } }
            @if let Some(answer) = report.answer.as_ref().filter(|answer| !answer.is_empty()) { p { (language.pick("Answer: ", "答复：")) bdi { (answer) } } }
            @if let (Some(form), ReportState::Open) = (form, report.state) {
                form method="post" action=(PATH) {
                    input type="hidden" name="form" value=(form);
                    input type="hidden" name="id" value=(report.id);
                    label.field { span { (language.pick("Answer", "答复")) } textarea name="answer" maxlength="2000" {} }
                    div.row {
                        button type="submit" name="decision" value="upheld" { (language.pick("It is right", "举报成立")) }
                        button.quiet type="submit" name="decision" value="dismissed" { (language.pick("It is not", "举报不成立")) }
                    }
                }
            }
        } }
    }
}

/// `POST /console/reports`
pub async fn decide(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let id = submitted.id.parse().map_err(|_| Failure::not_found())?;
    let upheld = match submitted.decision.as_str() {
        "upheld" => true,
        "dismissed" => false,
        _ => return Err(Failure::invalid("a report is upheld or dismissed")),
    };
    match hub.app.registry.close_report(&asked.caller, id, upheld, &submitted.answer).await.map_err(Failure::from) {
        Ok(_) => Ok(Redirect::to(PATH).into_response()),
        Err(failure) if failure.code() == Code::Conflict => Ok(Redirect::to("/console/reports?late=1").into_response()),
        Err(failure) => Err(failure),
    }
}
