//! What the hub says about a version to those who published it: how far it has come, each finding at its line, what to do,
//! and asking for another look.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_front::extract::{Form, Path, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_package::Severity as Weight;
use kontor_registry::{Assessment, Found, NoteKind, ReviewNote, ReviewState, ScanFinding, VersionState};
use kontor_scan::Severity;
use kontor_types::{Code, PageSize, Role, Scope, SkillRef, Version};
use maud::{Markup, html};
use serde::Deserialize;

use crate::deeds::{form_token, held};
use crate::skill::{Shown, safety, touches};
use crate::words::minute;
use crate::{Language, Reader, files, layout, open, publish, script};

/// The most findings of one kind that are shown.
const MOST: usize = 100;
/// The most characters of an appeal.
const LONGEST: usize = 4_000;

/// How a publisher came here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Came {
    same: String,
}

/// Why somebody asks for another look.
#[derive(Debug, Deserialize)]
pub struct Appeal {
    form: String,
    #[serde(default)]
    text: String,
}

/// An appeal that was not taken.
struct Untaken {
    code: Code,
    detail: String,
    text: String,
}

/// `GET /@{publisher}/{skill}/check`
pub async fn show(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    Query(came): Query<Came>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &asked.caller, &publisher, &skill).await?;
    if asked.caller.require_role(found.skill.publisher_id, Role::Maintainer, Scope::Read).is_err() {
        return Ok(not_yours(&reader, &found));
    }
    page(&hub, &asked, &reader, &found, !came.same.is_empty(), None).await
}

/// `POST /@{publisher}/{skill}/appeal`: asks for another look at a version that was not admitted.
pub async fn appeal(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path((publisher, skill)): Path<(String, String)>,
    Form(appeal): Form<Appeal>,
) -> Result<Response, Failure> {
    let found = open::found(&hub, &asked.caller, &publisher, &skill).await?;
    held(&asked, &appeal.form)?;
    asked.caller.require_role(found.skill.publisher_id, Role::Maintainer, Scope::Publish)?;
    let text: String = appeal.text.chars().take(LONGEST).collect();
    let Err(error) = hub.app.registry.appeal(&asked.caller, &found.reference(), &text).await else {
        return Ok(Redirect::to(&format!("{}/check", open::place(&found))).into_response());
    };
    let problem = error.problem();
    if !matches!(problem.code, Code::Conflict | Code::InvalidRequest) {
        return Err(error.into());
    }
    let untaken = Untaken { code: problem.code, detail: problem.detail, text };
    page(&hub, &asked, &reader, &found, false, Some(&untaken)).await
}

/// For who sees the skill, but does not maintain it.
fn not_yours(reader: &Reader, found: &Found) -> Response {
    let (language, reference) = (reader.language, found.reference());
    let body = html! {
        h1 { (reference) }
        div.empty {
            p { (language.pick("Only those who maintain this skill see how it was checked in full.", "只有此技能的维护者能看到完整的检查过程。")) }
            p { a.button href={ (open::place(found)) "#safety" } { (language.pick("What was found in it", "查看扫描发现")) } }
        }
    };
    layout::page(reader, &reference.to_string(), "", &body)
}

async fn page(
    hub: &Hub,
    asked: &Asked,
    reader: &Reader,
    found: &Found,
    same: bool,
    untaken: Option<&Untaken>,
) -> Result<Response, Failure> {
    let registry = &hub.app.registry;
    let caller = &asked.caller;
    let name = SkillRef::new(found.skill.publisher.clone(), found.skill.slug.clone());
    let versions = registry.versions(caller.viewer(), &name, PageSize::clamped(200), None).await?.items;
    let highest = versions.iter().map(|version| &version.number).max().unwrap_or(&found.version.number);
    let report = Report {
        language: reader.language,
        found,
        next: highest.next_patch(),
        shown: &open::shown(hub, caller, reader.language, found).await?,
        assessment: &registry.assessment(&found.version).await?,
        notes: &registry.review_notes(caller, found).await?,
        form: form_token(asked),
        same,
        untaken,
    };
    let mut response = layout::page(reader, &found.reference().to_string(), "", &report.body());
    if let Some(untaken) = untaken {
        *response.status_mut() = StatusCode::from_u16(untaken.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    }
    Ok(response)
}

/// How far a version has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Unscanned,
    Held,
    Rejected,
    Admitted,
}

