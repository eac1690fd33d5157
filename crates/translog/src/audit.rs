use kontor_crypto::NoteVerifier;
use kontor_types::Digest;

use crate::tiles::WIDTH;
use crate::tree::full_subtree;
use crate::{Checkpoint, Error, Frontier, Tile, TileKind, TilePath, Tiles};

/// What reading a whole log has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// What the log says of itself, found true.
    pub checkpoint: Checkpoint,
    /// How many tiles were read.
    pub tiles: u64,
}

/// Reads every file of a published log and compares it with the signed checkpoint, and that with one seen before.
///
/// # Errors
/// [`Error::Crypto`] when the checkpoint is not signed by a known key, [`Error::Refuted`] when an entry, a hash or the root
/// is not what it should be, or the log has become shorter or has another history than it had, [`Error::Absent`] when a
/// file is missing.
pub fn audit(tiles: &Tiles, known: &[NoteVerifier], seen: Option<&Checkpoint>) -> Result<Audit, Error> {
    let checkpoint = Checkpoint::open(&tiles.checkpoint()?, known)?;
    let Checkpoint { origin, size, root } = &checkpoint;
    if let Some(seen) = seen {
        if seen.origin != *origin {
            return Err(Error::refuted(format!("it is `{origin}`, not `{}`", seen.origin)));
        }
        if seen.size > *size {
            return Err(Error::refuted(format!("it had {} entries and has {size} now", seen.size)));
        }
    }
    let mut read = Rows { tiles, size: *size, count: 0, levels: Vec::new() };
    let mut edge = Frontier::default();
    let mut place = 0;
    check_seen(&edge, seen)?;
    while let Some(path) = TilePath::holding(TileKind::Entries, place, *size) {
        for hash in read.entries(path)? {
            edge.push(hash);
            check_seen(&edge, seen)?;
        }
        place += WIDTH;
    }
    read.finish()?;
    if edge.root() != *root {
        return Err(Error::refuted(format!("its {size} entries have another root than its checkpoint says")));
    }
    let count = read.count;
    Ok(Audit { checkpoint, tiles: count })
}

fn check_seen(edge: &Frontier, seen: Option<&Checkpoint>) -> Result<(), Error> {
    match seen {
        Some(seen) if seen.size == edge.size() && seen.root != edge.root() => {
            Err(Error::refuted(format!("its first {} entries are not those it had before", seen.size)))
        }
        _ => Ok(()),
    }
}

/// Compares the tiles of each level with what the level below gives.
struct Rows<'t> {
    tiles: &'t Tiles,
    size: u64,
    count: u64,
    /// For each level the hashes since its last full tile, and how many full tiles came before.
    levels: Vec<(Tile, u64)>,
}

impl Rows<'_> {
    /// The hashes of the leaves in a bundle of entries.
    fn entries(&mut self, path: TilePath) -> Result<Vec<Digest>, Error> {
        let hashes = self.tiles.tile(path)?.leaf_hashes();
        self.count += 1;
        for hash in &hashes {
            self.add(0, *hash)?;
        }
        Ok(hashes)
    }

    fn add(&mut self, level: u8, hash: Digest) -> Result<(), Error> {
        let row = usize::from(level);
        if self.levels.len() <= row {
            self.levels.push((Tile::default(), 0));
        }
        let Some((tile, index)) = self.levels.get_mut(row) else { return Ok(()) };
        tile.0.push(hash);
        if (tile.0.len() as u64) < WIDTH {
            return Ok(());
        }
        let (tile, index) = (std::mem::take(tile), std::mem::replace(index, *index + 1));
        self.compare(level, index, &tile)?;
        match full_subtree(&tile.0) {
            Some(above) => self.add(level + 1, above),
            None => Ok(()),
        }
    }

    /// Compares what is left on each level with the tiles that are not full.
    fn finish(&mut self) -> Result<(), Error> {
        for (level, (tile, index)) in (0_u8..).zip(std::mem::take(&mut self.levels)) {
            if !tile.0.is_empty() {
                self.compare(level, index, &tile)?;
            }
        }
        Ok(())
    }

    fn compare(&mut self, level: u8, index: u64, expected: &Tile) -> Result<(), Error> {
        let kind = TileKind::Hashes(level);
        let path = TilePath::holding(kind, index * WIDTH, self.size);
        let path = path.ok_or_else(|| Error::refuted(format!("it has too many hashes on level {level}")))?;
        self.count += 1;
        if self.tiles.tile(path)? != *expected {
            return Err(Error::refuted(format!("{path} is not what the entries below it give")));
        }
        Ok(())
    }
}
