//! The published log: static files as C2SP tlog-tiles describes them.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kontor_types::Digest;

use crate::checkpoint::decimal;
use crate::error::file;
use crate::tree::{Nodes, full_subtree};
use crate::{Error, leaf_hash};

/// How many hashes or entries a full tile has.
pub(crate) const WIDTH: u64 = 256;
/// How many levels of the tree one level of tiles spans.
const HEIGHT: u32 = 8;
pub(crate) const CHECKPOINT: &str = "checkpoint";
const LARGEST_CHECKPOINT: u64 = 1024 * 1024;
const HASH: usize = 32;
/// A leaf in a bundle of entries: its length in two bytes, then a hash.
const ENTRY: usize = 2 + HASH;

/// What a tile is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// The entries themselves.
    Entries,
    /// Hashes of full subtrees of 256 to the power of this level.
    Hashes(u8),
}

/// One file of the published log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    /// What it is made of.
    pub kind: TileKind,
    /// Its place among its kind, from 0.
    pub index: u64,
    /// How many hashes or entries it has, 1 to 256.
    pub width: u16,
}

/// A tile's hashes, or the contents of its leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tile(pub Vec<Digest>);

/// Something to serve, with how to serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub content_type: &'static str,
    /// Whether it never changes, so that caches may keep it.
    pub immutable: bool,
}

impl TilePath {
    /// The tile of the tree with `size` entries that holds what stands at `place` of this kind; nothing past the end.
    pub fn holding(kind: TileKind, place: u64, size: u64) -> Option<Self> {
        let index = place / WIDTH;
        let width = (kind.count(size)).saturating_sub(index * WIDTH).min(WIDTH);
        let width = u16::try_from(width).ok()?;
        (place % WIDTH < u64::from(width)).then_some(Self { kind, index, width })
    }

    /// Whether it is full, so that it never grows.
    pub fn is_full(self) -> bool {
        u64::from(self.width) == WIDTH
    }

    /// Where its narrower forms lie.
    pub(crate) fn partial_folder(self) -> String {
        let full = Self { width: 256, ..self };
        format!("{full}.p")
    }
}

