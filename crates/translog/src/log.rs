use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kontor_crypto::NoteVerifier;
use kontor_db::log_entries::Origin;
use kontor_db::{Conn, Db, Tx, log_entries};
use kontor_types::{Clock, Digest, LogEntryId, Timestamp, VersionId};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::waiters::Waiters;
use crate::{
    Checkpoint, Entry, Error, LogProof, ProvenStatement, Publisher, Signer, Tiles, inclusion, leaf_hash,
    verify_inclusion,
};

/// How long a caller waits for this process' sequencer before it asks the database whether another's was faster.
const PATIENCE: Duration = Duration::from_millis(500);
/// Leaves that are read from the database at a time.
const PAGE: u64 = 8192;
/// The newest statements about one thing that are proven at once.
const MOST: u32 = 1000;

/// How the log is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder below which each history is published, in a folder with its number.
    pub tiles: PathBuf,
    /// How long a sequencer that went silent keeps others waiting.
    pub lease: Duration,
    /// The most entries that get their places in one round.
    pub batch: u32,
    /// How long the sequencer rests after a round, so that what comes in a rush goes in together.
    pub rest: Duration,
    /// What this process calls itself; after a crash it takes its own lease back at once.
    pub holder: String,
}

impl Options {
    /// Publishes below this folder, in the name of this process.
    pub fn new(tiles: impl Into<PathBuf>, holder: impl Into<String>) -> Self {
        Self {
            tiles: tiles.into(),
            lease: Duration::from_secs(15),
            batch: 2048,
            rest: Duration::ZERO,
            holder: holder.into(),
        }
    }
}

/// An entry and where it stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The entry.
    pub id: LogEntryId,
    /// Its place, from 0.
    pub place: u64,
}

/// The way into the log and to its proofs; cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) waiters: Waiters,
    pub(crate) wake: Notify,
}

