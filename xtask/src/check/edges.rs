//! Which crate may depend on which, read from `cargo metadata`.

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::shell;

/// From the bottom up: a crate may depend only on crates that stand before it.
const ORDER: &[&str] = &[
    "kontor-types",
    "kontor-package",
    "kontor-crypto",
    "kontor-blob",
    "kontor-outbound",
    "kontor-db",
    "kontor-jobs",
    "kontor-access",
    "kontor-search",
    "kontor-scan",
    "kontor-translog",
    "kontor-sandbox",
    "kontor-ledger",
    "kontor-gateway",
    "kontor-registry",
    "kontor-mirror",
    "kontor-runs",
    "kontor-dispatch",
    "kontor-detonate",
    "kontor-workflow",
    "kontor-merchants",
    "kontor-commerce",
    "kontor-agents",
    "kontor-evals",
    "kontor-app",
    "kontor-wire",
    "kontor-client",
    "kontor-front",
    "kontor-api",
    "kontor-web",
    "kontor-testkit",
    "kontor",
    "kontor-bench",
    "xtask",
];

/// Crates with a shorter list than the order gives them.
const NARROW: &[(&str, &[&str])] = &[
    ("kontor-client", &["kontor-types", "kontor-package", "kontor-crypto", "kontor-outbound", "kontor-wire"]),
    ("kontor-wire", &["kontor-types"]),
    ("kontor-scan", &["kontor-types", "kontor-package"]),
    ("kontor-detonate", &["kontor-package", "kontor-scan", "kontor-sandbox", "kontor-runs"]),
    ("kontor-runs", &["kontor-types", "kontor-package", "kontor-crypto", "kontor-scan", "kontor-sandbox"]),
];

/// Pairs that the order would allow.
const FORBIDDEN: &[(&str, &str)] = &[("kontor-web", "kontor-api"), ("kontor", "kontor-testkit")];

/// Heavy libraries live behind one crate each.
const SOLE_USER: &[(&str, &str)] = &[
    ("argon2", "kontor-crypto"),
    ("ed25519-dalek", "kontor-crypto"),
    ("chacha20poly1305", "kontor-crypto"),
    ("sqlx", "kontor-db"),
    ("object_store", "kontor-blob"),
    ("tantivy", "kontor-search"),
    ("tree-sitter", "kontor-scan"),
    ("landlock", "kontor-sandbox"),
    ("seccompiler", "kontor-sandbox"),
    ("wasmtime", "kontor-sandbox"),
    ("cedar-policy", "kontor-access"),
];

/// Fails with one line for each edge that the table does not allow.
pub fn check() -> Result<()> {
    let metadata = MetadataCommand::new()
        .current_dir(shell::root())
        .no_deps()
        .exec()
        .context("cannot read the workspace with cargo metadata")?;
    let complaints: Vec<_> = metadata.packages.iter().flat_map(complaints).collect();
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

fn complaints(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let Some(level) = position(name) else {
        return vec![format!("{name}: give the crate its place in ORDER in xtask/src/check/edges.rs")];
    };
    let edges = package.dependencies.iter();
    edges.filter_map(|edge| complaint(name, level, &edge.name, edge.kind)).collect()
}

fn complaint(name: &str, level: usize, target: &str, kind: DependencyKind) -> Option<String> {
    if let Some((_, owner)) = SOLE_USER.iter().find(|(library, _)| *library == target) {
        return (*owner != name).then(|| format!("{name}: only {owner} may name {target}; use its functions"));
    }
    let below = position(target)?;
    let for_tests = kind == DependencyKind::Development;
    if for_tests && target == "kontor-testkit" {
        return None;
    }
    if FORBIDDEN.contains(&(name, target)) {
        return Some(format!("{name}: may not depend on {target}"));
    }
    if let Some((_, allowed)) = NARROW.iter().find(|(narrow, _)| *narrow == name)
        && !for_tests
        && !allowed.contains(&target)
    {
        return Some(format!("{name}: may depend on {} only, not on {target}", allowed.join(", ")));
    }
    (below >= level).then(|| format!("{name}: {target} stands above it, so it may not depend on it"))
}

fn position(name: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use cargo_metadata::DependencyKind::{Development, Normal};

    use super::{complaint, position};

    fn refused(name: &str, target: &str, kind: super::DependencyKind) -> bool {
        complaint(name, position(name).unwrap_or(0), target, kind).is_some()
    }

    #[test]
    fn a_crate_depends_only_on_what_stands_before_it() {
        assert!(!refused("kontor-db", "kontor-types", Normal));
        assert!(refused("kontor-db", "kontor-registry", Normal));
        assert!(refused("kontor-db", "kontor-registry", Development));
        assert!(refused("kontor-web", "kontor-api", Normal));
        assert!(refused("kontor-api", "kontor-web", Normal));
        assert!(refused("kontor-client", "kontor-db", Normal));
        assert!(refused("kontor-api", "kontor-testkit", Normal));
        assert!(!refused("kontor-api", "kontor-testkit", Development));
        assert!(refused("kontor", "kontor-testkit", Normal));
    }

    #[test]
    fn a_heavy_library_has_one_user() {
        assert!(!refused("kontor-db", "sqlx", Normal));
        assert!(refused("kontor-testkit", "sqlx", Normal));
        assert!(refused("kontor-registry", "tantivy", Development));
        assert!(!refused("kontor-registry", "serde", Normal));
    }
}
