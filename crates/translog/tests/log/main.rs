//! The log from handing in a statement to a proof that a stranger checks, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod signatures;
mod support;
mod tampered;

mod crash;
mod files;
mod histories;
mod proofs;
mod receipts;
mod sequencing;
mod tampering;
mod verifiers;
