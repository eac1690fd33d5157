//! `export`: the newest versions of public skills in ZIP pages, for mirrors.
//!
//! Files are sent from where they lie in the canonical archives; a page is never held in memory.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use kontor_access::Caller;
use kontor_package::{ARCHIVE_END, Composer, directory_start, listed};
use kontor_registry::{Error, Listing, Skill, Sort, Version};
use kontor_types::{Cursor, Digest, PageSize, SkillRef, Timestamp, Viewer};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::refusal::Refusal;
use super::{lookup, names, shapes, skill};
use crate::extract::Query;
use crate::foreign::{Foreign, Keeping, Media, Piece};
use crate::{Asker, Hub};

/// The most skills of a page.
const MOST: u32 = 250;
/// The most bytes and files of a page; one skill more than that ends it.
const MOST_BYTES: u64 = 1 << 30;
const MOST_FILES: usize = 50_000;

/// Which skills: those last changed between two moments in milliseconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    start_date: Option<String>,
    end_date: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    owner_handle: Option<String>,
}

/// `GET /api/v1/skills/export?startDate&endDate[&limit][&cursor]`
pub async fn export(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    Query(asked): Query<Asked>,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    if asked.start_date.is_none() && asked.end_date.is_none() {
        // A skill may be called so; nobody means the export without a date.
        let named = skill::show(&hub, &caller, &names::skill("export", asked.owner_handle.as_deref())?).await?;
        return Ok(named.into_response());
    }
    caller.require_person()?;
    let (start, end) = (moment(asked.start_date.as_deref())?, moment(asked.end_date.as_deref())?);
    let size = match asked.limit.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => MOST,
        Some(text) => text.parse().map_err(|_| Refusal::invalid("limit must be a number of 1 to 250"))?,
    };
    let (word, newest, highest) = (Sort::Updated.as_str(), end.micros().saturating_add(999), Uuid::max());
    let first = Cursor::of(&[&word, &newest, &highest]);
    let cursor = asked.cursor.filter(|text| !text.is_empty()).map_or(Some(first), |text| text.parse().ok());
    let mut page = Page::default();
    let mut after = cursor;
    while page.skills.len() < size.clamp(1, MOST) as usize {
        let wanted =
            PageSize::clamped(size.clamp(1, MOST).saturating_sub(u32::try_from(page.skills.len()).unwrap_or(0)));
        // Everybody's view, whoever asks: an export never carries what its reader alone may see.
        let found = lookup::list(&hub, &Viewer::anonymous(), &Listing::default(), wanted, after.as_ref()).await?;
        let ends = found.next.is_none();
        for skill in found.items {
            if skill.updated_at < start {
                return Ok(page.finish(None, (start, end)).answer(&hub, &request));
            }
            let here = Cursor::of(&[&word, &skill.updated_at.micros(), &skill.id]);
            page.add(&hub, &caller, skill).await?;
            after = Some(here);
            if page.is_full() {
                break;
            }
        }
        if ends && !page.is_full() {
            return Ok(page.finish(None, (start, end)).answer(&hub, &request));
        }
        if page.is_full() {
            break;
        }
    }
    Ok(page.finish(after.as_ref(), (start, end)).answer(&hub, &request))
}

fn moment(text: Option<&str>) -> Result<Timestamp, Refusal> {
    let number = text.map(str::trim).filter(|text| !text.is_empty()).and_then(|text| text.parse().ok());
    number
        .map(Timestamp::from_millis)
        .ok_or_else(|| Refusal::invalid("startDate and endDate are missing or no numbers: use milliseconds since 1970"))
}

#[derive(Default)]
struct Page {
    composer: Composer,
    pieces: Vec<Piece>,
    skills: Vec<Value>,
    errors: Vec<Value>,
    tags: Vec<u8>,
}

/// A page with its headers.
struct Made {
    archive: Foreign,
    headers: HeaderMap,
}

impl Page {
    fn is_full(&self) -> bool {
        self.composer.size() >= MOST_BYTES || self.composer.files() >= MOST_FILES
    }

