//! Publishers' keys: who holds which and when, and what they sign.

use std::collections::HashMap;

use kontor_access::{Caller, audit};
use kontor_crypto::{Endorsement, History, KeyRecord, Purpose, SignedVersion, VerifyingKey};
use kontor_db::assessments::{self, Subject};
use kontor_db::publisher_keys::{self, PublisherKey};
use kontor_db::publishers::Publisher;
use kontor_db::scan_reports::{self, ScanReport};
use kontor_db::version_signatures::{self, VersionSignature};
use kontor_db::{Conn, Tx, publishers};
use kontor_jobs::{Claimed, Failure, NewJob};
use kontor_translog::{Entry, Log};
use kontor_types::{Digest, Handle, PublisherId, Role, Scope, SkillId, Timestamp, VersionId, Viewer};
use serde_json::{Value, json};

use crate::assess::{Cause, Examined};
use crate::registry::announce;
use crate::release::{Published, Release};
use crate::versions::checked;
use crate::{Error, Registry, statements};

/// The kind of job that judges again what a revoked key signed.
pub const JUDGE_SIGNED: &str = "key.rejudge";
/// Most keys of one publisher.
const MOST_KEYS: usize = 200;
/// Versions judged again in one step.
const PAGE: u32 = 48;
/// How far a holder's clock may be ahead.
const AHEAD: std::time::Duration = std::time::Duration::from_mins(10);

/// A key to be registered for a publisher.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its public half.
    pub key: VerifyingKey,
    /// When its holder says that it was made.
    pub created_at: Timestamp,
    /// The holder's signature that shows that they have the key.
    pub claim: String,
    /// The word of the key whose place it takes.
    pub endorsement: Option<Endorsement>,
}

/// A publisher's signature as it came, read but not yet believed.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    envelope: Vec<u8>,
    said: SignedVersion,
}

impl Given {
    /// Reads a signature and holds it against the bytes that came with it.
    pub fn read(envelope: Vec<u8>, digest: &Digest) -> Result<Self, Error> {
        let (said, _) = SignedVersion::read(&envelope).map_err(|error| refused(error.to_string()))?;
        if said.digest != *digest {
            return Err(refused(format!("it is about other bytes: {}, not {digest}", said.digest)));
        }
        Ok(Self { envelope, said })
    }

    /// The id of the key that signed what is about to be published, if it may sign for the publisher now.
    pub async fn check(&self, tx: &mut Tx, release: &Release, published: &Published) -> Result<String, Error> {
        let name = published.reference();
        if self.said.name != name {
            return Err(refused(format!("it names {}, not {name}", self.said.name)));
        }
        let (_, named) = SignedVersion::read(&self.envelope).map_err(|error| refused(error.to_string()))?;
        let found = publisher_keys::find(tx, release.publisher.id, &named.to_string()).await?;
        let handle = &release.publisher.handle;
        let row = found.ok_or_else(|| refused(format!("{named} is no key of @{handle}")))?;
        if row.revoked_at.is_some() {
            return Err(refused(format!("the key {named} was revoked")));
        }
        if row.retired_at.is_some() {
            return Err(refused(format!("another key has taken the place of {named}")));
        }
        let key: VerifyingKey = row.public_key.parse().map_err(|_| Error::Interrupted)?;
        SignedVersion::open(&self.envelope, &[key]).map_err(|error| refused(error.to_string()))?;
        Ok(row.key_id)
    }

    /// Keeps the signature of a new version, here and in the log, byte for byte.
    pub async fn keep(
        self,
        tx: &mut Tx,
        release: &Release,
        published: &Published,
        key_id: String,
    ) -> Result<(), Error> {
        let row = VersionSignature {
            version_id: published.version_id,
            publisher_id: release.publisher.id,
            key_id,
            envelope: self.envelope.clone(),
            taken_at: release.now,
        };
        version_signatures::insert(tx, &row).await?;
        let entry = Entry {
            kind: "signature".to_owned(),
            subject: Some(published.digest),
            version: Some(published.version_id),
            statement: self.envelope,
        };
        Log::enqueue(tx, entry, release.now).await?;
        Ok(())
    }
}

