use std::sync::Arc;
use std::time::Duration;

use kontor_crypto::NoteVerifier;
use kontor_db::log_entries::{self, Head, Origin};
use kontor_types::{Digest, LogEntryId, Timestamp};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::log::blocking;
use crate::{Error, Frontier, Log, Publisher, Signer, leaf_hash};

/// How often an idle sequencer looks for entries that other processes handed in.
const POLL: Duration = Duration::from_millis(500);

/// Gives entries their places, signs the tree and publishes it; one at a time, whatever processes there are.
///
/// A round has four steps, each on the disk before the next begins: places and head are committed under the lease; the
/// signer remembers the head and signs it; the checkpoint is committed; tiles and checkpoint are published. A crash between
/// two steps is mended by the next round, which finishes what it finds before it begins anew.
pub struct Sequencer {
    log: Log,
    origin: Origin,
    signer: Arc<Signer>,
    publisher: Option<Publisher>,
    known: Vec<NoteVerifier>,
    lease: Option<i64>,
}

/// What one round brought into the published log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// How many entries the log has now.
    pub size: u64,
    /// How many of them are new; none when the round only finished an earlier one.
    pub added: u64,
}

/// A head that was just committed, and the entries that it adds.
struct Batch {
    head: Head,
    first: u64,
    entries: Vec<LogEntryId>,
    leaves: Vec<Digest>,
}

impl Sequencer {
    /// The sequencer of the newest history, which must have the signer's name. `earlier` are keys that signed it before a
    /// rotation.
    ///
    /// # Errors
    /// [`Error::Empty`] when no history has begun, [`Error::Forgotten`], [`Error::Regression`] or [`Error::Fork`] when the
    /// signer's memory and the database do not agree.
    pub async fn new(log: Log, signer: Signer, earlier: Vec<NoteVerifier>) -> Result<Self, Error> {
        let mut conn = log.inner().db.read().await?;
        let origin = log_entries::newest(&mut conn).await?.ok_or(Error::Empty)?;
        if origin.origin != signer.origin() {
            let reason = format!("the log is called `{}`, its signer `{}`", origin.origin, signer.origin());
            return Err(Error::Refuted { reason });
        }
        let newest = log_entries::newest_signed(&mut conn, origin.number).await?;
        signer.check_memory(newest.is_some())?;
        let found = log_entries::newest_head(&mut conn, origin.number).await?.map_or(0, |head| head.size);
        if let Some(size) = signer.signed()?.filter(|size| *size > found) {
            return Err(Error::Regression { origin: origin.origin, signed: size, found });
        }
        let mut known = vec![signer.verifier().clone()];
        known.extend(earlier);
        let publisher = Some(Publisher::new(log.tiles(origin.number), known.clone()));
        Ok(Self { log, origin, signer: Arc::new(signer), publisher, known, lease: None })
    }

    /// The keys whose checkpoints of this log are believed.
    pub fn known(&self) -> &[NoteVerifier] {
        &self.known
    }

