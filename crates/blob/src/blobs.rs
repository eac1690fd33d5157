use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use kontor_types::Digest;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::bucket::Bucket;
use crate::draft::Draft;
use crate::error::{Error, Result, file};
use crate::folder::{Folder, length};
use crate::listing::{Health, Leftover, Listed};
use crate::location::Location;
use crate::shared::Shared;

/// How much of a local blob is read at a time when it is streamed.
const PIECE: usize = 256 * 1024;
/// How much of a stream is collected before it is written.
const GATHER: usize = 256 * 1024;
const LISTED_AHEAD: usize = 1024;

/// A store of blobs. Cloning is cheap and gives the same store.
#[derive(Debug, Clone)]
pub struct Blobs {
    place: Place,
    shared: Shared,
}

#[derive(Debug, Clone)]
enum Place {
    Folder(Arc<Folder>),
    Bucket(Arc<Bucket>),
}

/// What a put of a stream has brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The name under which the bytes are found.
    pub digest: Digest,
    /// How many bytes they are.
    pub size: u64,
}

impl Blobs {
    /// Opens a store at a path or an `s3://` address; see [`Location`].
    ///
    /// A folder is made when absent. Temporary files that a killed process left are removed, unless another process has
    /// the folder open.
    pub async fn open(location: &str) -> Result<Self> {
        Self::open_at(location.parse()?).await
    }

    /// Opens a store at a location that was parsed before.
    pub async fn open_at(location: Location) -> Result<Self> {
        let place = match location {
            Location::Folder(root) => Place::Folder(Arc::new(blocking(move || Folder::open(&root)).await?)),
            Location::Bucket { name, prefix, endpoint, region } => {
                Place::Bucket(Arc::new(Bucket::open(&name, &prefix, endpoint.as_ref(), region.as_deref())?))
            }
        };
        Ok(Self { place, shared: Shared::new() })
    }

    /// The temporary files that were removed when the store was opened.
    pub fn leftovers(&self) -> &[Leftover] {
        match &self.place {
            Place::Folder(folder) => folder.leftovers(),
            Place::Bucket(_) => &[],
        }
    }

    /// Puts bytes; when it returns they are durable. Bytes that are here already cost a look at their size.
    pub async fn put(&self, bytes: Bytes) -> Result<Digest> {
        match &self.place {
            Place::Folder(folder) => {
                let folder = Arc::clone(folder);
                blocking(move || {
                    let digest = Digest::of(&bytes);
                    folder.put(&digest, &bytes).map(|()| digest)
                })
                .await
            }
            Place::Bucket(bucket) => {
                let (digest, bytes) = blocking(move || Ok((Digest::of(&bytes), bytes))).await?;
                bucket.put(&digest, bytes).await.map(|()| digest)
            }
        }
    }

    /// Puts bytes that were announced under a digest; other bytes are refused.
    pub async fn put_as(&self, expected: &Digest, bytes: Bytes) -> Result<()> {
        let (actual, bytes) = blocking(move || Ok((Digest::of(&bytes), bytes))).await?;
        if actual != *expected {
            return Err(Error::Mismatch { expected: *expected, actual });
        }
        match &self.place {
            Place::Folder(folder) => {
                let folder = Arc::clone(folder);
                blocking(move || folder.put(&actual, &bytes)).await
            }
            Place::Bucket(bucket) => bucket.put(&actual, bytes).await,
        }
    }

    /// Puts several blobs and waits for the disk once per step instead of once per blob; answers in the same order.
    pub async fn put_many(&self, blobs: Vec<Bytes>) -> Result<Vec<Digest>> {
        let name = |blobs: Vec<Bytes>| -> Vec<(Digest, Bytes)> {
            blobs.into_iter().map(|bytes| (Digest::of(&bytes), bytes)).collect()
        };
        let digests = |blobs: &[(Digest, Bytes)]| blobs.iter().map(|(digest, _)| *digest).collect();
        match &self.place {
            Place::Folder(folder) => {
                let folder = Arc::clone(folder);
                blocking(move || {
                    let blobs = name(blobs);
                    folder.put_many(&blobs).map(|()| digests(&blobs))
                })
                .await
            }
            Place::Bucket(bucket) => {
                let blobs = blocking(move || Ok(name(blobs))).await?;
                let digests = digests(&blobs);
                bucket.put_many(blobs).await.map(|()| digests)
            }
        }
    }

