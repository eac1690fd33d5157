use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kontor_crypto::NoteVerifier;
use kontor_types::Digest;

use crate::error::file;
use crate::tiles::{CHECKPOINT, WIDTH};
use crate::tree::full_subtree;
use crate::{Checkpoint, Error, Frontier, Tile, TileKind, TilePath, Tiles, leaf_hash};

const LOCK: &str = ".lock";
const DRAFT: &str = ".draft-";

/// Writes the published form of a log into a folder: tiles first, then the checkpoint that speaks of them.
///
/// The folder holds nothing that the database does not have. What is missing or broken beyond the published checkpoint is
/// written anew; a checkpoint is never replaced by a smaller one or by one of another history.
#[derive(Debug)]
pub struct Publisher {
    tiles: Tiles,
    known: Vec<NoteVerifier>,
    edge: Option<Edge>,
}

/// The right edge of what is published: the tiles that are not full yet.
#[derive(Debug, Default, Clone)]
struct Edge {
    frontier: Frontier,
    contents: Tile,
    levels: Vec<Tile>,
}

/// What a publication has to bring to the disk.
#[derive(Debug, Default)]
struct Written {
    folders: BTreeSet<PathBuf>,
    outgrown: Vec<PathBuf>,
}

impl Publisher {
    /// Publishes into this folder what one of these keys signed.
    pub fn new(tiles: Tiles, known: Vec<NoteVerifier>) -> Self {
        Self { tiles, known, edge: None }
    }

    /// How many entries are published; what lies in the folder is read once and checked against its checkpoint.
    pub fn published(&mut self) -> Result<u64, Error> {
        Ok(self.edge()?.frontier.size())
    }

    /// Publishes a signed checkpoint. `leaves` are the contents of the leaves from [`Publisher::published`] on.
    pub fn publish(&mut self, note: &str, leaves: &[Digest]) -> Result<(), Error> {
        if leaves.is_empty() && self.tiles.checkpoint().is_ok_and(|published| published == note.as_bytes()) {
            return Ok(());
        }
        let checkpoint = Checkpoint::open(note.as_bytes(), &self.known)?;
        fs::create_dir_all(self.tiles.folder()).map_err(file("make", self.tiles.folder()))?;
        let _lock = self.lock()?;
        let mut edge = self.edge()?.clone();
        let published = edge.frontier.size();
        let said = self.tiles.checkpoint().and_then(|note| Checkpoint::open(&note, &self.known));
        let signed = said.map_or(published, |said| said.size.max(published));
        if checkpoint.size < signed {
            let Checkpoint { origin, size, .. } = checkpoint;
            return Err(Error::Regression { origin, signed, found: size });
        }
        let mut written = Written::default();
        for leaf in leaves {
            self.add(&mut edge, *leaf, &mut written)?;
        }
        if edge.frontier.size() != checkpoint.size || edge.frontier.root() != checkpoint.root {
            return Err(Error::Fork { origin: checkpoint.origin, size: checkpoint.size });
        }
        if checkpoint.size > published {
            self.write_edge(&edge, &mut written)?;
        }
        for folder in &written.folders {
            sync(folder)?;
        }
        fail::fail_point!("translog::tiles_written");
        self.write(Path::new(CHECKPOINT), note.as_bytes())?;
        sync(self.tiles.folder())?;
        fail::fail_point!("translog::published");
        self.edge = Some(edge);
        for folder in written.outgrown {
            // Narrow forms of a tile that is full now; a reader cuts them from it.
            let _ = fs::remove_dir_all(folder);
        }
        Ok(())
    }

    /// Adds one leaf and writes each tile that it makes full.
    fn add(&self, edge: &mut Edge, leaf: Digest, written: &mut Written) -> Result<(), Error> {
        let place = edge.frontier.size();
        let hash = leaf_hash(leaf.as_bytes());
        edge.frontier.push(hash);
        edge.contents.0.push(leaf);
        if edge.contents.0.len() as u64 == WIDTH {
            self.write_tile(TileKind::Entries, place / WIDTH, &edge.contents, written)?;
            edge.contents.0.clear();
        }
        let (mut carried, mut index) = (Some(hash), place / WIDTH);
        for level in 0_u8.. {
            let Some(hash) = carried.take() else { break };
            if edge.levels.len() <= usize::from(level) {
                edge.levels.push(Tile::default());
            }
            let Some(tile) = edge.levels.get_mut(usize::from(level)) else { break };
            tile.0.push(hash);
            if tile.0.len() as u64 == WIDTH {
                self.write_tile(TileKind::Hashes(level), index, tile, written)?;
                carried = full_subtree(&tile.0);
                tile.0.clear();
                index /= WIDTH;
            }
        }
        Ok(())
    }

