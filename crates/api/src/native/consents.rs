//! Consents: what the caller lets versions have, and taking it back one by one.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_registry::Allowance;
use kontor_types::ConsentId;
use kontor_wire::{Consent, ConsentList, Remember};
use utoipa_axum::routes;

use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(list)).add(Class::Write, routes!(revoke))
}

/// What the caller lets versions have, the newest first: through agents' clients, by `kontor activate --allow`, and in runs
/// that they start themselves.
#[utoipa::path(get, path = "/consents", tag = "consents", responses((status = 200, body = ConsentList)))]
async fn list(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<ConsentList>, Failure> {
    let given = hub.app.registry.consents(&caller).await?;
    let items = given.into_iter().map(|one| {
        let (allowed, beyond_declared) = Allowance::of(&one);
        Consent {
            id: one.id,
            skill: one.skill,
            beyond_declared,
            network: allowed.network,
            secrets: allowed.secrets,
            packages: allowed.packages,
            remember: if one.expires_at.is_some() { Remember::Session } else { Remember::Always },
            given_at: one.created_at,
            until: one.expires_at,
        }
    });
    Ok(Json(ConsentList { items: items.collect() }))
}

/// Takes a consent back.
#[utoipa::path(delete, path = "/consents/{id}", tag = "consents", params(("id" = String, Path)),
    responses((status = 204)))]
async fn revoke(State(hub): State<Hub>, Asker(caller): Asker, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    let id: ConsentId = id.parse().map_err(|_| Failure::invalid("this is no id of a consent"))?;
    hub.app.registry.revoke_consent(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