    /// Puts what a stream brings, at most `limit` bytes, without holding it in memory.
    pub async fn put_stream<S, E>(&self, source: S, limit: u64) -> Result<Stored>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let place = self.place.clone();
        let mut draft = blocking(move || place.draft(limit)).await?;
        let mut source = std::pin::pin!(source);
        let mut gathered = Vec::new();
        while let Some(bytes) = source.try_next().await.map_err(|error| Error::Source(error.into()))? {
            gathered.extend_from_slice(&bytes);
            if gathered.len() >= GATHER {
                (draft, gathered) = write(draft, gathered).await?;
            }
        }
        (draft, _) = write(draft, gathered).await?;
        let stored = Stored { digest: draft.digest(), size: draft.size() };
        match &self.place {
            Place::Folder(folder) => {
                let folder = Arc::clone(folder);
                blocking(move || folder.keep(draft, &stored.digest)).await?;
            }
            Place::Bucket(bucket) => bucket.keep(draft, &stored.digest).await?,
        }
        Ok(stored)
    }

    /// All bytes of a blob.
    pub async fn get(&self, digest: &Digest) -> Result<Bytes> {
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                blocking(move || folder.get(&digest)).await
            }
            Place::Bucket(bucket) => bucket.get(digest).await,
        }
    }

    /// All bytes of a blob that everybody may see, if they lie in memory.
    pub fn held(&self, digest: &Digest) -> Option<Bytes> {
        self.shared.get(digest)
    }

    /// All bytes of a blob that everybody may see, kept in memory for whoever asks next; nothing when there is no room for
    /// them.
    ///
    /// Never for a blob that only some may see: memory holds public facts only.
    pub async fn get_shared(&self, digest: &Digest) -> Result<Option<Bytes>> {
        if let Some(bytes) = self.held(digest) {
            return Ok(Some(bytes));
        }
        let size = self.size(digest).await?.ok_or(Error::NotFound { digest: *digest })?;
        let Some(share) = self.shared.room_for(size) else { return Ok(None) };
        let bytes = self.get(digest).await?;
        Ok(Some(self.shared.keep(digest, bytes, share)))
    }

    /// The bytes of a range, which must lie inside the blob.
    pub async fn get_range(&self, digest: &Digest, range: Range<u64>) -> Result<Bytes> {
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                blocking(move || folder.get_range(&digest, range)).await
            }
            Place::Bucket(bucket) => bucket.get_range(digest, range).await,
        }
    }

    /// The bytes of a range in pieces, for a blob that should not be held in memory.
    pub async fn stream(&self, digest: &Digest, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                let (path, opened) = blocking(move || Ok((folder.path(&digest), folder.open_blob(&digest)?))).await?;
                length(&digest, &range, opened.1)?;
                Ok(pieces(opened.0, path, range))
            }
            Place::Bucket(bucket) => {
                length(digest, &range, bucket.known_size(digest).await?)?;
                let (bucket, digest) = (Arc::clone(bucket), *digest);
                let starts = (range.start..range.end).step_by(PIECE * 16);
                let parts = stream::iter(starts).then(move |start| {
                    let end = range.end.min(start.saturating_add(PIECE as u64 * 16));
                    let bucket = Arc::clone(&bucket);
                    async move { bucket.part(&digest, start..end).await }
                });
                Ok(parts.boxed())
            }
        }
    }

    /// How many bytes a blob has, or nothing when it is not here.
    pub async fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                blocking(move || folder.size(&digest)).await
            }
            Place::Bucket(bucket) => bucket.size(digest).await,
        }
    }

    /// Whether a blob is here.
    pub async fn exists(&self, digest: &Digest) -> Result<bool> {
        Ok(self.size(digest).await?.is_some())
    }

    /// When a blob was put last, or nothing when it is not here; in a bucket, an hour early at most.
    pub async fn last_put(&self, digest: &Digest) -> Result<Option<SystemTime>> {
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                blocking(move || folder.last_put(&digest)).await
            }
            Place::Bucket(bucket) => bucket.last_put(digest).await,
        }
    }

    /// Removes a blob; says whether it was here.
    pub async fn delete(&self, digest: &Digest) -> Result<bool> {
        self.shared.forget(digest);
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                blocking(move || folder.delete(&digest)).await
            }
            Place::Bucket(bucket) => bucket.delete(digest).await,
        }
    }

    /// Removes a blob unless it was put at `moment` or later; says whether it did.
    ///
    /// For whoever collects what nothing points to: a put of the same bytes at the same time either saves the blob or
    /// writes it anew. In a bucket, a put of an hours-old blob right between the look and the removal would be lost.
    pub async fn delete_idle(&self, digest: &Digest, moment: SystemTime) -> Result<bool> {
        self.shared.forget(digest);
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                blocking(move || folder.delete_idle(&digest, moment)).await
            }
            Place::Bucket(bucket) => bucket.delete_idle(digest, moment).await,
        }
    }

    /// Reads a blob again and compares it with its name.
    pub async fn check(&self, digest: &Digest) -> Result<Health> {
        match &self.place {
            Place::Folder(folder) => {
                let (folder, digest) = (Arc::clone(folder), *digest);
                blocking(move || folder.check(&digest)).await
            }
            Place::Bucket(bucket) => bucket.check(digest).await,
        }
    }

    /// Everything in the store, in the order of the digests, with what does not belong there.
    pub fn list(&self) -> BoxStream<'static, Result<Listed>> {
        match &self.place {
            Place::Folder(folder) => {
                let folder = Arc::clone(folder);
                let (sender, receiver) = mpsc::channel(LISTED_AHEAD);
                spawn_blocking(move || folder.list(&mut |listed| sender.blocking_send(listed).is_ok()));
                stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) }).boxed()
            }
            Place::Bucket(bucket) => bucket.list(),
        }
    }

    /// The path of a blob when the store is a folder of this machine, whether or not the blob is here.
    pub fn local_path(&self, digest: &Digest) -> Option<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(folder.path(digest)),
            Place::Bucket(_) => None,
        }
    }

    /// Opens a blob for reading on the calling thread, with its size; nothing when the store is not a local folder.
    ///
    /// One `open` and one `fstat`: cheap enough for a request handler, which can then send the file piece by piece.
    pub fn open_local(&self, digest: &Digest) -> Option<Result<(File, u64)>> {
        match &self.place {
            Place::Folder(folder) => Some(folder.open_blob(digest)),
            Place::Bucket(_) => None,
        }
    }
}

