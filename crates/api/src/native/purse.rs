//! The purse of whoever asks, and money put into it.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use kontor_wire::{NewTopUp, Purse, PurseBalance};
use utoipa_axum::routes;

use super::money_shapes::{balance, key, owner};
use crate::extract::Json;
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(show)).add(Class::Write, routes!(top_up))
}

/// What is in the caller's purse.
#[utoipa::path(get, path = "/purse", tag = "purse", responses((status = 200, body = Purse)))]
async fn show(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<Purse>, Failure> {
    let (person, _) = owner(&caller)?;
    let items = hub.app.commerce.purse(person).await?;
    Ok(Json(Purse { items: items.iter().map(balance).collect() }))
}

/// Puts money from the simulated bank into a purse; for administrators. Needs an `Idempotency-Key`.
#[utoipa::path(post, path = "/purse/top-ups", tag = "purse", request_body = NewTopUp,
    responses((status = 201, body = PurseBalance)))]
async fn top_up(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    headers: HeaderMap,
    Json(new): Json<NewTopUp>,
) -> Result<(StatusCode, Json<PurseBalance>), Failure> {
    caller.require_administrator()?;
    let (own, _) = owner(&caller)?;
    let person = match &new.person {
        Some(handle) => hub.app.commerce.find_person(handle).await?,
        None => own,
    };
    let done = hub.app.commerce.top_up(person, &key(&headers)?, new.amount).await?;
    Ok((StatusCode::CREATED, Json(balance(&done))))
}
