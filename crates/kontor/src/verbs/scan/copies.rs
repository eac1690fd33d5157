//! `kontor scan --copies`: units that are copies of one another, exactly or almost.

use std::fs;
use std::path::{Path, PathBuf};

use kontor_package::{Content, Limits};
use kontor_scan::{Signature, groups};
use kontor_types::Digest;

use crate::terminal::{Terminal, plain};

/// The share of text that makes two units near-duplicates.
const LEAST: f64 = 0.85;

/// Prints one line for each group of units; what cannot be read as a skill is in none.
pub fn show(terminal: &Terminal, units: &[PathBuf]) {
    let mut known: Vec<(&PathBuf, Digest, Signature)> = Vec::new();
    for unit in units {
        if let Some((digest, signature)) = content(unit) {
            known.push((unit, digest, signature));
        }
    }
    let signatures: Vec<Signature> = known.iter().map(|(_, _, signature)| signature.clone()).collect();
    for group in groups(&signatures, LEAST) {
        let members: Vec<_> = group.iter().filter_map(|place| known.get(*place)).collect();
        let Some((_, digest, _)) = members.first() else { continue };
        let exact = members.iter().all(|(_, other, _)| other == digest);
        let names: Vec<String> = members.iter().map(|(path, _, _)| path.display().to_string()).collect();
        if terminal.json {
            terminal.data(&serde_json::json!({ "copies": names, "exact": exact }).to_string());
        } else {
            let word = if exact { "equal" } else { "almost equal" };
            terminal.data(&format!("{word}: {}", plain(&names.join(", "))));
        }
    }
}

/// The digest of a unit's files and the signature of their texts.
fn content(unit: &Path) -> Option<(Digest, Signature)> {
    let limits = Limits::default();
    let content = if fs::metadata(unit).ok()?.is_dir() {
        Content::from_directory(unit, &limits).ok()?
    } else {
        let bytes = fs::read(unit).ok()?;
        Content::from_archive(&bytes, &limits).ok()?
    };
    let mut all = Vec::new();
    for (name, bytes) in content.files() {
        all.extend_from_slice(name.as_bytes());
        all.push(0);
        all.extend_from_slice(Digest::of(bytes).hex().as_bytes());
    }
    Some((Digest::of(&all), Signature::of_skill(content.files())))
}
