use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::content::{Content, ContentBuilder, LeftOutReason};
use crate::error::Error;
use crate::ignore_rules::{IGNORE_FILES, IgnoreRules};
use crate::limits::Limits;
use crate::path::{check_path, is_left_out_name};

/// Folders are not followed deeper than this.
const MAX_DEPTH: usize = 64;

/// Reads the folder of one skill, bounded and without following links.
pub(crate) fn read(folder: &Path, limits: &Limits) -> Result<Content, Error> {
    let limits = limits.within_ceiling();
    let rules = ignore_rules(folder)?;
    let mut builder = ContentBuilder::new(&limits);
    let mut walk = Walk { builder: &mut builder, rules: &rules, entries_left: limits.files.saturating_mul(8) };
    walk.folder(folder, "", 0)?;
    builder.finish()
}

fn ignore_rules(folder: &Path) -> Result<IgnoreRules, Error> {
    let mut found = Vec::new();
    for name in IGNORE_FILES {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            let mut bytes = Vec::new();
            let file = File::open(&path).map_err(|source| io_error(&path, source))?;
            file.take(1 << 20).read_to_end(&mut bytes).map_err(|source| io_error(&path, source))?;
            found.push((name, bytes));
        }
    }
    IgnoreRules::read(found.iter().map(|(name, bytes)| (*name, bytes.as_slice())))
}

struct Walk<'a> {
    builder: &'a mut ContentBuilder,
    rules: &'a IgnoreRules,
    entries_left: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Error> {
        for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
            let entry = entry.map_err(|source| io_error(folder, source))?;
            self.entries_left =
                self.entries_left.checked_sub(1).ok_or(Error::TooManyFiles { limit: Limits::CEILING.files })?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.builder.leave_out(&format!("{prefix}{}", name.to_string_lossy()), LeftOutReason::Name);
                continue;
            };
            if is_left_out_name(name) {
                continue;
            }
            let path = format!("{prefix}{name}");
            if let Err(rule) = check_path(&path) {
                return Err(Error::Path { path, rule });
            }
            self.entry(&entry.path(), path, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, place: &Path, path: String, depth: usize) -> Result<(), Error> {
        let kind = fs::symlink_metadata(place).map_err(|source| io_error(place, source))?.file_type();
        if kind.is_dir() {
            if depth >= MAX_DEPTH {
                return Err(Error::Path { path, rule: crate::path::PathRule::TooLong });
            }
            return self.folder(place, &format!("{path}/"), depth + 1);
        }
        if self.rules.leaves_out(&path) {
            self.builder.leave_out(&path, LeftOutReason::Ignored);
            return Ok(());
        }
        if kind.is_file() {
            let bytes = self.file(place, &path)?;
            return self.builder.add(path, bytes);
        }
        self.builder.leave_out(&path, if kind.is_symlink() { LeftOutReason::Link } else { LeftOutReason::Special });
        Ok(())
    }

    fn file(&self, place: &Path, path: &str) -> Result<Vec<u8>, Error> {
        let room = self.builder.room();
        let file = open_without_following(place)?;
        let mut bytes = Vec::new();
        file.take(room.saturating_add(1)).read_to_end(&mut bytes).map_err(|source| io_error(place, source))?;
        if bytes.len() as u64 > room {
            return Err(self.builder.too_large(path));
        }
        Ok(bytes)
    }
}

/// Opens a regular file, refusing a link that took its place since the folder was listed.
fn open_without_following(place: &Path) -> Result<File, Error> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use nix::fcntl::OFlag;
        use std::os::unix::fs::OpenOptionsExt;
        // Neither a link nor a pipe that took the file's place is followed or waited for.
        options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
    }
    options.open(place).map_err(|source| io_error(place, source))
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io { path: PathBuf::from(path), source }
}
