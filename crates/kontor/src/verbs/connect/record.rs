//! What was written where, and what was there before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kontor_types::Digest;
use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::session::settings_folder;

/// The clients that are connected.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Connections {
    clients: BTreeMap<String, Connection>,
    /// Held as long as nobody else may change the record or the settings that it is about.
    #[serde(skip)]
    _held: Option<File>,
}

/// What was written for one client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    /// Where its settings are.
    pub file: PathBuf,
    /// What the hub is called in it.
    pub name: String,
    /// Whether there were settings before.
    pub had_file: bool,
    /// The digest of what was written.
    written: String,
    /// Whether somebody else has changed the settings since what is kept of them was there.
    #[serde(default)]
    touched: bool,
}

impl Connection {
    /// A connection by what was written.
    pub fn new(file: PathBuf, name: String, text: &str, had_file: bool) -> Self {
        Self { file, name, had_file, written: Digest::of(text.as_bytes()).hex(), touched: false }
    }

    /// The same, where `before` stood in the settings when this program had written them already.
    #[must_use]
    pub fn following(mut self, known: Option<&Self>, before: &str) -> Self {
        self.touched = known.is_some_and(|known| !known.wrote(before));
        self
    }

    /// Whether the settings are as they were written, and nobody else has changed them since what is kept was there.
    pub fn wrote(&self, text: &str) -> bool {
        !self.touched && self.written == Digest::of(text.as_bytes()).hex()
    }
}

impl Connections {
    /// Reads the record once nobody else changes it, and keeps others from it as long as this value lives.
    pub fn hold() -> anyhow::Result<Self> {
        let path = path()?.with_extension("lock");
        let failed = || format!("cannot lock {}", path.display());
        std::fs::create_dir_all(path.parent().with_context(failed)?).with_context(failed)?;
        let lock = File::options().create(true).append(true).open(&path).with_context(failed)?;
        lock.lock().with_context(failed)?;
        Ok(Self { _held: Some(lock), ..Self::read()? })
    }

    /// Reads the record; nothing is connected when there is none.
    pub fn read() -> anyhow::Result<Self> {
        let path = path()?;
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// What was written for a client.
    pub fn get(&self, client: &str) -> Option<&Connection> {
        self.clients.get(client)
    }

    /// Remembers what was written.
    pub fn set(&mut self, client: &str, connection: Connection) {
        self.clients.insert(client.to_owned(), connection);
    }

    /// Forgets a client.
    pub fn remove(&mut self, client: &str) {
        self.clients.remove(client);
    }

    /// Writes the record.
    pub fn write(&self) -> anyhow::Result<()> {
        put(&path()?, serde_json::to_string_pretty(self)?.as_bytes())
    }
}

fn path() -> anyhow::Result<PathBuf> {
    Ok(settings_folder()?.join("connections.json"))
}

fn backup(client: &str) -> anyhow::Result<PathBuf> {
    Ok(settings_folder()?.join("connections").join(format!("{client}.backup")))
}

/// Keeps what settings were before, readable by their owner alone, since they may hold secrets; says whether there were any.
pub fn keep(client: &str, settings: &Settings) -> anyhow::Result<bool> {
    if settings.is_there {
        put(&backup(client)?, settings.text.as_bytes())?;
    }
    Ok(settings.is_there)
}

/// What settings were before: nothing where there were none, `None` where it is not known any more.
pub fn kept(client: &str, had_file: bool) -> anyhow::Result<Option<String>> {
    if !had_file {
        return Ok(Some(String::new()));
    }
    let path = backup(client)?;
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Removes what was kept.
pub fn forget(client: &str) -> anyhow::Result<()> {
    let path = backup(client)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes a file that only its owner can read, at no moment half of it.
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().with_context(failed)?;
    std::fs::create_dir_all(folder).with_context(failed)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    draft.write_all(bytes).with_context(failed)?;
    draft.as_file().sync_all().with_context(failed)?;
    draft.persist(path).with_context(failed)?;
    Ok(())
}
