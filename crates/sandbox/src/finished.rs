use crate::Outcome;

/// A command that ended, and what it said.
#[derive(Debug)]
pub struct Finished {
    /// What became of it.
    pub outcome: Outcome,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
}

/// What came out of a stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes, as many as were wanted.
    pub bytes: Vec<u8>,
    /// How many there were in all.
    pub total: u64,
}

impl Captured {
    /// Whether there was more than what was kept.
    pub fn is_cut(&self) -> bool {
        self.total > u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }
}
