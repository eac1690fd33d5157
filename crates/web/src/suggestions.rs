//! Skills whose names continue what is typed in a search field, for the script that shows them below it.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{IntoResponse as _, Response};
use kontor_front::extract::Query;
use kontor_front::{Asker, Failure, Hub};
use serde::{Deserialize, Serialize};

/// Where the script asks.
pub const PATH: &str = "/suggestions";
/// The most that are offered.
const MOST: usize = 8;

/// What was typed so far.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    q: String,
}

/// One skill.
#[derive(Debug, Serialize)]
struct Offer {
    name: String,
    whose: String,
    address: String,
}

/// `GET /suggestions?q=…`
pub async fn show(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(typed): Query<Typed>,
) -> Result<Response, Failure> {
    let found = hub.app.registry.suggest(caller.viewer(), &typed.q, MOST)?;
    let offers: Vec<Offer> = found
        .into_iter()
        .map(|one| Offer {
            whose: format!("@{}/{}", one.handle, one.slug),
            address: format!("/@{}/{}", one.handle, one.slug),
            name: one.display_name,
        })
        .collect();
    Ok(([(CACHE_CONTROL, "private, no-cache"), (VARY, "authorization, cookie")], Json(offers)).into_response())
}