/// All that is told of one version.
struct Report<'a> {
    language: Language,
    found: &'a Found,
    next: Version,
    shown: &'a Shown,
    assessment: &'a Assessment,
    notes: &'a [ReviewNote],
    form: Option<String>,
    same: bool,
    untaken: Option<&'a Untaken>,
}

impl Report<'_> {
    fn stage(&self) -> Stage {
        match self.found.version.state {
            VersionState::Pending if self.assessment.failed.is_some() => Stage::Unscanned,
            VersionState::Pending => Stage::Waiting,
            VersionState::Held => Stage::Held,
            VersionState::Rejected => Stage::Rejected,
            VersionState::Visible => Stage::Admitted,
        }
    }

    fn body(&self) -> Markup {
        let (language, stage) = (self.language, self.stage());
        let place = open::place(self.found);
        html! {
            p.trail { a href={ "/@" (self.found.skill.publisher) } { "@" (self.found.skill.publisher) } " / " a href=(place) { (self.found.skill.slug) } }
            h1 { (self.found.reference()) }
            @if self.same {
                p.note { (language.pick("The same bytes were here under this number already. Nothing new was made.", "相同内容已以此版本号存在，未创建新版本。")) }
            }
            @if let Some(untaken) = self.untaken {
                div.note.bad role="alert" {
                    p { b { (language.pick("Your appeal was not taken.", "未能接受您的申诉。")) } }
                    p lang="en" { (untaken.detail) }
                }
            }
            p.hidden role="status" id="told" {}
            div id="live" data-stage=[(stage == Stage::Waiting).then_some("waiting")] {
                (self.standing(stage))
                @if stage != Stage::Waiting { (self.after(stage)) }
            }
            (script::load("check.js"))
        }
    }

    /// The three steps, and where it stands.
    fn standing(&self, stage: Stage) -> Markup {
        let language = self.language;
        let (class, headline, meaning) = said(language, stage);
        html! {
            ol.stages {
                li { b { (language.pick("Received", "已接收")) } " " time.faint.small datetime=(self.found.version.created_at) { (minute(self.found.version.created_at)) } }
                li aria-current=[(stage == Stage::Waiting).then_some("step")] {
                    b { (language.pick("Scanned", "已扫描")) } " " (safety::badge(language, self.shown.verdict))
                }
                li aria-current=[(stage != Stage::Waiting).then_some("step")] {
                    b { (language.pick("Decided", "已判定")) } " "
                    @match &self.shown.decision {
                        Some(decision) if stage != Stage::Waiting => (safety::decided(language, decision)),
                        _ => span.badge { (language.pick("not yet", "尚未")) },
                    }
                }
            }
            div class=(class) {
                p { b data-headline { (headline) } }
                p { (meaning) }
                @if stage == Stage::Waiting {
                    p { a href={ (open::place(self.found)) "/check" } { (language.pick("Look again", "再看一次")) } }
                }
                @if let Some(error) = self.assessment.failed.as_ref().and_then(|failed| failed.error.as_ref()) {
                    p.faint lang="en" { (error) }
                }
            }
        }
    }

    /// What is known once it was scanned.
    fn after(&self, stage: Stage) -> Markup {
        let language = self.language;
        html! {
            div.skill {
                aside { (self.deeds(stage)) (self.notes()) }
                div.content {
                    (self.findings(stage))
                    (self.form_findings())
                    section id="touches" {
                        h2 { (language.pick("What it may touch", "它能接触什么")) }
                        (touches::touches(language, self.shown))
                    }
                }
            }
        }
    }

    /// What stands in the way first, then what is worth knowing.
    fn findings(&self, stage: Stage) -> Markup {
        let language = self.language;
        let counts = |finding: &&ScanFinding| finding.waived.is_none() && finding.severity >= Severity::Medium;
        let (grave, light): (Vec<_>, Vec<_>) = self.shown.evidence.iter().partition(counts);
        let is_out = matches!(stage, Stage::Held | Stage::Rejected);
        html! {
            section id="fix" {
                h2 { @if is_out { (language.pick("What must change", "需要修改什么")) } @else { (language.pick("What was found", "扫描发现")) } }
                @if let Some(decision) = &self.shown.decision { (safety::reasons(language, decision)) }
                @if grave.is_empty() && light.is_empty() {
                    p { (language.pick("The scanner found nothing in its files.", "扫描未在文件中发现问题。")) }
                } @else if is_out && !grave.is_empty() {
                    p { (language.pick("Mend each of these in your files, then publish the next version. Each says why it matters and how to mend it.",
                        "请在文件中逐项修改后发布下一版本。每一项都说明了原因和修改办法。")) }
                }
                (self.listed(&grave))
                @if !light.is_empty() {
                    h3 { (language.pick("Also noticed", "另外注意到")) }
                    (self.listed(&light))
                }
                @if !self.shown.unexamined.is_empty() {
                    h3 { (language.pick("What could not be examined", "未能检查的内容")) }
                    ul { @for (file, reason) in self.shown.unexamined.iter().take(MOST) { li { code { (file) } " " span lang="en" { (reason) } } } }
                }
            }
        }
    }

    fn listed(&self, findings: &[&ScanFinding]) -> Markup {
        let (language, place) = (self.language, &self.shown.place);
        html! {
            @if !findings.is_empty() {
                ol.findings { @for finding in findings.iter().take(MOST) { li {
                    (safety::headline(language, place, finding))
                    dl.facts {
                        dt { (language.pick("Why", "原因")) } dd lang="en" { (finding.why) }
                        dt { (language.pick("What to do", "处理办法")) } dd lang="en" { (finding.remedy) }
                    }
                } } }
                @if findings.len() > MOST { p.faint { (language.and_more((findings.len() - MOST) as u64)) } }
            }
        }
    }

    /// What was noticed about the form of the package.
    fn form_findings(&self) -> Markup {
        let language = self.language;
        html! {
            @if !self.shown.findings.is_empty() {
                section id="form" {
                    h2 { (language.pick("How it is written", "格式")) }
                    ul { @for finding in self.shown.findings.iter().take(MOST) { li {
                        @if finding.severity == Weight::Warning { span.badge.warn { (language.pick("warning", "警告")) } " " }
                        @if !finding.file.is_empty() {
                            a href=(files::address(&self.shown.place, &finding.file)) { code { (finding.file) @if finding.line > 0 { ":" (finding.line) } } } " "
                        }
                        span lang="en" { (finding.message) @if !finding.remedy.is_empty() { ". " (finding.remedy) } }
                    } } }
                }
            }
        }
    }

    /// What the author can do now.
    fn deeds(&self, stage: Stage) -> Markup {
        let language = self.language;
        let skill = &self.found.skill;
        let next = publish::address(&skill.publisher, &skill.slug, &self.next);
        html! {
            h2 { (language.pick("What you can do", "您可以")) }
            @if stage == Stage::Admitted {
                p { a.button href=(open::place(self.found)) { (language.pick("See its page", "查看页面")) } }
                p.faint.small { (language.installs(skill.installs)) " · " (language.downloads(skill.downloads)) }
            }
            p { a.button.quiet[stage == Stage::Admitted] href=(next) { (language.pick("Publish the next version", "发布下一版本")) " " (self.next) } }
            @if let (Some(form), Stage::Held | Stage::Rejected | Stage::Unscanned) = (&self.form, stage) {
                @if self.waits_for_answer() {
                    p.note { (language.pick("You appealed. A reviewer reads it and answers here.", "您已申诉，审核人会阅读并在此答复。")) }
                } @else { (self.appealing(form, stage)) }
            }
        }
    }

    fn appealing(&self, form: &str, stage: Stage) -> Markup {
        let language = self.language;
        let typed = self.untaken.map(|untaken| untaken.text.as_str()).unwrap_or_default();
        html! {
            h2 { @if stage == Stage::Unscanned { (language.pick("Ask for another scan", "请求重新扫描")) } @else { (language.pick("Is this a false alarm?", "这是误报吗？")) } }
            form method="post" action={ (open::place(self.found)) "/appeal" } {
                input type="hidden" name="form" value=(form);
                label.field {
                    span { (language.pick("Say why; a reviewer reads it", "请说明理由（审核人会看到）")) }
                    textarea name="text" required maxlength=(LONGEST) { (typed) }
                }
                button.quiet type="submit" { (language.pick("Appeal", "申诉")) }
            }
        }
    }

    /// Whether an appeal waits for an answer.
    fn waits_for_answer(&self) -> bool {
        let author = self.found.version.published_by;
        let last = self.notes.iter().rfind(|note| note.person_id != author || note.kind == NoteKind::Appeal);
        let is_open = self.assessment.review == Some(ReviewState::Open);
        is_open && last.is_some_and(|note| note.kind == NoteKind::Appeal)
    }

    /// What was said about it, the appeal and its answer included.
    fn notes(&self) -> Markup {
        let language = self.language;
        html! {
            @if !self.notes.is_empty() {
                h2 { (language.pick("What was said", "记录")) }
                ol.notes { @for note in self.notes { li {
                    p.small.faint {
                        @match &note.person { Some(person) => { "@" (person) }, None => (language.pick("the hub", "技能中心")) }
                        " · " (crate::console::reviews::kind(language, note.kind)) " · " time datetime=(note.created_at) { (minute(note.created_at)) }
                    }
                    @if !note.text.is_empty() { p { bdi { (note.text) } } }
                } } }
            }
        }
    }
}

