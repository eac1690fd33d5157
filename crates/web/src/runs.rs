//! The pages of runs: the reader's own, and one as it goes on, with its result and its receipt.

mod log;
pub mod told;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_dispatch::{Came, FileWay, Run, RunFile, RunState};
use kontor_front::extract::{Form, Path, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_runs::Receipt;
use kontor_types::{Cursor, PageSize, RunId, SkillRef, Timestamp};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use self::log::Log;
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::words::size;
use crate::{Language, Reader, layout, script};

/// Where runs are.
pub const PATH: &str = "/runs";
/// Runs on a page.
const SIZE: u32 = 30;
/// The most letters of a result that are shown.
const SHOWN: usize = 30_000;
/// The most files that are listed.
const MOST_FILES: usize = 100;
/// All states, in their order.
const STATES: [RunState; 7] = [
    RunState::Queued,
    RunState::Preparing,
    RunState::Running,
    RunState::Finished,
    RunState::Failed,
    RunState::Cancelled,
    RunState::Lost,
];

/// Which runs are listed.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    state: String,
    #[serde(default)]
    skill: String,
    cursor: Option<Cursor>,
}

/// What is done about a run.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    deed: Deed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deed {
    Cancel,
    Retry,
}

/// The address of a run's page.
pub fn place(id: RunId) -> String {
    format!("{PATH}/{id}")
}

/// `GET /runs`: the reader's own, the newest first.
pub async fn list(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    let language = reader.language;
    let title = language.pick("Your runs", "您的运行");
    let state = STATES.into_iter().find(|state| state.as_str() == wanted.state);
    let skill: Option<SkillRef> = wanted.skill.trim().parse().ok();
    let named = skill.clone().filter(|skill| skill.publisher.is_some());
    let nothing = !wanted.skill.trim().is_empty() && named.is_none();
    let runs = &hub.app.runs;
    let page = runs.own(&asked.caller, named, state, PageSize::clamped(SIZE), wanted.cursor.as_ref()).await?;
    let items = if nothing { Vec::new() } else { page.items };
    let filtered = state.is_some() || !wanted.skill.trim().is_empty();
    let body = html! {
        h1 { (title) }
        (filters(language, state, &wanted.skill))
        @if nothing { p.note { (language.pick("Write the skill's full name, as @publisher/skill.", "请填写技能的全名，如 @publisher/skill。")) } }
        @if items.is_empty() { (empty(language, filtered)) } @else { (table(language, &items)) }
        @if let (Some(next), false) = (&page.next, nothing) {
            p { a href={ (address(state, &wanted.skill)) "&cursor=" (next) } { (language.pick("Older runs", "更早的运行")) } }
        }
    };
    Ok(layout::page(&reader, title, "", &body))
}

fn address(state: Option<RunState>, skill: &str) -> String {
    let state = state.map_or("", RunState::as_str);
    format!("{PATH}?state={state}&skill={}", utf8_percent_encode(skill.trim(), NON_ALPHANUMERIC))
}

fn filters(language: Language, state: Option<RunState>, skill: &str) -> Markup {
    html! {
        form.row method="get" action=(PATH) {
            label { (language.pick("State", "状态")) " " select name="state" {
                option value="" { (language.pick("all", "全部")) }
                @for one in STATES { option value=(one.as_str()) selected[state == Some(one)] { (word(language, one)) } }
            } }
            label { (language.pick("Skill", "技能")) " " input type="text" name="skill" value=(skill) placeholder="@publisher/skill"; }
            button.quiet type="submit" { (language.pick("Show", "显示")) }
        }
    }
}

fn empty(language: Language, filtered: bool) -> Markup {
    html! {
        div.empty {
            @if filtered {
                p { (language.pick("None of your runs is like that.", "没有符合条件的运行。")) }
                p { a href=(PATH) { (language.pick("Show all of them", "显示全部")) } }
            } @else {
                p { (language.pick("You have not run a skill yet. Open one and choose “Try it”.", "您还没有运行过技能。打开一个技能并选择“试一试”。")) }
                p { a.button href="/" { (language.pick("Find a skill", "查找技能")) } }
            }
        }
    }
}

