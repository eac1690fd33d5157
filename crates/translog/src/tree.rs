//! The Merkle tree of RFC 6962 with SHA-256.

use kontor_types::Digest;
use sha2::{Digest as _, Sha256};

use crate::Error;

const LEAF: [u8; 1] = [0];
const NODE: [u8; 1] = [1];

/// The hash of a leaf with this content.
pub fn leaf_hash(content: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update(LEAF).chain_update(content).finalize().into())
}

/// The hash of a node over its two children.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hash = Sha256::new().chain_update(NODE).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// The root of the tree without leaves.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The hash over `hashes`, whose number is a power of two; nothing for none.
pub(crate) fn full_subtree(hashes: &[Digest]) -> Option<Digest> {
    match hashes {
        [] => None,
        [hash] => Some(*hash),
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Some(node_hash(&full_subtree(left)?, &full_subtree(right)?))
        }
    }
}

/// The right edge of a tree: the roots of its full subtrees, all that is needed to extend it and to know its root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The right edge as it was kept: 32 bytes for each full subtree, the largest first.
    pub fn from_bytes(size: u64, peaks: &[u8]) -> Result<Self, Error> {
        let (chunks, rest) = peaks.as_chunks::<32>();
        if !rest.is_empty() || chunks.len() != size.count_ones() as usize {
            return Err(Error::malformed("edge of a tree", format!("{} bytes for size {size}", peaks.len())));
        }
        Ok(Self { size, peaks: chunks.iter().copied().map(Digest::from_bytes).collect() })
    }

    /// What [`Frontier::from_bytes`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.iter().flat_map(|peak| *peak.as_bytes()).collect()
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        let mut full = self.size;
        while full & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            full >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Where hashes of full subtrees come from.
pub trait Nodes {
    /// The hash over leaves `index << level` to `(index + 1) << level`, all of which the tree has.
    fn node(&mut self, level: u32, index: u64) -> Result<Digest, Error>;

    /// The hash over leaves `start` to `end` as the tree has it; `start` is divisible by the first power of two that is
    /// not below their number.
    fn range(&mut self, start: u64, end: u64) -> Result<Digest, Error> {
        let count = end.saturating_sub(start);
        if count.is_power_of_two() {
            let level = count.trailing_zeros();
            return self.node(level, start >> level);
        }
        let middle = start + split(count)?;
        Ok(node_hash(&self.range(start, middle)?, &self.range(middle, end)?))
    }
}

/// The largest power of two below `count`.
pub(crate) fn split(count: u64) -> Result<u64, Error> {
    match count.checked_sub(1) {
        Some(last @ 1..) => Ok(1 << last.ilog2()),
        _ => Err(Error::malformed("subtree", format!("{count} leaves cannot be split"))),
    }
}
