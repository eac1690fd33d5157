//! What comes from others: licences that allow shipping the product, one copy of what must be there once, no odd sources.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use spdx::{Expression, ParseMode};

use crate::shell;

/// Licences that ask for no more than a notice.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Libraries under a licence that binds only their own files, which we do not change.
const FILE_LEVEL: &[(&str, &str)] = &[("cssparser", "MPL-2.0"), ("dtoa-short", "MPL-2.0")];

/// Never in the tree: there is one TLS library, and builds need nothing of the system but a C compiler.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls"];

/// Two versions of these would be two copies of a C library, or two runtimes.
const ONCE: &[&str] = &["libsqlite3-sys", "aws-lc-sys", "tokio", "hyper", "rustls", "axum"];

/// Fails with one line for each library that breaks a rule.
pub fn check() -> Result<()> {
    let version = shell::capture(shell::command("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say its host")?;
    let options = ["--locked", "--filter-platform", host].map(str::to_owned);
    let metadata = MetadataCommand::new()
        .current_dir(shell::root())
        .other_options(options)
        .exec()
        .context("cannot read the libraries with cargo metadata")?;
    let complaints = complaints(&metadata)?;
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

fn complaints(metadata: &Metadata) -> Result<Vec<String>> {
    let resolved = metadata.resolve.as_ref().context("cargo metadata resolved nothing")?;
    let used: BTreeSet<_> = resolved.nodes.iter().map(|node| &node.id).collect();
    let foreign: Vec<_> =
        metadata.packages.iter().filter(|package| used.contains(&package.id) && package.source.is_some()).collect();
    let mut complaints: Vec<_> = foreign.iter().filter_map(|package| complaint(package)).collect();
    for name in ONCE {
        let versions: Vec<_> =
            foreign.iter().filter(|package| package.name == *name).map(|package| package.version.to_string()).collect();
        if versions.len() > 1 {
            complaints.push(format!("{name}: needed once, but here are {}", versions.join(" and ")));
        }
    }
    Ok(complaints)
}

fn complaint(package: &Package) -> Option<String> {
    let name = package.name.as_str();
    if BANNED.contains(&name) {
        return Some(format!("{name}: may not be used; see BANNED in xtask/src/check/libraries.rs"));
    }
    let source = package.source.as_ref()?;
    if !source.repr.starts_with("registry+") {
        return Some(format!("{name}: comes from {source}, not from the registry"));
    }
    let licence = package.license.as_deref().unwrap_or_default();
    (!permits(name, licence)).then(|| format!("{name}: its licence `{licence}` is not among those we may ship"))
}

fn permits(name: &str, licence: &str) -> bool {
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else { return false };
    expression.evaluate(|requirement| {
        let id = requirement.license.id().map(|id| id.name).unwrap_or_default();
        LICENCES.contains(&id) || FILE_LEVEL.contains(&(name, id))
    })
}

#[cfg(test)]
mod tests {
    use super::permits;

    #[test]
    fn a_licence_is_permitted_when_some_choice_of_it_is() {
        for licence in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "Apache-2.0 WITH LLVM-exception", "MIT AND ISC"] {
            assert!(permits("library", licence), "{licence}");
        }
        for licence in ["", "GPL-3.0", "MIT AND AGPL-3.0", "MPL-2.0", "proprietary"] {
            assert!(!permits("library", licence), "{licence}");
        }
        assert!(permits("cssparser", "MPL-2.0"));
    }
}
