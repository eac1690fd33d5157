use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use kontor_types::{Slug, Timestamp};
use kontor_wire::{ImportItem, ImportStatus, Origin};
use reqwest::header::HeaderMap;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::{Listed, Tree, archive, borrowed_folder};
use crate::error::{Error, pause};
use crate::transport::retry_after;

/// Skills asked for in one page; the hubs' own limit.
const PAGE: u32 = 250;
/// The most bytes of one page.
const MOST_PAGE: u64 = 4 << 30;
/// The longest that a hub may let one wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// How often one page is tried.
const TRIES: u32 = 8;
/// What a hub adds to each skill's folder, which its author did not write.
const ADDED: &str = "_export_skill_meta.json";
/// What stands in for the files of a skill that the hub does not hold itself.
const HANDOFF: &str = "_source_handoff.json";

/// The address of a hub.
pub fn check(address: &str) -> Result<Url, Error> {
    let refused = || Error::Usage(format!("`{address}` is no hub: write clawhub:https://hub.example.com"));
    let mut url = Url::parse(address).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refused());
    }
    url.set_query(None);
    url.set_fragment(None);
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| refused())?;
    Ok(url)
}

/// Reads a hub's export page after page, one request at a time, at the pace that the hub asks for.
#[derive(Debug)]
pub struct Export {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
    start: i64,
    end: i64,
    cursor: Option<String>,
    finished: bool,
    /// When the hub may be asked again.
    allowed_at: Option<Instant>,
}

/// One skill in a page's manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    publisher: String,
    slug: String,
    #[serde(default)]
    source_ref: Option<String>,
    #[serde(default)]
    version: Option<String>,
    /// Where the hub has it from, when it is another Kontor.
    #[serde(default)]
    origin: serde_json::Value,
}

impl Export {
    /// Begins with what changed since `since`, or with the page after `cursor`.
    pub fn new(
        url: &Url,
        token: Option<String>,
        since: Option<Timestamp>,
        cursor: Option<String>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let http = kontor_outbound::client()
            .user_agent(concat!("Kontor/", env!("CARGO_PKG_VERSION"), " (import)"))
            .connect_timeout(Duration::from_secs(15))
            .read_timeout(Duration::from_mins(2))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|source| Error::Connect { registry: url.to_string(), source })?;
        let start = since.map_or(0, Timestamp::millis);
        Ok(Self { http, base: url.clone(), token, start, end: now.millis(), cursor, finished: false, allowed_at: None })
    }

    /// Where to go on after the pages read so far.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next page as a tree of `publisher/skill` folders.
    pub async fn next_page(&mut self) -> Result<Option<Tree>, Error> {
        if self.finished {
            return Ok(None);
        }
        if let Some(moment) = self.allowed_at {
            tokio::time::sleep_until(moment).await;
        }
        let keep = borrowed_folder()?;
        let file = keep.path().join("page.zip");
        let headers = self.download(&file).await?;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let next = text("x-next-cursor").filter(|cursor| !cursor.is_empty());
        let more = text("x-has-more").is_some_and(|more| more.eq_ignore_ascii_case("true"));
        let base = self.base.as_str().trim_end_matches('/').to_owned();
        let origin = Origin { kind: "clawhub".to_owned(), url: Some(base), ..Origin::default() };
        let (mut tree, root) = archive::unpack_to_folder(file, origin).await?;
        describe(&mut tree, &root)?;
        self.finished = !more || next.is_none() || next == self.cursor;
        self.cursor = next;
        self.allowed_at = Some(Instant::now() + until_allowed(&headers));
        Ok(Some(tree))
    }

    async fn download(&self, file: &Path) -> Result<HeaderMap, Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let registry = self.base.to_string();
            let response = match self.request()?.send().await {
                Ok(response) => response,
                Err(_) if attempt < TRIES => {
                    tokio::time::sleep(pause(attempt + 2, None)).await;
                    continue;
                }
                Err(source) => return Err(Error::Connect { registry, source }),
            };
            let status = response.status().as_u16();
            if matches!(status, 429 | 500 | 502..=504) && attempt < TRIES {
                let wait = retry_after(response.headers());
                tokio::time::sleep(wait.unwrap_or_else(|| pause(attempt + 3, None)).min(LONGEST_WAIT)).await;
                continue;
            }
            if status != 200 {
                let text: String = response.text().await.unwrap_or_default().chars().take(300).collect();
                return Err(self.refusal(status, &text));
            }
            let headers = response.headers().clone();
            save(response, file, &registry).await?;
            return Ok(headers);
        }
    }

    fn request(&self) -> Result<reqwest::RequestBuilder, Error> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Address { text: self.base.to_string() })?
            .pop_if_empty()
            .extend(["api", "v1", "skills", "export"]);
        url.query_pairs_mut()
            .append_pair("startDate", &self.start.to_string())
            .append_pair("endDate", &self.end.to_string())
            .append_pair("limit", &PAGE.to_string());
        if let Some(cursor) = &self.cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let request = self.http.get(url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    fn refusal(&self, status: u16, text: &str) -> Error {
        let base = self.base.as_str().trim_end_matches('/');
        match status {
            401 | 403 => Error::SourceDenied { registry: base.to_owned() },
            404 => Error::refused(
                format!("{base} has no export of its skills"),
                "import them from their repositories instead",
            ),
            _ => Error::Unexpected { registry: base.to_owned(), status, text: text.to_owned() },
        }
    }
}