/// The keys that lead back to one by endorsements since `from`, each with the key that endorsed it.
fn heirs<'k>(keys: &'k [PublisherKey], first: &'k str, from: Timestamp) -> Vec<(&'k str, &'k str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let mut next = vec![first];
    while let Some(before) = next.pop() {
        let endorsed =
            keys.iter().filter(|key| key.registered_at >= from && key.endorsed_by.as_deref() == Some(before));
        for key in endorsed.map(|key| key.key_id.as_str()) {
            if key != first && !found.iter().any(|(known, _)| *known == key) {
                found.push((key, before));
                next.push(key);
            }
        }
    }
    found
}

fn refused(reason: impl Into<String>) -> Error {
    Error::SignatureRefused { reason: reason.into() }
}

impl Registry {
    /// Every key that a publisher ever had, the oldest first, for everybody who may know of the publisher.
    pub async fn publisher_keys(&self, viewer: &Viewer, handle: &Handle) -> Result<Vec<PublisherKey>, Error> {
        let mut conn = self.read().await?;
        let publisher = known(&mut conn, viewer, handle).await?;
        Ok(publisher_keys::of_publisher(&mut conn, publisher.id).await?)
    }

    /// Registers a key; the same key again changes nothing. A publisher's first key, and one that an active key vouches
    /// for, need a maintainer; any other needs scope `admin` too, so that a token for publishing cannot bring its own key.
    ///
    /// # Errors
    /// [`Error::SignatureRefused`] when claim or endorsement do not hold, [`Error::Conflict`] for a key that was revoked.
    pub async fn register_key(&self, caller: &Caller, handle: &Handle, new: NewKey) -> Result<PublisherKey, Error> {
        let publisher = self.publisher(caller, handle, Role::Maintainer).await?;
        let now = self.now();
        if new.key.purpose() != Purpose::Publisher {
            return Err(Error::invalid(format!("this key is for {}, not a publisher's", new.key.purpose())));
        }
        if new.created_at > now.after(AHEAD) {
            return Err(Error::invalid("the key was made in the future: set the clock of your machine"));
        }
        new.key
            .check_claim(handle, new.created_at, &new.claim)
            .map_err(|_| refused("nothing shows that you hold this key: the claim does not fit"))?;
        let (caller, notary) = (caller.clone(), self.log().clone());
        self.write(move |tx| {
            let (caller, notary) = (caller.clone(), notary.clone());
            let (publisher, new) = (publisher.clone(), new.clone());
            Box::pin(async move {
                let keys = publisher_keys::of_publisher(tx, publisher.id).await?;
                let id = new.key.id().to_string();
                if let Some(same) = keys.iter().find(|key| key.key_id == id) {
                    if same.revoked_at.is_some() {
                        return Err(Error::conflict("this key was revoked", "make another with `kontor key new`"));
                    }
                    return Ok(same.clone());
                }
                if keys.len() >= MOST_KEYS {
                    return Err(Error::conflict("the publisher has too many keys", "use those it has"));
                }
                let before = endorser(&keys, &new)?;
                if before.is_none() && !keys.is_empty() {
                    caller.require_role(publisher.id, Role::Maintainer, Scope::Admin)?;
                }
                let row = row(&publisher, &caller, &new, now);
                publisher_keys::insert(tx, &row).await?;
                if let Some(before) = before {
                    publisher_keys::retire(tx, publisher.id, &before, now).await?;
                }
                let said = statements::key(&publisher.handle, &row, now);
                tell(tx, &caller, "key.register", &publisher, &row, now).await?;
                notary.append(tx, said, now).await?;
                Ok(row)
            })
        })
        .await
    }