    /// Writes the tiles that are not full.
    fn write_edge(&self, edge: &Edge, written: &mut Written) -> Result<(), Error> {
        let size = edge.frontier.size();
        let hashes = (0_u8..).zip(&edge.levels).map(|(level, tile)| (TileKind::Hashes(level), tile));
        for (kind, tile) in hashes.chain([(TileKind::Entries, &edge.contents)]) {
            if !tile.0.is_empty() {
                self.write_tile(kind, kind.count(size) / WIDTH, tile, written)?;
            }
        }
        Ok(())
    }

    fn write_tile(&self, kind: TileKind, index: u64, tile: &Tile, written: &mut Written) -> Result<(), Error> {
        let width = u16::try_from(tile.0.len()).map_err(|_| Error::Interrupted)?;
        let path = TilePath { kind, index, width };
        let name = PathBuf::from(path.to_string());
        let mut folder = name.parent();
        while let Some(above) = folder {
            written.folders.insert(self.tiles.folder().join(above));
            folder = above.parent();
        }
        if path.is_full() {
            written.outgrown.push(self.tiles.folder().join(path.partial_folder()));
        }
        self.write(&name, &tile.to_bytes(kind))
    }

    /// Gives a file its content as a whole: the bytes are on the disk before the name.
    fn write(&self, name: &Path, bytes: &[u8]) -> Result<(), Error> {
        let path = self.tiles.folder().join(name);
        let folder = path.parent().unwrap_or(self.tiles.folder());
        fs::create_dir_all(folder).map_err(file("make", folder))?;
        let mut draft = tempfile::Builder::new().prefix(DRAFT).tempfile_in(folder).map_err(file("write", &path))?;
        draft.write_all(bytes).map_err(file("write", &path))?;
        draft.as_file().set_permissions(readable()).map_err(file("set the mode of", &path))?;
        draft.as_file().sync_all().map_err(file("fsync", &path))?;
        draft.persist(&path).map_err(|error| file("rename a draft to", &path)(error.error))?;
        fail::fail_point!("translog::tile_written");
        Ok(())
    }

    fn edge(&mut self) -> Result<&Edge, Error> {
        let edge = match self.edge.take() {
            Some(edge) => edge,
            None => self.read_edge()?,
        };
        Ok(self.edge.insert(edge))
    }

    /// The edge as the folder has it. One that does not fit its own checkpoint is rebuilt from the beginning.
    fn read_edge(&self) -> Result<Edge, Error> {
        let note = match self.tiles.checkpoint() {
            Err(Error::Absent { .. }) => return Ok(Edge::default()),
            note => note?,
        };
        let checkpoint = Checkpoint::open(&note, &self.known)?;
        let edge = self.edge_at(checkpoint.size).ok();
        let edge = edge.filter(|edge| edge.frontier.root() == checkpoint.root);
        if edge.is_none() {
            tracing::warn!(
                log.origin = checkpoint.origin,
                "published tiles do not fit their checkpoint; all are written anew"
            );
        }
        Ok(edge.unwrap_or_default())
    }

    fn edge_at(&self, size: u64) -> Result<Edge, Error> {
        let mut edge = Edge { contents: self.last(TileKind::Entries, size)?, ..Edge::default() };
        for level in 0_u8..64 {
            let kind = TileKind::Hashes(level);
            if kind.count(size) == 0 {
                break;
            }
            edge.levels.push(self.last(kind, size)?);
        }
        if edge.levels.first().map(|tile| &tile.0) != Some(&edge.contents.leaf_hashes()) && size > 0 {
            return Err(Error::refuted("the last entries do not fit their hashes"));
        }
        let mut peaks = Vec::new();
        for tile in edge.levels.iter().rev() {
            let mut rest = tile.0.as_slice();
            while let Some(width) = rest.len().checked_ilog2() {
                let (full, others) = rest.split_at(1 << width);
                peaks.extend(full_subtree(full));
                rest = others;
            }
        }
        let peaks: Vec<u8> = peaks.iter().flat_map(|peak| *peak.as_bytes()).collect();
        edge.frontier = Frontier::from_bytes(size, &peaks)?;
        Ok(edge)
    }

    /// The tile of this kind that is not full at this size; an empty one when all are.
    fn last(&self, kind: TileKind, size: u64) -> Result<Tile, Error> {
        let count = kind.count(size);
        match count % WIDTH {
            0 => Ok(Tile::default()),
            _ => TilePath::holding(kind, count - 1, size).map_or(Ok(Tile::default()), |path| self.tiles.tile(path)),
        }
    }

    fn lock(&self) -> Result<File, Error> {
        let path = self.tiles.folder().join(LOCK);
        let lock = File::options().create(true).append(true).open(&path).map_err(file("open", &path))?;
        lock.lock().map_err(file("lock", &path))?;
        Ok(lock)
    }
}

fn readable() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(0o644)
}

fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file("fsync", folder))
}
