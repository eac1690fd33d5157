use kontor_crypto::{MEMORY_SUFFIX, NoteSigner, NoteVerifier, PrivateFolder, SigningKey, sign_note};
use kontor_types::Digest;
use serde::{Deserialize, Serialize};

use crate::{Checkpoint, Error, Frontier};

/// Signs checkpoints of one log, and never two histories of it.
///
/// It remembers the right edge of the tree that it signed last in a file of its own, beside the keys and outside the
/// database and its backups. A new head is computed from that edge and the leaves that came since; so a database that was
/// restored from an older state, or tells another history, gets no signature. Processes that may sign share the folder.
#[derive(Debug)]
pub struct Signer {
    origin: String,
    folder: PrivateFolder,
    file: String,
    note: NoteSigner,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    origin: String,
    size: u64,
    peaks: String,
}

impl Signer {
    /// The signer of the log with this name.
    pub fn new(folder: PrivateFolder, origin: &str, key: SigningKey) -> Result<Self, Error> {
        let file = format!("log-{}{MEMORY_SUFFIX}", Digest::of(origin.as_bytes()).short(16));
        Ok(Self { origin: origin.to_owned(), folder, file, note: NoteSigner::new(origin, key)? })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whoever has this can check the checkpoints.
    pub const fn verifier(&self) -> &NoteVerifier {
        self.note.verifier()
    }

    /// How many entries the last signed tree had; nothing was signed when there is none.
    pub fn signed(&self) -> Result<Option<u64>, Error> {
        Ok(self.memory()?.map(|edge| edge.size()))
    }

    /// The size and root of the tree that was signed last; nothing when none was, or when the memory of it is gone.
    pub fn remembered(&self) -> Result<Option<(u64, Digest)>, Error> {
        Ok(self.memory()?.map(|edge| (edge.size(), edge.root())))
    }

    /// Signs the tree that has these leaves after the ones signed last.
    ///
    /// # Errors
    /// [`Error::Regression`] when it is smaller than what was signed, [`Error::Fork`] when it is another tree than `size`
    /// and `root` say.
    pub fn sign(&self, leaf_hashes: &[Digest], size: u64, root: Digest) -> Result<String, Error> {
        let _lock = self.folder.lock()?;
        let mut edge = self.memory()?.unwrap_or_default();
        if size < edge.size() {
            return Err(Error::Regression { origin: self.origin.clone(), signed: edge.size(), found: size });
        }
        for leaf in leaf_hashes {
            edge.push(*leaf);
        }
        if edge.size() != size || edge.root() != root {
            return Err(Error::Fork { origin: self.origin.clone(), size });
        }
        let memory = Memory { origin: self.origin.clone(), size, peaks: hex::encode(edge.to_bytes()) };
        let text = serde_json::to_vec(&memory).map_err(|error| self.damaged(&error.to_string()))?;
        self.folder.write(&self.file, &text)?;
        fail::fail_point!("translog::remembered");
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root };
        Ok(sign_note(&checkpoint.to_string(), &[&self.note])?)
    }

    /// Refuses a log that was signed before, when the memory of it is gone.
    pub(crate) fn check_memory(&self, signed_before: bool) -> Result<(), Error> {
        if signed_before && self.memory()?.is_none() {
            return Err(Error::Forgotten { origin: self.origin.clone(), file: self.file.clone() });
        }
        Ok(())
    }

    fn memory(&self) -> Result<Option<Frontier>, Error> {
        let Some(bytes) = self.folder.read(&self.file)? else { return Ok(None) };
        let memory: Memory = serde_json::from_slice(&bytes).map_err(|error| self.damaged(&error.to_string()))?;
        let peaks = hex::decode(&memory.peaks).map_err(|error| self.damaged(&error.to_string()))?;
        if memory.origin != self.origin {
            return Err(self.damaged("it is about another log"));
        }
        Frontier::from_bytes(memory.size, &peaks).map(Some)
    }

    fn damaged(&self, reason: &str) -> Error {
        let path = self.folder.path().join(&self.file);
        kontor_crypto::Error::Damaged { path, reason: reason.to_owned() }.into()
    }
}
