//! Mandates, and the keys that sign them.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_crypto::{Endorsement, KeyRecord, Purpose, VerifyingKey};
use kontor_types::MandateId;
use kontor_wire::{Mandate, MandateKey, MandateKeyList, MandateList, NewMandate, NewPublisherKey};
use utoipa_axum::routes;

use super::money_shapes::{mandate, mandate_key, owner, spender};
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(keys))
        .add(Class::Write, routes!(register))
        .add(Class::Write, routes!(release))
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(accept))
        .add(Class::Read, routes!(show))
        .add(Class::Write, routes!(revoke))
}

/// The keys that sign the caller's mandates.
#[utoipa::path(get, path = "/mandate-keys", tag = "mandates", responses((status = 200, body = MandateKeyList)))]
async fn keys(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<MandateKeyList>, Failure> {
    let (person, _) = owner(&caller)?;
    let items = hub.app.commerce.mandate_keys(person).await?;
    Ok(Json(MandateKeyList { items: items.into_iter().map(mandate_key).collect() }))
}

/// Registers a key that signs the caller's mandates. One that takes another's place needs that one's endorsement.
#[utoipa::path(post, path = "/mandate-keys", tag = "mandates", request_body = NewPublisherKey,
    responses((status = 201, body = MandateKey)))]
async fn register(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<NewPublisherKey>,
) -> Result<(StatusCode, Json<MandateKey>), Failure> {
    let (person, _) = spender(&caller)?;
    let key: VerifyingKey =
        new.public_key.parse().map_err(|_| Failure::invalid("this is no public key: it is written mandate:BASE64"))?;
    let by = new.endorsed_by.as_deref().map(str::parse).transpose();
    let by = by.map_err(|_| Failure::invalid("the id of a key is 32 hexadecimal digits"))?;
    let record = KeyRecord {
        id: key.id(),
        purpose: Purpose::Mandate,
        public_key: Some(key),
        created_at: new.created_at,
        retired_at: None,
        revoked: None,
        endorsement: by.zip(new.endorsement).map(|(by, signature)| Endorsement { by, signature }),
    };
    let known = hub.app.commerce.register_key(person, &record, &new.claim).await?;
    Ok((StatusCode::CREATED, Json(mandate_key(known))))
}

/// Puts the keys of a person who lost theirs out of use, so that they can register another; for administrators.
#[utoipa::path(delete, path = "/people/{handle}/mandate-keys", tag = "mandates", params(("handle" = String, Path)),
    responses((status = 204)))]
async fn release(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(handle): Path<String>,
) -> Result<StatusCode, Failure> {
    caller.require_administrator()?;
    let handle = handle.parse().map_err(|_| Failure::not_found())?;
    let person = hub.app.commerce.find_person(&handle).await?;
    hub.app.commerce.release_keys(&caller, person).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's mandates, and how far they are used.
#[utoipa::path(get, path = "/mandates", tag = "mandates", responses((status = 200, body = MandateList)))]
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<MandateList>, Failure> {
    let (person, _) = owner(&caller)?;
    let items = hub.app.commerce.mandates(person).await?;
    Ok(Json(MandateList { hub: hub.app.commerce.hub().to_owned(), items: items.into_iter().map(mandate).collect() }))
}

/// Takes a signed mandate. Needs an `Idempotency-Key`.
#[utoipa::path(post, path = "/mandates", tag = "mandates", request_body = NewMandate,
    responses((status = 201, body = Mandate)))]
async fn accept(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<NewMandate>,
) -> Result<(StatusCode, Json<Mandate>), Failure> {
    let (person, handle) = spender(&caller)?;
    let taken = hub.app.commerce.accept_mandate(person, &handle, new.signed.as_bytes()).await?;
    Ok((StatusCode::CREATED, Json(mandate(taken))))
}

/// One mandate of the caller's.
#[utoipa::path(get, path = "/mandates/{id}", tag = "mandates", params(("id" = String, Path)),
    responses((status = 200, body = Mandate)))]
async fn show(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<String>) -> Result<Json<Mandate>, Failure> {
    let (person, _) = owner(&caller)?;
    Ok(Json(mandate(hub.app.commerce.mandate(person, identified(&id)?).await?)))
}

/// Takes a mandate back. Needs an `Idempotency-Key`.
#[utoipa::path(delete, path = "/mandates/{id}", tag = "mandates", params(("id" = String, Path)),
    responses((status = 200, body = Mandate)))]
async fn revoke(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<Json<Mandate>, Failure> {
    let (person, _) = spender(&caller)?;
    Ok(Json(mandate(hub.app.commerce.revoke_mandate(person, identified(&id)?).await?)))
}

/// What is no id names nothing, like an id that nobody has.
fn identified(text: &str) -> Result<MandateId, Failure> {
    text.parse().map_err(|_| kontor_commerce::Error::unknown_mandate().into())
}
