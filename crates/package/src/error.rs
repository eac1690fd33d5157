use std::io;
use std::path::PathBuf;

use crate::finding::{Finding, Severity};
use crate::limits::human_bytes;
use crate::path::{PathRule, printable};

/// Why files or an archive cannot become a skill's content.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A path breaks a rule.
    #[error("the path `{}` cannot be part of a skill: {rule}", printable(path))]
    Path {
        /// The path as given.
        path: String,
        /// The rule it breaks.
        rule: PathRule,
    },
    /// The same path twice.
    #[error("the path `{}` occurs twice", printable(path))]
    Duplicate {
        /// The path.
        path: String,
    },
    /// A path is a file and also a folder with files in it.
    #[error("`{}` is both a file and a folder", printable(path))]
    FileAndFolder {
        /// The path.
        path: String,
    },
    /// One file is larger than allowed.
    #[error("`{}` is larger than {}", printable(path), human_bytes(*limit))]
    FileTooLarge {
        /// The path.
        path: String,
        /// The most bytes allowed.
        limit: u64,
    },
    /// All files together are larger than allowed.
    #[error("the files are larger than {} together", human_bytes(*limit))]
    TooLarge {
        /// The most bytes allowed.
        limit: u64,
    },
    /// More files or entries than allowed.
    #[error("there are more than {limit} files")]
    TooManyFiles {
        /// The most files allowed.
        limit: usize,
    },
    /// A link, device or other thing that is no regular file.
    #[error("`{}` is a {kind}; a skill has only regular files", printable(path))]
    NotAFile {
        /// The path.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// A file lies behind a link of the same archive.
    #[error("`{}` lies behind the link `{}` of the same archive", printable(path), printable(link))]
    BehindLink {
        /// The path.
        path: String,
        /// The link.
        link: String,
    },
    /// The archive's structure is damaged or says two things at once.
    #[error("the archive cannot be trusted: {reason}")]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes are no archive of a known kind.
    #[error("the bytes are no zip, tar, tar.gz or tar.zst archive")]
    UnknownArchive,
    /// The bytes are not the canonical form of what they hold.
    #[error("the archive is not canonical: {reason}")]
    NotCanonical {
        /// The first difference.
        reason: String,
    },
    /// An ignore file cannot be used.
    #[error("the ignore file `{file}` cannot be used: {reason}")]
    IgnoreFile {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
        /// Its line, counted from 1; 0 when it is about the whole file.
        line: u32,
    },
    /// The target folder holds something already.
    #[error("the folder {} is not empty", path.display())]
    TargetNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused to read or write.
    #[error("cannot read or write {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// An archive's bytes could not be read or decompressed.
    #[error("the archive cannot be read")]
    Read {
        /// What the reader said.
        #[source]
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn archive(reason: impl Into<String>) -> Self {
        Self::Archive { reason: reason.into() }
    }

    /// A stable word for the kind of refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Path { .. } => "path_unsafe",
            Self::Duplicate { .. } => "path_duplicate",
            Self::FileAndFolder { .. } => "path_file_and_folder",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::TooLarge { .. } => "skill_too_large",
            Self::TooManyFiles { .. } => "too_many_files",
            Self::NotAFile { .. } | Self::BehindLink { .. } => "not_a_file",
            Self::Archive { .. } | Self::Read { .. } => "archive_unsafe",
            Self::UnknownArchive => "archive_unknown",
            Self::NotCanonical { .. } => "archive_not_canonical",
            Self::IgnoreFile { .. } => "ignore_file_invalid",
            Self::TargetNotEmpty { .. } => "target_not_empty",
            Self::Io { .. } => "read_failed",
        }
    }

    /// The refusal as a finding with file, line and remedy.
    pub fn finding(&self) -> Finding {
        let (file, line, remedy) = match self {
            Self::Path { path, .. } | Self::Duplicate { path } | Self::FileAndFolder { path } => {
                (printable(path), 0, "rename the file or leave it out")
            }
            Self::FileTooLarge { path, .. } => {
                (printable(path), 0, "make the file smaller, or leave it out with a line in .kontorignore")
            }
            Self::TooLarge { .. } | Self::TooManyFiles { .. } => {
                (String::new(), 0, "leave files out with lines in .kontorignore, or split the skill")
            }
            Self::NotAFile { path, .. } | Self::BehindLink { path, .. } => {
                (printable(path), 0, "put a copy of the file in its place, or leave it out")
            }
            Self::Archive { .. } | Self::Read { .. } | Self::UnknownArchive => {
                (String::new(), 0, "pack the folder again, for example with `kontor pack`")
            }
            Self::NotCanonical { .. } => (String::new(), 0, "pack the folder with `kontor pack`"),
            Self::IgnoreFile { file, line, .. } => (file.clone(), *line, "mend the ignore file"),
            Self::TargetNotEmpty { .. } => (String::new(), 0, "name a new folder"),
            Self::Io { path, .. } => (printable(&path.to_string_lossy()), 0, "check that it exists and may be read"),
        };
        Finding::new(self.code(), Severity::Error, file, self.to_string(), remedy).at(line, 0).breaking_spec()
    }
}
