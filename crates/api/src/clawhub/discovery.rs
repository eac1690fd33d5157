//! Where clients learn the registry's address.

use axum::extract::State;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::Hub;
use crate::extract::Json;

/// `GET /.well-known/clawhub.json`
pub async fn discovery(State(hub): State<Hub>) -> Response {
    let base = hub.absolute("");
    let headers = [(CACHE_CONTROL, "public, max-age=300"), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, Json(json!({ "apiBase": base, "authBase": base, "minCliVersion": "0.0.5" }))).into_response()
}
