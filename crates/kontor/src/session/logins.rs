use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::settings_folder;

/// The hubs somebody is signed in to, in a file that only they can read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Logins {
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    hubs: BTreeMap<String, Login>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Login {
    token: String,
}

impl Logins {
    /// Where the file is.
    pub fn path() -> anyhow::Result<PathBuf> {
        Ok(settings_folder()?.join("login.toml"))
    }

    /// Reads the file; nobody is signed in when there is none.
    pub fn read() -> anyhow::Result<Self> {
        let Ok(path) = Self::path() else { return Ok(Self::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("cannot understand {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// The hub to talk to when none is named: the last one signed in to.
    pub fn default_registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The token of a hub; a token is never sent to another.
    pub fn token(&self, registry: &str) -> Option<&str> {
        self.hubs.get(registry).map(|login| login.token.as_str())
    }

    /// Remembers a token and makes its hub the default.
    pub fn add(&mut self, registry: &str, token: String) {
        self.hubs.insert(registry.to_owned(), Login { token });
        self.registry = Some(registry.to_owned());
    }

    /// Forgets a hub; tells whether it was known.
    pub fn remove(&mut self, registry: &str) -> bool {
        if self.registry.as_deref() == Some(registry) {
            self.registry = None;
        }
        self.hubs.remove(registry).is_some()
    }

    /// Writes the file so that nobody else can read it, at no moment.
    pub fn write(&self) -> anyhow::Result<()> {
        let path = Self::path()?;
        let folder = path.parent().context("the login file has no folder")?;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut draft = tempfile::NamedTempFile::new_in(folder).context("cannot write the login file")?;
        draft.write_all(toml::to_string(self)?.as_bytes()).context("cannot write the login file")?;
        draft.as_file().sync_all().context("cannot write the login file")?;
        draft.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(())
    }
}
