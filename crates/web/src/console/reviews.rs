//! What waits for a person to decide: what changed, what was found, who has it, and deciding it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_front::extract::{Form, Path, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::{
    Assessment, DecisionOutcome, Difference, Holders, NoteKind, Review, ReviewFilter, ReviewNote, ReviewState,
};
use kontor_scan::Severity;
use kontor_types::{Code, Cursor, PageSize, ReviewId, SkillRef, Viewer};
use maud::{Markup, html};
use serde::Deserialize;

use crate::compare::{self, Profile};
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::skill::safety;
use crate::words::{day, minute};
use crate::{Language, Reader, layout};

/// Where reviews are.
pub const REVIEWS: &str = "/console/reviews";

/// Which reviews are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    state: String,
    cursor: String,
    of: String,
}

/// What a reviewer says.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    deed: String,
    #[serde(default)]
    text: String,
}

/// `GET /console/reviews`
pub async fn list(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(listed): Query<Listed>,
) -> Result<Response, Failure> {
    let language = reader.language;
    let title = language.pick("Reviews", "审核");
    if !reader.may_review {
        return Ok(no_reviewer(&reader, title));
    }
    if !listed.of.is_empty() {
        return named(&hub, &asked, &listed.of).await;
    }
    let state = STATES.iter().map(|(state, _)| *state).find(|state| state.as_str() == listed.state);
    let state = state.unwrap_or(ReviewState::Open);
    let filter = ReviewFilter { state: Some(state), of: None };
    let after: Option<Cursor> = listed.cursor.parse().ok().filter(|_| !listed.cursor.is_empty());
    let page = hub.app.registry.reviews(&asked.caller, &filter, PageSize::default(), after.as_ref()).await?;
    let body = html! {
        h1 { (title) }
        p.lead { (language.pick("Versions that the policy leaves to people, the oldest first.", "策略留给人工决定的版本，最早的在前。")) }
        ul.chips { @for (one, name) in STATES {
            li { a href={ (REVIEWS) "?state=" (one.as_str()) } aria-current=[(one == state).then_some("page")] { (language.pick(name.0, name.1)) } }
        } }
        @if page.items.is_empty() {
            div.empty { p { (language.pick("Nothing is here.", "这里没有内容。")) } }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(title) { (queue(language, &page.items)) }
        }
        @if let Some(next) = &page.next {
            p { a href={ (REVIEWS) "?state=" (state.as_str()) "&cursor=" (next.as_str()) } rel="next" { (language.pick("More", "更多")) } }
        }
    };
    Ok(layout::page(&reader, title, "", &body))
}

/// Leads to the review of a version.
async fn named(hub: &Hub, asked: &Asked, version: &str) -> Result<Response, Failure> {
    let of: SkillRef = version.parse().map_err(|_| Failure::not_found())?;
    let filter = ReviewFilter { state: None, of: Some(of) };
    let page = hub.app.registry.reviews(&asked.caller, &filter, PageSize::default(), None).await?;
    let review = page.items.first().ok_or_else(Failure::not_found)?;
    Ok(Redirect::to(&format!("{REVIEWS}/{}", review.id)).into_response())
}

/// The states of reviews with their names in both languages.
const STATES: [(ReviewState, (&str, &str)); 5] = [
    (ReviewState::Open, ("Waiting", "待审核")),
    (ReviewState::Changes, ("Changes wanted", "要求修改")),
    (ReviewState::Approved, ("Approved", "已通过")),
    (ReviewState::Rejected, ("Rejected", "已拒绝")),
    (ReviewState::Settled, ("Settled", "已了结")),
];

