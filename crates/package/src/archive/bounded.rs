use std::io::{self, Read};

use crate::limits::ArchiveLimits;

/// A reader that fails once more bytes came out than allowed, whatever any header claimed.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

/// The limit of a [`Bounded`] reader was passed.
#[derive(Debug, thiserror::Error)]
#[error("more bytes came out than allowed")]
pub(super) struct LimitPassed;

impl<R: Read> Bounded<R> {
    /// Bounds the bytes of a tar stream: all files, and per entry the headers with a long name.
    pub(super) fn tar(inner: R, limits: &ArchiveLimits) -> Self {
        let headers = (limits.entries as u64).saturating_mul(4 << 10);
        Self { inner, left: limits.total_bytes.saturating_add(headers).saturating_add(1 << 20) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(LimitPassed))?;
        Ok(read)
    }
}
