//! `transfer`: giving a skill to somebody else, who accepts or does not.

use std::time::Duration;

use axum::extract::State;
use kontor_access::Caller;
use kontor_db::transfers::{Side, TransferState};
use kontor_types::{Handle, SkillRef};
use serde::Deserialize;
use serde_json::{Value, json};

use super::names::{self, Named};
use super::refusal::Refusal;
use crate::extract::{Json, Path};
use crate::{Asker, Failure, Hub};

/// Clients show how long an offer stands; ours stand until they are answered, which is told as a year.
const SHOWN_TERM: Duration = Duration::from_hours(365 * 24);

/// To whom, and what to tell them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    to_user_handle: String,
    message: Option<String>,
}

/// `POST /api/v1/skills/{slug}/transfer` with `{toUserHandle, message?}`
pub async fn offer(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Named(name): Named,
    Json(offer): Json<Offer>,
) -> Result<Json<Value>, Refusal> {
    let to = names::handle(Some(&offer.to_user_handle)).ok().flatten();
    let to = to.ok_or_else(|| Refusal::invalid("toUserHandle is no handle"))?;
    let message = offer.message.as_deref().unwrap_or_default();
    let made = hub.app.registry.transfer(&caller, &name, &to, message).await;
    let made = made.map_err(|error| Refusal::of(&hub, error))?;
    if made.state == TransferState::Accepted {
        return Ok(Json(json!({ "ok": true, "transferred": true, "toPublisherHandle": to, "skillSlug": name.slug })));
    }
    Ok(Json(json!({
        "ok": true,
        "transferId": made.id,
        "toUserHandle": to,
        "skillSlug": name.slug,
        "expiresAt": made.created_at.after(SHOWN_TERM).millis(),
    })))
}

/// Moves a skill at once, for a publish that asks for it; refused when the receiver would have to accept.
pub async fn move_now(hub: &Hub, caller: &Caller, from: &SkillRef, to: &Handle) -> Result<(), Refusal> {
    let registry = &hub.app.registry;
    let made = registry.transfer(caller, from, to, "").await.map_err(|error| Refusal::of(hub, error))?;
    if made.state == TransferState::Accepted {
        return Ok(());
    }
    registry.cancel_transfer(caller, made.id).await.map_err(|error| Refusal::of(hub, error))?;
    let text = format!("only an admin of both publishers moves {from} to @{to} at once");
    Err(Failure::new(kontor_types::Code::Forbidden, text).hint("offer it with `clawhub transfer request`").into())
}

/// What the receiver, or who offered it, says of an offer.
#[derive(Debug, Deserialize)]
pub struct Decided {
    decision: String,
}

/// `POST /api/v1/skills/{slug}/transfer/{accept | reject | cancel}`
pub async fn decide(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Named(name): Named,
    Path(Decided { decision }): Path<Decided>,
) -> Result<Json<Value>, Refusal> {
    let registry = &hub.app.registry;
    let offer = registry.transfer_of(&caller, &name).await.map_err(|error| Refusal::of(&hub, error))?;
    let decided = match decision.as_str() {
        "accept" => registry.accept_transfer(&caller, offer.id).await,
        "reject" => registry.reject_transfer(&caller, offer.id).await,
        "cancel" => registry.cancel_transfer(&caller, offer.id).await,
        _ => return Err(Failure::not_found().into()),
    };
    decided.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "skillSlug": name.slug })))
}

/// `GET /api/v1/transfers/{incoming | outgoing}`
pub async fn offers(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(direction): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let side = match direction.as_str() {
        "incoming" => Side::Incoming,
        "outgoing" => Side::Outgoing,
        _ => return Err(Failure::not_found().into()),
    };
    let offers = hub.app.registry.transfers(&caller, side).await.map_err(|error| Refusal::of(&hub, error))?;
    let party = |id, handle: &Handle| json!({ "_id": id, "handle": handle, "displayName": handle });
    let transfers: Vec<_> = offers
        .iter()
        .map(|offer| {
            json!({
                "_id": offer.id,
                "skill": { "_id": offer.skill_id, "slug": offer.slug, "displayName": offer.slug },
                "fromUser": party(offer.from_publisher, &offer.from_handle),
                "toUser": party(offer.to_publisher, &offer.to_handle),
                "message": offer.message,
                "requestedAt": offer.created_at.millis(),
                "expiresAt": offer.created_at.after(SHOWN_TERM).millis(),
            })
        })
        .collect();
    Ok(Json(json!({ "transfers": transfers })))
}
