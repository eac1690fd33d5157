//! What runs on this hub were seen to do.

use axum::extract::State;
use axum::http::StatusCode;
use kontor_wire::{DeclaredPermissions, ObservedBehaviour, ObservedItem};
use utoipa_axum::routes;

use super::names::{self, Named};
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(observed))
        .add(Class::Write, routes!(share_behaviour))
        .add(Class::Write, routes!(keep_behaviour))
}

/// What runs of a version's bytes were seen to do, beside what it declares: everything of runs in the name of publishers that
/// the caller administers; of those that share it, what the version's own files name.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/observed", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses((status = 200, body = ObservedBehaviour),
    (status = 308, description = "The skill has another name now: see Location")))]
async fn observed(
    State(hub): State<Hub>,
    Named { caller, found, .. }: Named,
) -> Result<Json<ObservedBehaviour>, Failure> {
    let behaved = hub.app.registry.behaved(caller.viewer(), &found).await?;
    let items = behaved.items.into_iter().map(|one| ObservedItem {
        kind: one.kind.as_str().to_owned(),
        name: Some(one.name).filter(|name| !name.is_empty()),
        runs: one.runs,
        first_at: one.first_at,
        last_at: one.last_at,
    });
    let declared = DeclaredPermissions {
        network: behaved.declared.network.iter().map(ToString::to_string).collect(),
        secrets: behaved.declared.secrets,
    };
    Ok(Json(ObservedBehaviour { declared, runs: behaved.runs, items: items.collect() }))
}

/// Lets everybody who sees a version see what runs in this publisher's name were seen to do, without saying whose they were.
#[utoipa::path(put, path = "/publishers/{p}/shared-behaviour", tag = "publishers", params(("p" = String, Path)),
    responses((status = 204)))]
async fn share_behaviour(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
) -> Result<StatusCode, Failure> {
    hub.app.registry.share_behaviour(&caller, &names::publisher(&publisher)?, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows it to those only who may see all runs in this publisher's name.
#[utoipa::path(delete, path = "/publishers/{p}/shared-behaviour", tag = "publishers", params(("p" = String, Path)),
    responses((status = 204)))]
async fn keep_behaviour(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(publisher): Path<String>,
) -> Result<StatusCode, Failure> {
    hub.app.registry.share_behaviour(&caller, &names::publisher(&publisher)?, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
