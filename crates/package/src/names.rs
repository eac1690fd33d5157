//! What is odd about the names of a skill's files.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::content::Content;
use crate::finding::{Finding, Severity};
use crate::look_alike::is_invisible;
use crate::path::printable;

/// Names that Windows keeps for devices, whatever follows a dot.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

pub(crate) fn findings(content: &Content) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut folded = BTreeMap::new();
    for (path, _) in content.files() {
        if let Some(other) = folded.insert(folding_key(path), path) {
            let message = format!("its name differs from `{}` only in case or form of letters", printable(other));
            findings.push(warning("path_case_collision", path, &message, "rename one of them"));
        }
        if path.chars().any(is_invisible) {
            findings.push(warning("path_invisible", path, "its name has characters that show nothing", "rename it"));
        }
        if path.split('/').any(is_unportable) {
            let message = "its name cannot be written on Windows";
            findings.push(warning("path_not_portable", path, message, "rename it"));
        }
    }
    findings
}

fn warning(code: &'static str, path: &str, message: &str, remedy: &str) -> Finding {
    Finding::new(code, Severity::Warning, printable(path), message, remedy)
}

/// Two paths with the same key are one file on some file systems.
fn folding_key(path: &str) -> String {
    path.nfkc().flat_map(char::to_lowercase).collect()
}

fn is_unportable(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    DEVICES.contains(&stem.as_str()) || name.ends_with([' ', '.']) || name.contains(['<', '>', ':', '"', '|', '?', '*'])
}