    /// Says from when on nothing that a key signed is to be believed; what it signed since then is judged again. Keys that it
    /// endorsed since then are revoked with it, and those that they endorsed: whoever stole a key may have made them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a key that is not the publisher's, [`Error::Conflict`] when a revocation of before begins
    /// no later.
    pub async fn revoke_key(
        &self,
        caller: &Caller,
        handle: &Handle,
        key: &str,
        from: Option<Timestamp>,
        reason: &str,
    ) -> Result<PublisherKey, Error> {
        let publisher = self.publisher(caller, handle, Role::Maintainer).await?;
        let (now, reason, key) = (self.now(), checked(reason)?, key.to_owned());
        let from = from.unwrap_or(now);
        if from > now {
            return Err(Error::invalid("a key is revoked from now on or from a moment that has passed"));
        }
        let (caller, notary) = (caller.clone(), self.log().clone());
        let revoked = self
            .write(move |tx| {
                let (caller, notary) = (caller.clone(), notary.clone());
                let (publisher, reason, key) = (publisher.clone(), reason.clone(), key.clone());
                Box::pin(async move {
                    let missing = || Error::NotFound { what: "key" };
                    let keys = publisher_keys::of_publisher(tx, publisher.id).await?;
                    if !keys.iter().any(|one| one.key_id == key) {
                        return Err(missing());
                    }
                    if !publisher_keys::revoke(tx, publisher.id, &key, (from, &reason), now).await? {
                        let hint = "name an earlier moment with `--from`";
                        return Err(Error::conflict("the key was revoked before, and from no later moment", hint));
                    }
                    let heirs = heirs(&keys, &key, from);
                    for (heir, before) in &heirs {
                        let reason = format!("{before}, which endorsed it, was revoked from before that");
                        publisher_keys::revoke(tx, publisher.id, heir, (from, &reason), now).await?;
                    }
                    let rows = publisher_keys::of_publisher(tx, publisher.id).await?;
                    let gone =
                        |row: &&PublisherKey| row.key_id == key || heirs.iter().any(|(heir, _)| *heir == row.key_id);
                    for row in rows.iter().filter(gone) {
                        tell(tx, &caller, "key.revoke", &publisher, row, now).await?;
                        notary.append(tx, statements::key_revoked(&publisher.handle, row, now), now).await?;
                        kontor_jobs::enqueue(tx, &judge_again(row, now), now).await?;
                    }
                    rows.into_iter().find(|row| row.key_id == key).ok_or_else(missing)
                })
            })
            .await?;
        self.jobs_queued().notify_waiters();
        Ok(revoked)
    }

    /// Judges again what a revoked key signed since then, and tells all nodes that those versions changed.
    pub async fn judge_signed(&self, job: Claimed) -> kontor_jobs::Outcome {
        let text = |name: &str| job.payload.get(name).and_then(Value::as_str);
        let publisher: Option<PublisherId> = text("publisher").and_then(|id| id.parse().ok());
        let (Some(publisher), Some(key)) = (publisher, text("key")) else {
            return Err(Failure::Permanent("the job names no key".to_owned()));
        };
        self.judge_key(publisher, key).await.map_err(|error| Failure::Retry(error.to_string()))
    }

    /// The work of [`Registry::judge_signed`] for one key.
    pub async fn judge_key(&self, publisher: PublisherId, key: &str) -> Result<(), Error> {
        let row = publisher_keys::find(&mut self.read().await?, publisher, key).await?;
        let Some(from) = row.and_then(|row| row.revoked_from) else { return Ok(()) };
        let policy = self.policy().await?;
        let mut after: Option<VersionId> = None;
        loop {
            let mut conn = self.read().await?;
            let page = version_signatures::by_key(&mut conn, (publisher, key), from, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.version_id);
            let ids: Vec<VersionId> = page.iter().map(|signed| signed.version_id).collect();
            let subjects = assessments::subjects(&mut conn, &ids).await?;
            drop(conn);
            // What is not decided yet is decided with the revocation in view.
            let decided = subjects.into_iter().filter(|one| one.state != crate::VersionState::Pending).collect();
            // A revocation needs no new scan.
            let known = self.reports_at_hand(decided).await?.into_iter();
            let known = known.map(|(subject, scan)| (subject, Examined { scan, likeness: None })).collect();
            self.decide_all(&policy, known, &Cause::key()).await?;
            let mut skills: Vec<SkillId> = page.iter().map(|signed| signed.skill_id).collect();
            skills.sort();
            skills.dedup();
            self.changed_signer(skills).await?;
        }
    }

