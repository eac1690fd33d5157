//! What lies in a layer, held to what was built there.
//!
//! A layer keeps the digest of its folders as they were built. Each use compares a glance (names, sizes, inodes, times of change,
//! which nobody sets) with the last one, and when that differs, all bytes with the digest.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use kontor_types::Digest;
use sha2::{Digest as _, Sha256};

use super::MOST_FILES;

/// The digest of everything, written once when the layer is built.
const SEAL: &str = "seal";
/// The digest of the last glance.
const GLANCE: &str = "glance";

/// Writes down what lies in these folders of a layer.
pub(super) fn write(layer: &Path, parts: &[&Path]) -> io::Result<()> {
    fs::write(layer.join(SEAL), whole(parts)?.to_string())
}

/// Whether what lies in these folders of a layer is what was built.
pub(super) fn holds(layer: &Path, parts: &[&Path]) -> bool {
    let read = |name: &str| fs::read_to_string(layer.join(name)).ok()?.parse::<Digest>().ok();
    let Some(built) = read(SEAL) else { return false };
    let Ok(seen) = glance(parts) else { return false };
    if read(GLANCE) == Some(seen) {
        return true;
    }
    if whole(parts).ok() != Some(built) {
        return false;
    }
    // Where it cannot be kept, all bytes are compared each time.
    let _ = fs::write(layer.join(GLANCE), seen.to_string());
    true
}

/// Every file, link and folder below these folders, in one order.
fn walk(parts: &[&Path]) -> io::Result<Vec<(PathBuf, fs::Metadata)>> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = parts.iter().map(|part| part.to_path_buf()).collect();
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
        found.push((path, metadata));
        if found.len().saturating_add(left.len()) > MOST_FILES {
            return Err(io::Error::other("too many files"));
        }
    }
    found.sort_by(|one, two| one.0.cmp(&two.0));
    Ok(found)
}

fn glance(parts: &[&Path]) -> io::Result<Digest> {
    let mut digest = Sha256::new();
    for (path, metadata) in walk(parts)? {
        digest.update(path.as_os_str().as_bytes());
        let facts = [
            i64::from(metadata.mode()),
            metadata.size().cast_signed(),
            metadata.ino().cast_signed(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        ];
        for fact in facts {
            digest.update(fact.to_le_bytes());
        }
    }
    Ok(Digest::from_bytes(digest.finalize().into()))
}

fn whole(parts: &[&Path]) -> io::Result<Digest> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    for part in parts {
        let Some(above) = part.parent() else { continue };
        for (path, metadata) in walk(&[part])? {
            let name = path.strip_prefix(above).unwrap_or(&path).as_os_str().as_bytes();
            digest.update(name.len().to_le_bytes());
            digest.update(name);
            digest.update(metadata.mode().to_le_bytes());
            if metadata.is_symlink() {
                digest.update(fs::read_link(&path)?.as_os_str().as_bytes());
            } else if metadata.is_file() {
                digest.update(metadata.size().to_le_bytes());
                let mut file = fs::File::open(&path)?.take(metadata.size());
                loop {
                    match file.read(&mut buffer)? {
                        0 => break,
                        read => digest.update(buffer.get(..read).unwrap_or_default()),
                    }
                }
            }
        }
    }
    Ok(Digest::from_bytes(digest.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer() -> io::Result<(tempfile::TempDir, PathBuf)> {
        let layer = tempfile::tempdir()?;
        let part = layer.path().join("python");
        fs::create_dir_all(part.join("package"))?;
        fs::write(part.join("package/code.py"), "print(1)")?;
        write(layer.path(), &[&part])?;
        Ok((layer, part))
    }

    #[test]
    fn a_layer_holds_as_long_as_nothing_in_it_changes() -> io::Result<()> {
        let changes: [fn(&Path) -> io::Result<()>; 4] = [
            |part| fs::write(part.join("package/code.py"), "print(2)"),
            |part| fs::write(part.join("pip.py"), ""),
            |part| fs::remove_file(part.join("package/code.py")),
            |part| std::os::unix::fs::symlink("/tmp", part.join("link")),
        ];
        for change in changes {
            let (layer, part) = layer()?;
            assert!(holds(layer.path(), &[&part]), "as it was built");
            assert!(holds(layer.path(), &[&part]), "by a glance");
            change(&part)?;
            assert!(!holds(layer.path(), &[&part]));
        }
        let (layer, part) = layer()?;
        fs::remove_file(layer.path().join(SEAL))?;
        assert!(!holds(layer.path(), &[&part]), "nobody wrote down what was built");
        Ok(())
    }

    #[test]
    fn the_same_bytes_written_anew_hold() -> io::Result<()> {
        let (layer, part) = layer()?;
        assert!(holds(layer.path(), &[&part]));
        fs::write(part.join("package/code.py"), "print(1)")?;
        assert!(holds(layer.path(), &[&part]));
        Ok(())
    }
}
