//! Compiled files: nobody can read them, so they are findings by themselves, and their texts are read.

use crate::examine::Examination;

impl Examination<'_> {
    /// Compiled Python: its texts are read now, its source is looked for at the end.
    pub(crate) fn pyc(&mut self, path: &str, bytes: &[u8]) {
        let flags = word(bytes, 4);
        let size = if flags == Some(0) { word(bytes, 12) } else { None };
        self.facts.compiled.push((path.to_owned(), size));
        self.strings(path, bytes);
    }

    /// A compiled program: its texts are read.
    pub(crate) fn native(&mut self, path: &str, bytes: &[u8]) {
        self.find("file.native", path, String::new());
        self.strings(path, bytes);
    }

    /// Compares each compiled Python file with the source that it claims to be.
    pub(crate) fn compiled_against_sources(&mut self) {
        for (path, claimed) in std::mem::take(&mut self.facts.compiled) {
            let source =
                source_of(&path).and_then(|source| self.sizes.get(&source).copied().map(|size| (source, size)));
            let (rule, message) = match (source, claimed) {
                (None, _) => ("file.pyc-alone", "compiled Python without its source".to_owned()),
                (Some((source, size)), Some(claimed)) if u32::try_from(size).ok() != Some(claimed) => (
                    "file.pyc-alone",
                    format!(
                        "compiled Python that was not made from {source}: that has {size} bytes, this says {claimed}"
                    ),
                ),
                _ => ("file.pyc", String::new()),
            };
            self.find(rule, &path, message);
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// Where Python expects the source of a compiled file.
fn source_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next()?;
    let folder = folder.strip_suffix("__pycache__").unwrap_or(folder);
    let folder = folder.trim_end_matches('/');
    Some(if folder.is_empty() { format!("{stem}.py") } else { format!("{folder}/{stem}.py") })
}
