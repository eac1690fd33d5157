//! How much a skill is used.

use axum::extract::State;
use kontor_wire::{Usage, UsageDay, UsageQuery};
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path, Query};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

/// Days that an answer covers unless told, and at most.
const DAYS: (u32, u32) = (30, 366);

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(usage))
}

/// Downloads and installs by day; days without any are left out.
#[utoipa::path(get, path = "/skills/{p}/{s}/usage", tag = "skills",
    params(("p" = String, Path), ("s" = String, Path), UsageQuery), responses((status = 200, body = Usage)))]
async fn usage(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
    Query(query): Query<UsageQuery>,
) -> Result<Json<Usage>, Failure> {
    let days = query.days.unwrap_or(DAYS.0).clamp(1, DAYS.1);
    let rows = hub.app.registry.usage(caller.viewer(), &names::skill(&publisher, &slug)?, days).await?;
    let day = |row: kontor_registry::DayUse| UsageDay {
        day: row.day.to_string(),
        downloads: row.downloads,
        installs: row.installs,
    };
    Ok(Json(Usage { items: rows.into_iter().map(day).collect() }))
}
