//! `install` and `update`: the ZIP of a version with a note of what it is.
//!
//! The files are a stretch of the canonical archive, sent as it lies; only the directory behind them is made anew.

use std::ops::Range;

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use bytes::Bytes;
use kontor_db::skills::Skill;
use kontor_db::versions::Version;
use kontor_package::{ARCHIVE_END, directory_start, with_file_behind};
use kontor_registry::{Found, Permit};
use kontor_types::{Code, Digest};
use serde::Deserialize;
use serde_json::json;

use super::refusal::Refusal;
use super::{lookup, names};
use crate::extract::Query;
use crate::foreign::{Foreign, Form, Keeping, Media, Piece, is_download};
use crate::{Asker, Failure, Hub};

/// The note that ClawHub puts into every archive.
const NOTE: &str = "_meta.json";

/// Which version.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    slug: Option<String>,
    owner_handle: Option<String>,
    version: Option<String>,
    tag: Option<String>,
}

/// `GET /api/v1/download?slug[&version|tag]`
pub async fn download(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(asked): Query<Asked>,
    method: Method,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let slug = asked.slug.filter(|slug| !slug.is_empty()).ok_or_else(|| Refusal::invalid("slug is missing"))?;
    let named = names::skill(&slug, asked.owner_handle.as_deref())?;
    let which = names::version(asked.version.as_deref(), asked.tag.as_deref())?;
    let found = lookup::found(&hub, caller.viewer(), named, which).await?;
    let permit = hub.app.registry.may_install(&caller, &found).await.map_err(|error| Refusal::of(&hub, error))?;
    let archive = match hub.prepared.get(&found, Form::WithNote, permit) {
        Some(archive) => archive,
        None => hub.prepared.keep(&found, Form::WithNote, archive(&hub, &found, permit).await?),
    };
    let response = archive.answer(&hub.app.blobs, &request);
    if is_download(&method, &response) {
        hub.app.registry.count_download(found.skill.id, found.version.id);
    }
    Ok(response)
}

/// The archive of a version as this surface serves it.
async fn archive(hub: &Hub, found: &Found, permit: Permit) -> Result<Foreign, Refusal> {
    let (skill, version, keeping) = (&found.skill, &found.version, Keeping::of(found, false, permit));
    let media = Media::Zip(format!("{}-{}.zip", skill.slug, version.number));
    let note = note(skill, version);
    let end = version.size.saturating_sub(ARCHIVE_END)..version.size;
    let end = part(hub, version, end, keeping).await?;
    let start = directory_start(&end).filter(|start| *start <= version.size);
    let start =
        start.ok_or_else(|| Failure::new(Code::Internal, "the archive is damaged").hint("run `kontor fsck`"))?;
    let directory = part(hub, version, start..version.size, keeping).await?;
    let Some(behind) = with_file_behind(&directory, start, NOTE, &note) else {
        // The skill brings a file of that name: it is the author's, and stays.
        return Ok(Foreign::of_blob(version.digest, 0, version.size, &media, &version.digest.short(32), keeping));
    };
    let files = Piece::Blob { digest: version.digest, start: 0, end: start };
    let tag = format!("{}-{}", version.digest.short(32), Digest::of(&note).short(16));
    Ok(Foreign::new(vec![files, Piece::Held(Bytes::from(behind))], &media, &tag, keeping))
}

/// A part of a version's archive; what everybody may see comes from memory.
async fn part(hub: &Hub, version: &Version, range: Range<u64>, keeping: Keeping) -> Result<Bytes, Refusal> {
    let blobs = &hub.app.blobs;
    if keeping != Keeping::Nobody {
        let whole = blobs.get_shared(&version.digest).await.map_err(|error| unreadable(hub, error))?;
        let within = |at: u64| usize::try_from(at).ok();
        if let (Some(whole), Some(start), Some(end)) = (whole, within(range.start), within(range.end))
            && start <= end
            && end <= whole.len()
        {
            return Ok(whole.slice(start..end));
        }
    }
    blobs.get_range(&version.digest, range).await.map_err(|error| unreadable(hub, error))
}

fn unreadable(hub: &Hub, error: kontor_blob::Error) -> Refusal {
    Refusal::of(hub, error.into())
}

fn note(skill: &Skill, version: &Version) -> Vec<u8> {
    let note = json!({
        "ownerId": skill.publisher_id,
        "slug": skill.slug,
        "version": version.number,
        "publishedAt": version.created_at.millis(),
    });
    format!("{note:#}").into_bytes()
}
