//! Skills and their files as resources: `skills/list`, `skills/get`, `resources/list`, `resources/read` and
//! `resources/directory/read`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kontor_access::Caller;
use kontor_registry::{File, Listing};
use kontor_types::{Cursor, PageSize};
use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, DIRECTORY_MIME_TYPE, GetSkillResult, ListResourceTemplatesResult, ListResourcesResult,
    ListSkillsResult, PaginatedRequestParams, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
    SKILL_MD,
};

use super::entry::Entry;
use super::{refusal, untrusted};
use crate::foreign::Media;
use crate::{Failure, Hub};

/// Skills on a page.
const PAGE: u32 = 20;
/// How long an answer may be taken for current.
const FRESH_MILLISECONDS: u64 = 60_000;
/// Bytes above which a file is large: only so many are held at once.
pub(super) const LARGE: u64 = 1024 * 1024;

/// The resources of a hub, for one caller.
pub(super) struct Resources<'h> {
    /// The hub.
    pub hub: &'h Hub,
    /// Who asks.
    pub caller: &'h Caller,
}

impl Resources<'_> {
    /// `skills/list`
    pub async fn skills(&self, page: Option<PaginatedRequestParams>) -> Result<ListSkillsResult, ErrorData> {
        let (entries, next) = self.page(page).await.map_err(|failure| refusal::error(&failure))?;
        let mut result = ListSkillsResult::with_all_items(entries.iter().map(Entry::skill).collect())
            .with_ttl_ms(FRESH_MILLISECONDS)
            .with_cache_scope(self.scope());
        result.next_cursor = next;
        Ok(result)
    }

    /// `skills/get`
    pub async fn skill(&self, uri: &str) -> Result<GetSkillResult, ErrorData> {
        let unknown = || {
            let message = format!("no skill is served at {}", untrusted::visible(uri));
            ErrorData::invalid_params(message, None)
        };
        let found = Entry::at(self.hub, self.caller, uri).await.map_err(|failure| refusal::error(&failure))?;
        match found {
            Some((entry, path)) if path == SKILL_MD => {
                Ok(GetSkillResult::new(entry.skill()).with_ttl_ms(FRESH_MILLISECONDS).with_cache_scope(self.scope()))
            }
            _ => Err(unknown()),
        }
    }

    /// `resources/list`: the text of each skill; what else a skill has is in its entry.
    pub async fn list(&self, page: Option<PaginatedRequestParams>) -> Result<ListResourcesResult, ErrorData> {
        let (entries, next) = self.page(page).await.map_err(|failure| refusal::error(&failure))?;
        let resource = |entry: &Entry| {
            let size = entry.file(SKILL_MD).map(|file| file.size).unwrap_or_default();
            Resource::new(entry.uri(SKILL_MD), entry.name())
                .with_description(entry.description())
                .with_mime_type(mime_type(SKILL_MD))
                .with_size(size)
                .with_meta(entry.meta())
        };
        let mut result = ListResourcesResult::with_all_items(entries.iter().map(resource).collect())
            .with_ttl_ms(FRESH_MILLISECONDS)
            .with_cache_scope(self.scope());
        result.next_cursor = next;
        Ok(result)
    }

    /// `resources/templates/list`
    pub fn templates() -> ListResourceTemplatesResult {
        let template = ResourceTemplate::new("skill://{publisher}/{skill}/{+path}", "skill file")
            .with_description("A file of a skill; SKILL.md is where to begin. `skills/get` lists the files of one.");
        ListResourceTemplatesResult::with_all_items(vec![template])
    }

    /// `resources/read`: the bytes of a file, exactly those that its digest is of.
    pub async fn read(&self, uri: &str) -> Result<ReadResourceResult, ErrorData> {
        let read = self.contents(uri).await.map_err(|failure| refusal::error(&failure))?;
        let contents = read.ok_or_else(|| refusal::missing_resource(uri))?;
        let result = ReadResourceResult::new(vec![contents]);
        Ok(result.with_ttl_ms(FRESH_MILLISECONDS).with_cache_scope(self.scope()))
    }

    /// `resources/directory/read`
    pub async fn directory(&self, uri: &str) -> Result<ListResourcesResult, ErrorData> {
        let no_directory = || {
            let message = format!("{} is not a directory resource", untrusted::visible(uri));
            ErrorData::invalid_params(message, None)
        };
        let found = Entry::at(self.hub, self.caller, uri).await.map_err(|failure| refusal::error(&failure))?;
        let (entry, path) = found.ok_or_else(no_directory)?;
        let children = children(&entry, &path);
        if children.is_empty() {
            return Err(no_directory());
        }
        Ok(ListResourcesResult::with_all_items(children))
    }

    /// A page of what the caller may find and have, the newest first.
    async fn page(&self, page: Option<PaginatedRequestParams>) -> Result<(Vec<Entry>, Option<String>), Failure> {
        let (registry, viewer) = (&self.hub.app.registry, self.caller.viewer());
        let after = page.and_then(|page| page.cursor).and_then(|cursor| cursor.parse::<Cursor>().ok());
        let listed = registry.list(viewer, &Listing::default(), PageSize::clamped(PAGE), after.as_ref()).await?;
        let mut versions = Vec::with_capacity(listed.items.len());
        for skill in &listed.items {
            match registry.version(viewer, &crate::native::skill_reference(skill)).await {
                Ok(found) => versions.push(found),
                Err(error) if error.problem().code.status() == 404 => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut entries = Vec::with_capacity(versions.len());
        for found in registry.installable(self.caller, versions).await? {
            entries.extend(Entry::of(self.hub, self.caller, found).await?);
        }
        Ok((entries, listed.next.map(|next| next.to_string())))
    }

    async fn contents(&self, uri: &str) -> Result<Option<ResourceContents>, Failure> {
        let Some((entry, path)) = Entry::at(self.hub, self.caller, uri).await? else { return Ok(None) };
        let Some(file) = entry.file(&path) else { return Ok(None) };
        let room = if file.size > LARGE { self.hub.large_reads.acquire().await.ok() } else { None };
        let bytes = self.hub.app.registry.file_bytes(&entry.found, file, None).await?;
        let contents = match std::str::from_utf8(&bytes) {
            Ok(text) => ResourceContents::text(text, uri),
            Err(_) => ResourceContents::blob(STANDARD.encode(&bytes), uri),
        };
        drop(room);
        Ok(Some(contents.with_mime_type(mime_type(&path)).with_meta(entry.meta())))
    }

    /// Who may keep an answer: what is told without asking who somebody is, anybody may have.
    const fn scope(&self) -> CacheScope {
        if self.caller.person.is_none() { CacheScope::Public } else { CacheScope::Private }
    }
}

/// What lies directly in a folder of a skill.
fn children(entry: &Entry, folder: &str) -> Vec<Resource> {
    let inside = |file: &File| match folder {
        "" => Some(file.path.clone()),
        folder => file.path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned),
    };
    let mut found: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for (file, rest) in entry.files.iter().filter_map(|file| Some((file, inside(file)?))) {
        match rest.split_once('/') {
            Some((name, _)) => found.insert(name.to_owned(), None),
            None => found.insert(rest, Some(file.size)),
        };
    }
    let resource = |(name, size): (String, Option<u64>)| {
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        match size {
            None => Resource::new(entry.uri(&path), name).with_mime_type(DIRECTORY_MIME_TYPE),
            Some(size) => Resource::new(entry.uri(&path), name).with_mime_type(mime_type(&path)).with_size(size),
        }
    };
    found.into_iter().map(resource).collect()
}

/// The hub's type for a file, as everywhere.
fn mime_type(path: &str) -> &'static str {
    match Media::of(path) {
        Media::Markdown => "text/markdown",
        Media::Text => "text/plain",
        Media::Zip(_) | Media::File(_) => "application/octet-stream",
    }
}
