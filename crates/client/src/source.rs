//! Where skills are imported from.

mod archive;
mod clawhub;
mod download;
mod git;
mod npm;
mod pip;
mod program;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kontor_package::HeldTree;
use kontor_types::{Slug, Timestamp, Version};
use kontor_wire::{ImportItem, Origin};
use tempfile::TempDir;
use url::Url;

use crate::error::Error;

pub use clawhub::Export;

/// A place that holds skills, as it was named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder with skills at any depth.
    Folder(PathBuf),
    /// A zip, tar, tar.gz or tar.zst file.
    Archive(PathBuf),
    /// Such a file on the web.
    Download(Url),
    /// A git repository.
    Git {
        /// Its address, or a folder.
        address: String,
        /// The branch or tag; the repository's default without one.
        reference: Option<String>,
    },
    /// A package of the npm registry: `name`, `@scope/name@version`.
    Npm(String),
    /// A package of the Python registry: `name`, `name==version`.
    Pip(String),
    /// A hub that speaks ClawHub's export API.
    Clawhub {
        /// Its address.
        url: Url,
        /// Only what changed since then.
        since: Option<Timestamp>,
    },
}

/// Where the files of a source are.
#[derive(Debug, Clone)]
pub enum Place {
    /// In this folder.
    Folder(PathBuf),
    /// In memory, from a small archive of this name.
    Memory(Arc<HeldTree>, String),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(formatter),
            Self::Memory(_, name) => formatter.write_str(name),
        }
    }
}

/// A source on this machine, for as long as the value lives.
#[derive(Debug)]
pub struct Tree {
    /// Where to look for skills.
    pub place: Place,
    /// The name for a skill that lies at the root.
    pub root_name: Option<String>,
    /// What is true of all its skills.
    pub origin: Origin,
    /// What the source says of each of its skills, by their path; it has no others then.
    pub listed: Option<BTreeMap<String, Listed>>,
    /// Skills that the source names but does not give.
    pub refused: Vec<ImportItem>,
    /// What was left out, for people.
    pub notes: Vec<String>,
    /// Removes the folder when it was only borrowed.
    keep: Option<TempDir>,
}

/// What a source says of one of its skills.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Where its bytes come from.
    pub origin: Origin,
    /// Its name there.
    pub slug: Option<Slug>,
    /// Its number there.
    pub version: Option<Version>,
}

impl Tree {
    fn new(place: Place, origin: Origin, keep: Option<TempDir>) -> Self {
        Self { place, root_name: None, origin, listed: None, refused: Vec::new(), notes: Vec::new(), keep }
    }

    fn named(mut self, name: Option<String>) -> Self {
        self.root_name = name;
        self
    }

    /// What the source says of the skill at `path`.
    pub fn told_of(&self, path: &str) -> Listed {
        let listed = self.listed.as_ref().and_then(|listed| listed.get(path));
        listed.cloned().unwrap_or_else(|| Listed { origin: self.origin.clone(), slug: None, version: None })
    }

    /// Whether the skill at `path` is one of the source's own, not only content of another.
    pub fn has(&self, path: &str) -> bool {
        self.listed.as_ref().is_none_or(|listed| listed.contains_key(path))
    }

    /// The same without the one folder that wraps everything, if there is one.
    fn unwrapped(mut self) -> Self {
        self.place = match self.place {
            Place::Folder(root) => Place::Folder(archive::only_folder(&root).unwrap_or(root)),
            Place::Memory(held, name) => Place::Memory(Arc::new(Arc::unwrap_or_clone(held).unwrapped()), name),
        };
        self
    }

    /// Whether the files go away with the value.
    pub const fn is_borrowed(&self) -> bool {
        self.keep.is_some() || matches!(self.place, Place::Memory(..))
    }
}

/// Endings of archives.
const ARCHIVE_ENDINGS: &[&str] = &[".zip", ".whl", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".skill"];

impl Source {
    /// Reads what the command line names.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is none of the kinds.
    pub fn parse(text: &str, since: Option<Timestamp>) -> Result<Self, Error> {
        let source = Self::recognise(text)?;
        match (source, since) {
            (Self::Clawhub { url, .. }, since) => Ok(Self::Clawhub { url, since }),
            (source, None) => Ok(source),
            (_, Some(_)) => Err(Error::Usage("--since is for clawhub: sources only".to_owned())),
        }
    }

    fn recognise(text: &str) -> Result<Self, Error> {
        if let Some(spec) = text.strip_prefix("npm:") {
            return npm::check(spec).map(|()| Self::Npm(spec.to_owned()));
        }
        if let Some(spec) = text.strip_prefix("pip:") {
            return pip::check(spec).map(|()| Self::Pip(spec.to_owned()));
        }
        if let Some(address) = text.strip_prefix("clawhub:") {
            return clawhub::check(address).map(|url| Self::Clawhub { url, since: None });
        }
        if let Some(address) = text.strip_prefix("git:").filter(|rest| !rest.starts_with("//")) {
            return Ok(git::named(address));
        }
        let path = Path::new(text);
        if path.is_dir() {
            let bare = path.join("HEAD").is_file() && path.join("objects").is_dir();
            return Ok(if bare { git::named(text) } else { Self::Folder(path.to_owned()) });
        }
        if path.is_file() {
            return Ok(Self::Archive(path.to_owned()));
        }
        if let Some(url) = download::recognise(text) {
            return Ok(Self::Download(url));
        }
        if git::is_address(text) {
            return Ok(git::named(text));
        }
        let kinds = "a folder, an archive or its address, a git address, npm:NAME, pip:NAME or clawhub:URL";
        Err(Error::Usage(format!("`{text}` does not exist and is no source: give {kinds}")))
    }

