use std::path::PathBuf;

/// How much is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectLimits {
    /// Files.
    pub files: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Folders within each other.
    pub depth: usize,
}

impl Default for CollectLimits {
    /// 1,000 files, 64 MiB each, 256 MiB in all, 16 levels.
    fn default() -> Self {
        Self { files: 1000, file_bytes: 64 << 20, bytes: 256 << 20, depth: 16 }
    }
}

/// What was in a work folder.
#[derive(Debug, Default)]
pub struct Collected {
    /// The files, by path.
    pub files: Vec<CollectedFile>,
    /// What was left out, each with the reason in words.
    pub left_out: Vec<(PathBuf, &'static str)>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedFile {
    /// Its path below the work folder.
    pub path: PathBuf,
    /// What was in it.
    pub bytes: Vec<u8>,
    /// Whether it may be executed.
    pub executable: bool,
}
