//! The policy: reading it, asking it about a version, and seeing what another one would change.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use kontor_access::policy::{Action, Permission, Policy, PolicyFault, Reason};
use kontor_front::extract::{Form, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::{DecisionOutcome, Explained, Preview};
use kontor_types::SkillRef;
use maud::{Markup, html};
use serde::Deserialize;

use super::{no_permission, page, refused};
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::{Language, Reader};

/// Where the policy is.
pub const PATH: &str = "/console/policy";

/// About which version the policy is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asking {
    version: String,
}

/// Another policy, to be looked at.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    text: String,
}

/// What the policy says of a version, and why.
struct Answer {
    reference: String,
    explained: Explained,
    permissions: Vec<(Action, Permission)>,
}

/// What another policy would change, or what is wrong with it.
enum Tried {
    Broken(Vec<PolicyFault>),
    Works(Preview),
}

/// What the page shows beside the policy in force.
#[derive(Default)]
struct Shown {
    asking: Asking,
    answer: Option<Answer>,
    wrong: Option<&'static str>,
    tried: Option<(String, Tried)>,
}

/// `GET /console/policy`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(asking): Query<Asking>,
) -> Result<Response, Failure> {
    if !reader.administrator {
        return Ok(no_permission(&reader, PATH));
    }
    let mut shown = Shown { asking, ..Shown::default() };
    if !shown.asking.version.trim().is_empty() {
        match answer(&hub, &asked, shown.asking.version.trim()).await {
            Ok(answer) => shown.answer = Some(answer),
            Err(_) => {
                shown.wrong = Some(reader.language.pick(
                    "There is no such version that was scanned. Write it like @acme/pdf@1.2.0.",
                    "没有这样的已扫描版本。请按 @acme/pdf@1.2.0 的格式填写。",
                ));
            }
        }
    }
    told(&hub, &asked, &reader, &shown).await
}

async fn answer(hub: &Hub, asked: &Asked, version: &str) -> Result<Answer, Failure> {
    let name: SkillRef = version.parse().map_err(|_| Failure::not_found())?;
    let registry = &hub.app.registry;
    let found = registry.version(asked.caller.viewer(), &name).await?;
    let explained = registry.explain(&asked.caller, &found).await?;
    let mut permissions = Vec::new();
    for action in [Action::Install, Action::Run, Action::ActAlone] {
        permissions.push((action, registry.permission(&asked.caller, action, &found).await?));
    }
    Ok(Answer { reference: found.reference().to_string(), explained, permissions })
}

/// `POST /console/policy`: what another policy would change; nothing is.
pub async fn preview(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    asked.caller.require_administrator()?;
    let tried = match Policy::load("own", &submitted.text) {
        Ok(policy) => Tried::Works(hub.app.registry.preview_policy(&asked.caller, &policy).await?),
        Err(faults) => Tried::Broken(faults),
    };
    let shown = Shown { tried: Some((submitted.text, tried)), ..Shown::default() };
    let page = told(&hub, &asked, &reader, &shown).await?;
    let broken = matches!(shown.tried, Some((_, Tried::Broken(_))));
    Ok(if broken { (StatusCode::UNPROCESSABLE_ENTITY, page).into_response() } else { page })
}

