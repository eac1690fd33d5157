//! The keys that a publisher signs with: which there are, how to add one, and revoking one.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use kontor_front::extract::{Form, Path};
use kontor_front::{Asked, Failure, Hub};
use kontor_registry::PublisherKey;
use maud::{Markup, html};

use super::{Before, Desk, Refused, Submitted, address};
use crate::deeds::held;
use crate::signed_in::SignedIn;
use crate::words::day;
use crate::{Language, Reader};

/// `GET /manage/{publisher}/keys`
pub async fn show(
    _: SignedIn,
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(publisher): Path<String>,
) -> Result<Response, Failure> {
    let desk = Desk::open(&hub, &asked, &publisher).await?;
    page(&hub, &asked, &reader, &desk, None).await
}

async fn page(
    hub: &Hub,
    asked: &Asked,
    reader: &Reader,
    desk: &Desk,
    refused: Option<&Refused>,
) -> Result<Response, Failure> {
    let language = reader.language;
    let keys = hub.app.registry.publisher_keys(asked.caller.viewer(), &desk.handle).await?;
    let body = html! {
        p.lead { (language.pick(
            "With a signature others can check that a version is yours without believing this hub. The secret half never leaves your machine.",
            "有了签名，他人无需信任本技能中心就能确认版本出自您手。私钥始终留在您的机器上。")) }
        @if keys.is_empty() {
            div.empty { p { (language.pick("There is no key yet.", "尚无密钥。")) } }
        } @else {
            ul.skills { @for key in &keys { li { (shown(language, desk, key, refused)) } } }
        }
        h2 { (language.pick("Add a key", "添加密钥")) }
        p { (language.pick("Only you can make one, because its secret half must stay with you. In a terminal; from then on publishing there signs:", "密钥只能由您自己创建，因为私钥必须留在您手中。请在终端中运行；此后从终端发布时会自动签名：")) }
        pre { code { "kontor key new --registry " (hub.absolute("")) } }
    };
    Ok(desk.page(reader, "/keys", &body))
}

fn shown(language: Language, desk: &Desk, key: &PublisherKey, refused: Option<&Refused>) -> Markup {
    html! {
        p.row {
            code { (key.key_id) }
            @if key.revoked_from.is_some() { span.badge.bad { (language.pick("revoked", "已吊销")) } }
            @else if key.retired_at.is_some() { span.badge { (language.pick("replaced", "已更换")) } }
            @else { span.badge.good { (language.pick("in use", "使用中")) } }
            span.faint { (language.pick("since ", "启用于 ")) time datetime=(key.registered_at) { (day(key.registered_at)) } }
        }
        @if let Some(from) = key.revoked_from {
            p { (language.pick("Nothing that it signed counts from ", "此日期起的签名无效：")) time datetime=(from) { (day(from)) } ". " bdi { (key.revoke_reason.as_deref().unwrap_or_default()) } }
        } @else {
            (revoking(language, desk, key, Before::of(refused, "revoke", |submitted| submitted.name == key.key_id)))
        }
    }
}

fn revoking(language: Language, desk: &Desk, key: &PublisherKey, before: Before<'_>) -> Markup {
    html! {
        details open[before.is_refused()] {
            summary aria-label={ (language.pick("Revoke", "吊销")) " " (key.key_id) } { (language.pick("Revoke it", "吊销")) }
            p.small { (language.pick(
                "From now on nobody believes what this key signs, and keys that it vouches for from now on. This cannot be taken back.",
                "即刻起，此密钥的签名以及由它担保的新密钥均不再可信。此操作无法撤销。")) }
            form method="post" action={ (address(&desk.handle)) "/keys" } {
                (desk.hidden())
                input type="hidden" name="name" value=(key.key_id);
                (before.said(language))
                label.field { span { (language.pick("Why; everybody may read it", "原因（所有人可见）")) }
                    input type="text" name="reason" value=(before.typed(|submitted| &submitted.reason)) required maxlength="2000"
                        aria-invalid=[before.invalid()] aria-describedby=[before.about()];
                }
                button.danger type="submit" name="deed" value="revoke" { (language.pick("Revoke from now on", "即刻吊销")) }
            }
        }
    }
}

/// `POST /manage/{publisher}/keys`
pub async fn act(
    State(hub): State<Hub>,
    Extension(asked): Extension<Arc<Asked>>,
    reader: Reader,
    Path(publisher): Path<String>,
    Form(submitted): Form<Submitted>,
) -> Result<Response, Failure> {
    held(&asked, &submitted.form)?;
    let desk = Desk::open(&hub, &asked, &publisher).await?;
    if submitted.deed != "revoke" {
        return Err(Failure::invalid("keys know no such deed"));
    }
    let (key, reason) = (&submitted.name, submitted.reason.trim());
    let done = hub.app.registry.revoke_key(&asked.caller, &desk.handle, key, None, reason).await;
    let done = done.map(|_| format!("{}/keys", address(&desk.handle))).map_err(Failure::from);
    match done {
        Ok(place) => Ok(Redirect::to(&place).into_response()),
        Err(failure) => {
            let refused = Refused::new(failure, submitted)?;
            Ok(refused.answer(page(&hub, &asked, &reader, &desk, Some(&refused)).await?))
        }
    }
}
