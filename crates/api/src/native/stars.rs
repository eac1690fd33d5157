//! Stars.

use axum::extract::State;
use kontor_wire::Starred;
use utoipa_axum::routes;

use super::names;
use crate::extract::{Json, Path};
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Write, routes!(star, unstar))
}

/// Stars a skill; starring it again changes nothing.
#[utoipa::path(put, path = "/skills/{p}/{s}/star", tag = "stars", params(("p" = String, Path), ("s" = String, Path)),
    responses((status = 200, body = Starred)))]
async fn star(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
) -> Result<Json<Starred>, Failure> {
    let star = hub.app.registry.star(&caller, &names::skill(&publisher, &slug)?).await?;
    Ok(Json(Starred { starred: star.starred, stars: star.stars }))
}

/// Takes a star back.
#[utoipa::path(delete, path = "/skills/{p}/{s}/star", tag = "stars", params(("p" = String, Path),
    ("s" = String, Path)), responses((status = 200, body = Starred)))]
async fn unstar(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path((publisher, slug)): Path<(String, String)>,
) -> Result<Json<Starred>, Failure> {
    let star = hub.app.registry.unstar(&caller, &names::skill(&publisher, &slug)?).await?;
    Ok(Json(Starred { starred: star.starred, stars: star.stars }))
}
