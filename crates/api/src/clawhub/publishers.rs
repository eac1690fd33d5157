//! `publisher create`.

use axum::extract::State;
use kontor_types::Handle;
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::extract::Json;
use crate::{Asker, Hub};

/// The organisation to be made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct New {
    handle: String,
    display_name: Option<String>,
}

/// `POST /api/v1/publishers` with `{handle, displayName?}`: an organisation that its maker owns.
pub async fn create(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(new): Json<New>,
) -> Result<Json<Value>, Refusal> {
    let handle = Handle::parse(new.handle.trim().trim_start_matches('@').to_lowercase().as_str());
    let handle = handle.map_err(|error| Refusal::invalid(error.to_string()))?;
    let name = new.display_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let made = hub.app.access.create_organisation(&caller, &handle, name).await?;
    Ok(Json(json!({
        "ok": true,
        "publisherId": made.id,
        "handle": made.handle,
        "created": true,
        "trusted": false,
    })))
}
