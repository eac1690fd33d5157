//! Offers to hand a skill to another publisher.

use axum::extract::State;
use kontor_registry::Side;
use kontor_types::{Code, SkillRef, TransferId};
use kontor_wire::{NewTransfer, Transfer, TransferDirection, TransferPage, TransferQuery, TransferState};
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path, Query};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Write, routes!(offer))
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(accept))
        .add(Class::Write, routes!(reject))
        .add(Class::Write, routes!(cancel))
}

fn shape(transfer: kontor_registry::Transfer) -> Transfer {
    Transfer {
        id: transfer.id,
        reference: SkillRef::new(transfer.from_handle.clone(), transfer.slug),
        from: transfer.from_handle,
        to: transfer.to_handle,
        message: transfer.message,
        state: match transfer.state {
            kontor_registry::TransferState::Pending => TransferState::Pending,
            kontor_registry::TransferState::Accepted => TransferState::Accepted,
            kontor_registry::TransferState::Rejected => TransferState::Rejected,
            kontor_registry::TransferState::Cancelled => TransferState::Cancelled,
        },
        created_at: transfer.created_at,
    }
}

/// Offers a skill to another publisher; whoever administers both sides moves it at once.
#[utoipa::path(post, path = "/skills/{p}/{s}/transfers", tag = "transfers", params(("p" = String, Path),
    ("s" = String, Path)), request_body = NewTransfer, responses((status = 200, body = Transfer)))]
async fn offer(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Json(new): Json<NewTransfer>,
) -> Result<Json<Transfer>, Failure> {
    let asked = names::skill(&publisher, &slug)?;
    Ok(Json(shape(hub.app.registry.transfer(&caller, &asked, &new.to, &new.message).await?)))
}

/// Offers that wait for an answer.
#[utoipa::path(get, path = "/transfers", tag = "transfers", params(TransferQuery),
    responses((status = 200, body = TransferPage)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(query): Query<TransferQuery>,
) -> Result<Json<TransferPage>, Failure> {
    let side = match query.direction {
        TransferDirection::Incoming => Side::Incoming,
        TransferDirection::Outgoing => Side::Outgoing,
    };
    let transfers = hub.app.registry.transfers(&caller, side).await?;
    Ok(Json(TransferPage { items: transfers.into_iter().map(shape).collect() }))
}

/// Takes an offered skill.
#[utoipa::path(post, path = "/transfers/{id}/accept", tag = "transfers", params(("id" = String, Path)),
    responses((status = 200, body = Transfer)))]
async fn accept(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(text): Path<String>,
) -> Result<Json<Transfer>, Failure> {
    Ok(Json(shape(hub.app.registry.accept_transfer(&caller, id(&text)?).await?)))
}

/// Turns an offered skill down.
#[utoipa::path(post, path = "/transfers/{id}/reject", tag = "transfers", params(("id" = String, Path)),
    responses((status = 200, body = Transfer)))]
async fn reject(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(text): Path<String>,
) -> Result<Json<Transfer>, Failure> {
    Ok(Json(shape(hub.app.registry.reject_transfer(&caller, id(&text)?).await?)))
}

/// Takes an offer back.
#[utoipa::path(post, path = "/transfers/{id}/cancel", tag = "transfers", params(("id" = String, Path)),
    responses((status = 200, body = Transfer)))]
async fn cancel(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(text): Path<String>,
) -> Result<Json<Transfer>, Failure> {
    Ok(Json(shape(hub.app.registry.cancel_transfer(&caller, id(&text)?).await?)))
}

fn id(text: &str) -> Result<TransferId, Failure> {
    text.parse().map_err(|_| Failure::new(Code::NotFound, "there is no such transfer"))
}
