//! The hub's own work: what waits, what runs, what was given up and may be tried again.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_db::jobs::{Buried, KindOfJobs};
use kontor_front::extract::{Form, Query};
use kontor_front::{Asked, Failure, Hub};
use maud::{Markup, html};
use serde::Deserialize;

use super::{no_permission, page, refused};
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::words::minute;
use crate::{Language, Reader};

/// Where jobs are.
pub const PATH: &str = "/console/jobs";

/// What became of the last deed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    late: Option<String>,
}

/// A job to be tried again.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    id: String,
}

/// `GET /console/jobs`
pub async fn list(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(told): Query<Told>,
) -> Result<Response, Failure> {
    if !reader.administrator {
        return Ok(no_permission(&reader, PATH));
    }
    let language = reader.language;
    let work = hub.app.background(&asked.caller).await?;
    let late = language.pick(
        "This job is no longer given up, or the same work waits already.",
        "此任务已不在放弃之列，或相同任务已在等待。",
    );
    let body = html! {
        p.lead { (language.pick("Work that the hub does by itself: scans, indexes, clean-up. What fails is tried again; what is given up waits here.", "技能中心自动执行的工作：扫描、索引、清理等。失败后会重试，放弃的任务列在这里。")) }
        (refused(told.late.is_some().then_some(late)))
        h2 { (language.pick("Under way", "进行中")) }
        @if work.kinds.is_empty() { div.empty { p { (language.pick("Nothing waits.", "没有等待的任务。")) } } }
        @else { (kinds(language, &work.kinds)) }
        h2 { (language.pick("Given up", "已放弃")) }
        @if work.failed.is_empty() { div.empty { p { (language.pick("No work was given up.", "没有被放弃的任务。")) } } }
        @else { (failed(language, &work.failed, form_token(&asked).as_deref())) }
    };
    Ok(page(&reader, PATH, &body))
}

fn kinds(language: Language, kinds: &[KindOfJobs]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(language.pick("Under way", "进行中")) { table {
            thead { tr {
                th scope="col" { (language.pick("Kind", "类型")) }
                th.number scope="col" { (language.pick("Waiting", "等待")) }
                th.number scope="col" { (language.pick("Running", "运行")) }
                th.number scope="col" { (language.pick("Given up", "已放弃")) }
                th scope="col" { (language.pick("Due since", "应执行于")) }
            } }
            tbody { @for kind in kinds { tr {
                td { code { (kind.kind) } }
                td.number { (kind.ready) }
                td.number { (kind.running) }
                td.number { (kind.dead) }
                td.day { @if let Some(at) = kind.oldest { time datetime=(at) { (minute(at)) } } }
            } } }
        } }
    }
}

fn failed(language: Language, failed: &[Buried], form: Option<&str>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(language.pick("Given up", "已放弃")) { table {
            thead { tr {
                th scope="col" { (language.pick("Kind", "类型")) }
                th scope="col" { (language.pick("What went wrong", "错误")) }
                th scope="col" { (language.pick("When", "时间")) }
                th scope="col" { span.hidden { (language.pick("Try again", "重试")) } }
            } }
            tbody { @for job in failed { tr {
                td { code { (job.kind) } }
                td lang="en" { bdi { (job.error) } }
                td.day { time datetime=(job.finished_at) { (minute(job.finished_at)) } }
                td { @if let Some(form) = form { form.end method="post" action=(PATH) {
                    input type="hidden" name="form" value=(form);
                    input type="hidden" name="id" value=(job.id);
                    button.quiet type="submit" aria-label={ (language.pick("Try again", "重试")) ": " (job.kind) } { (language.pick("Try again", "重试")) }
                } } }
            } } }
        } }
    }
}

/// `POST /console/jobs`: tries a job again that was given up.
pub async fn retry(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let id = submitted.id.parse().map_err(|_| Failure::not_found())?;
    let begun = hub.app.retry_job(&asked.caller, id).await?;
    Ok(Redirect::to(if begun { PATH } else { "/console/jobs?late=1" }).into_response())
}
