//! `kontor.toml`: what Kontor knows of a skill beside its open-format text.

mod reader;
mod units;

use std::collections::BTreeMap;

use kontor_types::{SkillRef, Version, VersionRange};
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::finding::Finding;

pub use units::{ByteSize, NetworkGrant, UnitError, WallTime};

/// The file's name, at the root of a skill.
pub const MANIFEST_FILE: &str = "kontor.toml";

/// What a skill's `kontor.toml` says, or what an operator's overlay says in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// The version; without one the registry assigns it.
    pub version: Option<Version>,
    /// What the package is.
    pub kind: Kind,
    /// What a run may do. Absent means nothing is granted.
    pub permissions: Permissions,
    /// Typed entry points, in the order of the file.
    pub tools: Vec<Tool>,
    /// How much a run may use.
    pub limits: RunLimits,
    /// Other skills it needs, by version range.
    pub requires: BTreeMap<String, VersionRange>,
    /// What its programs need.
    pub dependencies: Dependencies,
}

/// What a package is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Instructions for an agent, possibly with programs.
    #[default]
    Instructions,
    /// Steps that a workflow engine runs.
    Workflow,
    /// An agent of its own.
    Agent,
    /// A model.
    Model,
}

/// What a run of a skill may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permissions {
    /// Hosts and ports it may connect to.
    pub network: Vec<NetworkGrant>,
    /// Names of secrets; their values come from the runner's store.
    pub secrets: Vec<String>,
    /// Paths inside the skill that it may read; a folder ends in `/`.
    pub read: Vec<String>,
}

/// A typed entry point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// What it is called, unique in the skill.
    pub name: String,
    /// What it does, for people and agents that choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The path of the JSON Schema of its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The path of the JSON Schema of its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// How much a run may use; absent means the runner's own limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunLimits {
    /// Time on the clock.
    pub wall: Option<WallTime>,
    /// Memory.
    pub memory: Option<ByteSize>,
}

/// What a skill's programs need from package registries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dependencies {
    /// Python packages.
    pub pip: Option<Packages>,
    /// Node packages.
    pub npm: Option<Packages>,
}

/// Where the packages are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packages {
    /// In the programs themselves, as inline script metadata (PEP 723).
    Inline,
    /// In a file of the skill, for example `requirements.txt` or `package.json`.
    File(String),
    /// Here, each with its version and hashes.
    Pinned(Vec<PinnedPackage>),
}

/// One package with what proves its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedPackage {
    /// Its name in the registry.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Hashes of the files that may be installed, as the package tool writes them (`sha256:…`, `sha512-…`).
    pub hashes: Vec<String>,
}

impl Manifest {
    /// Reads a manifest; what breaks a rule is left out and reported with its place. Nothing comes back only when the
    /// text is no TOML at all.
    pub fn read(text: &str) -> (Option<Self>, Vec<Finding>) {
        reader::read(text)
    }

    /// The skills it requires, as references without a version.
    pub fn required(&self) -> impl Iterator<Item = (SkillRef, &VersionRange)> {
        self.requires.iter().filter_map(|(name, range)| Some((name.parse().ok()?, range)))
    }

    /// The manifest inside `content`, with findings about it and about the files it names.
    pub(crate) fn of(content: &Content) -> (Option<Self>, Vec<Finding>) {
        let Some(bytes) = content.get(MANIFEST_FILE) else { return (None, Vec::new()) };
        reader::read_file(bytes, content)
    }
}
