use std::sync::Arc;

use bytes::Bytes;
use kontor_types::Digest;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of a blob that is kept in memory.
pub(crate) const EACH: u64 = 8 << 20;
/// Most bytes that are kept for whoever asks next.
const KEPT: u64 = 32 << 20;
/// Most KiB in memory at once, with what is evicted but still on its way to a slow client.
const ROOM_KIB: usize = 48 << 10;

/// Blobs that everybody may see, in memory while they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    kept: Cache<Digest, Bytes>,
    room: Arc<Semaphore>,
}

/// Bytes with their share of the room, given back when nobody holds them any longer.
struct Lease {
    bytes: Bytes,
    _share: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Shared {
    pub fn new() -> Self {
        let weight = |_: &Digest, bytes: &Bytes| u32::try_from(bytes.len() + 128).unwrap_or(u32::MAX);
        let kept = Cache::builder().max_capacity(KEPT).weigher(weight).build();
        Self { kept, room: Arc::new(Semaphore::new(ROOM_KIB)) }
    }

    pub fn get(&self, digest: &Digest) -> Option<Bytes> {
        self.kept.get(digest)
    }

    /// Room for a blob of this size, unless it is too large or slow clients hold it all.
    pub fn room_for(&self, size: u64) -> Option<OwnedSemaphorePermit> {
        let share = u32::try_from(size / 1024 + 1).ok().filter(|_| size <= EACH)?;
        Arc::clone(&self.room).try_acquire_many_owned(share).ok()
    }

    /// Keeps bytes that were read into that room.
    pub fn keep(&self, digest: &Digest, bytes: Bytes, share: OwnedSemaphorePermit) -> Bytes {
        let leased = Bytes::from_owner(Lease { bytes, _share: share });
        self.kept.insert(*digest, leased.clone());
        leased
    }

    pub fn forget(&self, digest: &Digest) {
        self.kept.invalidate(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(shared: &Shared, byte: u8, size: usize) -> Option<Bytes> {
        let bytes = Bytes::from(vec![byte; size]);
        let share = shared.room_for(size as u64)?;
        Some(shared.keep(&Digest::of(&bytes), bytes, share))
    }

    #[test]
    fn bytes_in_memory_are_bounded_by_what_clients_hold() {
        let shared = Shared::new();
        let each = usize::try_from(EACH).unwrap();
        let mut held: Vec<Bytes> = (0..5).map(|byte| keep(&shared, byte, each).unwrap()).collect();
        assert!(keep(&shared, 5, each).is_none(), "the room is full while clients hold all of it");
        held.clear();
        shared.kept.invalidate_all();
        // The cache drops what it forgot a little later, while it is used.
        let freed = (0..100_000).any(|_| {
            shared.get(&Digest::of(b"anything"));
            shared.kept.run_pending_tasks();
            shared.room_for(EACH).is_some()
        });
        assert!(freed, "the room is free again");
    }

    #[test]
    fn a_large_blob_finds_no_room() {
        assert!(Shared::new().room_for(EACH + 1).is_none());
    }
}
