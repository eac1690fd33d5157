//! What a hub and its scanning processes say to each other: a request is one line of JSON and the bytes of an archive, an
//! answer is one line of JSON.

use kontor_package::Limits;
use serde::{Deserialize, Serialize};

use super::{Examination, Ran};

/// The longest line that is read: a report lists a bounded number of findings.
pub(super) const LONGEST_LINE: u64 = 32 << 20;

/// Asks for the scan of the archive whose bytes follow.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// What the report calls it.
    pub name: String,
    /// How many bytes follow.
    pub size: u64,
    /// After this many seconds nobody waits any longer.
    pub seconds: f32,
    file_bytes: u64,
    skill_bytes: u64,
    files: usize,
}

impl Request {
    pub(super) const fn new(name: String, size: u64, seconds: f32, limits: &Limits) -> Self {
        let Limits { file_bytes, skill_bytes, files } = *limits;
        Self { name, size, seconds, file_bytes, skill_bytes, files }
    }

    pub(super) const fn limits(&self) -> Limits {
        Limits { file_bytes: self.file_bytes, skill_bytes: self.skill_bytes, files: self.files }
    }
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It was scanned.
    Examined(Box<Examination>),
    /// It was run.
    Ran(Box<Ran>),
    /// There is no report, for this reason.
    Failed(String),
}