impl Place {
    fn draft(&self, limit: u64) -> Result<Draft> {
        match self {
            Self::Folder(folder) => folder.draft(limit),
            Self::Bucket(_) => Draft::create(&std::env::temp_dir(), limit),
        }
    }
}

async fn write(mut draft: Draft, mut bytes: Vec<u8>) -> Result<(Draft, Vec<u8>)> {
    blocking(move || {
        draft.write(&bytes)?;
        bytes.clear();
        Ok((draft, bytes))
    })
    .await
}

fn pieces(blob: File, path: PathBuf, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
    let start = Some((blob, path, range));
    stream::try_unfold(start, |state| async move {
        let Some((blob, path, range)) = state.filter(|(.., range)| !range.is_empty()) else { return Ok(None) };
        blocking(move || piece(blob, &path, &range).map(|(bytes, blob, rest)| Some((bytes, Some((blob, path, rest))))))
            .await
    })
    .boxed()
}

fn piece(mut blob: File, path: &Path, range: &Range<u64>) -> Result<(Bytes, File, Range<u64>)> {
    let left = range.end.saturating_sub(range.start);
    let length = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
    let mut bytes = vec![0; length];
    blob.seek(SeekFrom::Start(range.start)).and_then(|_| blob.read_exact(&mut bytes)).map_err(file("read", path))?;
    Ok((bytes.into(), blob, range.start.saturating_add(length as u64)..range.end))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(|_| Error::Interrupted)?
}
