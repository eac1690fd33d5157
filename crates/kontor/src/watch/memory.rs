//! What logs have shown, in a file of the user's settings.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use kontor_client::Error;
use kontor_translog::Checkpoint;
use kontor_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::session::settings_folder;

/// For each hub the newest checkpoint of each history of its log that was seen.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Memory(BTreeMap<String, Vec<Remembered>>);

/// The newest checkpoint of one history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The history's name.
    pub origin: String,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
    /// When it was seen first.
    pub seen_at: Timestamp,
    /// Whether a later history was seen to begin, so that this one does not grow any more.
    #[serde(default)]
    pub ended: bool,
}

impl Remembered {
    /// What the checkpoint says; its signature was checked before it was remembered.
    pub fn parsed(&self) -> Option<Checkpoint> {
        let (text, _) = self.checkpoint.split_once("\n\n")?;
        Checkpoint::parse(text).ok()
    }

    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.parsed().map_or(0, |checkpoint| checkpoint.size)
    }
}

impl Memory {
    /// Reads the file; nothing is remembered when there is none.
    pub fn read() -> Result<Self, Error> {
        let Ok(path) = path() else { return Ok(Self::default()) };
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let message = format!("cannot understand {}: {error}", path.display());
                Error::refused(message, "remove it; what hubs show from then on is remembered anew")
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::io("read", path, error)),
        }
    }

    /// What is remembered of a hub, the oldest history first.
    pub fn of(&self, registry: &str) -> Vec<Remembered> {
        self.0.get(registry).cloned().unwrap_or_default()
    }

    /// Remembers this of a hub from now on, and keeps what the file has of others.
    pub fn keep(registry: &str, remembered: Vec<Remembered>) -> Result<(), Error> {
        let mut memory = Self::read()?;
        if memory.of(registry) == remembered {
            return Ok(());
        }
        if remembered.is_empty() {
            memory.0.remove(registry);
        } else {
            memory.0.insert(registry.to_owned(), remembered);
        }
        let path = path()?;
        let folder = path.parent().unwrap_or_else(|| std::path::Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| Error::io("make", folder, error))?;
        let write = || -> std::io::Result<()> {
            let mut draft = tempfile::NamedTempFile::new_in(folder)?;
            draft.write_all(&serde_json::to_vec_pretty(&memory)?)?;
            draft.as_file().sync_all()?;
            draft.persist(&path)?;
            Ok(())
        };
        write().map_err(|error| Error::io("write", &path, error))
    }
}

fn path() -> Result<PathBuf, Error> {
    settings_folder().map(|folder| folder.join("checkpoints.json")).map_err(|error| Error::Usage(error.to_string()))
}
