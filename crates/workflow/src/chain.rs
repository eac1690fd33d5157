//! The chain of a journal: each entry's digest covers the entry and the digest of the one before it.

use kontor_db::workflows::{Entry, EntryKind};
use kontor_types::{Digest, Timestamp, WorkflowId};
use sha2::{Digest as _, Sha256};

/// What the first entry has in the place of a digest before it.
pub(crate) const BEGINNING: Digest = Digest::from_bytes([0; 32]);

/// A line before it has its place in the chain.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub at: Timestamp,
    pub kind: EntryKind,
    pub branch: String,
    pub place: Option<i64>,
    pub name: String,
    pub input: Option<Digest>,
    pub data: String,
}

impl Line {
    /// The entry that follows `number - 1`, whose digest is `before`.
    pub fn chained(self, workflow: WorkflowId, number: i64, before: &Digest) -> Entry {
        let Self { at, kind, branch, place, name, input, data } = self;
        let mut entry = Entry { number, at, kind, branch, place, name, input, data, digest: BEGINNING };
        entry.digest = digest(workflow, &entry, before);
        entry
    }
}

/// SHA-256 over the digest before (32 bytes) and the JSON text of a list: what this is, workflow, number, microseconds, kind,
/// branch, place, name, the input's digest, and the digest of the data.
fn digest(workflow: WorkflowId, entry: &Entry, before: &Digest) -> Digest {
    let list = serde_json::json!([
        "kontor workflow entry 1",
        workflow.to_string(),
        entry.number,
        entry.at.micros(),
        entry.kind.as_str(),
        entry.branch,
        entry.place,
        entry.name,
        entry.input.map(|input| input.hex()),
        Digest::of(entry.data.as_bytes()).hex(),
    ]);
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(list.to_string().as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// A journal was changed after it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {number} of the journal is not what was written")]
pub struct Broken {
    /// The first entry that does not hold.
    pub number: i64,
}

/// Checks a journal from its first entry on, without any hub; the digest of its last entry.
///
/// # Errors
/// [`Broken`] when an entry is missing, in another place, or was changed.
pub fn verify(workflow: WorkflowId, entries: &[Entry]) -> Result<Digest, Broken> {
    let mut before = BEGINNING;
    for (expected, entry) in (1..).zip(entries) {
        if entry.number != expected || digest(workflow, entry, &before) != entry.digest {
            return Err(Broken { number: expected });
        }
        before = entry.digest;
    }
    Ok(before)
}