async fn told(hub: &Hub, asked: &Asked, reader: &Reader, shown: &Shown) -> Result<Response, Failure> {
    let language = reader.language;
    let policy = hub.app.registry.policy().await?;
    let form = form_token(asked).unwrap_or_default();
    let text = shown.tried.as_ref().map_or_else(|| policy.text(), |(text, _)| text.as_str());
    let body = html! {
        p.lead { (language.pick("The rules by which the hub admits, holds and refuses versions, and says who may install, run and decide.", "技能中心据此放行、暂缓或拒绝版本，并决定谁可以安装、运行和审核。")) }
        p { (language.pick("In force: ", "当前策略：")) b { (policy.name()) } " " code.small { (policy.digest().hex().get(..16).unwrap_or_default()) } }
        section id="ask" {
            h2 { (language.pick("Ask it about a version", "查询某个版本")) }
            form.row action=(PATH) method="get" {
                label { span.hidden { (language.pick("Version", "版本")) } input name="version" value=(shown.asking.version) placeholder="@acme/pdf@1.2.0" maxlength="200" autocapitalize="none" spellcheck="false" required; }
                button type="submit" { (language.pick("Ask", "查询")) }
            }
            (refused(shown.wrong))
            @if let Some(answer) = &shown.answer { (answered(language, answer)) }
        }
        section id="preview" {
            h2 { (language.pick("Try a change", "试改策略")) }
            @if let Some((_, tried)) = &shown.tried { (outcome_of(language, tried)) }
            p.faint {
                (language.pick("Every version of the hub is decided by your text, and nothing changes. To put it in force: ", "将按您的文本重新判定所有版本，但不会更改任何内容。使其生效的命令："))
                code { "kontor policy set FILE" }
            }
            form method="post" action={ (PATH) "#preview" } {
                input type="hidden" name="form" value=(form);
                label.field { span { (language.pick("The policy in Cedar", "Cedar 策略文本")) }
                    textarea.code name="text" rows="24" spellcheck="false" required { (text) } }
                button type="submit" { (language.pick("See what it would change", "查看影响")) }
            }
        }
    };
    Ok(page(reader, PATH, &body))
}

fn outcome(language: Language, outcome: DecisionOutcome) -> &'static str {
    match outcome {
        DecisionOutcome::Admit => language.pick("admit", "放行"),
        DecisionOutcome::Review => language.pick("review", "审核"),
        DecisionOutcome::Quarantine => language.pick("quarantine", "隔离"),
        DecisionOutcome::Reject => language.pick("reject", "拒绝"),
    }
}

fn reasons(reasons: &[Reason]) -> Markup {
    html! { @if !reasons.is_empty() { ul.plain { @for reason in reasons { li { span lang="en" { (reason.text) } " " code.small { (reason.policy) } } } } } }
}

fn answered(language: Language, answer: &Answer) -> Markup {
    let facts = serde_json::to_string_pretty(&answer.explained.facts).unwrap_or_default();
    html! {
        h3 { a href={ "/" (answer.reference) } { (answer.reference) } }
        p { (language.pick("Publishing it comes to: ", "发布判定：")) b { (outcome(language, answer.explained.decided.outcome)) } }
        (reasons(&answer.explained.decided.reasons))
        dl.facts { @for (action, permission) in &answer.permissions {
            dt { @match action {
                Action::Install => (language.pick("You may install it", "您可以安装")),
                Action::Run => (language.pick("You may run it", "您可以运行")),
                _ => (language.pick("It may act without asking you", "可不经询问自行操作")),
            } }
            dd { @match permission {
                Ok(()) => span.badge.good { (language.pick("yes", "是")) },
                Err(why) => { span.badge.bad { (language.pick("no", "否")) } (reasons(why)) },
            } }
        } }
        details { summary { (language.pick("The facts that were asked", "判定依据")) } pre tabindex="0" { (facts) } }
    }
}

fn outcome_of(language: Language, tried: &Tried) -> Markup {
    html! {
        @match tried {
            Tried::Broken(faults) => div.note.bad role="alert" {
                p { (language.pick("This policy cannot be used:", "此策略无法使用：")) }
                ul { @for fault in faults { li lang="en" { (fault) } } }
            },
            Tried::Works(preview) => div.note.good role="status" {
                p { b { (language.changed(preview.changed, preview.versions)) } }
                p { (language.installs_changed(preview.installs_lost, preview.installs_won)) }
                @if !preview.kinds.is_empty() { ul { @for (from, to, versions) in &preview.kinds {
                    li { (outcome(language, *from)) " → " (outcome(language, *to)) ": " (versions) }
                } } }
                @if !preview.changes.is_empty() { details open[preview.changes.len() <= 20] {
                    summary { (language.pick("Which", "涉及版本")) }
                    ul { @for change in &preview.changes { li {
                        a href={ "/" (change.reference) } { (change.reference) } ": " (outcome(language, change.from)) " → " (outcome(language, change.to))
                        (reasons(&change.reasons))
                    } } }
                } }
            },
        }
    }
}