    /// Adds the newest version of a skill, or the reason why it cannot be had.
    async fn add(&mut self, hub: &Hub, caller: &Caller, skill: Skill) -> Result<(), Refusal> {
        let outcome = match newest(hub, caller, &skill).await {
            Ok(Some((version, directory))) => self.add_version(&skill, &version, &directory),
            Ok(None) => None,
            Err(refusal) => return Err(refusal),
        };
        if outcome.is_none() {
            let error = "its newest version cannot be exported";
            self.errors.push(json!({ "publisher": skill.publisher, "slug": skill.slug, "error": error }));
        }
        Ok(())
    }

    /// `None` when the archive cannot take the version.
    fn add_version(&mut self, skill: &Skill, version: &Version, directory: &[u8]) -> Option<()> {
        let files = listed(directory)?;
        let root = format!("{}/{}", skill.publisher, skill.slug);
        for file in &files {
            let header = self.composer.file(&format!("{root}/{}", file.path), file.checksum, file.size)?;
            self.pieces.push(Piece::Held(Bytes::from(header)));
            let end = file.position.saturating_add(u64::from(file.size));
            self.pieces.push(Piece::Blob { digest: version.digest, start: file.position, end });
        }
        let mut facts = shapes::exported(skill, version);
        self.note(&format!("{root}/_export_skill_meta.json"), &facts)?;
        if let Value::Object(facts) = &mut facts {
            facts.insert("publisher".to_owned(), json!(skill.publisher));
            facts.insert("fileCount".to_owned(), json!(files.len()));
        }
        self.skills.push(facts);
        self.tags.extend_from_slice(version.digest.as_bytes());
        Some(())
    }

    fn note(&mut self, path: &str, note: &Value) -> Option<()> {
        let bytes = self.composer.whole(path, format!("{note:#}").as_bytes())?;
        self.tags.extend_from_slice(Digest::of(&bytes).as_bytes());
        self.pieces.push(Piece::Held(Bytes::from(bytes)));
        Some(())
    }

    fn finish(mut self, next: Option<&Cursor>, (start, end): (Timestamp, Timestamp)) -> Made {
        let range = format!("{}-{}", start.millis(), end.millis());
        let (skills, errors) = (std::mem::take(&mut self.skills), std::mem::take(&mut self.errors));
        let mut headers = HeaderMap::new();
        let mut tell = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        tell("x-next-cursor", next.map(ToString::to_string).unwrap_or_default());
        tell("x-has-more", next.is_some().to_string());
        tell("x-total-returned", skills.len().to_string());
        tell("x-export-errors", errors.len().to_string());
        tell("x-date-range", range.clone());
        if !errors.is_empty() {
            self.note("_errors.json", &Value::Array(errors));
        }
        self.note("_manifest.json", &Value::Array(skills));
        self.pieces.push(Piece::Held(Bytes::from(self.composer.finish())));
        let media = Media::Zip(format!("skills-export-{range}.zip"));
        let tag = Digest::of(&self.tags).short(32);
        Made { archive: Foreign::new(self.pieces, &media, &tag, Keeping::Nobody), headers }
    }
}

impl Made {
    fn answer(self, hub: &Hub, request: &HeaderMap) -> Response {
        let mut response = self.archive.answer(&hub.app.blobs, request);
        response.headers_mut().extend(self.headers);
        response
    }
}

/// The newest version of a skill that everybody sees, with the directory of its archive, if the caller may have it.
async fn newest(hub: &Hub, caller: &Caller, skill: &Skill) -> Result<Option<(Arc<Version>, Bytes)>, Refusal> {
    let name = SkillRef::new(skill.publisher.clone(), skill.slug.clone());
    let version = match lookup::found(hub, &Viewer::anonymous(), name, None).await {
        Ok(found) => match hub.app.registry.may_install(caller, &found).await {
            Ok(_) => found.version,
            Err(Error::Forbidden { .. } | Error::NotAdmitted { .. }) => return Ok(None),
            Err(error) => return Err(Refusal::of(hub, error)),
        },
        Err(refusal) if refusal.is_fault() => return Err(refusal),
        Err(_) => return Ok(None),
    };
    let blobs = &hub.app.blobs;
    let end = blobs.get_range(&version.digest, version.size.saturating_sub(ARCHIVE_END)..version.size).await;
    let Ok(end) = end else { return Ok(None) };
    let Some(start) = directory_start(&end).filter(|start| *start <= version.size) else { return Ok(None) };
    Ok(blobs.get_range(&version.digest, start..version.size).await.ok().map(|directory| (version, directory)))
}