impl TileKind {
    /// How many hashes or entries of this kind a tree has.
    pub(crate) fn count(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Hashes(level) => size.checked_shr(u32::from(level) * HEIGHT).unwrap_or(0),
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => formatter.write_str("tile/entries/")?,
            TileKind::Hashes(level) => write!(formatter, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(formatter, "x{group:03}/")?;
        }
        write!(formatter, "{:03}", groups.first().copied().unwrap_or_default())?;
        if self.is_full() { Ok(()) } else { write!(formatter, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || -> Option<Self> {
            let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
            let kind = match kind {
                "entries" => TileKind::Entries,
                level => TileKind::Hashes(u8::try_from(decimal(level).filter(|level| *level < 64)?).ok()?),
            };
            let (groups, width) = match rest.split_once(".p/") {
                Some((groups, width)) => (groups, u16::try_from(decimal(width).filter(|width| *width < WIDTH)?).ok()?),
                None => (rest, 256),
            };
            let index = groups.split('/').try_fold(0_u64, |index, group| {
                let number: u64 = group.trim_start_matches('x').parse().ok()?;
                index.checked_mul(1000)?.checked_add(number)
            })?;
            Some(Self { kind, index, width }).filter(|path| path.width > 0)
        };
        // Only the one way of writing it is a path.
        let path = if text.len() > 100 { None } else { parse() };
        path.filter(|path| path.to_string() == text)
            .ok_or_else(|| Error::malformed("path of a tile", "it is not of the form tile/LEVEL/INDEX"))
    }
}

impl Tile {
    /// Reads a tile's file.
    pub(crate) fn parse(kind: TileKind, bytes: &[u8]) -> Result<Self, Error> {
        let broken = || Error::malformed("tile", format!("{} bytes are no whole number of hashes", bytes.len()));
        if kind == TileKind::Entries {
            let (entries, rest) = bytes.as_chunks::<ENTRY>();
            let leaf = |entry: &[u8; ENTRY]| match entry.split_first_chunk::<2>() {
                Some(([0, 32], leaf)) => Digest::try_from(leaf.to_vec()).ok(),
                _ => None,
            };
            let leaves: Option<Vec<_>> = entries.iter().map(leaf).collect();
            return leaves.filter(|_| rest.is_empty()).map(Self).ok_or_else(broken);
        }
        let (hashes, rest) = bytes.as_chunks::<HASH>();
        if !rest.is_empty() {
            return Err(broken());
        }
        Ok(Self(hashes.iter().copied().map(Digest::from_bytes).collect()))
    }

    /// The bytes of a tile's file.
    pub(crate) fn to_bytes(&self, kind: TileKind) -> Vec<u8> {
        let length: &[u8] = if kind == TileKind::Entries { &[0, 32] } else { &[] };
        self.0.iter().flat_map(|hash| length.iter().chain(hash.as_bytes())).copied().collect()
    }

    /// The hashes of the leaves with these contents.
    pub(crate) fn leaf_hashes(&self) -> Vec<Digest> {
        self.0.iter().map(|content| leaf_hash(content.as_bytes())).collect()
    }
}

/// A folder with a published log.
#[derive(Debug, Clone)]
pub struct Tiles {
    folder: PathBuf,
}

impl Tiles {
    /// The log in this folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The signed checkpoint as it is published.
    pub fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        self.read(CHECKPOINT, LARGEST_CHECKPOINT)
    }

    /// A tile; a narrow one is cut from the full one where only that is left.
    pub fn tile(&self, path: TilePath) -> Result<Tile, Error> {
        let read = |path: TilePath| {
            let each = if path.kind == TileKind::Entries { ENTRY } else { HASH };
            let size = u64::from(path.width) * each as u64;
            let bytes = self.read(&path.to_string(), size)?;
            if bytes.len() as u64 != size {
                return Err(Error::refuted(format!("{path} has {} bytes instead of {size}", bytes.len())));
            }
            Tile::parse(path.kind, &bytes)
        };
        match read(path) {
            Err(Error::Absent { .. }) if !path.is_full() => {
                let mut tile = read(TilePath { width: 256, ..path })?;
                tile.0.truncate(usize::from(path.width));
                Ok(tile)
            }
            tile => tile,
        }
    }

    /// What to answer to a request for this path below the log's prefix; nothing for a path that names no file of a log.
    pub fn resource(&self, path: &str) -> Result<Option<Resource>, Error> {
        if path == CHECKPOINT {
            return match self.checkpoint() {
                Ok(bytes) => Ok(Some(Resource { bytes, content_type: "text/plain; charset=utf-8", immutable: false })),
                Err(Error::Absent { .. }) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let Ok(path) = path.parse::<TilePath>() else { return Ok(None) };
        match self.tile(path) {
            Ok(tile) => {
                let bytes = tile.to_bytes(path.kind);
                Ok(Some(Resource { bytes, content_type: "application/octet-stream", immutable: true }))
            }
            Err(Error::Absent { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The hashes of the tree with `size` entries; each tile is read once.
    pub fn nodes(&self, size: u64) -> TileNodes<'_> {
        TileNodes { tiles: self, size, read: HashMap::new() }
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let path = self.folder.join(name);
        let opened = File::open(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Error::Absent { path: path.clone() },
            _ => file("open", &path)(error),
        })?;
        let mut bytes = Vec::new();
        opened.take(limit + 1).read_to_end(&mut bytes).map_err(file("read", &path))?;
        if bytes.len() as u64 > limit {
            return Err(Error::refuted(format!("{name} is longer than {limit} bytes")));
        }
        Ok(bytes)
    }
}

/// Hashes of full subtrees, taken from tiles.
#[derive(Debug)]
pub struct TileNodes<'t> {
    tiles: &'t Tiles,
    size: u64,
    read: HashMap<TilePath, Tile>,
}

impl Nodes for TileNodes<'_> {
    fn node(&mut self, level: u32, index: u64) -> Result<Digest, Error> {
        let place = Place::of(level, index, self.size)?;
        if !self.read.contains_key(&place.tile) {
            self.read.insert(place.tile, self.tiles.tile(place.tile)?);
        }
        place.hash(self.read.get(&place.tile))
    }
}

/// Hashes of full subtrees, taken from tiles that somebody fetches one by one, as they are asked for.
#[derive(Debug)]
pub struct FetchedNodes {
    size: u64,
    held: HashMap<TilePath, Tile>,
    missing: Option<TilePath>,
}

impl FetchedNodes {
    /// No tiles yet, of a tree with `size` entries.
    pub fn new(size: u64) -> Self {
        Self { size, held: HashMap::new(), missing: None }
    }

    /// The tile that was asked for last and was not there.
    pub const fn missing(&mut self) -> Option<TilePath> {
        self.missing.take()
    }

    /// Takes the bytes of a tile; a wider one will do.
    pub fn add(&mut self, path: TilePath, bytes: &[u8]) -> Result<(), Error> {
        let mut tile = Tile::parse(path.kind, bytes)?;
        if tile.0.len() < usize::from(path.width) {
            return Err(Error::refuted(format!("{path} has only {} hashes", tile.0.len())));
        }
        tile.0.truncate(usize::from(path.width));
        self.held.insert(path, tile);
        Ok(())
    }
}

impl Nodes for FetchedNodes {
    fn node(&mut self, level: u32, index: u64) -> Result<Digest, Error> {
        let place = Place::of(level, index, self.size)?;
        let held = self.held.get(&place.tile);
        if held.is_none() {
            self.missing = Some(place.tile);
        }
        place.hash(held)
    }
}

/// Where the hashes below a node stand.
struct Place {
    level: u32,
    index: u64,
    tile: TilePath,
    start: usize,
    count: usize,
}

impl Place {
    fn of(level: u32, index: u64, size: u64) -> Result<Self, Error> {
        let (row, inside) = (level / HEIGHT, level % HEIGHT);
        let find = || {
            let kind = TileKind::Hashes(u8::try_from(row).ok()?);
            let first = index.checked_mul(1 << inside)?;
            let tile = TilePath::holding(kind, first, size)?;
            Some(Self { level, index, tile, start: usize::try_from(first % WIDTH).ok()?, count: 1 << inside })
        };
        find().ok_or_else(|| missing(level, index))
    }

    fn hash(&self, tile: Option<&Tile>) -> Result<Digest, Error> {
        let hashes = tile.and_then(|tile| tile.0.get(self.start..self.start + self.count));
        hashes.and_then(full_subtree).ok_or_else(|| missing(self.level, self.index))
    }
}

fn missing(level: u32, index: u64) -> Error {
    Error::refuted(format!("the tree has no node {index} on level {level}"))
}
