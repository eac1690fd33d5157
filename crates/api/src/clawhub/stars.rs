//! `star` and `unstar`; both may be repeated.

use axum::extract::State;
use serde_json::{Value, json};

use super::names::Named;
use super::refusal::Refusal;
use crate::extract::Json;
use crate::{Asker, Hub};

/// `POST /api/v1/stars/{slug}`
pub async fn star(State(hub): State<Hub>, Asker(caller): Asker, Named(named): Named) -> Result<Json<Value>, Refusal> {
    let star = hub.app.registry.star(&caller, &named).await.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "starred": true, "alreadyStarred": !star.changed })))
}

/// `DELETE /api/v1/stars/{slug}`
pub async fn unstar(State(hub): State<Hub>, Asker(caller): Asker, Named(named): Named) -> Result<Json<Value>, Refusal> {
    let star = hub.app.registry.unstar(&caller, &named).await.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "ok": true, "unstarred": true, "alreadyUnstarred": !star.changed })))
}
