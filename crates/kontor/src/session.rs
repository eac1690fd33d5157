//! What a verb works with: the terminal, the options, and the hub they name.

mod known_hubs;
mod logins;
pub mod mandate_keys;
pub mod publisher_keys;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kontor_client::Client;

pub use known_hubs::{HistoryName, HubKeys, KnownHubs, Meeting};
pub use logins::Logins;

use crate::cli::Options;
use crate::exit::UsageError;
use crate::secrets::Secrets;
use crate::terminal::Terminal;

/// Where a hub with default settings listens.
pub const LOCAL_HUB: &str = "http://127.0.0.1:7878";

/// What every verb is given.
pub struct Session {
    /// Where to write.
    pub terminal: Terminal,
    /// What came as secret variables.
    pub secrets: Secrets,
    options: Options,
}

/// Where `kontor login` keeps tokens, in words.
pub const LOGIN: &str = "your login";

impl Session {
    /// Puts together what the command line gave.
    pub const fn new(terminal: Terminal, options: Options, secrets: Secrets) -> Self {
        Self { terminal, secrets, options }
    }

    /// The address of the hub to talk to: option, variable, login file, this machine.
    pub fn registry(&self) -> anyhow::Result<String> {
        Ok(self.named_registry()?.unwrap_or_else(|| LOCAL_HUB.to_owned()))
    }

    /// The address of the hub that somebody has named or signed in to; nothing where only this machine's is left.
    pub fn named_registry(&self) -> anyhow::Result<Option<String>> {
        let given = self.options.registry.clone().or_else(|| variable("KONTOR_REGISTRY"));
        let named = match given {
            Some(registry) => Some(registry),
            None => Logins::read()?.default_registry().map(str::to_owned),
        };
        Ok(named.map(|registry| registry.trim_end_matches('/').to_owned()))
    }

    /// The token to use at `registry`: option, file, variable, login file.
    pub fn token(&self, registry: &str) -> anyhow::Result<Option<String>> {
        if let Some(token) = &self.options.token {
            return Ok(Some(token.clone()));
        }
        if let Some(file) = &self.options.token_file {
            return read_token(file).map(Some);
        }
        if let Some(token) = self.secrets.get("KONTOR_TOKEN") {
            return Ok(Some(token.to_owned()));
        }
        Ok(Logins::read()?.token(registry).map(str::to_owned))
    }

    /// The token for a hub that a lock file names: a given one only when that is the hub in use, so that it never goes
    /// to an address that a file brought along.
    pub fn token_for(&self, registry: &str) -> anyhow::Result<Option<String>> {
        if self.registry()? == registry {
            return self.token(registry);
        }
        Ok(Logins::read()?.token(registry).map(str::to_owned))
    }

    /// Where the token for `registry` comes from, as people write it; nothing where there is none.
    pub fn token_source(&self, registry: &str) -> Option<String> {
        if self.options.token.is_some() {
            return Some("--token".to_owned());
        }
        if let Some(file) = &self.options.token_file {
            return Some(format!("--token-file {}", shown(file)));
        }
        if self.secrets.get("KONTOR_TOKEN").is_some() {
            return Some("KONTOR_TOKEN".to_owned());
        }
        Logins::read().ok()?.token(registry).map(|_| LOGIN.to_owned())
    }

    /// Whether the command line or the environment gives a token, whatever the login file has.
    pub fn has_given_token(&self) -> bool {
        self.options.token.is_some() || self.options.token_file.is_some() || self.secrets.get("KONTOR_TOKEN").is_some()
    }

    /// The hub, with the token that belongs to it.
    pub fn client(&self) -> anyhow::Result<Client> {
        let registry = self.registry()?;
        let token = self.token(&registry)?;
        Ok(Client::new(&registry, token.as_deref())?)
    }
}

/// A path as people write it on a command line: `~` for their home, quotes where a shell needs them.
pub fn shown(path: &Path) -> String {
    let is_plain = |text: &str| text.chars().all(|char| char.is_alphanumeric() || "/._-+@:,".contains(char));
    let short = variable("HOME").and_then(|home| {
        let inner = path.strip_prefix(&home).ok()?.to_str().filter(|inner| !inner.is_empty() && is_plain(inner))?;
        Some(format!("~/{inner}"))
    });
    let whole = path.display().to_string();
    short.unwrap_or_else(|| if is_plain(&whole) { whole } else { format!("'{}'", whole.replace('\'', "'\\''")) })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads one token from a file or from standard input.
pub fn read_token(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let most = 4096;
    let read = if file == Path::new("-") {
        std::io::stdin().take(most).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(|error| UsageError(format!("cannot read the token from {}: {error}", file.display())))?;
    match text.trim() {
        "" => Err(UsageError(format!("{} holds no token", file.display())).into()),
        token => Ok(token.to_owned()),
    }
}

/// The user's folder for settings of this program.
pub fn settings_folder() -> anyhow::Result<PathBuf> {
    if let Some(folder) = variable("KONTOR_CONFIG_HOME") {
        return Ok(PathBuf::from(folder));
    }
    let base = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")));
    base.map(|base| base.join("kontor")).ok_or_else(|| {
        UsageError("there is no home folder to keep the login in; set KONTOR_CONFIG_HOME".to_owned()).into()
    })
}
