use std::path::PathBuf;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The unit cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The rule pack does not say what it should.
    #[error("the rule pack is broken: {0}")]
    Rules(String),
    /// The waivers file does not say what it should.
    #[error("the waivers file is broken: {0}; each waiver needs rule, path, reason, approver and expires")]
    Waivers(String),
    /// The list of known-bad digests does not say what it should.
    #[error("line {line} of the list of known-bad digests is no SHA-256 in hexadecimal digits; write `digest reason`")]
    KnownBad {
        /// The line, counted from 1.
        line: usize,
    },
    /// A database of advisories cannot be used.
    #[error("cannot use the advisories in {}: {reason}", path.display())]
    Advisories {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
