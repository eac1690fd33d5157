//! Receipts of runs in the log: a leaf for each, handed in by the transaction that ends the run. What ends in a rush gets its
//! places together, under one checkpoint.

use kontor_crypto::{Purpose, VerifyingKey};
use kontor_types::Digest;

use crate::{Entry, Error, Notary, ProofFile};

/// The kind of these entries.
const KIND: &str = "run";

impl Entry {
    /// The receipt of a run, byte for byte as it was signed.
    ///
    /// It is found by the digest of these bytes and belongs to no version: whoever may see a version may not see all its runs.
    pub fn of_receipt(envelope: Vec<u8>) -> Self {
        Self { kind: KIND.to_owned(), subject: Some(Digest::of(&envelope)), version: None, statement: envelope }
    }
}

impl Notary {
    /// The keys that sign receipts, and were not revoked.
    pub fn receipt_keys(&self) -> Vec<VerifyingKey> {
        self.keys().trusted(Purpose::Receipt)
    }

    /// The proof file of a receipt that was handed in with these bytes; waits a little for what is on its way into the log.
    /// For whoever may see the run, which the caller has checked.
    ///
    /// # Errors
    /// [`Error::Silent`] when it was not handed in, [`Error::Waiting`] when it is not published yet.
    pub async fn receipt_proof(&self, envelope: &[u8]) -> Result<ProofFile, Error> {
        let statements = self.about(&Digest::of(envelope)).await?;
        if statements.is_empty() {
            return Err(Error::Silent);
        }
        let known = self.log_keys(&self.log().histories().await?);
        Ok(ProofFile::new(None, known, self.receipt_keys(), statements))
    }
}