fn queue(language: Language, reviews: &[Review]) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { (language.pick("Version", "版本")) }
                th scope="col" { (language.pick("Worst finding", "最重的发现")) }
                th scope="col" { (language.pick("The policy says", "策略判定")) }
                th scope="col" { (language.pick("Published by", "发布者")) }
                th scope="col" { (language.pick("Taken by", "审核人")) }
                th scope="col" { (language.pick("Since", "自")) }
            } }
            tbody { @for one in reviews { tr {
                td { a href={ (REVIEWS) "/" (one.id) } { "@" (one.publisher) "/" (one.slug) "@" (one.number) } }
                td { (severity(language, one.severity.as_str())) }
                td { @if one.outcome == DecisionOutcome::Quarantine { (language.pick("quarantine", "隔离")) } @else { (language.pick("review", "审核")) } }
                td { @if let Some(author) = &one.author_handle { "@" (author) } }
                td { @if let Some(taker) = &one.claimed_by_handle { "@" (taker) } }
                td.day { time datetime=(one.opened_at) { (day(one.opened_at)) } }
            } } }
        }
    }
}

fn severity(language: Language, word: &str) -> Markup {
    let (class, name) = match word {
        "critical" => ("badge bad", language.pick("critical", "严重")),
        "high" => ("badge bad", language.pick("high", "高")),
        "medium" => ("badge warn", language.pick("medium", "中")),
        "low" => ("badge", language.pick("low", "低")),
        _ => ("badge", language.pick("none", "无")),
    };
    html! { span class=(class) { (name) } }
}

/// `GET /console/reviews/{id}`: what changed since the version admitted before, what was found, what was said, deciding.
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    if !reader.may_review {
        return Ok(no_reviewer(&reader, reader.language.pick("Reviews", "审核")));
    }
    let id: ReviewId = id.parse().map_err(|_| Failure::not_found())?;
    sheet(&hub, &asked, &reader, id, None).await
}

/// What somebody wanted to do and could not.
struct Refused {
    /// What they had written.
    text: String,
    failure: Failure,
    detail: String,
}

async fn sheet(
    hub: &Hub,
    asked: &Asked,
    reader: &Reader,
    id: ReviewId,
    refused: Option<Refused>,
) -> Result<Response, Failure> {
    let registry = &hub.app.registry;
    let detail = registry.review(&asked.caller, id).await?;
    let difference = registry.review_difference(&asked.caller, id).await?;
    let after = compare::profile(hub, &Viewer::hub(), &difference.found).await?;
    let before = match &difference.base {
        Some(base) => Some(compare::profile(hub, &Viewer::hub(), base).await?),
        None => None,
    };
    let assessment = registry.assessment(&difference.found.version).await?;
    let sheet = Sheet {
        language: reader.language,
        review: &detail.review,
        notes: &detail.notes,
        difference: &difference,
        assessment: &assessment,
        holders: registry.holders(&asked.caller, id).await?,
        form: form_token(asked),
        refused,
    };
    let title = difference.found.reference().to_string();
    let status = sheet.refused.as_ref().map_or(StatusCode::OK, |refused| refused.failure.status());
    Ok((status, layout::page(reader, &title, "", &sheet.body(before.as_ref(), &after))).into_response())
}

/// All that a reviewer looks at.
struct Sheet<'a> {
    language: Language,
    review: &'a Review,
    notes: &'a [ReviewNote],
    difference: &'a Difference,
    assessment: &'a Assessment,
    holders: Holders,
    form: Option<String>,
    refused: Option<Refused>,
}

