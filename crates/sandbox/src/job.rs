use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Destination, Limits, Tier};

/// Where the writable work folder stands inside.
pub const WORK: &str = "/work";
/// Where the skill stands inside, read-only.
pub const SKILL: &str = "/skill";

/// One command and everything that it is given. What is not named here is not there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The program and its arguments. A program without a slash is looked for in the `PATH` of inside.
    pub command: Vec<OsString>,
    /// The folder, as seen from inside, in which the command starts.
    pub directory: PathBuf,
    /// The skill's own folder: at [`SKILL`], read-only.
    pub skill: Option<PathBuf>,
    /// What stands at [`WORK`].
    pub work: Work,
    /// What was granted.
    pub permissions: Permissions,
    /// How much it may use.
    pub limits: Limits,
    /// How much of the sandbox it is held by: all of it, or the named tier that a machine without namespaces has.
    pub tier: Tier,
    /// Whether it may run although this machine lacks a part of the sandbox; the outcome says what was lacking.
    pub accept_weaker: bool,
    /// Whether it is watched, and what it then believes of this machine; see [`crate::Witness`].
    #[serde(default)]
    pub watched: Option<Watched>,
}

/// A command that is watched: every network address leads to the watcher, and nothing leaves the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// What the machine is called inside.
    pub host_name: String,
}

impl Job {
    /// A command with nothing granted, in a fresh work folder.
    pub fn new<I: IntoIterator<Item: Into<OsString>>>(command: I) -> Self {
        Self {
            command: command.into_iter().map(Into::into).collect(),
            directory: WORK.into(),
            skill: None,
            work: Work::Fresh,
            permissions: Permissions::default(),
            limits: Limits::default(),
            tier: Tier::Full,
            accept_weaker: false,
            watched: None,
        }
    }
}

/// The work folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// An empty folder in memory, within the limit `disk`, that is gone when the command ends.
    #[default]
    Fresh,
    /// A folder of this machine. What the command leaves there stays; see [`crate::collect`].
    Folder(PathBuf),
}

/// What a command was granted; the default is nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Permissions {
    /// The hosts and ports that it reaches, through a proxy that looks at each connection.
    pub network: Vec<Destination>,
    /// The variables that it sees beside `PATH`, `HOME`, `LANG` and `TMPDIR`.
    pub environment: Environment,
    /// Files and folders that it reads.
    pub read: Vec<Shown>,
    /// Files and folders that it reads and changes.
    pub write: Vec<Shown>,
}

/// A file or folder of this machine, and where it stands inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// On this machine.
    pub from: PathBuf,
    /// Inside; an absolute path.
    pub at: PathBuf,
}

impl Shown {
    /// A path that stands inside where it stands outside.
    pub fn in_place(path: &Path) -> Self {
        Self { from: path.to_owned(), at: path.to_owned() }
    }
}

/// Names and values of variables. Values may be secrets: they are wiped from memory, and `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, Zeroizing<String>>);

impl Environment {
    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), Zeroizing::new(value.into()));
    }

    /// All names with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.names()).finish()
    }
}

impl Serialize for Environment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plain = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Self(plain.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect()))
    }
}