impl Log {
    /// The log in this database.
    pub fn new(db: Db, clock: Arc<dyn Clock>, options: Options) -> Self {
        Self(Arc::new(Inner { db, clock, options, waiters: Waiters::default(), wake: Notify::new() }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Begins a history under this name, unless the newest one has it already; an older history grows no more.
    pub async fn begin(&self, origin: &str) -> Result<(), Error> {
        let (origin, now) = (origin.to_owned(), self.0.clock.now());
        let begun = self.0.db.write(move |tx| {
            Box::pin(async move {
                let newest = log_entries::newest(tx).await?;
                if newest.is_some_and(|newest| newest.origin == origin) {
                    return Ok::<_, Error>(());
                }
                log_entries::start(tx, &origin, now).await?;
                Ok(())
            })
        });
        begun.await
    }

    /// Who sequences the newest history at this moment, if anybody does.
    pub async fn sequenced_by(&self) -> Result<Option<String>, Error> {
        let mut conn = self.0.db.read().await?;
        let Some(newest) = log_entries::newest(&mut conn).await? else { return Ok(None) };
        Ok(log_entries::holder(&mut conn, newest.number, self.0.clock.now()).await?)
    }

    /// Whether the newest history still has all that this signer has signed of it, and the signer remembers that.
    pub async fn is_whole(&self, signer: &Signer) -> Result<bool, Error> {
        let mut conn = self.0.db.read().await?;
        let Some(newest) = log_entries::newest(&mut conn).await? else { return Ok(false) };
        let head = log_entries::newest_signed(&mut conn, newest.number).await?;
        Ok(head.map(|head| (head.size, head.root)) == signer.remembered()?)
    }

    /// The newest history; one begins under this name when there is none yet.
    pub async fn open(&self, origin: &str) -> Result<Origin, Error> {
        let mut conn = self.0.db.read().await?;
        let newest = log_entries::newest(&mut conn).await?;
        drop(conn);
        if let Some(newest) = newest {
            return Ok(newest);
        }
        let (origin, now) = (origin.to_owned(), self.0.clock.now());
        let opened = self.0.db.write(move |tx| {
            Box::pin(async move {
                match log_entries::newest(tx).await? {
                    // Another process was faster.
                    Some(newest) => Ok::<_, Error>(newest),
                    None => Ok(log_entries::start(tx, &origin, now).await?),
                }
            })
        });
        opened.await
    }

    /// Every history there ever was, oldest first.
    pub async fn histories(&self) -> Result<Vec<Origin>, Error> {
        let mut conn = self.0.db.read().await?;
        Ok(log_entries::histories(&mut conn).await?)
    }

    /// Hands a statement in within the caller's transaction; the sequencer gives it a place after the commit. Call
    /// [`Log::wake`] then.
    pub async fn enqueue(tx: &mut Tx, entry: Entry, now: Timestamp) -> Result<LogEntryId, kontor_db::Error> {
        let row = entry.into_row(now);
        log_entries::insert(tx, &row).await?;
        Ok(row.id)
    }

    /// Tells the sequencer of this process that something waits.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// Hands a statement in and waits until it is in the published log: on the disk, signed and provable.
    pub async fn append(&self, entry: Entry) -> Result<Placed, Error> {
        let row = entry.into_row(self.0.clock.now());
        let id = row.id;
        let placed = self.0.waiters.add(id);
        let handed_in = self.0.db.write(move |tx| Box::pin(async move { log_entries::insert(tx, &row).await }));
        if let Err(error) = handed_in.await {
            self.0.waiters.remove(id);
            return Err(error.into());
        }
        self.wake();
        let place = self.placed(id, placed).await;
        self.0.waiters.remove(id);
        Ok(Placed { id, place: place? })
    }

    async fn placed(&self, id: LogEntryId, mut told: tokio::sync::oneshot::Receiver<u64>) -> Result<u64, Error> {
        loop {
            if let Ok(Ok(place)) = timeout(PATIENCE, &mut told).await {
                return Ok(place);
            }
            // Another process may sequence.
            let mut conn = self.0.db.read().await?;
            let entry = log_entries::find(&mut conn, id).await?;
            if let Some((log, place)) = entry.and_then(|entry| entry.log.zip(entry.place)) {
                let signed = log_entries::newest_signed(&mut conn, log).await?;
                if signed.is_some_and(|head| head.size > place) {
                    return Ok(place);
                }
            }
        }
    }

    /// Where the history with this number is published.
    pub fn tiles(&self, number: i64) -> Tiles {
        Tiles::new(self.0.options.tiles.join(number.to_string()))
    }

    /// Publishes the newest signed checkpoint of a history in this process' folder, whoever signed it; how many entries
    /// are published then.
    pub async fn follow(&self, log: i64, publisher: Publisher) -> Result<(Publisher, u64), Error> {
        let mut conn = self.0.db.read().await?;
        let head = log_entries::newest_signed(&mut conn, log).await?;
        let Some((head, note)) = head.and_then(|mut head| head.note.take().map(|note| (head, note))) else {
            return Ok((publisher, 0));
        };
        let (mut publisher, first) = blocking(move || {
            let mut publisher = publisher;
            let first = publisher.published()?;
            Ok((publisher, first))
        })
        .await?;
        let leaves = self.leaves(&mut conn, log, first, head.size).await?;
        blocking(move || {
            publisher.publish(&note, &leaves)?;
            Ok((publisher, head.size))
        })
        .await
    }

    /// What the log shows from `first` to `end`.
    pub(crate) async fn leaves(&self, conn: &mut Conn, log: i64, first: u64, end: u64) -> Result<Vec<Digest>, Error> {
        let mut leaves = Vec::new();
        let mut next = first;
        while next < end {
            let page = log_entries::leaves(conn, log, next, PAGE.min(end - next)).await?;
            if page.is_empty() {
                return Err(Error::refuted(format!("entry {next} of {end} is not in the database")));
            }
            next = next.saturating_add(page.len() as u64);
            leaves.extend(page);
        }
        Ok(leaves)
    }

    /// The statement of an entry with its proof against the published checkpoint, which one of these keys signed.
    pub async fn prove(&self, id: LogEntryId, known: &[NoteVerifier]) -> Result<ProvenStatement, Error> {
        let mut conn = self.0.db.read().await?;
        let entry = log_entries::find(&mut conn, id).await?.ok_or(Error::NoEntry { id })?;
        drop(conn);
        self.prove_entry(entry, known).await
    }

    /// The statements about a digest that are in the published log, oldest first, with their proofs; those of every version
    /// that has the bytes, whoever may see it.
    pub async fn prove_about(&self, subject: &Digest, known: &[NoteVerifier]) -> Result<Vec<ProvenStatement>, Error> {
        Ok(self.prove_subject(subject, known).await?.0)
    }

    /// The same, and how many more are on their way into the log.
    pub(crate) async fn prove_subject(
        &self,
        subject: &Digest,
        known: &[NoteVerifier],
    ) -> Result<(Vec<ProvenStatement>, usize), Error> {
        let mut conn = self.0.db.read().await?;
        let entries = log_entries::about(&mut conn, subject, MOST).await?;
        drop(conn);
        self.prove_all(entries, known).await
    }

    /// The statements about one version, likewise; and how many more are on their way into the log.
    pub async fn prove_version(
        &self,
        subject: &Digest,
        version: VersionId,
        known: &[NoteVerifier],
    ) -> Result<(Vec<ProvenStatement>, usize), Error> {
        let mut conn = self.0.db.read().await?;
        let entries = log_entries::about_version(&mut conn, subject, version, MOST).await?;
        drop(conn);
        self.prove_all(entries, known).await
    }

    async fn prove_all(
        &self,
        entries: Vec<log_entries::Entry>,
        known: &[NoteVerifier],
    ) -> Result<(Vec<ProvenStatement>, usize), Error> {
        let (mut proven, mut waiting) = (Vec::new(), 0);
        for entry in entries {
            match self.prove_entry(entry, known).await {
                Err(Error::NoEntry { .. }) => waiting += 1,
                outcome => proven.push(outcome?),
            }
        }
        Ok((proven, waiting))
    }

    async fn prove_entry(&self, entry: log_entries::Entry, known: &[NoteVerifier]) -> Result<ProvenStatement, Error> {
        let id = entry.id;
        let (log, place) = entry.log.zip(entry.place).ok_or(Error::NoEntry { id })?;
        let (tiles, known) = (self.tiles(log), known.to_vec());
        let statement = String::from_utf8(entry.statement)
            .map_err(|_| Error::malformed("statement", "it is no UTF-8, so no proof file can carry it"))?;
        let proof = blocking(move || prove(&tiles, &known, id, place, entry.leaf)).await?;
        Ok(ProvenStatement { statement, salt: entry.salt, proof })
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Log").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// Proves a leaf from the published tiles, and checks the proof before it is handed out.
fn prove(tiles: &Tiles, known: &[NoteVerifier], id: LogEntryId, place: u64, leaf: Digest) -> Result<LogProof, Error> {
    let note = match tiles.checkpoint() {
        Err(Error::Absent { .. }) => return Err(Error::NoEntry { id }),
        note => note?,
    };
    let Checkpoint { size, root, .. } = Checkpoint::open(&note, known)?;
    if place >= size {
        return Err(Error::NoEntry { id });
    }
    let path = inclusion(&mut tiles.nodes(size), place, size)?;
    verify_inclusion(leaf_hash(leaf.as_bytes()), place, size, &path, &root)?;
    let checkpoint = String::from_utf8(note).map_err(|_| Error::malformed("checkpoint", "it is no UTF-8"))?;
    Ok(LogProof { index: place, path, checkpoint })
}

/// Runs work on files beside the runtime's own threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|_| Error::Interrupted)?
}