impl Sheet<'_> {
    fn body(&self, before: Option<&Profile>, after: &Profile) -> Markup {
        let (language, review) = (self.language, self.review);
        let reference = self.difference.found.reference();
        html! {
            p.trail { a href=(REVIEWS) { (language.pick("Reviews", "审核")) } }
            h1 { (reference) }
            p.row {
                (state(language, review.state))
                (severity(language, review.severity.as_str()))
                @if let Some(decision) = &self.assessment.decision { (safety::decided(language, decision)) }
                @if let Some(author) = &review.author_handle { span.faint { (language.pick("published by", "发布者")) " @" (author) } }
                @if let Some(taker) = &review.claimed_by_handle { span.faint { (language.pick("taken by", "审核人")) " @" (taker) } }
            }
            @if let Some(decision) = &self.assessment.decision { (safety::reasons(language, decision)) }
            (self.refusal())
            @if review.state != ReviewState::Open { (self.outcome()) }
            nav.parts aria-label=(language.pick("On this page", "本页内容")) {
                a href="#touches" { (language.pick("What it may touch", "它能接触什么")) }
                a href="#safety" { (language.pick("What was found", "扫描发现")) }
                a href="#files" { (language.pick("What changed in the files", "文件变化")) }
                a href="#decide" { (language.pick("Decide", "决定")) }
                a href="#holders" { (language.pick("Who has it", "谁在使用")) }
            }
            div.skill {
                div.content {
                    section id="touches" {
                        h2 {
                            @match &self.difference.base {
                                Some(base) => { (language.pick("What it may touch since ", "与已放行版本相比能接触什么：")) (base.version.number) }
                                None => (language.pick("What it may touch; no version was admitted before", "它能接触什么（此前没有放行的版本）")),
                            }
                        }
                        (compare::gained(language, before.unwrap_or(&Profile { found: Some(kontor_scan::Capabilities::default()), ..Profile::default() }), after))
                    }
                    section id="safety" { h2 { (language.pick("What was found", "扫描发现")) } (self.findings()) }
                    section id="files" {
                        h2 { (language.pick("What changed in the files", "文件变化")) }
                        (compare::texts(language, &self.difference.files))
                    }
                }
                aside { (self.deciding()) (self.having()) (self.said()) }
            }
        }
    }

    fn findings(&self) -> Markup {
        let (language, found) = (self.language, &self.difference.found);
        let place = format!("/{}", found.reference());
        let told = self.assessment.report.iter().flat_map(|report| &report.findings);
        let told: Vec<_> = told.filter(|finding| finding.severity >= Severity::Low).take(100).collect();
        html! {
            @if told.is_empty() { p { (language.pick("Nothing of weight.", "没有值得注意的发现。")) } }
            @else { ol.findings { @for finding in told { li { (safety::evidence(language, &place, finding)) } } } }
        }
    }

    /// The form that decides; who may not decide is told so when they try.
    fn deciding(&self) -> Markup {
        let (language, is_open) = (self.language, self.review.state == ReviewState::Open);
        let taken = self.review.claimed_by.is_some();
        html! {
            h2 id="decide" { (language.pick("Decide", "决定")) }
            @if let Some(form) = &self.form {
                form method="post" action={ (REVIEWS) "/" (self.review.id) } {
                    input type="hidden" name="form" value=(form);
                    label.field {
                        span { (language.pick("Reason; the publisher reads it, and after a rejection whoever has the skill active", "理由（发布者会看到；拒绝时，已启用该技能的人也会看到）")) }
                        textarea name="text" maxlength="2000" aria-invalid=[self.refused.as_ref().map(|_| "true")] aria-describedby=[self.refused.as_ref().map(|_| "refused")] { (self.refused.as_ref().map_or("", |refused| refused.text.as_str())) }
                    }
                    div.row {
                        @if is_open {
                            button type="submit" name="deed" value="approve" { (language.pick("Approve", "通过")) }
                            button.quiet type="submit" name="deed" value="changes" { (language.pick("Ask for changes", "要求修改")) }
                            button.danger type="submit" name="deed" value="reject" { (language.pick("Reject", "拒绝")) }
                        }
                        button.quiet type="submit" name="deed" value="comment" { (language.pick("Comment", "评论")) }
                        @if is_open && !taken { button.quiet type="submit" name="deed" value="claim" { (language.pick("Take it on", "由我审核")) } }
                        @if is_open && taken { button.quiet type="submit" name="deed" value="release" { (language.pick("Leave it to others", "交给他人")) } }
                    }
                }
            }
        }
    }

    /// Why the last deed was not done; what was written stands in the form again.
    fn refusal(&self) -> Markup {
        let Some(refused) = &self.refused else { return html! {} };
        let (language, decided) = (self.language, self.review.state != ReviewState::Open);
        let by = self.last_decision().and_then(|note| note.person.as_ref());
        html! {
            div.note.bad id="refused" role="alert" {
                @if refused.failure.code() == Code::InvalidRequest && refused.text.trim().is_empty() {
                    p { (language.pick("Say why, so that the publisher knows what to do. Nothing was decided.", "请说明理由，让发布者知道该怎么做。尚未作出决定。")) }
                } @else if refused.failure.code() == Code::InvalidRequest {
                    p { (language.pick("This cannot be taken as it is. Nothing was decided.", "无法提交，尚未作出决定。")) }
                } @else if decided {
                    p {
                        @match by {
                            Some(person) => { b { "@" (person) } (language.pick(" has decided it already", " 已作出决定")) },
                            None => (language.pick("It is decided already", "已有决定")),
                        }
                        (language.pick(": ", "：")) (state(language, self.review.state))
                    }
                    p { (language.pick("Your decision was not needed any more. What you wrote stands in the form: you may still add it as a comment.", "您的决定没有生效。您写的内容仍在表单中，可以作为评论提交。")) }
                } @else {
                    p { (language.pick("Somebody was faster. Look at the review again; what you wrote stands in the form.", "有人先操作了。请重新查看；您写的内容仍在表单中。")) }
                }
                @if !decided { p.small.faint lang="en" { (refused.detail) } }
            }
        }
    }

    fn last_decision(&self) -> Option<&ReviewNote> {
        let deciding =
            |note: &&ReviewNote| matches!(note.kind, NoteKind::Approve | NoteKind::Reject | NoteKind::Changes);
        self.notes.iter().rfind(deciding)
    }

    /// What it came to, by whom, and that those concerned know.
    fn outcome(&self) -> Markup {
        let (language, people, told) = (self.language, self.holders.people(), self.holders.known.told);
        let good = self.review.state == ReviewState::Approved;
        html! {
            div.note.good[good].bad[self.review.state == ReviewState::Rejected] role="status" {
                p {
                    b { (state(language, self.review.state)) }
                    @if let Some(note) = self.last_decision() {
                        @if let Some(person) = &note.person { " · @" (person) }
                        " · " time datetime=(note.created_at) { (minute(note.created_at)) }
                        @if !note.text.is_empty() { br; bdi { (note.text) } }
                    }
                }
                @if people > 0 { p { a href="#holders" { (told_of(language, told, people)) } } }
            }
        }
    }

    /// Who has the skill active, and whether they know what was decided.
    fn having(&self) -> Markup {
        let (language, holders) = (self.language, &self.holders);
        let (people, installs) = (holders.people(), self.difference.found.skill.installs);
        let decided = holders.known.told > 0 || self.review.state != ReviewState::Open;
        let nameless = people.saturating_sub(holders.named.len() as u64);
        html! {
            section id="holders" {
                h2 { (language.pick("Who has it active", "谁已启用")) }
                @if people == 0 {
                    p { (language.pick("Nobody has the skill active in their agents.", "没有人在智能体中启用此技能。")) }
                } @else {
                    p { b { (language.people(people)) } ": "
                        @for (place, held) in holders.versions.iter().take(6).enumerate() {
                            @if place > 0 { ", " } (held.number) " × " (held.people)
                        }
                        @if holders.versions.len() > 6 { " …" }
                    }
                    @if decided { p { (told_of(language, holders.known.told, people)) " " (read_by(language, holders.known.read)) } }
                    @else { p.faint { (language.pick("They are told when it is admitted or rejected.", "放行或拒绝后，他们会收到通知。")) } }
                    @if !holders.named.is_empty() { (self.named(decided)) }
                    @if nameless > 0 {
                        p.small.faint { (language.not_named(nameless)) }
                    }
                }
                p.small.faint { (language.installs(installs)) " · " (language.pick("clients that install files are counted, not named", "以文件方式安装的客户端只计数，不具名")) }
            }
        }
    }

    fn named(&self, decided: bool) -> Markup {
        let language = self.language;
        html! {
            div.scroll tabindex="0" role="region" aria-label=(language.pick("Who has it active", "谁已启用")) { table {
                thead { tr {
                    th scope="col" { (language.pick("Person", "人员")) }
                    th scope="col" { (language.pick("Has", "版本")) }
                    @if decided { th scope="col" { (language.pick("The decision", "决定")) } }
                } }
                tbody { @for one in &self.holders.named { tr {
                    td { "@" (one.person) }
                    td { (one.number) }
                    @if decided { td {
                        @match (one.told_at, one.read_at) {
                            (_, Some(at)) => { (language.pick("read ", "已读 ")) time datetime=(at) { (day(at)) } },
                            (Some(at), None) => { (language.pick("told ", "已通知 ")) time datetime=(at) { (day(at)) } },
                            (None, None) => (language.pick("took part", "参与者")),
                        }
                    } }
                } } }
            } }
        }
    }

    fn said(&self) -> Markup {
        let language = self.language;
        html! {
            h2 { (language.pick("What was said", "记录")) }
            @if self.notes.is_empty() { p.faint { (language.pick("Nothing yet.", "尚无记录。")) } }
            ol.notes { @for note in self.notes { li {
                p.small.faint {
                    @match &note.person { Some(person) => { "@" (person) }, None => (language.pick("the hub", "技能中心")) }
                    " · " (kind(language, note.kind)) " · " time datetime=(note.created_at) { (day(note.created_at)) }
                }
                @if !note.text.is_empty() { p { (note.text) } }
            } } }
        }
    }
}

