//! Exactly which packages a layer holds, each with what proves its bytes.

use kontor_types::Digest;
use serde::{Deserialize, Serialize};

/// The packages of one script, resolved: equal locks give equal layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lock {
    /// Packages for Python.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<PythonLock>,
    /// Packages for Node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeLock>,
    /// Whether programs that the packages bring ran for their installation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub install_scripts: bool,
}

/// Packages for Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PythonLock {
    /// For which interpreter and machine they were built.
    pub tag: String,
    /// The packages, by name.
    pub packages: Vec<LockedPackage>,
}

/// Packages for Node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeLock {
    /// The `package.json` that they were resolved from.
    pub manifest: String,
    /// The `package-lock.json` that says where each one lies.
    pub file: String,
    /// The packages, by name.
    pub packages: Vec<LockedPackage>,
}

/// One package with what proves its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// Its name in the registry.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Hashes of the file that was installed, as the package tool writes them.
    pub hashes: Vec<String>,
}

impl Lock {
    /// What names it and the layer that is built from it.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// Whether nothing is locked.
    pub const fn is_empty(&self) -> bool {
        self.python.is_none() && self.node.is_none()
    }

    /// Every package with the word of its ecosystem.
    pub fn packages(&self) -> impl Iterator<Item = (&'static str, &LockedPackage)> {
        let python = self.python.iter().flat_map(|lock| lock.packages.iter().map(|package| ("python", package)));
        python.chain(self.node.iter().flat_map(|lock| lock.packages.iter().map(|package| ("node", package))))
    }
}
