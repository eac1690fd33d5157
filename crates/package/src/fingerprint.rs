use std::fmt::Write;

use icu_collator::CollatorBorrowed;
use icu_collator::options::CollatorOptions;
use kontor_types::Digest;

/// The fingerprint by which ClawHub clients recognise an installed version: SHA-256 over a line `path:sha256` a file,
/// in the order of the root collation of Unicode (as `localeCompare` of JavaScript sorts), joined by line feeds.
///
/// Paths with a hidden name (`.x/…`) and `node_modules` do not count, because those clients never list them.
pub fn fingerprint<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> Digest {
    // The root order alone: asking for it by a locale would bring the orders of all languages into the program.
    let collator = CollatorBorrowed::new_root(CollatorOptions::default());
    let counts = |path: &str| path.split('/').all(|name| !name.starts_with('.') && name != "node_modules");
    let mut files: Vec<_> = files.into_iter().filter(|(path, _)| counts(path)).collect();
    // Equal in collation, different in bytes: clients leave the order of the folder, which cannot be known.
    files.sort_by(|left, right| collator.compare(left.0, right.0).then_with(|| left.0.cmp(right.0)));
    let mut lines = String::new();
    for (path, digest) in files {
        if !lines.is_empty() {
            lines.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = write!(lines, "{path}:{}", digest.hex());
    }
    Digest::of(lines.as_bytes())
}
