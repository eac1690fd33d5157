//! What a run needs, may do and has done, at this crate's border; runs themselves are in the command's tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod needs;
mod permissions;
mod receipts;
mod secrets;
