use std::fs::File;
use std::path::{Path, PathBuf};

use kontor_package::{ArchiveLimits, unpack_tree};
use kontor_wire::Origin;

use super::{Tree, borrowed_folder};
use crate::error::Error;

/// Unpacks an archive into a borrowed folder.
pub async fn fetch(path: &Path) -> Result<Tree, Error> {
    let origin = Origin { kind: "archive".to_owned(), ..Origin::default() };
    let name = path.file_name().map(|name| stem(&name.to_string_lossy()).to_owned());
    unpack(path.to_owned(), origin).await.map(|tree| tree.named(name))
}

/// Unpacks an archive; what is left out is told of in the tree's notes.
pub async fn unpack(path: PathBuf, origin: Origin) -> Result<Tree, Error> {
    let work = move || {
        let keep = borrowed_folder()?;
        let root = keep.path().join("tree");
        let file = File::open(&path).map_err(|error| Error::io("open", &path, error))?;
        let what = path.display().to_string();
        let unpacked =
            unpack_tree(file, &root, &ArchiveLimits::default()).map_err(|source| Error::Package { what, source })?;
        let mut tree = Tree::new(root, origin, Some(keep));
        tree.notes = unpacked.findings.iter().map(|note| format!("{}: {}", note.file, note.message)).collect();
        Ok(tree)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Usage(error.to_string()))?
}

/// The only folder at the root, where an archive wraps everything in one.
pub fn only_folder(root: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(root).ok()?.flatten();
    let only = entries.next()?;
    (entries.next().is_none() && only.file_type().ok()?.is_dir()).then(|| only.path())
}

/// A file's name without the ending of an archive.
pub fn stem(name: &str) -> &str {
    let lower = name.to_ascii_lowercase();
    let ending =
        super::ARCHIVE_ENDINGS.iter().filter(|ending| lower.ends_with(**ending)).max_by_key(|ending| ending.len());
    name.get(..name.len() - ending.map_or(0, |ending| ending.len())).unwrap_or(name)
}
