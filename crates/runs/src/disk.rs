//! How much stands in a folder that a program fills, looked at while it does.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files and folders that a run's work folder may hold.
pub const MOST_FILES: usize = 100_000;
/// How often it is looked at; longer where looking takes long.
const OFTEN: Duration = Duration::from_millis(200);

/// Whether a folder takes more room than this, in bytes or in files.
pub fn is_over(folder: &Path, most: u64, most_files: usize) -> bool {
    used(folder, most_files).is_none_or(|used| used > most)
}

/// What a folder takes on the disk; `None` when it holds more files than this.
pub fn used(folder: &Path, most_files: usize) -> Option<u64> {
    let (mut bytes, mut files) = (0_u64, 0_usize);
    let mut open: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        // What goes away meanwhile takes no room.
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            files += 1;
            if files > most_files {
                return None;
            }
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                open.push(entry.path());
            } else {
                bytes = bytes.saturating_add(metadata.blocks().saturating_mul(512));
            }
        }
    }
    Some(bytes)
}

/// Ends when a folder takes more room than this.
pub async fn over(folder: &Path, most: u64, most_files: usize) {
    loop {
        let (place, begun) = (folder.to_path_buf(), Instant::now());
        if tokio::task::spawn_blocking(move || is_over(&place, most, most_files)).await.unwrap_or(false) {
            return;
        }
        tokio::time::sleep(OFTEN.max(begun.elapsed().saturating_mul(4))).await;
    }
}
