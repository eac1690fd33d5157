use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::Error;
use crate::path::is_skill_file_name;

/// The files in a skill's own folder whose lines leave other files out; a later one outweighs an earlier one.
///
/// They follow the rules of `.gitignore`. Ignore files in deeper folders are content and have no effect, so that the
/// same files give the same digest whichever client sends them.
pub const IGNORE_FILES: [&str; 3] = [".gitignore", ".clawhubignore", ".kontorignore"];

const MAX_BYTES: usize = 64 << 10;
const MAX_LINES: usize = 1_000;

/// What the ignore files of one skill leave out.
pub(crate) struct IgnoreRules {
    rules: Gitignore,
}

impl IgnoreRules {
    /// Reads the ignore files found at the skill's root, given in any order as (name, bytes).
    pub(crate) fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Error> {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by_key(|(name, _)| IGNORE_FILES.iter().position(|known| known == name));
        let mut builder = GitignoreBuilder::new("");
        for (name, bytes) in files {
            add(&mut builder, name, bytes)?;
        }
        let rules = builder.build().map_err(|error| refused(IGNORE_FILES[0], 0, &error.to_string()))?;
        Ok(Self { rules })
    }

    /// Whether the rules leave `path`, a file, out.
    ///
    /// The skill's text, the manifest and the ignore files themselves always belong; leaving them out would make the
    /// content depend on how often the rules were applied.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        if self.rules.is_empty() || is_skill_file_name(path) || path == "kontor.toml" || IGNORE_FILES.contains(&path) {
            return false;
        }
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        folders.into_iter().any(|folder| self.rules.matched(folder, true).is_ignore())
            || self.rules.matched(path, false).is_ignore()
    }
}

fn add(builder: &mut GitignoreBuilder, name: &str, bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() > MAX_BYTES {
        return Err(refused(name, 0, "it is larger than 64 KiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused(name, 0, "it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        if index >= MAX_LINES {
            return Err(refused(name, 0, "it has more than 1,000 lines"));
        }
        let line_number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        // Git reads a pattern that is no glob literally; it can match nothing here, so it is passed over as git would.
        if let Err(error) = builder.add_line(None, line)
            && error.is_io()
        {
            return Err(refused(name, line_number, &error.to_string()));
        }
    }
    Ok(())
}

fn refused(file: &str, line: u32, reason: &str) -> Error {
    Error::IgnoreFile { file: file.to_owned(), line, reason: reason.to_owned() }
}
