use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use kontor_types::Digest;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::draft::Draft;
use crate::error::{Error, Result, bucket, file};
use crate::folder::length;
use crate::listing::{Health, Listed};

/// A stream larger than this goes up in parts.
const PART: usize = 8 * 1024 * 1024;
/// A blob that was put within this time need not be put again to be let alone.
const YOUNG: Duration = Duration::from_hours(1);
const PUTS_SIDE_BY_SIDE: usize = 8;

/// Blobs in a bucket, under the key `prefix/ab/cd/<64 digits>`.
#[derive(Debug)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Bucket {
    pub(crate) fn open(name: &str, prefix: &str, endpoint: Option<&Url>, region: Option<&str>) -> Result<Self> {
        // Whoever embeds us may have chosen another; theirs stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(name);
        if let Some(endpoint) = endpoint {
            builder = builder
                .with_endpoint(endpoint.as_str().trim_end_matches('/'))
                .with_allow_http(endpoint.scheme() == "http")
                .with_virtual_hosted_style_request(false);
        }
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        let store = Arc::new(builder.build().map_err(bucket("set up the client"))?);
        let prefix = Path::parse(prefix)
            .map_err(|error| Error::Location { text: format!("s3://{name}"), reason: error.to_string() })?;
        Ok(Self { store, prefix })
    }

    fn key(&self, digest: &Digest) -> Path {
        let hex = digest.hex();
        let (first, rest) = hex.split_at(2);
        let (second, _) = rest.split_at(2);
        [first, second, hex.as_str()].into_iter().fold(self.prefix.clone(), Path::join)
    }

    pub(crate) async fn put(&self, digest: &Digest, bytes: Bytes) -> Result<()> {
        if self.holds(digest, bytes.len() as u64).await? {
            return Ok(());
        }
        self.store.put(&self.key(digest), bytes.into()).await.map_err(bucket("put a blob"))?;
        Ok(())
    }

    pub(crate) async fn put_many(&self, blobs: Vec<(Digest, Bytes)>) -> Result<()> {
        let puts = futures::stream::iter(
            blobs.into_iter().map(|(digest, bytes)| async move { self.put(&digest, bytes).await }),
        );
        puts.buffer_unordered(PUTS_SIDE_BY_SIDE).try_collect().await
    }

    /// Sends up a finished draft.
    pub(crate) async fn keep(&self, draft: Draft, digest: &Digest) -> Result<()> {
        if self.holds(digest, draft.size()).await? {
            return Ok(());
        }
        let (mut source, mut part) = piece(draft.reopen()?).await?;
        if draft.size() <= PART as u64 {
            // One request, and the only way for nothing at all: an upload in parts needs a part.
            return self.put(digest, part.into()).await;
        }
        let upload = self.store.put_multipart(&self.key(digest)).await.map_err(bucket("start an upload"))?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        while !part.is_empty() {
            upload.wait_for_capacity(2).await.map_err(bucket("send a part"))?;
            upload.put(part.into());
            (source, part) = piece(source).await?;
        }
        upload.finish().await.map_err(bucket("finish an upload"))?;
        Ok(())
    }

    async fn facts(&self, digest: &Digest) -> Result<Option<ObjectMeta>> {
        match self.store.head(&self.key(digest)).await {
            Ok(facts) => Ok(Some(facts)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(bucket("look at a blob")(error)),
        }
    }

    /// Whether the blob is here with this size and young enough to be let alone by whoever collects unused ones; an
    /// older one is put again, since a bucket has no other way to say that somebody wants it.
    async fn holds(&self, digest: &Digest, size: u64) -> Result<bool> {
        let facts = self.facts(digest).await?.filter(|facts| facts.size == size);
        let age = facts.map(|facts| SystemTime::now().duration_since(facts.last_modified.into()).unwrap_or_default());
        Ok(age.is_some_and(|age| age < YOUNG))
    }

    pub(crate) async fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        Ok(self.facts(digest).await?.map(|facts| facts.size))
    }

    pub(crate) async fn last_put(&self, digest: &Digest) -> Result<Option<SystemTime>> {
        Ok(self.facts(digest).await?.map(|facts| facts.last_modified.into()))
    }

    pub(crate) async fn delete_idle(&self, digest: &Digest, moment: SystemTime) -> Result<bool> {
        match self.last_put(digest).await? {
            Some(put) if put < moment => self.delete(digest).await,
            _ => Ok(false),
        }
    }

    pub(crate) async fn known_size(&self, digest: &Digest) -> Result<u64> {
        self.size(digest).await?.ok_or(Error::NotFound { digest: *digest })
    }

    pub(crate) async fn get(&self, digest: &Digest) -> Result<Bytes> {
        let read = async { self.store.get(&self.key(digest)).await?.bytes().await };
        read.await.map_err(|error| absent(digest, "read a blob", error))
    }

    pub(crate) async fn get_range(&self, digest: &Digest, range: Range<u64>) -> Result<Bytes> {
        if length(digest, &range, self.known_size(digest).await?)? == 0 {
            return Ok(Bytes::new());
        }
        self.part(digest, range).await
    }

    /// The bytes of a range that is known to lie inside the blob.
    pub(crate) async fn part(&self, digest: &Digest, range: Range<u64>) -> Result<Bytes> {
        let read = self.store.get_range(&self.key(digest), range).await;
        read.map_err(|error| absent(digest, "read a blob", error))
    }

    async fn whole(&self, digest: &Digest) -> Result<BoxStream<'static, Result<Bytes>>> {
        let found = self.store.get(&self.key(digest)).await;
        let found = found.map_err(|error| absent(digest, "read a blob", error))?;
        Ok(found.into_stream().map_err(bucket("read a blob")).boxed())
    }

    pub(crate) async fn check(&self, digest: &Digest) -> Result<Health> {
        let mut stream = match self.whole(digest).await {
            Err(Error::NotFound { .. }) => return Ok(Health::Missing),
            opened => opened?,
        };
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        while let Some(part) = stream.try_next().await? {
            size = size.saturating_add(part.len() as u64);
            hash.update(&part);
        }
        let actual = Digest::from_bytes(hash.finalize().into());
        Ok(if actual == *digest { Health::Sound { size } } else { Health::Corrupt { actual, size } })
    }

    pub(crate) async fn delete(&self, digest: &Digest) -> Result<bool> {
        if self.size(digest).await?.is_none() {
            return Ok(false);
        }
        match self.store.delete(&self.key(digest)).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(bucket("remove a blob")(error)),
        }
    }

    pub(crate) fn list(self: &Arc<Self>) -> BoxStream<'static, Result<Listed>> {
        let bucket_of = Arc::clone(self);
        let prefix = Some(&self.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let listed = self.store.list(prefix).map_err(bucket("list the blobs"));
        listed.map_ok(move |facts| bucket_of.name(&facts.location, facts.size)).boxed()
    }

    fn name(&self, key: &Path, size: u64) -> Listed {
        let digest = key.filename().and_then(|name| Digest::from_hex(name).ok());
        match digest.filter(|digest| self.key(digest) == *key) {
            Some(digest) => Listed::Blob { digest, size },
            None => Listed::Stray { path: key.as_ref().into(), size },
        }
    }
}

/// The next part of a file, and the file to go on with.
async fn piece(mut source: File) -> Result<(File, Vec<u8>)> {
    let read = tokio::task::spawn_blocking(move || {
        let mut part = Vec::with_capacity(PART);
        source.by_ref().take(PART as u64).read_to_end(&mut part).map(|_| (source, part))
    });
    read.await.map_err(|_| Error::Interrupted)?.map_err(file("read", std::path::Path::new("a temporary file")))
}

fn absent(digest: &Digest, verb: &'static str, error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::NotFound { digest: *digest },
        error => bucket(verb)(error),
    }
}