fn table(language: Language, runs: &[Run]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(language.pick("Runs", "运行")) {
            table {
                thead { tr {
                    th scope="col" { (language.pick("Run", "运行")) }
                    th scope="col" { (language.pick("State", "状态")) }
                    th scope="col" { (language.pick("Started", "开始")) }
                    th.number scope="col" { (language.pick("Took", "用时")) }
                } }
                tbody { @for run in runs { tr {
                    td { a href=(place(run.id)) { (run.entry) } br; a.faint.small href={ "/" (run.skill) } { (run.skill) } }
                    td { (badge(language, run.state)) }
                    td { (moment(run.created_at)) }
                    td.number { (took(language, run)) }
                } } }
            }
        }
    }
}

/// A moment, to the second, in UTC.
fn moment(at: Timestamp) -> Markup {
    let text = at.to_string();
    let shown = format!("{} {}", text.get(..10).unwrap_or_default(), text.get(11..19).unwrap_or_default());
    html! { time.day datetime=(text) { (shown) " UTC" } }
}

fn took(language: Language, run: &Run) -> String {
    let (Some(from), Some(to)) = (run.started_at, run.ended_at) else { return "—".to_owned() };
    told::time(language, u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX))
}

const fn word(language: Language, state: RunState) -> &'static str {
    match state {
        RunState::Queued => language.pick("waiting", "等待中"),
        RunState::Preparing => language.pick("being prepared", "准备中"),
        RunState::Running => language.pick("running", "运行中"),
        RunState::Finished => language.pick("done", "已完成"),
        RunState::Failed => language.pick("failed", "失败"),
        RunState::Cancelled => language.pick("cancelled", "已取消"),
        RunState::Lost => language.pick("lost", "已丢失"),
    }
}

fn badge(language: Language, state: RunState) -> Markup {
    let class = match state {
        RunState::Finished => "badge good",
        RunState::Failed | RunState::Lost => "badge bad",
        _ => "badge",
    };
    html! { span class=(class) { (word(language, state)) } }
}

/// Everything that the page of a run shows.
struct Sheet<'r> {
    language: Language,
    hub: String,
    run: &'r Run,
    came: Option<Came>,
    outputs: Vec<RunFile>,
    said: Vec<RunFile>,
    log: Markup,
    /// What its forms carry; none for who has no session.
    form: Option<String>,
    retried: bool,
}

/// `GET /runs/{id}`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (runs, caller, language) = (&hub.app.runs, &asked.caller, reader.language);
    let id: RunId = id.parse().map_err(|_| Failure::not_found())?;
    let run = runs.show(caller, id).await.map_err(hidden)?;
    let events = runs.told(caller, id, log::MOST).await?;
    let log = Log {
        id: run.id.to_string(),
        earlier: run.events > i64::from(log::MOST),
        over: run.state.is_over(),
        events: &events,
    };
    let sheet = Sheet {
        language,
        hub: hub.absolute(""),
        came: run.result.clone().and_then(|result| serde_json::from_value(result).ok()),
        outputs: runs.files(caller, id, FileWay::Out).await?,
        said: runs.files(caller, id, FileWay::Said).await?,
        log: log.shown(language),
        form: form_token(&asked),
        retried: asked.caller.person_id() == Some(run.person_id),
        run: &run,
    };
    Ok(layout::page(&reader, &format!("{} · {}", run.entry, word(language, run.state)), "", &sheet.body()))
}

/// What is not there and what is hidden look the same.
fn hidden(error: kontor_dispatch::Error) -> Failure {
    match error {
        kontor_dispatch::Error::NotFound => Failure::not_found(),
        other => other.into(),
    }
}

