use std::io::Cursor;

use super::entry::{Entry, EntryKind, Journey};
use super::walk;
use crate::content::{Content, ContentBuilder, LeftOutReason};
use crate::error::Error;
use crate::limits::{ArchiveLimits, Limits};
use crate::path::{is_left_out, is_skill_file_name};

/// Reads one skill from an archive into memory; anything but regular files and folders is refused.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Content, Error> {
    let archive_limits = ArchiveLimits::from(*limits);
    let mut journey = Journey::new(&archive_limits);
    let mut files = Vec::new();
    let mut special = Vec::new();
    walk(Cursor::new(bytes), &archive_limits, &mut |entry: &Entry, reader| {
        journey.enter(entry)?;
        if let EntryKind::Other(kind) = entry.kind {
            return Err(Error::NotAFile { path: entry.path.clone(), kind });
        }
        if entry.kind == EntryKind::Folder || is_left_out(&entry.path) || is_resource_fork(&entry.path) {
            return Ok(());
        }
        if entry.special_bits {
            special.push(entry.path.clone());
        }
        let mut file = Vec::new();
        journey.copy(&entry.path, reader, |piece| {
            file.extend_from_slice(piece);
            Ok(())
        })?;
        files.push((entry.path.clone(), file));
        Ok(())
    })?;
    let wrapper = wrapper(files.iter().map(|(path, _)| path.as_str()));
    let unwrapped = |path: &str| path[wrapper.len()..].to_owned();
    let mut builder = ContentBuilder::new(limits);
    for path in &special {
        builder.leave_out(&unwrapped(path), LeftOutReason::SpecialBits);
    }
    for (path, file) in files {
        builder.add(unwrapped(&path), file)?;
    }
    builder.finish()
}

/// The one folder, with its `/`, that wraps all files when no skill's text lies beside it; else nothing.
fn wrapper<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> String {
    if paths.clone().any(is_skill_file_name) {
        return String::new();
    }
    let mut first = paths.clone().filter_map(|path| path.split_once('/').map(|(folder, _)| format!("{folder}/")));
    let Some(folder) = first.next() else { return String::new() };
    if paths.into_iter().all(|path| path.starts_with(&folder)) { folder } else { String::new() }
}

/// What the archiver of macOS adds beside the folder that was packed.
fn is_resource_fork(path: &str) -> bool {
    path.starts_with("__MACOSX/")
}
