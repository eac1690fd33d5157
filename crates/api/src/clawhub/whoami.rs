//! `login --token` and `whoami`.

use axum::extract::State;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::extract::Json;
use crate::{Asker, Hub};

/// `GET /api/v1/whoami`
pub async fn whoami(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<Value>, Refusal> {
    let person = hub.app.access.me(&caller).await?;
    let role = if caller.viewer().is_administrator() { "admin" } else { "user" };
    Ok(Json(json!({
        "user": { "handle": person.handle, "displayName": person.display_name, "image": null, "role": role },
    })))
}
