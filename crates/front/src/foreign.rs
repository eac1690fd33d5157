//! Answers that carry bytes somebody published: harmless types, locked-down headers, ranges and validators.
//!
//! The type is never taken from the file or its uploader, so a browser can be made to show such bytes only as text.

mod body;
mod prepared;
mod range;
mod shown;

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use kontor_blob::Blobs;
use kontor_registry::{Found, Permit};
use kontor_types::{Digest, Visibility};

pub use prepared::{Form, Prepared};
use range::Wanted;
pub use shown::is_unsafe;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Room for the headers of an answer, those included that others add.
const HEADERS: usize = 24;
/// Characters of a type or a file name in a header.
const MAX_NAME: usize = 120;

/// One stretch of an answer.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes in hand.
    Held(Bytes),
    /// A range of a blob, read when it is sent.
    Blob {
        /// The blob.
        digest: Digest,
        /// Where the stretch begins in it.
        start: u64,
        /// Where it ends.
        end: u64,
    },
}

impl Piece {
    fn size(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Blob { start, end, .. } => end.saturating_sub(*start),
        }
    }
}

/// As what the bytes are declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// Text to look at.
    Text,
    /// A skill's text.
    Markdown,
    /// A ZIP archive to save under a name.
    Zip(String),
    /// Anything else, to save under a name.
    File(String),
}

impl Media {
    /// The harmless type of a file: text stays readable, everything else is saved.
    pub fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        match lower.rsplit_once('.').map(|(_, extension)| extension) {
            Some("md" | "markdown") => Self::Markdown,
            Some("txt" | "py" | "sh" | "js" | "ts" | "rs" | "json" | "toml" | "yaml" | "yml" | "csv" | "ini") => {
                Self::Text
            }
            _ => Self::File(path.rsplit('/').next().unwrap_or(path).to_owned()),
        }
    }

    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Zip(_) => "application/zip",
            Self::File(_) => "application/octet-stream",
        })
    }

    fn disposition(&self) -> Option<HeaderValue> {
        let (Self::Zip(name) | Self::File(name)) = self else { return None };
        let plain = |char: char| if char.is_ascii_alphanumeric() || "._-@".contains(char) { char } else { '_' };
        let name: String = name.chars().take(MAX_NAME).map(plain).collect();
        HeaderValue::try_from(format!("attachment; filename=\"{name}\"")).ok()
    }
}

/// Who may keep a copy, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// The address always means these bytes, and everybody may see them.
    Forever,
    /// Everybody may see them; ask again after a minute.
    AMinute,
    /// Everybody may see them; ask again each time.
    Check,
    /// Not everybody may see them.
    Nobody,
}

impl Keeping {
    /// Only what everybody may have is kept by others; an address that is fixed always means the same bytes.
    pub fn of(found: &Found, is_fixed: bool, permit: Permit) -> Self {
        let skill = &found.skill;
        let is_open = matches!(skill.visibility, Visibility::Public | Visibility::Unlisted)
            && skill.hidden_at.is_none()
            && found.version.is_shown()
            && permit.open;
        match (is_open, is_fixed) {
            (false, _) => Self::Nobody,
            (true, true) => Self::Forever,
            (true, false) => Self::AMinute,
        }
    }

    /// The value of `Cache-Control`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::AMinute => "public, max-age=60, must-revalidate",
            Self::Check => "public, no-cache",
            Self::Nobody => "private, no-store",
        }
    }
}

/// Bytes of a skill on their way to clients: what to send, with the headers that every answer about it carries.
#[derive(Debug, Clone)]
pub struct Foreign {
    pieces: Vec<Piece>,
    etag: String,
    keeping: Keeping,
    headers: HeaderMap,
    /// The length of everything, as a header.
    length: HeaderValue,
}

impl Foreign {
    /// These stretches in their order. `tag` changes exactly when the bytes do: letters, digits and hyphens.
    pub fn new(pieces: Vec<Piece>, media: &Media, tag: &str, keeping: Keeping) -> Self {
        let etag = format!("\"{tag}\"");
        let mut headers = HeaderMap::with_capacity(HEADERS);
        headers.insert(CONTENT_TYPE, media.content_type());
        if let Some(disposition) = media.disposition() {
            headers.insert(CONTENT_DISPOSITION, disposition);
        }
        insert(&mut headers, ETAG, &etag);
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        guard(&mut headers, keeping);
        let size = pieces.iter().map(Piece::size).fold(0, u64::saturating_add);
        Self { pieces, etag, keeping, headers, length: HeaderValue::from(size) }
    }

