//! Secrets of publishers: set and released by their admins; values go in and never come back.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_crypto::Zeroizing;
use kontor_registry::secrets::KnownSecret;
use kontor_types::{Code, Digest};
use kontor_wire::{NewSecretRelease, Secret, SecretList, SecretRelease, SecretValue};
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(list))
        .add(Class::Write, routes!(set))
        .add(Class::Write, routes!(remove))
        .add(Class::Write, routes!(grant))
        .add(Class::Write, routes!(revoke))
}

/// The secrets of a publisher, by name, without their values; for those who maintain its skills.
#[utoipa::path(get, path = "/publishers/{p}/secrets", tag = "secrets", params(("p" = String, Path)),
    responses((status = 200, body = SecretList)))]
async fn list(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
) -> Result<Json<SecretList>, Failure> {
    let known = hub.app.secrets.list(&caller, &names::publisher(&publisher)?).await?;
    Ok(Json(SecretList { items: known.into_iter().map(shape).collect() }))
}

/// Sets a secret; what it was released to stays so. Needs the role `admin` and scope `admin`. An idempotency key is not looked
/// at: the hub keeps nothing that follows from the value.
#[utoipa::path(put, path = "/publishers/{p}/secrets/{name}", tag = "secrets",
    params(("p" = String, Path), ("name" = String, Path)), request_body = SecretValue,
    responses((status = 200, body = Secret)))]
async fn set(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, name)): Path<(String, String)>,
    Json(new): Json<SecretValue>,
) -> Result<Json<Secret>, Failure> {
    let value = Zeroizing::new(new.value);
    caller.require_person()?;
    let known = hub.app.secrets.set(&caller, &names::publisher(&publisher)?, &name, value).await?;
    Ok(Json(shape(known)))
}

/// Removes a secret with all its releases.
#[utoipa::path(delete, path = "/publishers/{p}/secrets/{name}", tag = "secrets",
    params(("p" = String, Path), ("name" = String, Path)), responses((status = 204)))]
async fn remove(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, name)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    hub.app.secrets.remove(&caller, &names::publisher(&publisher)?, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Releases a secret to runs of one version's very bytes; the same again changes nothing.
#[utoipa::path(post, path = "/publishers/{p}/secrets/{name}/releases", tag = "secrets",
    params(("p" = String, Path), ("name" = String, Path)), request_body = NewSecretRelease,
    responses((status = 201, body = Secret)))]
async fn grant(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, name)): Path<(String, String)>,
    Json(new): Json<NewSecretRelease>,
) -> Result<(StatusCode, Json<Secret>), Failure> {
    let publisher = names::publisher(&publisher)?;
    let known = hub.app.secrets.grant(&caller, &publisher, &name, &new.reference, new.digest).await?;
    Ok((StatusCode::CREATED, Json(shape(known))))
}

/// Takes back the releases of a secret to these bytes.
#[utoipa::path(delete, path = "/publishers/{p}/secrets/{name}/releases/{digest}", tag = "secrets",
    params(("p" = String, Path), ("name" = String, Path), ("digest" = String, Path)), responses((status = 204)))]
async fn revoke(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, name, digest)): Path<(String, String, String)>,
) -> Result<StatusCode, Failure> {
    let publisher = names::publisher(&publisher)?;
    let digest: Digest =
        digest.parse().map_err(|_| Failure::new(Code::InvalidRequest, "a digest is sha256: and 64 digits"))?;
    hub.app.secrets.revoke(&caller, &publisher, &name, digest).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shape(known: KnownSecret) -> Secret {
    let releases = known.releases.into_iter().map(|release| SecretRelease {
        reference: release.reference,
        digest: release.digest,
        granted_by: release.granted_by.map(|handle| handle.to_string()),
        granted_at: release.granted_at,
    });
    Secret {
        name: known.secret.name,
        version: known.secret.version,
        set_by: known.secret.set_by.map(|handle| handle.to_string()),
        set_at: known.secret.set_at,
        releases: releases.collect(),
    }
}