async fn save(response: reqwest::Response, path: &Path, registry: &str) -> Result<(), Error> {
    let mut file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    let mut stream = response.bytes_stream();
    let mut size = 0_u64;
    while let Some(part) = stream.next().await {
        let part = part.map_err(|source| Error::Transfer { registry: registry.to_owned(), source })?;
        size = size.saturating_add(part.len() as u64);
        if size > MOST_PAGE {
            return Err(Error::TooLarge { what: "a page of the export".to_owned(), limit: MOST_PAGE });
        }
        file.write_all(&part).map_err(|error| Error::io("write", path, error))?;
    }
    Ok(())
}

/// How long to wait before the next request: what the rate headers say, a second otherwise.
fn until_allowed(headers: &HeaderMap) -> Duration {
    let number = |names: [&str; 2]| {
        let text = names.iter().find_map(|name| headers.get(*name))?.to_str().ok()?;
        text.trim().parse::<u64>().ok()
    };
    let left = number(["ratelimit-remaining", "x-ratelimit-remaining"]);
    let reset = number(["ratelimit-reset", "x-ratelimit-reset"]);
    match (left, reset) {
        (Some(0), Some(seconds)) if seconds < 3600 => Duration::from_secs(seconds.max(1)),
        (Some(0), _) => Duration::from_mins(1),
        _ => Duration::from_secs(1),
    }
}

/// Takes what the hub says about the skills of a page out of it, so that only the authors' files stay.
fn describe(tree: &mut Tree, root: &Path) -> Result<(), Error> {
    let exported: Option<Vec<Exported>> = read_json(&root.join("_manifest.json"));
    let complete = exported.is_some();
    let mut listed = BTreeMap::new();
    for exported in exported.unwrap_or_default() {
        let path = format!("{}/{}", exported.publisher, exported.slug);
        if kontor_package::check_path(&path).is_err() {
            continue;
        }
        let folder = root.join(&path);
        if folder.join(HANDOFF).is_file() || exported.source_ref.as_deref() == Some("public-github") {
            tree.refused.push(held_elsewhere(&path, read_json(&folder.join(HANDOFF)).as_ref()));
            remove_folder(&folder)?;
            continue;
        }
        remove_file(&folder.join(ADDED))?;
        let skill = Listed {
            slug: Slug::parse(&exported.slug).ok(),
            version: exported.version.as_deref().and_then(|text| text.parse().ok()),
            origin: Origin {
                before: Origin::deserialize(exported.origin).ok().as_ref().and_then(in_words),
                author: Some(exported.publisher),
                version: exported.version,
                ..tree.origin.clone()
            },
        };
        listed.insert(path, skill);
    }
    if let Some(errors) = read_json::<Vec<serde_json::Value>>(&root.join("_errors.json")) {
        tree.refused.extend(errors.iter().map(not_exported));
    }
    for name in ["_manifest.json", "_errors.json"] {
        remove_file(&root.join(name))?;
    }
    tree.listed = complete.then_some(listed);
    Ok(())
}

/// Where a hub has a skill from, as one line.
fn in_words(origin: &Origin) -> Option<String> {
    let commit = origin.commit.as_deref().map(|commit| format!("at {commit}"));
    let parts = [origin.url.clone(), commit, origin.version.clone(), origin.path.clone(), origin.before.clone()];
    let line = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| line.chars().take(500).collect())
}

fn held_elsewhere(path: &str, handoff: Option<&serde_json::Value>) -> ImportItem {
    let text = |name: &str| handoff?.get(name)?.as_str().map(str::to_owned);
    let place = text("repo").or_else(|| text("repository")).unwrap_or_else(|| "its repository".to_owned());
    let commit = text("commit").map(|commit| format!(" at {commit}")).unwrap_or_default();
    let message = format!("the hub lists this skill but does not hold its files; they are in {place}{commit}");
    refused(path, "source_elsewhere", message, "import that repository")
}

fn not_exported(error: &serde_json::Value) -> ImportItem {
    let text = |name: &str| error.get(name).and_then(serde_json::Value::as_str);
    let slug = text("slug").or_else(|| text("path")).unwrap_or_default();
    let path = text("publisher").map_or_else(|| slug.to_owned(), |publisher| format!("{publisher}/{slug}"));
    let message = text("error").or_else(|| text("message")).unwrap_or("the hub could not export it").to_owned();
    refused(&path, "not_exported", message, "import again later")
}

fn refused(path: &str, code: &str, message: String, hint: &str) -> ImportItem {
    ImportItem {
        path: path.to_owned(),
        status: ImportStatus::Refused,
        reference: None,
        version: None,
        digest: None,
        code: Some(code.to_owned()),
        message: Some(message),
        hint: Some(hint.to_owned()),
        file: None,
        line: None,
    }
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    let mut text = String::new();
    File::open(path).ok()?.take(64 << 20).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn remove_file(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

fn remove_folder(path: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}
