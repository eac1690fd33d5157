//! What somebody was told: decisions about skills that they have active, published or review.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_front::extract::{Form, Query};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::{Notice, NoticeKind};
use kontor_types::NoticeId;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::console::reviews::REVIEWS;
use crate::deeds::{form_token, held};
use crate::signed_in::SignedIn;
use crate::words::minute;
use crate::{Language, Reader, layout};

/// Where the inbox is.
pub const PATH: &str = "/inbox";

/// Unread notices that are told exactly.
const TOLD: u64 = 99;

/// Which page of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    before: String,
}

/// What was read.
#[derive(Debug, Deserialize)]
pub struct Submitted {
    form: String,
    id: String,
    #[serde(default)]
    all: Option<String>,
}

/// How many are unread, beside the link to the inbox.
pub fn count(unread: u64) -> Markup {
    let shown = if unread > TOLD { format!("{TOLD}+") } else { unread.to_string() };
    html! { @if unread > 0 { " " b.count { (shown) } } }
}

/// `GET /inbox`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Query(listed): Query<Listed>,
) -> Result<Response, Failure> {
    let language = reader.language;
    let title = language.pick("Inbox", "收件箱");
    let before: Option<NoticeId> = listed.before.parse().ok();
    let inbox = hub.app.registry.inbox(&asked.caller, before).await?;
    let form = form_token(&asked);
    let newest = inbox.notices.first().map(|notice| notice.id).filter(|_| reader.unread > 0);
    let body = html! {
        h1 { (title) }
        p.lead { (language.pick("What was decided about skills that you have active, publish or review.", "与您启用、发布或审核的技能有关的决定。")) }
        @if let (Some(form), Some(newest)) = (&form, newest) {
            form method="post" action=(PATH) {
                input type="hidden" name="form" value=(form);
                input type="hidden" name="id" value=(newest);
                button.quiet type="submit" name="all" value="all" { (language.pick("Mark all as read", "全部标为已读")) }
            }
        }
        @if inbox.notices.is_empty() {
            div.empty {
                p { (language.pick("Nothing was told to you yet.", "您还没有收到通知。")) }
                p { (language.pick("When a skill that you made active gets a new version, or one is refused or withdrawn, you read it here.", "您启用的技能有新版本、被拒绝或被撤回时，会在这里通知您。")) }
                p { a.button href="/" { (language.pick("Look for skills", "查找技能")) } }
            }
        } @else {
            ol.notices { @for notice in &inbox.notices { (line(language, notice, form.as_deref())) } }
        }
        @if let Some(next) = inbox.next {
            p { a href={ (PATH) "?before=" (next) } rel="next" { (language.pick("Older", "更早")) } }
        }
    };
    Ok(layout::page(&reader, title, "", &body))
}

/// One notice; an unread one can be marked.
fn line(language: Language, notice: &Notice, form: Option<&str>) -> Markup {
    let place = place(notice);
    html! {
        li.unread[notice.read_at.is_none()] {
            div {
                p.said {
                    @if notice.read_at.is_none() { span.badge.warn { (language.pick("New", "新")) } " " }
                    @if notice.kind == NoticeKind::Told { span lang="en" { (notice.text) } }
                    @else { a href=(place) { (sentence(language, notice)) } }
                }
                @if notice.kind != NoticeKind::Told && !notice.reason.is_empty() { p.because { bdi { (notice.reason) } } }
                p.small.faint { time datetime=(notice.created_at) { (minute(notice.created_at)) } }
            }
            @if let (Some(form), None) = (form, notice.read_at) {
                form method="post" action=(PATH) {
                    input type="hidden" name="form" value=(form);
                    input type="hidden" name="id" value=(notice.id);
                    button.quiet type="submit" aria-label={ (language.pick("Mark as read", "标为已读")) ": " (sentence(language, notice)) } { (language.pick("Mark as read", "标为已读")) }
                }
            }
        }
    }
}

fn name(notice: &Notice) -> String {
    format!("@{}/{}@{}", notice.publisher, notice.slug, notice.number)
}

/// Where a notice leads: to what may be done about it.
fn place(notice: &Notice) -> String {
    match notice.kind {
        NoticeKind::Waits | NoticeKind::Appeal => {
            format!("{REVIEWS}?of={}", utf8_percent_encode(&name(notice), NON_ALPHANUMERIC))
        }
        NoticeKind::Admitted | NoticeKind::Approved | NoticeKind::Yanked | NoticeKind::Unyanked => {
            format!("/{}", name(notice))
        }
        _ => format!("/@{}/{}", notice.publisher, notice.slug),
    }
}

/// What a notice says.
fn sentence(language: Language, notice: &Notice) -> String {
    let (english, chinese) = match notice.kind {
        NoticeKind::Told => return notice.text.clone(),
        NoticeKind::Deprecated => {
            let skill = format!("@{}/{}", notice.publisher, notice.slug);
            return match language {
                Language::English => format!("{skill} should no longer be used"),
                Language::Chinese => format!("{skill} 不宜继续使用"),
            };
        }
        NoticeKind::Waits => ("waits for your review", "等待您审核"),
        NoticeKind::Admitted => ("was admitted", "已放行"),
        NoticeKind::Held => ("is held for a review", "暂缓放行，等待审核"),
        NoticeKind::Quarantined => ("is in quarantine", "已被隔离"),
        NoticeKind::Rejected => ("was rejected", "已被拒绝"),
        NoticeKind::Changes => ("shall be changed before it is admitted", "需要修改后才能放行"),
        NoticeKind::Comment => ("was commented on", "有新评论"),
        NoticeKind::Appeal => ("shall be looked at again, its publisher asks", "发布者请求重新审核"),
        NoticeKind::Approved => ("was approved by a reviewer", "已由审核人通过"),
        NoticeKind::Yanked => ("was withdrawn", "已被撤回"),
        NoticeKind::Unyanked => ("is no longer withdrawn", "已取消撤回"),
    };
    format!("{} {}", name(notice), language.pick(english, chinese))
}

/// `POST /inbox`: notes that a notice was read, or it and everything older.
pub async fn read(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let id = submitted.id.parse().map_err(|_| Failure::not_found())?;
    hub.app.registry.read_notice(&asked.caller, id, submitted.all.is_some()).await?;
    Ok(Redirect::to(PATH).into_response())
}
