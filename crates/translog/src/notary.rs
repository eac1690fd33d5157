use std::sync::Arc;
use std::time::Duration;

use kontor_crypto::{History, NoteVerifier, Purpose, SigningKey, Statement, Subject, VerifyingKey};
use kontor_db::Tx;
use kontor_db::log_entries::Origin;
use kontor_types::{Digest, LogEntryId, Timestamp, VersionId};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{Entry, Error, Log, ProofFile, ProvenStatement};

/// How long whoever asks for a proof waits for entries that are on their way into the log.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it looks again.
const GLANCE: Duration = Duration::from_millis(25);

/// Says things in signed statements and hands them to the log; cheap to clone.
#[derive(Clone)]
pub struct Notary(Arc<Parts>);

struct Parts {
    log: Log,
    key: SigningKey,
    keys: History,
    hub: String,
}

/// Something that a hub says about bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Which kind of thing it is: `publish`, `yank`, `decision` …
    pub kind: String,
    /// The kind as a URI, for whoever reads the statement.
    pub predicate_type: String,
    /// What is said.
    pub predicate: Value,
    /// What people call the bytes.
    pub name: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The version that has them; who may see it may see the statement.
    pub version: Option<VersionId>,
}

impl Said {
    /// Something about a version; the URI of its kind is `urn:kontor:statement:KIND:v1`.
    pub fn of_version(
        kind: &str,
        name: impl Into<String>,
        digest: Digest,
        version: VersionId,
        predicate: Value,
    ) -> Self {
        let version = Some(version);
        Self { version, ..Self::of_bytes(kind, name, digest, predicate) }
    }

    /// Something about bytes that are no version, such as the text of a policy.
    pub fn of_bytes(kind: &str, name: impl Into<String>, digest: Digest, predicate: Value) -> Self {
        let predicate_type = format!("urn:kontor:statement:{kind}:v1");
        Self { kind: kind.to_owned(), predicate_type, predicate, name: name.into(), digest, version: None }
    }

    /// Marks it as said later than it happened, from the hub's own records.
    #[must_use]
    pub fn backfilled(mut self, now: Timestamp) -> Self {
        if let Some(entries) = self.predicate.as_object_mut() {
            entries.insert("backfilled".to_owned(), Value::String(now.to_string()));
        }
        self
    }

    /// Says it in a form that others have named.
    #[must_use]
    pub fn as_type(self, predicate_type: &str) -> Self {
        Self { predicate_type: predicate_type.to_owned(), ..self }
    }
}

impl Notary {
    /// Signs with this key of the hub that goes by the name of its log. `keys` are all keys of the hub there ever were.
    pub fn new(log: Log, key: SigningKey, keys: History, hub: impl Into<String>) -> Self {
        Self(Arc::new(Parts { log, key, keys, hub: hub.into() }))
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// What the hub calls itself: the name of its log.
    pub fn hub(&self) -> &str {
        &self.0.hub
    }

    /// All keys of the hub there ever were; to be published.
    pub fn keys(&self) -> &History {
        &self.0.keys
    }

    /// Signs a statement and hands it in within the caller's transaction, so that both are committed or neither is. Call
    /// [`Log::wake`] after the commit.
    pub async fn append(&self, tx: &mut Tx, said: Said, now: Timestamp) -> Result<LogEntryId, kontor_db::Error> {
        let Said { kind, predicate_type, predicate, name, digest, version } = said;
        let statement = Statement::new(vec![Subject::new(name, &digest)], predicate_type, predicate);
        let statement = statement.sign(&[&self.0.key]).to_json();
        Log::enqueue(tx, Entry { kind, subject: Some(digest), version, statement }, now).await
    }

    /// The same for a statement that is found by another digest than that of the bytes that it is about: not among what is
    /// said of the bytes or a version of them, but only by who knows what to ask for.
    pub async fn append_apart(
        &self,
        tx: &mut Tx,
        said: Said,
        found_by: Digest,
        now: Timestamp,
    ) -> Result<LogEntryId, kontor_db::Error> {
        let statement =
            Statement::new(vec![Subject::new(said.name, &said.digest)], said.predicate_type, said.predicate);
        let statement = statement.sign(&[&self.0.key]).to_json();
        Log::enqueue(tx, Entry { kind: said.kind, subject: Some(found_by), version: None, statement }, now).await
    }

    /// The keys that signed or sign histories of the log, and were not revoked.
    pub fn log_keys(&self, histories: &[Origin]) -> Vec<NoteVerifier> {
        let keys = self.0.keys.trusted(Purpose::Log);
        let pairs = histories.iter().flat_map(|history| keys.iter().map(move |key| (history, key)));
        pairs.filter_map(|(history, key)| NoteVerifier::new(&history.origin, *key).ok()).collect()
    }

    /// The keys that sign statements, and were not revoked.
    pub fn statement_keys(&self) -> Vec<VerifyingKey> {
        self.0.keys.trusted(Purpose::Attestation)
    }

    /// Everything the log says of a version, with proofs; waits a little for what is on its way into the log.
    ///
    /// # Errors
    /// [`Error::Silent`] when the log says nothing of it, [`Error::Waiting`] when nothing of it is published yet.
    pub async fn proof(&self, digest: &Digest, version: VersionId) -> Result<ProofFile, Error> {
        let log = &self.0.log;
        let known = self.log_keys(&log.histories().await?);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (statements, waiting) = log.prove_version(digest, version, &known).await?;
            if waiting == 0 || Instant::now() >= deadline {
                return match (statements.is_empty(), waiting) {
                    (true, 0) => Err(Error::Silent),
                    (true, _) => Err(Error::Waiting),
                    (false, _) => Ok(ProofFile::new(Some(*digest), known, self.statement_keys(), statements)),
                };
            }
            log.wake();
            sleep(GLANCE).await;
        }
    }
}

impl Notary {
    /// Everything the log says about a digest, such as a publisher's key, with proofs; waits a little likewise.
    ///
    /// # Errors
    /// [`Error::Waiting`] when something of it is not published yet.
    pub async fn about(&self, digest: &Digest) -> Result<Vec<ProvenStatement>, Error> {
        let log = &self.0.log;
        let known = self.log_keys(&log.histories().await?);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (statements, waiting) = log.prove_subject(digest, &known).await?;
            if waiting == 0 {
                return Ok(statements);
            }
            if Instant::now() >= deadline {
                return Err(Error::Waiting);
            }
            log.wake();
            sleep(GLANCE).await;
        }
    }
}

impl std::fmt::Debug for Notary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Notary").field("hub", &self.0.hub).finish_non_exhaustive()
    }
}