    /// The name under which the hub remembers this source: the same at every import, without credentials or versions.
    pub fn identity(&self) -> Result<String, Error> {
        let real = |path: &Path| {
            std::fs::canonicalize(path)
                .map_err(|error| Error::io("find", path, error))
                .map(|path| path.display().to_string())
        };
        Ok(match self {
            Self::Folder(path) => format!("folder:{}", real(path)?),
            Self::Archive(path) => format!("archive:{}", real(path)?),
            Self::Download(url) => format!("archive:{}", download::shown(url)),
            Self::Git { address, reference } => git::identity(address, reference.as_deref()),
            Self::Npm(spec) => format!("npm:{}", npm::name(spec)),
            Self::Pip(spec) => format!("pip:{}", pip::name(spec)),
            Self::Clawhub { url, .. } => format!("clawhub:{}", url.as_str().trim_end_matches('/')),
        })
    }

    /// Brings the source to this machine; ClawHub hubs come page by page through [`Export`] instead.
    pub async fn fetch(&self) -> Result<Tree, Error> {
        match self {
            Self::Folder(path) => folder(path),
            Self::Archive(path) => archive::fetch(path).await,
            Self::Download(url) => download::fetch(url).await,
            Self::Git { address, reference } => git::fetch(address, reference.as_deref()).await,
            Self::Npm(spec) => npm::fetch(spec).await,
            Self::Pip(spec) => pip::fetch(spec).await,
            Self::Clawhub { url, .. } => Err(Error::Usage(format!("{url} is read page by page"))),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Archive(path) => path.display().fmt(formatter),
            Self::Download(url) => formatter.write_str(&download::shown(url)),
            Self::Git { address, .. } => formatter.write_str(&git::without_credentials(address)),
            Self::Npm(spec) => write!(formatter, "npm:{spec}"),
            Self::Pip(spec) => write!(formatter, "pip:{spec}"),
            Self::Clawhub { url, .. } => write!(formatter, "clawhub:{url}"),
        }
    }
}

fn folder(path: &Path) -> Result<Tree, Error> {
    let root = std::fs::canonicalize(path).map_err(|error| Error::io("find", path, error))?;
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned());
    let origin = Origin { kind: "folder".to_owned(), ..Origin::default() };
    Ok(Tree::new(Place::Folder(root), origin, None).named(name))
}

/// A folder of one's own that is removed in the end.
fn borrowed_folder() -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix("kontor-import-")
        .tempdir()
        .map_err(|error| Error::io("make a folder in", std::env::temp_dir(), error))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Source;

    #[rstest]
    #[case("npm:ecc-universal@2.0.0", "npm:ecc-universal")]
    #[case("npm:@scope/name@^1", "npm:@scope/name")]
    #[case("npm:@scope/name", "npm:@scope/name")]
    #[case("pip:Claude_Data.Skills==3.5.3", "pip:claude-data-skills")]
    #[case("https://user:secret@Example.com/a/b.git", "git:https://example.com/a/b")]
    #[case("https://example.com/a/b.git#v2", "git:https://example.com/a/b#v2")]
    #[case("git@example.com:a/b.git", "git:ssh://example.com/a/b")]
    #[case("ssh://git@example.com/a/b", "git:ssh://example.com/a/b")]
    #[case("file:///srv/skills.git", "git:file:///srv/skills")]
    #[case("clawhub:https://hub.example.com/", "clawhub:https://hub.example.com")]
    #[case(
        "https://me:secret@example.com/a/Skills-1.2.tar.gz?key=x#y",
        "archive:https://example.com/a/Skills-1.2.tar.gz"
    )]
    #[case("http://example.com/a.ZIP", "archive:http://example.com/a.ZIP")]
    #[case("https://example.com/a?name=b.zip", "git:https://example.com/a?name=b.zip")]
    fn a_source_keeps_its_identity(#[case] text: &str, #[case] identity: &str) -> Result<(), crate::Error> {
        assert_eq!(Source::parse(text, None)?.identity()?, identity);
        Ok(())
    }

    #[rstest]
    #[case("npm:../evil")]
    #[case("npm:--registry=http://x")]
    #[case("npm:https://x/y.tgz")]
    #[case("pip:-r file")]
    #[case("pip:name @ file:///etc")]
    #[case("clawhub:file:///etc")]
    #[case("file://other.example/skills")]
    #[case("no-such-folder")]
    #[case("ext::sh -c id")]
    #[case("ftp://example.com/a.zip")]
    fn what_is_no_source_is_refused(#[case] text: &str) {
        assert!(Source::parse(text, None).is_err(), "{text}");
    }
}
