//! Uploading file by file: a ticket for each, then the bytes under it.

use axum::body::Bytes;
use axum::extract::State;
use kontor_access::Caller;
use kontor_package::Content;
use kontor_registry::{Upload, Uploaded};
use kontor_types::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request::Claim;
use crate::clawhub::refusal::Refusal;
use crate::extract::{Json, Path};
use crate::{Asker, Hub};

/// A file that will be sent.
#[derive(Debug, Deserialize)]
pub struct Announced {
    path: String,
    size: u64,
    sha256: String,
}

/// `POST /api/v1/skills/-/upload-url` with `{path, size, sha256}`: a ticket and where to send the bytes.
pub async fn open(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Json(file): Json<Announced>,
) -> Result<Json<Value>, Refusal> {
    let upload = Upload { digest: digest(&file.sha256)?, path: file.path, size: file.size };
    let ticket = hub.app.registry.announce_upload(&caller, upload).await;
    let ticket = ticket.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({
        "uploadUrl": hub.absolute(&format!("/api/v1/skills/-/upload/{}", ticket.secret)),
        "uploadTicket": ticket.secret,
    })))
}

/// `POST /api/v1/skills/-/upload/{ticket}` with the bytes.
pub async fn upload(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Path(ticket): Path<String>,
    bytes: Bytes,
) -> Result<Json<Value>, Refusal> {
    let stored = hub.app.registry.upload(&caller, &ticket, bytes).await;
    let id = stored.map_err(|error| Refusal::of(&hub, error))?;
    Ok(Json(json!({ "storageId": id })))
}

/// The content made of files that were sent under these tickets.
pub async fn redeem(hub: &Hub, caller: &Caller, claims: &[Claim]) -> Result<Content, Refusal> {
    let mut files = Vec::with_capacity(claims.len());
    for claim in claims {
        let Some(secret) = claim.upload_ticket.clone() else {
            return Err(Refusal::invalid("a file has no uploadTicket: ask for one and send the bytes under it first"));
        };
        let file = Upload { path: claim.path.clone(), size: claim.size, digest: digest(&claim.sha256)? };
        files.push(Uploaded { file, secret });
    }
    hub.app.registry.uploaded_content(caller, files).await.map_err(|error| Refusal::of(hub, error))
}

fn digest(sha256: &str) -> Result<Digest, Refusal> {
    let text = sha256.trim().to_ascii_lowercase();
    Digest::from_hex(&text).map_err(|_| Refusal::invalid("sha256 is not the 64 hex digits of a SHA-256"))
}
