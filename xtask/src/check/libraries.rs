//! What comes from others: licences that allow shipping the product, one copy of what must be there once, no odd sources.
//! The rules stand in deny.toml.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::shell;

/// Fails with one line for each library that breaks a rule.
pub fn check() -> Result<()> {
    let options = ["--locked".to_owned(), "--filter-platform".to_owned(), shell::host()?];
    let metadata = MetadataCommand::new()
        .current_dir(shell::root())
        .other_options(options)
        .exec()
        .context("cannot read the libraries with cargo metadata")?;
    let complaints = Rules::read()?.complaints(&metadata)?;
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// The rules, as far as they can be checked without cargo-deny.
#[derive(Debug, Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

/// Licences that one library may have.
#[derive(Debug, Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// One version of it is welcome.
    #[serde(default, rename = "deny-multiple-versions")]
    deny_multiple_versions: bool,
    reason: String,
}

impl Rules {
    fn read() -> Result<Self> {
        let text = fs::read_to_string(shell::root().join("deny.toml")).context("cannot read deny.toml")?;
        toml::from_str(&text).context("cannot make sense of deny.toml")
    }

    fn complaints(&self, metadata: &Metadata) -> Result<Vec<String>> {
        let resolved = metadata.resolve.as_ref().context("cargo metadata resolved nothing")?;
        let used: BTreeSet<_> = resolved.nodes.iter().map(|node| &node.id).collect();
        let foreign: Vec<_> =
            metadata.packages.iter().filter(|package| used.contains(&package.id) && package.source.is_some()).collect();
        let mut complaints: Vec<_> = foreign.iter().filter_map(|package| self.complaint(package)).collect();
        for ban in &self.bans.deny {
            let found = foreign.iter().filter(|package| *package.name == ban.name);
            let versions: Vec<_> = found.map(|package| package.version.to_string()).collect();
            if versions.len() > usize::from(ban.deny_multiple_versions) {
                complaints.push(format!("{} {}: {}", ban.name, versions.join(" and "), ban.reason));
            }
        }
        Ok(complaints)
    }

    fn complaint(&self, package: &Package) -> Option<String> {
        let name = package.name.as_str();
        let source = package.source.as_ref()?;
        if !source.repr.starts_with("registry+") {
            return Some(format!("{name}: comes from {source}, not from the registry"));
        }
        let licence = package.license.as_deref().unwrap_or_default();
        (!self.permits(name, licence))
            .then(|| format!("{name}: its licence `{licence}` is not among those we may ship"))
    }

    fn permits(&self, name: &str, licence: &str) -> bool {
        let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else { return false };
        let exceptions = self.licenses.exceptions.iter().filter(|exception| exception.name == name);
        let allowed: Vec<&String> =
            self.licenses.allow.iter().chain(exceptions.flat_map(|exception| &exception.allow)).collect();
        expression.evaluate(|requirement| allowed.iter().any(|allowed| requirement.to_string() == **allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::Rules;

    #[test]
    fn a_licence_is_permitted_when_some_choice_of_it_is() {
        let rules = Rules::read().unwrap();
        for licence in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "Apache-2.0 WITH LLVM-exception", "MIT AND ISC"] {
            assert!(rules.permits("library", licence), "{licence}");
        }
        for licence in ["", "GPL-3.0", "MIT AND AGPL-3.0", "MPL-2.0", "proprietary"] {
            assert!(!rules.permits("library", licence), "{licence}");
        }
        assert!(rules.permits("cssparser", "MPL-2.0"));
    }
}
