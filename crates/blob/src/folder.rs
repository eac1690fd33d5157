use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use bytes::Bytes;
use kontor_types::Digest;
use sha2::{Digest as _, Sha256};

use crate::draft::{Draft, make_folder, sync_folder};
use crate::error::{Error, Result, file};
use crate::listing::{Health, Leftover, Listed};

const TEMPORARY: &str = "tmp";
const LOCK: &str = "lock";
/// How much of a blob is read at a time when it is read again.
const PIECE: usize = 256 * 1024;
/// How many files a batch brings to the disk side by side; the file system commits them together.
const SYNC_THREADS: usize = 8;

/// Blobs in a folder of this machine, at `ab/cd/<64 digits>`.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    temporary: PathBuf,
    leftovers: Vec<Leftover>,
    /// The folders `ab/cd` whose own entry is known to be on the disk.
    durable: Mutex<HashSet<PathBuf>>,
    /// Held shared by each process that puts, so that nobody sweeps the temporary files of another.
    _lock: File,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).map_err(file("create", root))?;
        let temporary = root.join(TEMPORARY);
        make_folder(&temporary)?;
        let path = root.join(LOCK);
        let lock = File::options().create(true).append(true).open(&path).map_err(file("open", &path))?;
        let leftovers = match lock.try_lock() {
            Ok(()) => sweep(&temporary)?,
            Err(TryLockError::WouldBlock) => Vec::new(),
            Err(TryLockError::Error(error)) => return Err(file("lock", &path)(error)),
        };
        lock.lock_shared().map_err(file("lock", &path))?;
        for first in 0..=u8::MAX {
            make_folder(&root.join(format!("{first:02x}")))?;
        }
        sync_folder(root)?;
        if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        Ok(Self { root: root.to_path_buf(), temporary, leftovers, durable: Mutex::default(), _lock: lock })
    }

    pub(crate) fn leftovers(&self) -> &[Leftover] {
        &self.leftovers
    }

    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        let mut path = self.shard(digest);
        path.push(digest.hex());
        path
    }

    fn shard(&self, digest: &Digest) -> PathBuf {
        let [first, second, ..] = *digest.as_bytes();
        self.root.join(format!("{first:02x}")).join(format!("{second:02x}"))
    }

    pub(crate) fn draft(&self, limit: u64) -> Result<Draft> {
        Draft::create(&self.temporary, limit)
    }

    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        if self.renew(digest, bytes.len() as u64)? {
            return self.settle([self.shard(digest)].into());
        }
        let mut draft = self.draft(u64::MAX)?;
        draft.write_known(bytes)?;
        self.keep(draft, digest)
    }

    /// Makes a blob of a finished draft.
    pub(crate) fn keep(&self, draft: Draft, digest: &Digest) -> Result<()> {
        if !self.renew(digest, draft.size())? {
            draft.sync()?;
            self.enter(draft, digest)?;
        }
        self.settle([self.shard(digest)].into())
    }

    /// Puts several blobs; each step waits for the disk once for all of them.
    pub(crate) fn put_many(&self, blobs: &[(Digest, Bytes)]) -> Result<()> {
        let mut seen = HashSet::new();
        let mut drafts = Vec::new();
        for (digest, bytes) in blobs {
            if seen.insert(digest) && !self.renew(digest, bytes.len() as u64)? {
                let mut draft = self.draft(u64::MAX)?;
                draft.write_known(bytes)?;
                drafts.push((draft, digest));
            }
        }
        side_by_side(&drafts, |(draft, _)| draft.sync())?;
        for (draft, digest) in drafts {
            self.enter(draft, digest)?;
        }
        self.settle(seen.into_iter().map(|digest| self.shard(digest)).collect())
    }

    fn enter(&self, draft: Draft, digest: &Digest) -> Result<()> {
        make_folder(&self.shard(digest))?;
        draft.rename(&self.path(digest))
    }

    /// Brings the entries of these shards to the disk, and the shards' own entries once per process.
    ///
    /// Also after a put that found its blob: whoever renamed it may not have reached this step.
    fn settle(&self, shards: BTreeSet<PathBuf>) -> Result<()> {
        let durable = |durable: &HashSet<PathBuf>| -> BTreeSet<PathBuf> {
            let fresh = shards.iter().filter(|shard| !durable.contains(*shard));
            fresh.filter_map(|shard| shard.parent()).map(Path::to_path_buf).collect()
        };
        let parents = durable(&self.durable.lock().unwrap_or_else(PoisonError::into_inner));
        let folders: Vec<_> = shards.iter().cloned().chain(parents).collect();
        side_by_side(&folders, |folder| sync_folder(folder))?;
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).extend(shards);
        fail::fail_point!("blob::settled");
        Ok(())
    }

    /// Whether the blob is here with this size, and from now on counts as just put.
    ///
    /// One of another size is damaged and will be replaced. The lock orders this against [`Folder::delete_idle`]: either
    /// that sees the new time and leaves the blob, or this sees that the blob is gone.
    fn renew(&self, digest: &Digest, size: u64) -> Result<bool> {
        let path = self.path(digest);
        let Some(blob) = found(File::open(&path)).map_err(file("open", &path))? else { return Ok(false) };
        blob.lock_shared().map_err(file("lock", &path))?;
        let facts = blob.metadata().map_err(file("look at", &path))?;
        if facts.len() != size {
            tracing::warn!(blob.digest = %digest, blob.size = facts.len(), expected = size, "a damaged blob is replaced");
            return Ok(false);
        }
        blob.set_modified(SystemTime::now()).map_err(file("touch", &path))?;
        Ok(facts.nlink() > 0)
    }

    /// Removes a blob unless it was put at `moment` or later; says whether it did.
    pub(crate) fn delete_idle(&self, digest: &Digest, moment: SystemTime) -> Result<bool> {
        let path = self.path(digest);
        let Some(blob) = found(File::open(&path)).map_err(file("open", &path))? else { return Ok(false) };
        match blob.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(file("lock", &path)(error)),
        }
        let put = blob.metadata().and_then(|facts| facts.modified()).map_err(file("look at", &path))?;
        if put >= moment {
            return Ok(false);
        }
        fail::fail_point!("blob::idle");
        self.delete(digest)
    }

    pub(crate) fn last_put(&self, digest: &Digest) -> Result<Option<SystemTime>> {
        let path = self.path(digest);
        found(fs::metadata(&path).and_then(|facts| facts.modified())).map_err(file("look at", &path))
    }

    pub(crate) fn size(&self, digest: &Digest) -> Result<Option<u64>> {
        let path = self.path(digest);
        Ok(found(fs::metadata(&path)).map_err(file("look at", &path))?.map(|facts| facts.len()))
    }

    pub(crate) fn open_blob(&self, digest: &Digest) -> Result<(File, u64)> {
        let path = self.path(digest);
        let opened = File::open(&path).and_then(|blob| blob.metadata().map(|facts| (blob, facts.len())));
        opened.map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::NotFound { digest: *digest },
            _ => file("open", &path)(error),
        })
    }

    pub(crate) fn get(&self, digest: &Digest) -> Result<Bytes> {
        let (mut blob, size) = self.open_blob(digest)?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        blob.read_to_end(&mut bytes).map_err(file("read", &self.path(digest)))?;
        Ok(bytes.into())
    }

    pub(crate) fn get_range(&self, digest: &Digest, range: Range<u64>) -> Result<Bytes> {
        let (mut blob, size) = self.open_blob(digest)?;
        let length = length(digest, &range, size)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        blob.seek(SeekFrom::Start(range.start))
            .and_then(|_| blob.read_exact(&mut bytes))
            .map_err(file("read", &self.path(digest)))?;
        Ok(bytes.into())
    }

    pub(crate) fn check(&self, digest: &Digest) -> Result<Health> {
        let (mut blob, _) = match self.open_blob(digest) {
            Err(Error::NotFound { .. }) => return Ok(Health::Missing),
            opened => opened?,
        };
        let (actual, size) = rehash(&mut blob).map_err(file("read", &self.path(digest)))?;
        Ok(if actual == *digest { Health::Sound { size } } else { Health::Corrupt { actual, size } })
    }

    /// Removes a blob; says whether it was there. One that comes back after a loss of power is found by `list`.
    pub(crate) fn delete(&self, digest: &Digest) -> Result<bool> {
        let path = self.path(digest);
        Ok(found(fs::remove_file(&path)).map_err(file("remove", &path))?.is_some())
    }

    /// Tells `visit` of everything there is, by name; stops when it answers `false`.
    pub(crate) fn list(&self, visit: &mut dyn FnMut(Result<Listed>) -> bool) {
        let mut pending = vec![self.root.clone()];
        while let Some(folder) = pending.pop() {
            let mut entries = match entries(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    if visit(Err(error)) {
                        continue;
                    }
                    return;
                }
            };
            entries.retain(|(path, ..)| !self.is_own(path));
            let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, is_folder, _)| *is_folder);
            pending.extend(folders.into_iter().rev().map(|(path, ..)| path));
            if !files.iter().all(|(path, _, size)| visit(Ok(self.name(path, *size)))) {
                return;
            }
        }
    }

    fn is_own(&self, path: &Path) -> bool {
        *path == self.temporary || *path == self.root.join(LOCK)
    }

    fn name(&self, path: &Path, size: u64) -> Listed {
        let digest = path.file_name().and_then(|name| Digest::from_hex(name.to_str()?).ok());
        match digest.filter(|digest| self.path(digest) == path) {
            Some(digest) => Listed::Blob { digest, size },
            None => Listed::Stray { path: path.strip_prefix(&self.root).unwrap_or(path).to_path_buf(), size },
        }
    }
}

