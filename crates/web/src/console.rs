//! The console: how much there is of what, what waits for a person, and the pages of whoever runs the hub.

mod audit;
mod health;
mod jobs;
mod people;
mod policy;
mod publishers;
mod reports;
pub mod reviews;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kontor_app::Figure;
use kontor_front::{Asked, Failure, Hub, Routes};
use maud::{Markup, html};

use crate::signed_in::SignedIn;
use crate::{Language, Reader, layout};

/// Where the console begins.
pub const PATH: &str = "/console";

/// The console's pages: where each is, and its name in both languages.
const PAGES: [(&str, (&str, &str)); 9] = [
    (PATH, ("Overview", "概览")),
    (reviews::REVIEWS, ("Reviews", "审核")),
    (reports::PATH, ("Reports", "举报")),
    (people::PATH, ("People", "人员")),
    (publishers::PATH, ("Publishers", "发布者")),
    (policy::PATH, ("Policy", "策略")),
    (audit::PATH, ("Audit trail", "审计记录")),
    (jobs::PATH, ("Jobs", "后台任务")),
    (health::PATH, ("Health", "运行状况")),
];

/// The console's routes.
pub fn routes() -> Routes {
    Routes::new()
        .get(PATH, overview)
        .get(reviews::REVIEWS, reviews::list)
        .get("/console/reviews/{id}", reviews::show)
        .post("/console/reviews/{id}", reviews::act)
        .get(reports::PATH, reports::list)
        .post(reports::PATH, reports::decide)
        .get(people::PATH, people::list)
        .post(people::PATH, people::act)
        .get(publishers::PATH, publishers::list)
        .get(policy::PATH, policy::show)
        .post(policy::PATH, policy::preview)
        .get(audit::PATH, audit::list)
        .get(jobs::PATH, jobs::list)
        .post(jobs::PATH, jobs::retry)
        .get(health::PATH, health::show)
}

/// `GET /console`: each number leads to what it counts.
async fn overview(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
) -> Result<Response, Failure> {
    if !reader.administrator {
        return Ok(no_permission(&reader, PATH));
    }
    let language = reader.language;
    let figures = hub.app.overview(&asked.caller).await?;
    let body = html! {
        p.lead { (language.pick("What is on this hub, and what waits for somebody.", "本技能中心的现状，以及等待处理的事项。")) }
        ul.figures { @for (figure, number) in figures {
            @let (place, name, waits) = told(language, figure);
            li.waits[waits && number > 0] {
                @match place {
                    Some(place) => a href=(place) { b { (number) } " " span { (name) } },
                    None => span { b { (number) } " " span { (name) } },
                }
            }
        } }
    };
    Ok(page(&reader, PATH, &body))
}

/// Where what a figure counts is listed, what it is called, and whether it waits for somebody.
const fn told(language: Language, figure: Figure) -> (Option<&'static str>, &'static str, bool) {
    match figure {
        Figure::People => (Some(people::PATH), language.pick("people", "人员"), false),
        Figure::Publishers => (Some(publishers::PATH), language.pick("publishers", "发布者"), false),
        Figure::Skills => (Some("/?sort=updated"), language.pick("skills", "技能"), false),
        Figure::OpenReviews => {
            (Some(reviews::REVIEWS), language.pick("versions wait for a review", "个版本待审核"), true)
        }
        Figure::OpenReports => (Some(reports::PATH), language.pick("reports wait for an answer", "份举报待处理"), true),
        Figure::RunningRuns => (None, language.pick("runs are under way", "次运行进行中"), false),
        Figure::StalledWorkflows => (None, language.pick("workflows wait for a person", "个流程待人工处理"), true),
        Figure::FailedJobs => (Some(jobs::PATH), language.pick("jobs were given up", "个后台任务已放弃"), true),
    }
}

fn name(language: Language, place: &str) -> &'static str {
    let found = PAGES.iter().find(|(one, _)| *one == place);
    found.map_or("", |(_, (english, chinese))| language.pick(english, chinese))
}

/// The names of the console's pages.
fn pages(language: Language, here: &str) -> Markup {
    html! {
        nav aria-label=(language.pick("Console", "控制台")) { ul.chips { @for (place, (english, chinese)) in PAGES {
            li { a href=(place) aria-current=[(place == here).then_some("page")] { (language.pick(english, chinese)) } }
        } } }
    }
}

/// A page of the console.
fn page(reader: &Reader, here: &str, body: &Markup) -> Response {
    let title = name(reader.language, here);
    let body = html! {
        (pages(reader.language, here))
        h1 { (title) }
        (body)
    };
    layout::page(reader, title, "", &body)
}

/// For who may not see a page of the console: what it is for, and what to do.
fn no_permission(reader: &Reader, here: &str) -> Response {
    let (language, title) = (reader.language, name(reader.language, here));
    let body = html! {
        h1 { (title) }
        div.empty {
            p { (language.pick("This page is for administrators of the hub.", "此页面仅供技能中心的管理员使用。")) }
            p { (language.pick("Ask an administrator for that right, or sign in as one.", "请向管理员申请权限，或以管理员身份登录。")) }
            p { a.button href="/" { (language.words().home) } }
        }
    };
    (StatusCode::FORBIDDEN, layout::page(reader, title, "", &body)).into_response()
}

/// What could not be done, above the form that it was asked with.
fn refused(text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { p.note.bad role="alert" { (text) } } }
}
