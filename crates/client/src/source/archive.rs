use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kontor_package::{ArchiveLimits, Unpacked, unpack_held, unpack_tree};
use kontor_wire::Origin;

use super::{Place, Tree, borrowed_folder};
use crate::error::Error;

/// Most bytes of an archive's files that are kept in memory; more go to a folder.
const MOST_HELD: u64 = 40 << 20;

/// Unpacks an archive.
pub async fn fetch(path: &Path) -> Result<Tree, Error> {
    let origin = Origin { kind: "archive".to_owned(), ..Origin::default() };
    let name = path.file_name().map(|name| stem(&name.to_string_lossy()).to_owned());
    unpack(path.to_owned(), origin).await.map(|tree| tree.named(name))
}

/// Unpacks an archive into memory when it is small, else into a borrowed folder; what is left out is told of in the tree's
/// notes.
pub async fn unpack(path: PathBuf, origin: Origin) -> Result<Tree, Error> {
    away(move || {
        let (file, what) = (open(&path)?, path.display().to_string());
        let held = unpack_held(file, &ArchiveLimits::default(), MOST_HELD);
        let Some((held, unpacked)) = held.map_err(|source| Error::Package { what: what.clone(), source })? else {
            return to_folder(&path, origin).map(|(tree, _)| tree);
        };
        let mut tree = Tree::new(Place::Memory(Arc::new(held), what), origin, None);
        tree.notes = notes(&unpacked);
        Ok(tree)
    })
    .await
}

/// Unpacks an archive into a borrowed folder, which is named besides.
pub async fn unpack_to_folder(path: PathBuf, origin: Origin) -> Result<(Tree, PathBuf), Error> {
    away(move || to_folder(&path, origin)).await
}

fn to_folder(path: &Path, origin: Origin) -> Result<(Tree, PathBuf), Error> {
    let keep = borrowed_folder()?;
    let root = keep.path().join("tree");
    let what = path.display().to_string();
    let unpacked = unpack_tree(open(path)?, &root, &ArchiveLimits::default());
    let unpacked = unpacked.map_err(|source| Error::Package { what, source })?;
    let mut tree = Tree::new(Place::Folder(root.clone()), origin, Some(keep));
    tree.notes = notes(&unpacked);
    Ok((tree, root))
}

fn notes(unpacked: &Unpacked) -> Vec<String> {
    unpacked.findings.iter().map(|note| format!("{}: {}", note.file, note.message)).collect()
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::io("open", path, error))
}

async fn away<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
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
