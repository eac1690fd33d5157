//! Removing blobs that no version points to.

use std::time::{Duration, SystemTime};

use futures::StreamExt;
use kontor_blob::{Blobs, Listed};
use kontor_db::{Db, blobs};
use kontor_types::Digest;

/// How long an unused blob stays: longer than any publish takes between storing its bytes and committing its rows, and
/// than an upload ticket lasts.
pub const GRACE: Duration = Duration::from_hours(24);

/// Blobs looked up in the database at a time.
const BATCH: usize = 500;

/// What a collection found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Blobs in the store.
    pub seen: u64,
    /// Unused blobs that were removed.
    pub removed: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Unused blobs that are too young to remove.
    pub young: u64,
}

/// Why a collection stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] kontor_db::Error),
    /// The blob store failed.
    #[error("the blob store failed")]
    Blobs(#[from] kontor_blob::Error),
}

/// Removes unused blobs that were last put before `now` less `grace`; rows are never touched.
pub async fn collect(db: &Db, store: &Blobs, now: SystemTime, grace: Duration) -> Result<Collected, Error> {
    let mut collected = Collected::default();
    let before = now.checked_sub(grace).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut listed = store.list().ready_chunks(BATCH);
    while let Some(chunk) = listed.next().await {
        let mut found = Vec::with_capacity(chunk.len());
        for item in chunk {
            if let Listed::Blob { digest, size } = item? {
                found.push((digest, size));
            }
        }
        collected.seen += found.len() as u64;
        for (digest, size) in unused(db, &found).await? {
            if store.delete_idle(&digest, before).await? {
                collected.removed += 1;
                collected.bytes += size;
            } else {
                collected.young += 1;
            }
        }
    }
    Ok(collected)
}

/// Those of these blobs that no row speaks of.
pub(crate) async fn unused(db: &Db, found: &[(Digest, u64)]) -> Result<Vec<(Digest, u64)>, kontor_db::Error> {
    let digests: Vec<Digest> = found.iter().map(|(digest, _)| *digest).collect();
    let known = blobs::known(&mut db.read().await?, &digests).await?;
    Ok(found.iter().filter(|(digest, _)| !known.contains(digest)).copied().collect())
}
