//! Ways in which a hub, or somebody with its disk or even its key, could try to rewrite a log.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

use std::fs;
use std::path::Path;

use kontor_crypto::{NoteSigner, Purpose, sign_note};
use kontor_translog::{Checkpoint, Frontier, Publisher, TileKind, TilePath, Tiles, leaf_hash};
use kontor_types::Digest;

use crate::support::{ORIGIN, World, keyring};

/// How the log grows before it is tampered with.
pub const SIZES: [u64; 3] = [100, 450, 50];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// An entry is another one.
    FlippedLeaf,
    /// A hash in a tile is another one.
    FlippedHash,
    /// Another history of the same size, signed with the log's own key.
    Fork,
    /// A tile ends early.
    TruncatedTile,
    /// An older state, signed with the log's own key.
    RolledBack,
    /// The same entries under another name, signed with the log's own key.
    WrongOrigin,
    /// A longer history in which a place was given to another entry, signed with the log's own key.
    ReusedIndex,
    /// A tile is gone.
    MissingTile,
    /// The checkpoint says another size than was signed.
    ForgedCheckpoint,
}

impl Tampering {
    /// Tampers with a copy of the world's published log.
    pub fn apply(self, world: &World, folder: &Path) {
        let mut leaves = leaves(&Tiles::new(folder));
        match self {
            Self::FlippedLeaf => flip(&folder.join("tile/entries/000")),
            Self::FlippedHash => flip(&folder.join("tile/0/001")),
            Self::Fork => {
                leaves[5] = Digest::of(b"another entry");
                publish(world, folder, ORIGIN, &leaves);
            }
            Self::TruncatedTile => {
                let path = folder.join("tile/0/000");
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[..bytes.len() - 32]).unwrap();
            }
            Self::RolledBack => publish(world, folder, ORIGIN, &leaves[..100]),
            Self::WrongOrigin => publish(world, folder, "skills.example.com/other", &leaves),
            Self::ReusedIndex => {
                leaves[7] = Digest::of(b"another entry");
                leaves.extend((0_u8..10).map(|number| Digest::of(&[number])));
                publish(world, folder, ORIGIN, &leaves);
            }
            Self::MissingTile => fs::remove_file(folder.join("tile/0/001")).unwrap(),
            Self::ForgedCheckpoint => {
                let path = folder.join("checkpoint");
                let text = fs::read_to_string(&path).unwrap().replacen("\n600\n", "\n599\n", 1);
                fs::write(&path, text).unwrap();
            }
        }
    }
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[1000] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn leaves(tiles: &Tiles) -> Vec<Digest> {
    let size = SIZES.iter().sum();
    let bundle = |place| TilePath::holding(TileKind::Entries, place, size).unwrap();
    (0..size).step_by(256).flat_map(|place| tiles.tile(bundle(place)).unwrap().0).collect()
}

/// Publishes a log of these leaves that is sound in itself.
fn publish(world: &World, folder: &Path, origin: &str, leaves: &[Digest]) {
    fs::remove_dir_all(folder).unwrap();
    let mut edge = Frontier::default();
    for leaf in leaves {
        edge.push(leaf_hash(leaf.as_bytes()));
    }
    let checkpoint = Checkpoint { origin: origin.to_owned(), size: edge.size(), root: edge.root() };
    let key = keyring(world.folder.path()).signing_key(Purpose::Log).unwrap();
    let signer = NoteSigner::new(origin, key).unwrap();
    let note = sign_note(&checkpoint.to_string(), &[&signer]).unwrap();
    Publisher::new(Tiles::new(folder), vec![signer.verifier().clone()]).publish(&note, leaves).unwrap();
}