/// `POST /runs/{id}`: ends it, or does it again.
pub async fn submit(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Path(id): Path<String>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let id: RunId = id.parse().map_err(|_| Failure::not_found())?;
    let runs = &hub.app.runs;
    let run = match submitted.deed {
        Deed::Cancel => runs.cancel(&asked.caller, id).await.map_err(hidden)?,
        Deed::Retry => runs.retry(&asked.caller, id).await.map_err(hidden)?,
    };
    Ok(Redirect::to(&place(run.id)).into_response())
}

impl Sheet<'_> {
    fn body(&self) -> Markup {
        let (language, run) = (self.language, self.run);
        html! {
            p.trail { a href=(PATH) { (language.pick("Runs", "运行")) } " / " a href={ "/" (run.skill) } { (run.skill) } }
            h1 { code { (run.entry) } }
            div.row {
                span id="state" { (badge(language, run.state)) }
                span.faint { (language.pick("asked for ", "请求于 ")) (moment(run.created_at)) }
                @if run.started_at.is_some() { span.faint { (language.pick("took ", "用时 ")) (took(language, run)) } }
                @if run.publisher != run.person { span.faint { (language.pick("in the name of ", "以此名义：")) "@" (run.publisher) } }
            }
            (self.deeds())
            @if run.state.is_over() { (self.result()) (self.files()) }
            section {
                h2 { (language.pick("What it said", "运行输出")) }
                (self.log)
            }
            @if let Some(bytes) = &run.receipt { (self.receipt(bytes)) }
            @else if run.state.is_over() { section { h2 { (language.pick("Receipt", "收据")) } p { (language.pick("There is none: its program never started or never ended.", "没有收据：程序未启动或未结束。")) } } }
            @if !run.state.is_over() { (script::load("run.js")) }
        }
    }

    fn deeds(&self) -> Markup {
        let (language, run) = (self.language, self.run);
        html! {
            @if !run.state.is_over() {
                p.note {
                    @if run.cancel_at.is_some() { (language.pick("It is being ended.", "正在结束。")) }
                    @else { (language.pick("You can leave this page: it goes on without you.", "您可以离开本页，运行会继续。")) }
                    " " a href=(place(run.id)) { (language.pick("Look again", "刷新查看")) }
                }
            }
            @if let Some(form) = &self.form {
                form.row method="post" action=(place(run.id)) {
                    input type="hidden" name="form" value=(form);
                    @if !run.state.is_over() && run.cancel_at.is_none() {
                        button.danger type="submit" name="deed" value="cancel" { (language.pick("Cancel", "取消")) }
                    }
                    @if run.state.is_over() && run.forgotten_at.is_none() && self.retried {
                        button.quiet type="submit" name="deed" value="retry" { (language.pick("Run it again", "再次运行")) }
                    }
                    @if run.state.is_over() { a.button.quiet href={ "/" (run.skill) "/try" } { (language.pick("Try it with something else", "换个输入再试")) } }
                }
            }
        }
    }

    fn result(&self) -> Markup {
        let (language, run) = (self.language, self.run);
        html! {
            section {
                h2 { (language.pick("Result", "结果")) }
                @if let Some(came) = &self.came {
                    @if came.outcome != "done" { p.note.bad { (told::ending(language, &came.outcome, came.code, came.signal)) } }
                    @for problem in &came.problems { p lang="en" { (problem) } }
                    @if let Some(answer) = &came.answer { (answered(language, answer)) }
                    @else if came.outcome == "done" { p { (language.pick("It ended well. What it said and its files are below.", "正常结束。输出和文件见下文。")) } }
                }
                @if let Some(error) = &run.error { p.note.bad { span lang="en" { (error) } } }
                @if run.state == RunState::Cancelled && self.came.is_none() { p { (language.pick("It was cancelled before its program started.", "程序启动前已取消。")) } }
            }
        }
    }

    fn files(&self) -> Markup {
        let (language, run) = (self.language, self.run);
        let at = |kind: &str, path: &str| {
            let path: Vec<String> =
                path.split('/').map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()).collect();
            format!("/api/kontor/v1/runs/{}/{kind}/{}", run.id, path.join("/"))
        };
        html! {
            @if run.forgotten_at.is_some() {
                p.faint { (language.pick("Its files were kept for a while and are gone.", "其文件已过保留期，不再保存。")) }
            } @else if !self.outputs.is_empty() || !self.said.is_empty() {
                section {
                    h2 { (language.pick("Files", "文件")) }
                    table {
                        thead { tr { th scope="col" { (language.pick("File", "文件")) } th.number scope="col" { (language.pick("Size", "大小")) } } }
                        tbody {
                            @for file in self.outputs.iter().take(MOST_FILES) {
                                tr { td { a href=(at("outputs", &file.path)) download { bdi { (file.path) } } } td.number { (size(file.size)) } }
                            }
                            @for file in &self.said {
                                tr { td { a href=(at("said", &file.path)) download { (language.pick("all that it said on ", "全部输出：")) (file.path) } } td.number { (size(file.size)) } }
                            }
                        }
                    }
                    @if self.outputs.len() > MOST_FILES { p.faint { (language.and_more(self.outputs.len().saturating_sub(MOST_FILES) as u64)) } }
                    @if let Some(until) = run.keep_until { p.faint.small { (language.pick("Kept until ", "保留至 ")) (moment(until)) } }
                }
            }
        }
    }

    fn receipt(&self, bytes: &[u8]) -> Markup {
        let (language, id) = (self.language, self.run.id);
        let Ok((receipt, _)) = Receipt::read(bytes) else { return html! {} };
        html! {
            section id="receipt" {
                h2 { (language.pick("Receipt", "收据")) }
                p { (language.pick("Signed by this hub: what ran, what it was given and what it did.", "由本技能中心签名：运行了什么、给了什么、做了什么。")) }
                dl.facts { @for (name, value) in told::receipt(language, &receipt) { dt { (name) } dd { (value) } } }
                p { a href={ "/api/kontor/v1/runs/" (id) "/receipt" } download={ (id) ".receipt.json" } { (language.pick("Download the signed receipt", "下载已签名的收据")) } }
                h3 { (language.pick("Check this yourself", "自己验证")) }
                p { (language.pick("These commands fetch the receipt with the proof that it is in this hub's log, and check both on your machine.", "以下命令取得收据及其已记入本技能中心日志的证明，并在您的机器上检查。")) }
                pre tabindex="0" { code {
                    "curl -s " (self.hub) "/log/keys > hub-keys.json\n"
                    "kontor receipt proof " (id) " --registry " (self.hub) "\n"
                    "kontor receipt verify " (id) ".proof.json --keys hub-keys.json"
                } }
            }
        }
    }
}

/// An answer as people read it: each part under its name, texts as texts.
fn answered(language: Language, answer: &Value) -> Markup {
    let mut room = SHOWN;
    let mut part = |value: &Value| {
        let text =
            value.as_str().map_or_else(|| serde_json::to_string_pretty(value).unwrap_or_default(), str::to_owned);
        let shown = told::clipped(&text, room);
        room = room.saturating_sub(shown.chars().count());
        shown
    };
    html! {
        @match answer.as_object() {
            Some(parts) => dl.answer { @for (name, value) in parts.iter().take(60) {
                dt { (name) }
                dd { @match value {
                    Value::Null => "—",
                    Value::Bool(_) | Value::Number(_) => (value),
                    Value::Array(items) if items.is_empty() => (language.pick("none", "无")),
                    value => pre tabindex="0" { code { (part(value)) } },
                } }
            } },
            None => pre tabindex="0" { code { (part(answer)) } },
        }
    }
}