    /// Each version with what is known of it: by the present rules or, where it was not scanned by them yet, by those before.
    pub(crate) async fn reports_at_hand(&self, subjects: Vec<Subject>) -> Result<Vec<(Subject, ScanReport)>, Error> {
        let digests: Vec<Digest> = subjects.iter().map(|subject| subject.digest).collect();
        let kept = scan_reports::newest(&mut self.read().await?, &digests).await?;
        let kept: HashMap<Digest, ScanReport> = kept.into_iter().map(|report| (report.digest, report)).collect();
        let known = |subject: Subject| {
            let report = kept.get(&subject.digest).cloned()?;
            Some((subject, report))
        };
        Ok(subjects.into_iter().filter_map(known).collect())
    }

    /// Tells whoever keeps these skills in memory that their versions' signers changed.
    async fn changed_signer(&self, skills: Vec<SkillId>) -> Result<(), Error> {
        let now = self.now();
        self.write(move |tx| {
            let skills = skills.clone();
            Box::pin(async move {
                for skill in skills {
                    announce(tx, skill, now).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn known(conn: &mut Conn, viewer: &Viewer, handle: &Handle) -> Result<Publisher, Error> {
    let found = publishers::find(conn, viewer, handle).await?;
    found.ok_or_else(|| Error::PublisherNotFound { handle: handle.clone() })
}

/// The active key that vouches for a new one, if the new one says that one does.
fn endorser(keys: &[PublisherKey], new: &NewKey) -> Result<Option<String>, Error> {
    let Some(endorsement) = &new.endorsement else { return Ok(None) };
    let by = endorsement.by.to_string();
    let before = keys.iter().find(|key| key.key_id == by && key.is_active());
    let before =
        before.ok_or_else(|| refused(format!("{by}, which vouches for it, is no active key of the publisher")))?;
    let record = |key: VerifyingKey, created_at, endorsement| KeyRecord {
        id: key.id(),
        purpose: key.purpose(),
        public_key: Some(key),
        created_at,
        retired_at: None,
        revoked: None,
        endorsement,
    };
    let key = before.public_key.parse().map_err(|_| Error::Interrupted)?;
    let keys = vec![record(key, before.created_at, None), record(new.key, new.created_at, Some(endorsement.clone()))];
    History { keys }.check().map_err(|error| refused(error.to_string()))?;
    Ok(Some(by))
}

fn row(publisher: &Publisher, caller: &Caller, new: &NewKey, now: Timestamp) -> PublisherKey {
    PublisherKey {
        publisher_id: publisher.id,
        key_id: new.key.id().to_string(),
        public_key: new.key.to_string(),
        created_at: new.created_at,
        registered_at: now,
        registered_by: caller.person_id(),
        endorsed_by: new.endorsement.as_ref().map(|word| word.by.to_string()),
        endorsement: new.endorsement.as_ref().map(|word| word.signature.clone()),
        retired_at: None,
        revoked_from: None,
        revoked_at: None,
        revoke_reason: None,
    }
}

async fn tell(
    tx: &mut Tx,
    caller: &Caller,
    action: &'static str,
    publisher: &Publisher,
    key: &PublisherKey,
    now: Timestamp,
) -> Result<(), Error> {
    let detail = json!({
        "key": key.key_id,
        "endorsed_by": key.endorsed_by,
        "from": key.revoked_from,
        "reason": key.revoke_reason,
    });
    let event = audit::Event::new(action, publisher.handle.as_str()).publisher(publisher.id).detail(detail);
    audit::record(tx, caller, event, now).await?;
    Ok(())
}

fn judge_again(key: &PublisherKey, now: Timestamp) -> NewJob {
    NewJob {
        kind: JUDGE_SIGNED.to_owned(),
        // Each revocation has a job of its own: one that is under way may have passed what this one adds.
        key: None,
        payload: json!({"publisher": key.publisher_id, "key": key.key_id}),
        run_at: now,
        max_attempts: 20,
    }
}
