//! What a stranger checks: what the log says of a version, and what the version is made of.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use kontor_registry::VersionState;
use kontor_types::{Code, Digest};
use utoipa_axum::routes;

use super::document::Raw;
use super::names::Named;
use crate::foreign::{Foreign, Keeping, Media, Piece};
use crate::{Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new()
        .add(Class::Read, routes!(proof))
        .add(Class::Read, routes!(sbom))
        .add(Class::Read, routes!(evidence))
}

/// The version's proof file: signed statements, and the proofs that they are in the log. `kontor verify` checks it.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/proof", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses(
    (status = 200, content_type = "application/json", body = Raw),
    (status = 308, description = "The skill has another name now: see Location"),
    (status = 503, description = "What the log says of it is not published yet")))]
async fn proof(State(hub): State<Hub>, Named { caller, found, .. }: Named) -> Result<Response, Failure> {
    let file = hub.app.registry.proof_for(caller.viewer(), &found).await?;
    let text =
        file.to_json().map_err(|error| Failure::new(Code::Internal, "the proof cannot be written").cause(&error))?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

/// The version's bill of materials: CycloneDX 1.6 as JSON, with its files, the packages that it asks for and where its bytes
/// came from. The same version gives the same bytes.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/sbom", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses(
    (status = 200, content_type = "application/vnd.cyclonedx+json", body = Raw),
    (status = 308, description = "The skill has another name now: see Location")))]
async fn sbom(State(hub): State<Hub>, Named { found, .. }: Named) -> Result<Response, Failure> {
    let bill = hub.app.registry.sbom(&found).await?;
    Ok(([(CONTENT_TYPE, "application/vnd.cyclonedx+json; version=1.6")], bill).into_response())
}

/// One file for an auditor: a ZIP archive with a page in plain words, the version's bytes, its facts, decisions and scan, the
/// policy, the proof file and the bill of materials, as far as whoever asks may see them. `kontor verify` checks it.
#[utoipa::path(get, path = "/skills/{p}/{s}/versions/{v}/evidence", tag = "versions", params(("p" = String, Path),
    ("s" = String, Path), ("v" = String, Path)), responses(
    (status = 200, content_type = "application/zip", body = Raw),
    (status = 308, description = "The skill has another name now: see Location"),
    (status = 503, description = "What the log says of it is not published yet")))]
async fn evidence(
    State(hub): State<Hub>,
    Named { caller, found, .. }: Named,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    // The version's bytes are in it: what was admitted goes to those who may install it, anything else is found only by
    // those who may look at it.
    if found.version.state == VersionState::Visible {
        hub.app.registry.may_install(&caller, &found).await?;
    }
    let file = hub.app.registry.evidence(&caller, &found).await?;
    let media = Media::Zip(format!("{}-{}.evidence.zip", found.skill.slug, found.version.number));
    let tag = Digest::of(&file).hex();
    let bytes = Foreign::new(vec![Piece::Held(file.into())], &media, &tag, Keeping::Nobody);
    Ok(bytes.answer(&hub.app.blobs, &headers))
}