/// Nothing when there is no such file.
fn found<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many bytes a range has, when it lies inside the blob.
pub(crate) fn length(digest: &Digest, range: &Range<u64>, size: u64) -> Result<u64> {
    match range.end.checked_sub(range.start) {
        Some(length) if range.end <= size => Ok(length),
        _ => Err(Error::OutOfRange { digest: *digest, range: range.clone(), size }),
    }
}

fn rehash(blob: &mut File) -> io::Result<(Digest, u64)> {
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0_u64, vec![0; PIECE]);
    loop {
        match blob.read(&mut piece)? {
            0 => return Ok((Digest::from_bytes(hash.finalize().into()), size)),
            length => {
                size = size.saturating_add(length as u64);
                hash.update(piece.get(..length).unwrap_or_default());
            }
        }
    }
}

fn sweep(temporary: &Path) -> Result<Vec<Leftover>> {
    let mut leftovers = Vec::new();
    for (path, _, size) in entries(temporary)? {
        fs::remove_file(&path).map_err(file("remove", &path))?;
        let name = path.file_name().unwrap_or_default();
        leftovers.push(Leftover { path: Path::new(TEMPORARY).join(name), size });
    }
    if !leftovers.is_empty() {
        tracing::warn!(blob.leftovers = leftovers.len(), "temporary files of puts that never ended are removed");
    }
    Ok(leftovers)
}

/// Path, whether a folder, and size of each entry, in order.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, bool, u64)>> {
    let read = || -> io::Result<Vec<_>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.metadata() {
                Ok(facts) => entries.push((entry.path(), facts.is_dir(), facts.len())),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        entries.sort();
        Ok(entries)
    };
    read().map_err(file("list", folder))
}

/// Does the work on every item with a few threads, and returns the first error after all have ended.
fn side_by_side<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    if items.len() <= 2 {
        return items.iter().try_for_each(work);
    }
    let share = items.len().div_ceil(SYNC_THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> =
            items.chunks(share).map(|chunk| scope.spawn(|| chunk.iter().try_for_each(&work))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| Error::Interrupted)?)
    })
}