    /// Sequences until it is told to stop, or until the log may not be signed any more.
    ///
    /// # Errors
    /// What trying again would not mend; see [`Error::is_passing`].
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        while !*stop.borrow() {
            let outcome = match self.round().await {
                Ok(Some(_)) => {
                    tokio::select! {
                        () = sleep(self.log.inner().options.rest) => continue,
                        changed = stop.changed() => if changed.is_err() { break } else { continue },
                    }
                }
                Ok(None) => Ok(()),
                // Whoever sequences, this process' folder follows.
                Err(Error::Fenced) => self.publish().await.map(drop),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => {}
                Err(error) if error.is_passing() => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a round of the log failed; it is tried again"
                    );
                }
                Err(error) => {
                    self.release().await;
                    return Err(error);
                }
            }
            tokio::select! {
                () = self.log.inner().wake.notified() => {}
                () = sleep(POLL) => {}
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        self.release().await;
        Ok(())
    }

    /// One round; nothing when no entry waits and all that is signed is published.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another process has the lease.
    pub async fn round(&mut self) -> Result<Option<Round>, Error> {
        let outcome = self.try_round().await;
        if matches!(outcome, Err(Error::Fenced)) {
            self.lease = None;
        }
        outcome
    }

    async fn try_round(&mut self) -> Result<Option<Round>, Error> {
        if !self.has_work().await? {
            self.publish().await?;
            return Ok(None);
        }
        let token = self.hold().await?;
        let batch = match self.unsigned().await? {
            Some(head) => Some(Batch { first: head.size, head, entries: Vec::new(), leaves: Vec::new() }),
            None => self.place(token).await?,
        };
        let Some(batch) = batch else { return Ok(None) };
        fail::fail_point!("translog::placed");
        self.sign(&batch, token).await?;
        fail::fail_point!("translog::signed");
        self.publish().await?;
        self.log.inner().waiters.tell(batch.first, &batch.entries);
        Ok(Some(Round { size: batch.head.size, added: batch.entries.len() as u64 }))
    }

    /// Whether anything waits for a place or a signature; asked without the lease, so that an idle log writes nothing.
    async fn has_work(&self) -> Result<bool, Error> {
        let mut conn = self.log.inner().db.read().await?;
        let waits = !log_entries::waiting(&mut conn, 1).await?.is_empty();
        drop(conn);
        Ok(waits || self.unsigned().await?.is_some())
    }

    /// Takes the lease. One that ran out while nothing happened still counts as long as nobody else has taken it.
    async fn hold(&mut self) -> Result<i64, Error> {
        if let Some(token) = self.lease {
            return Ok(token);
        }
        let (log, holder) = (self.origin.number, self.log.inner().options.holder.clone());
        let (now, until) = self.lease_times();
        let acquired = self
            .log
            .inner()
            .db
            .write(move |tx| Box::pin(async move { log_entries::acquire(tx, log, &holder, now, until).await }));
        let token = acquired.await?.ok_or(Error::Fenced)?;
        tracing::info!(log.origin = self.origin.origin, log.token = token, "this process sequences the log");
        self.lease = Some(token);
        // Whoever sequenced before may have signed more than this process has published.
        self.publish().await?;
        Ok(token)
    }

    fn lease_times(&self) -> (Timestamp, Timestamp) {
        let now = self.log.inner().clock.now();
        (now, now.after(self.log.inner().options.lease))
    }

    async fn unsigned(&self) -> Result<Option<Head>, Error> {
        let mut conn = self.log.inner().db.read().await?;
        let head = log_entries::newest_head(&mut conn, self.origin.number).await?;
        Ok(head.filter(|head| head.note.is_none()))
    }

    /// Gives the entries that wait their places, and commits the head that results.
    async fn place(&self, token: i64) -> Result<Option<Batch>, Error> {
        let (log, limit) = (self.origin.number, self.log.inner().options.batch);
        let (now, until) = self.lease_times();
        let placed = self.log.inner().db.write(move |tx| {
            Box::pin(async move {
                if !log_entries::hold(tx, log, token, until).await? {
                    return Err(Error::Fenced);
                }
                let waiting = log_entries::waiting(tx, limit).await?;
                if waiting.is_empty() {
                    return Ok(None);
                }
                let before = log_entries::newest_head(tx, log).await?;
                let mut edge = match &before {
                    Some(head) if head.note.is_none() => return Err(Error::Fenced),
                    Some(head) => Frontier::from_bytes(head.size, &head.peaks)?,
                    None => Frontier::default(),
                };
                let first = edge.size();
                let (entries, leaves): (Vec<_>, Vec<_>) = waiting.iter().map(|entry| (entry.id, entry.leaf)).unzip();
                for leaf in &leaves {
                    edge.push(leaf_hash(leaf.as_bytes()));
                }
                if log_entries::place(tx, log, first, &entries).await? != entries.len() as u64 {
                    return Err(Error::Fenced);
                }
                let (size, root, peaks) = (edge.size(), edge.root(), edge.to_bytes());
                let head = Head { log, size, root, peaks, note: None };
                log_entries::add_head(tx, &head, token, now).await?;
                fail::fail_point!("translog::placing");
                Ok(Some(Batch { head, first, entries, leaves }))
            })
        });
        placed.await
    }

    /// Has the head signed by a signer that looks at every leaf since its last signature, and commits the checkpoint.
    async fn sign(&self, batch: &Batch, token: i64) -> Result<(), Error> {
        let signer = Arc::clone(&self.signer);
        let known = blocking(move || signer.signed()).await?.unwrap_or(0);
        let Head { log, size, root, .. } = batch.head;
        let leaves = if known == batch.first {
            batch.leaves.clone()
        } else {
            let mut conn = self.log.inner().db.read().await?;
            self.log.leaves(&mut conn, log, known, size).await?
        };
        let signer = Arc::clone(&self.signer);
        let note = blocking(move || {
            let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect();
            signer.sign(&hashes, size, root)
        });
        let note = note.await?;
        let (_, until) = self.lease_times();
        let committed = self.log.inner().db.write(move |tx| {
            Box::pin(async move {
                let held = log_entries::hold(tx, log, token, until).await?;
                if held && log_entries::sign_head(tx, log, size, &note).await? { Ok(()) } else { Err(Error::Fenced) }
            })
        });
        committed.await
    }

    /// Publishes the newest signed checkpoint.
    async fn publish(&mut self) -> Result<u64, Error> {
        let new = || Publisher::new(self.log.tiles(self.origin.number), self.known.clone());
        let publisher = self.publisher.take().unwrap_or_else(new);
        let (publisher, size) = self.log.follow(self.origin.number, publisher).await?;
        self.publisher = Some(publisher);
        Ok(size)
    }

    async fn release(&mut self) {
        let Some(token) = self.lease.take() else { return };
        let log = self.origin.number;
        let released =
            self.log.inner().db.write(move |tx| Box::pin(async move { log_entries::release(tx, log, token).await }));
        if let Err(error) = released.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the log's lease was not given back; it ends by itself"
            );
        }
    }
}

impl std::fmt::Debug for Sequencer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sequencer").field("origin", &self.origin).finish_non_exhaustive()
    }
}
