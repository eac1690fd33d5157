use std::sync::Arc;

use futures::future::BoxFuture;
use kontor_access::Caller;
use kontor_blob::Blobs;
use kontor_db::changes::{self, ChangeKind};
use kontor_db::publishers::{self, Publisher};
use kontor_db::skills::Skill;
use kontor_db::{Conn, Db, Tx};
use kontor_outbound::Outbound;
use kontor_package::Limits;
use kontor_search::Index;
use kontor_translog::Notary;
use kontor_types::{Clock, Handle, PublisherId, Role, Scope, SkillId, SkillRef, Timestamp};
use tokio::sync::Notify;

use crate::Error;
use crate::assess::Trust;
use crate::cache::PublicCache;
use crate::feed::{BATCH, Total};
use crate::home::Home;
use crate::unanswered::Asked;
use crate::usage::Tally;

/// How often a unit of writing is tried when another one was faster.
const ATTEMPTS: usize = 8;

/// What a registry is made of.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The bytes of skills.
    pub blobs: Blobs,
    /// The search index.
    pub index: Arc<Index>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The client for addresses that somebody else chose.
    pub outbound: Outbound,
    /// Who says in the log what was done.
    pub notary: Notary,
    /// How much one skill may hold.
    pub limits: Limits,
}

/// Skills: publishing, importing, finding, resolving and everything done to them. Cloning is cheap.
#[derive(Clone)]
pub struct Registry {
    pub(crate) parts: Arc<Parts>,
    /// Rung after every commit that the search index should follow.
    pub(crate) changed: Arc<Notify>,
    /// Downloads and installs that were not yet written.
    pub(crate) tally: Arc<Tally>,
    /// What everybody may see, in memory.
    pub(crate) cache: Arc<PublicCache>,
    /// Searches that found nothing and were not yet written.
    pub(crate) asked: Arc<Asked>,
    /// What was counted for the home.
    pub(crate) home: Arc<Home>,
    /// How many skills an index gets that is made from the beginning.
    pub(crate) total: Arc<Total>,
    /// How much one commit of the index takes in.
    pub(crate) batch: u32,
    /// How versions are scanned and decided.
    pub(crate) trust: Arc<Trust>,
}

/// A unit of writing.
pub(crate) type Unit<'t, T> = BoxFuture<'t, Result<T, Error>>;

impl Registry {
    /// A registry over these parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            changed: Arc::default(),
            tally: Arc::default(),
            cache: Arc::new(PublicCache::new()),
            asked: Arc::default(),
            home: Arc::default(),
            total: Arc::default(),
            batch: BATCH,
            trust: Arc::default(),
        }
    }

    /// Lets one commit of the search index take in so many changes or skills; more need less time, and more memory.
    #[must_use]
    pub fn indexing_by(mut self, batch: std::num::NonZeroU32) -> Self {
        self.batch = batch.get();
        self
    }

    /// How much one skill may hold.
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// Where decisions about versions are signed and logged.
    pub fn log(&self) -> &Notary {
        &self.parts.notary
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) async fn read(&self) -> Result<Conn, Error> {
        Ok(self.parts.db.read().await?)
    }

    /// Runs a unit of writing, again when another one was faster; then wakes whoever follows the changes.
    pub(crate) async fn write<T, F>(&self, unit: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> Unit<'t, T> + Send + Sync + 'static,
    {
        let unit = Arc::new(unit);
        let mut attempt = 1;
        loop {
            let this = Arc::clone(&unit);
            let outcome = self.parts.db.write(move |tx| this(tx)).await;
            match outcome {
                Err(error) if error.is_race() && attempt < ATTEMPTS => attempt += 1,
                Ok(value) => {
                    self.cache.committed();
                    self.changed.notify_waiters();
                    self.log().log().wake();
                    return Ok(value);
                }
                failed => return failed,
            }
        }
    }

    /// The publisher of this name, which the caller may know of and in which they have at least `role`.
    pub(crate) async fn publisher(&self, caller: &Caller, handle: &Handle, role: Role) -> Result<Publisher, Error> {
        let mut conn = self.read().await?;
        let found = publishers::find(&mut conn, caller.viewer(), handle).await?;
        let publisher = found.ok_or_else(|| Error::PublisherNotFound { handle: handle.clone() })?;
        caller.require_role(publisher.id, role, Scope::Publish)?;
        Ok(publisher)
    }

    /// The skill of this name, which the caller may see and in whose publisher they have at least `role`.
    pub(crate) async fn own_skill(&self, caller: &Caller, reference: &SkillRef, role: Role) -> Result<Skill, Error> {
        let skill = self.skill(caller.viewer(), reference).await?;
        caller.require_role(skill.publisher_id, role, Scope::Publish)?;
        Ok(skill)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// The skill's full name without a version.
pub(crate) fn name_of(skill: &Skill) -> SkillRef {
    SkillRef::new(skill.publisher.clone(), skill.slug.clone())
}

/// Tells the feed that a skill changed; the last step of a unit.
pub(crate) async fn announce(tx: &mut Tx, skill: SkillId, now: Timestamp) -> Result<(), Error> {
    changes::record(tx, ChangeKind::Skill, skill.uuid(), now).await?;
    Ok(())
}

/// What an audit event is about.
pub(crate) fn event(
    action: &'static str,
    publisher: PublisherId,
    subject: &SkillRef,
    detail: serde_json::Value,
) -> kontor_access::audit::Event {
    kontor_access::audit::Event::new(action, subject.to_string()).publisher(publisher).detail(detail)
}