    /// A range of a blob.
    pub fn of_blob(digest: Digest, start: u64, end: u64, media: &Media, tag: &str, keeping: Keeping) -> Self {
        Self::new(vec![Piece::Blob { digest, start, end }], media, tag, keeping)
    }

    /// How many bytes they are.
    pub fn size(&self) -> u64 {
        self.pieces.iter().map(Piece::size).fold(0, u64::saturating_add)
    }

    /// The canonical archive of a version, under an address that always means it (`is_fixed`) or may come to mean another.
    pub fn archive(prepared: &Prepared, found: &Found, is_fixed: bool, permit: Permit) -> Arc<Self> {
        let form = Form::Canonical { is_fixed };
        if let Some(foreign) = prepared.get(found, form, permit) {
            return foreign;
        }
        let version = &found.version;
        let media = Media::Zip(format!("{}-{}.zip", found.skill.slug, version.number));
        let keeping = Keeping::of(found, is_fixed, permit);
        let foreign = Self::of_blob(version.digest, 0, version.size, &media, &version.digest.hex(), keeping);
        prepared.keep(found, form, foreign)
    }

    /// How many of the bytes are in hand.
    fn held(&self) -> u64 {
        let held = self.pieces.iter().filter(|piece| matches!(piece, Piece::Held(_)));
        held.map(Piece::size).fold(0, u64::saturating_add)
    }

    /// The answer to a GET or HEAD request with these headers: whole, a range, or nothing new.
    pub fn answer(&self, blobs: &Blobs, request: &HeaderMap) -> Response {
        let (size, mut headers) = (self.size(), self.headers.clone());
        if has_tag(request, &self.etag) {
            return with(StatusCode::NOT_MODIFIED, headers, Body::empty());
        }
        let (status, pieces) = match range::wanted(request, size, &self.etag) {
            Wanted::Everything => {
                headers.insert(CONTENT_LENGTH, self.length.clone());
                (StatusCode::OK, self.pieces.clone())
            }
            Wanted::Range(start, end) => {
                insert(&mut headers, CONTENT_RANGE, &format!("bytes {start}-{}/{size}", end.saturating_sub(1)));
                headers.insert(CONTENT_LENGTH, HeaderValue::from(end.saturating_sub(start)));
                (StatusCode::PARTIAL_CONTENT, body::cut(&self.pieces, start, end))
            }
            Wanted::Nothing => {
                insert(&mut headers, CONTENT_RANGE, &format!("bytes */{size}"));
                headers.insert(CONTENT_LENGTH, HeaderValue::from(0_u64));
                return with(StatusCode::RANGE_NOT_SATISFIABLE, headers, Body::empty());
            }
        };
        with(status, headers, body::body(blobs, pieces, self.keeping != Keeping::Nobody))
    }
}

/// An answer with just these headers.
fn with(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Whether an answer begins a download that counts: not a look at its head, a part of it, or a copy at hand.
pub fn is_download(method: &Method, answer: &Response) -> bool {
    *method == Method::GET && answer.status() == StatusCode::OK
}

/// Adds the headers that keep published bytes from acting inside a browser, and say who may keep them.
pub fn guard(headers: &mut HeaderMap, keeping: Keeping) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keeping.header()));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(VARY, HeaderValue::from_static("authorization, cookie"));
    let policy = if keeping == Keeping::Nobody { "same-origin" } else { "cross-origin" };
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static(policy));
    if keeping != Keeping::Nobody {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let exposed = HeaderValue::from_static("etag, content-range, accept-ranges, content-length");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// A JSON or text document made here, with the same validators and guards.
pub fn document(request: &HeaderMap, content_type: &'static str, body: Vec<u8>, keeping: Keeping) -> Response {
    let etag = format!("\"{}\"", Digest::of(&body).short(32));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    insert(&mut headers, ETAG, &etag);
    guard(&mut headers, keeping);
    if has_tag(request, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, body).into_response()
}

fn has_tag(request: &HeaderMap, etag: &str) -> bool {
    let mut values = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| {
        value.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
