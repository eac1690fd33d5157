//! The content's identity as ClawHub clients compute it.

use icu_collator::options::CollatorOptions;
use icu_collator::{Collator, CollatorBorrowed, CollatorPreferences};
use kontor_types::Digest;

/// SHA-256 over `path:sha256` lines sorted as JavaScript's `localeCompare` does, without what those clients leave out.
pub(crate) fn fingerprint<'a>(files: impl Iterator<Item = (&'a str, &'a Digest)>) -> Digest {
    let mut kept: Vec<(&str, &Digest)> = files.filter(|(path, _)| counts(path)).collect();
    match collator() {
        Some(collator) => kept.sort_by(|left, right| collator.compare(left.0, right.0)),
        None => kept.sort_unstable(),
    }
    let lines: Vec<String> = kept.iter().map(|(path, digest)| format!("{path}:{}", digest.hex())).collect();
    Digest::of(lines.join("\n").as_bytes())
}

fn counts(path: &str) -> bool {
    path != "skill-card.md" && path.split('/').all(|name| !name.starts_with('.') && name != "node_modules")
}

fn collator() -> Option<CollatorBorrowed<'static>> {
    Collator::try_new(CollatorPreferences::default(), CollatorOptions::default()).ok()
}
