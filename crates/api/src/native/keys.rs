//! Publishers' keys: public as a whole, registered and revoked by maintainers.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_crypto::{Endorsement, VerifyingKey};
use kontor_registry::{NewKey, PublisherKey as Row};
use kontor_wire::{KeyRevocation, NewPublisherKey, PublisherKey, PublisherKeyList};
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list_keys))
        .add(Class::Write, routes!(register_key))
        .add(Class::Write, routes!(revoke_key))
}

/// Every key that a publisher ever signed with, the oldest first.
#[utoipa::path(get, path = "/publishers/{p}/keys", tag = "publishers", params(("p" = String, Path)),
    responses((status = 200, body = PublisherKeyList)))]
async fn list_keys(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
) -> Result<Json<PublisherKeyList>, Failure> {
    let keys = hub.app.registry.publisher_keys(caller.viewer(), &names::publisher(&publisher)?).await?;
    Ok(Json(PublisherKeyList { items: keys.into_iter().map(shape).collect() }))
}

/// Registers a key for a publisher; the same key again changes nothing. A first key, or one that an active key vouches for,
/// needs a maintainer; any other needs scope `admin` too.
#[utoipa::path(post, path = "/publishers/{p}/keys", tag = "publishers", params(("p" = String, Path)),
    request_body = NewPublisherKey, responses((status = 201, body = PublisherKey)))]
async fn register_key(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
    Json(new): Json<NewPublisherKey>,
) -> Result<(StatusCode, Json<PublisherKey>), Failure> {
    caller.require_person()?;
    let key: VerifyingKey = new.public_key.parse().map_err(|error| unreadable(&error))?;
    let endorsement = match (new.endorsed_by, new.endorsement) {
        (Some(by), Some(signature)) => {
            Some(Endorsement { by: by.parse().map_err(|error| unreadable(&error))?, signature })
        }
        (None, None) => None,
        _ => return Err(Failure::invalid("name both the key that vouches and its endorsement, or neither")),
    };
    let new = NewKey { key, created_at: new.created_at, claim: new.claim, endorsement };
    let row = hub.app.registry.register_key(&caller, &names::publisher(&publisher)?, new).await?;
    Ok((StatusCode::CREATED, Json(shape(row))))
}

/// Says from when on nothing that a key signed is to be believed. It is never taken back, only set to begin earlier.
#[utoipa::path(post, path = "/publishers/{p}/keys/{id}/revoke", tag = "publishers",
    params(("p" = String, Path), ("id" = String, Path)), request_body = KeyRevocation,
    responses((status = 200, body = PublisherKey)))]
async fn revoke_key(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, id)): Path<(String, String)>,
    Json(asked): Json<KeyRevocation>,
) -> Result<Json<PublisherKey>, Failure> {
    let publisher = names::publisher(&publisher)?;
    let row = hub.app.registry.revoke_key(&caller, &publisher, &id, asked.from, &asked.reason).await?;
    Ok(Json(shape(row)))
}

fn unreadable(error: &kontor_crypto::Error) -> Failure {
    Failure::invalid(error.to_string())
}

fn shape(row: Row) -> PublisherKey {
    PublisherKey {
        key_id: row.key_id,
        public_key: row.public_key,
        created_at: row.created_at,
        registered_at: row.registered_at,
        endorsed_by: row.endorsed_by,
        endorsement: row.endorsement,
        retired_at: row.retired_at,
        revoked_from: row.revoked_from,
        revoked_at: row.revoked_at,
        revoke_reason: row.revoke_reason,
    }
}