fn state(language: Language, state: ReviewState) -> Markup {
    let name = STATES.iter().find(|(one, _)| *one == state).map_or(("", ""), |(_, name)| *name);
    html! { span.badge { (language.pick(name.0, name.1)) } }
}

/// What was done in a review, in words.
pub const fn kind(language: Language, kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Claim => language.pick("took it on", "开始审核"),
        NoteKind::Release => language.pick("left it to others", "交给他人"),
        NoteKind::Comment => language.pick("said", "评论"),
        NoteKind::Approve => language.pick("approved", "通过"),
        NoteKind::Reject => language.pick("rejected", "拒绝"),
        NoteKind::Changes => language.pick("asked for changes", "要求修改"),
        NoteKind::Appeal => language.pick("appealed", "申诉"),
    }
}

/// `POST /console/reviews/{id}`
pub async fn act(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(id): Path<String>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let id: ReviewId = id.parse().map_err(|_| Failure::not_found())?;
    let deed = match submitted.deed.as_str() {
        "approve" => NoteKind::Approve,
        "reject" => NoteKind::Reject,
        "changes" => NoteKind::Changes,
        "comment" => NoteKind::Comment,
        "claim" => NoteKind::Claim,
        "release" => NoteKind::Release,
        _ => return Err(Failure::invalid("a review knows no such deed")),
    };
    let Err(error) = hub.app.registry.act_on_review(&asked.caller, id, deed, &submitted.text).await else {
        return Ok(Redirect::to(&format!("{REVIEWS}/{id}")).into_response());
    };
    let detail = error.problem().detail;
    let failure = Failure::from(error);
    if !matches!(failure.code(), Code::Conflict | Code::InvalidRequest) {
        return Err(failure);
    }
    sheet(&hub, &asked, &reader, id, Some(Refused { text: submitted.text, failure, detail })).await
}

/// How many of those who have a skill were told what was decided.
fn told_of(language: Language, told: u64, people: u64) -> String {
    match language {
        Language::English => format!("{told} of {people} who have it active were told."),
        Language::Chinese => format!("{people} 位启用者中已通知 {told} 位。"),
    }
}

fn read_by(language: Language, read: u64) -> String {
    match language {
        Language::English => format!("{read} have read it."),
        Language::Chinese => format!("{read} 位已读。"),
    }
}

/// For who may not take part: what the page is for, and what to do.
fn no_reviewer(reader: &Reader, title: &str) -> Response {
    let language = reader.language;
    let body = html! {
        h1 { (title) }
        div.empty {
            p { (language.pick("Only reviewers see what waits for a decision.", "只有审核人能看到待审核的内容。")) }
            p { (language.pick("Ask an administrator of this hub for the right to review.", "请向本技能中心的管理员申请审核权限。")) }
        }
    };
    (StatusCode::FORBIDDEN, layout::page(reader, title, "", &body)).into_response()
}