/// The look of a stage, what it is in a sentence, and what it means.
const fn said(language: Language, stage: Stage) -> (&'static str, &'static str, &'static str) {
    match stage {
        Stage::Waiting => (
            "note",
            language.pick("It waits to be scanned.", "正在等待扫描。"),
            language.pick("This takes some seconds. Nobody else sees the version meanwhile.", "需要几秒钟。在此期间其他人看不到此版本。"),
        ),
        Stage::Unscanned => (
            "note bad",
            language.pick("It could not be scanned.", "未能完成扫描。"),
            language.pick("The hub tries again by itself. Nobody else sees the version until that succeeds.", "技能中心会自动重试。成功之前其他人看不到此版本。"),
        ),
        Stage::Held => (
            "note",
            language.pick("It is held back.", "此版本已被暂缓。"),
            language.pick("Nobody else sees it until a reviewer lets it in. You can mend it and publish the next version, or appeal.", "审核人放行之前，其他人看不到它。您可以修改后发布下一版本，或提出申诉。"),
        ),
        Stage::Rejected => (
            "note bad",
            language.pick("It is rejected.", "此版本已被拒绝。"),
            language.pick("Nobody else will see it. Mend what is listed and publish the next version, or appeal.", "其他人不会看到它。请按下列各项修改后发布下一版本，或提出申诉。"),
        ),
        Stage::Admitted => (
            "note good",
            language.pick("It is admitted.", "此版本已放行。"),
            language.pick("Whoever may see the skill can use it from now on.", "可以看到此技能的人现在都能使用它。"),
        ),
    }
}
