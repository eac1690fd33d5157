//! How much a folder holds.

use std::path::Path;

/// What a folder holds, links not followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes of its files.
    pub bytes: u64,
    /// Files and folders.
    pub entries: u64,
}

/// Weighs a folder, only until it is heavier than `most`.
pub fn weigh(folder: &Path, most: Weight) -> Weight {
    let mut weight = Weight::default();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            weight.entries += 1;
            if weight.entries > most.entries || weight.bytes > most.bytes {
                return weight;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    weight.bytes = weight.bytes.saturating_add(entry.metadata().map_or(0, |metadata| metadata.len()));
                }
                _ => {}
            }
        }
    }
    weight
}
