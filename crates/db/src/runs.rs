//! Runs on the hub: rows of what was asked for, how far it has come, what it said and what it left.
//!
//! A worker's writes carry the number of its attempt: once another worker has taken the run, they change nothing.

mod events;
mod files;
mod progress;

use kontor_types::{
    Digest, Handle, JobId, PageSize, PersonId, PublisherId, Role, RunId, SkillId, SkillRef, Timestamp, VersionId,
    Viewer,
};
use serde_json::Value;

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

pub use events::{EventKind, RunEvent, events, record};
pub use files::{FileWay, RunFile, add_file, file, files, forget};
pub use progress::{Executed, begin, cancel, end, executed, executing, is_held, orphans, prepared};

words! {
    /// How far a run has come.
    pub enum RunState("state of a run") {
        /// Accepted; no worker has it yet.
        Queued = "queued",
        /// A worker brings what it needs.
        Preparing = "preparing",
        /// Its program runs.
        Running = "running",
        /// Its program ended well.
        Finished = "finished",
        /// Its program failed, or could not be started.
        Failed = "failed",
        /// Somebody did not want it any longer.
        Cancelled = "cancelled",
        /// Workers died over it more often than it is tried, or its place in the queue is gone.
        Lost = "lost",
    }
}

impl RunState {
    /// Whether nothing more happens to it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled | Self::Lost)
    }
}

words! {
    /// The last step of a run that is written down, and is never done again.
    pub enum RunStep("step of a run") {
        /// It was accepted.
        Accepted = "accepted",
        /// Its packages are locked and were brought.
        Prepared = "prepared",
        /// Its program ended, and what came of it is kept.
        Executed = "executed",
        /// How it ended is told.
        Recorded = "recorded",
    }
}

/// A run to be accepted.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// In whose name it runs.
    pub publisher_id: PublisherId,
    /// Who asked for it.
    pub person_id: PersonId,
    /// The skill's full name with its version.
    pub skill: String,
    /// The skill.
    pub skill_id: SkillId,
    /// The version.
    pub version_id: VersionId,
    /// The digest of its content.
    pub digest: Digest,
    /// The tool or script.
    pub entry: String,
    /// Everything else that a worker needs to know.
    pub asked: Value,
    /// Its place in the queue.
    pub job_id: JobId,
    /// The run that it does again.
    pub retry_of: Option<RunId>,
    /// When.
    pub now: Timestamp,
}

record! {
    /// One run.
    pub struct Run {
        /// Its id.
        pub id: RunId,
        /// In whose name it runs.
        pub publisher_id: PublisherId,
        /// That publisher's handle.
        pub publisher: Handle,
        /// Who asked for it.
        pub person_id: PersonId,
        /// That person's handle.
        pub person: Handle,
        /// The skill's full name with its version.
        pub skill: String,
        /// The skill.
        pub skill_id: SkillId,
        /// The version.
        pub version_id: VersionId,
        /// The digest of its content.
        pub digest: Digest,
        /// The tool or script.
        pub entry: String,
        /// Everything else that a worker needs to know.
        pub asked: Value,
        /// Its place in the queue.
        pub job_id: JobId,
        /// The run that it does again.
        pub retry_of: Option<RunId>,
        /// How far it has come.
        pub state: RunState,
        /// The last step that is written down.
        pub step: RunStep,
        /// How often a worker took it.
        pub attempt: i64,
        /// How often its program was started.
        pub executions: i64,
        /// The worker that has or had it.
        pub worker: Option<String>,
        /// Which packages it has.
        pub layer: Option<Value>,
        /// What came of it.
        pub result: Option<Value>,
        /// The signed receipt.
        pub receipt: Option<Vec<u8>>,
        /// What opens the receipt's digests.
        pub salts: Option<Value>,
        /// What kept it from ending well, as a word.
        pub error_code: Option<String>,
        /// The same for people.
        pub error: Option<String>,
        /// How many events there are.
        pub events: i64,
        /// When it was accepted.
        pub created_at: Timestamp,
        /// When its program was first started.
        pub started_at: Option<Timestamp>,
        /// When somebody wanted it to stop.
        pub cancel_at: Option<Timestamp>,
        /// When it was over.
        pub ended_at: Option<Timestamp>,
        /// Until when its files are kept.
        pub keep_until: Option<Timestamp>,
        /// When they were forgotten.
        pub forgotten_at: Option<Timestamp>,
    }
}

record! {
    /// How many runs stand where.
    #[derive(Copy, Default)]
    pub struct Counts {
        /// Waiting for a worker.
        pub queued: i64,
        /// Being prepared.
        pub preparing: i64,
        /// Running.
        pub running: i64,
        /// Ended well.
        pub finished: i64,
        /// Failed.
        pub failed: i64,
        /// Cancelled.
        pub cancelled: i64,
        /// Lost.
        pub lost: i64,
        /// Since when the oldest one waits; nothing when none does.
        pub oldest: Option<Timestamp>,
    }
}

record! {
    /// What somebody has used of their share.
    #[derive(Copy)]
    pub struct Used {
        /// Runs that are not over.
        pub open: i64,
        /// Runs that were accepted since a moment.
        pub since: i64,
        /// The first of those.
        pub first: Option<Timestamp>,
    }
}

record! {
    /// A run that ended well, and whose skill it ran.
    pub struct Led {
        /// The run.
        pub id: RunId,
        /// The skill's full name with its version.
        pub skill: String,
        /// The digest of its content.
        pub digest: Digest,
        /// The signed receipt.
        pub receipt: Vec<u8>,
        /// The skill's publisher, unless the skill is gone or who ran it belongs to that publisher.
        pub author: Option<Handle>,
    }
}

/// Which runs to list; an empty filter lists all that the viewer may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this publisher's name.
    pub publisher: Option<PublisherId>,
    /// Only those in the name of one of these: what the caller's token is bound to.
    pub bound: Option<Vec<PublisherId>>,
    /// Only those in this state.
    pub state: Option<RunState>,
    /// Only those that this person asked for.
    pub person: Option<PersonId>,
    /// Only those of versions of the skill with this full name.
    pub skill: Option<SkillRef>,
}

const SELECT: &str = "select r.id, r.publisher_id, o.handle as publisher, r.person_id, p.handle as person, r.skill,
    r.skill_id, r.version_id, r.digest, r.entry, r.asked, r.job_id, r.retry_of, r.state, r.step, r.attempt, r.executions,
    r.worker, r.layer, r.result, r.receipt, r.salts, r.error_code, r.error, r.events, r.created_at, r.started_at,
    r.cancel_at, r.ended_at, r.keep_until, r.forgotten_at
    from run r join publisher o on o.id = r.publisher_id join person p on p.id = r.person_id where ";

/// Writes a run down; from now on it is accepted.
pub async fn insert(tx: &mut Tx, run: &NewRun) -> Result<(), Error> {
    const SQL: &str = "insert into run (id, publisher_id, person_id, skill, skill_id, version_id, digest, entry, asked,
            job_id, retry_of, created_at, state, step, attempt, executions, events)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'queued', 'accepted', 0, 0, 0)";
    Sql::new(SQL)
        .bind(run.id)
        .bind(run.publisher_id)
        .bind(run.person_id)
        .bind(&run.skill)
        .bind(run.skill_id)
        .bind(run.version_id)
        .bind(run.digest)
        .bind(&run.entry)
        .bind(&run.asked)
        .bind(run.job_id)
        .bind(run.retry_of)
        .bind(run.now)
        .run(tx)
        .await
}

/// The run with this id if the viewer may see it, through a token that is bound to these publishers.
pub async fn find(
    conn: &mut Conn,
    viewer: &Viewer,
    bound: Option<&[PublisherId]>,
    id: RunId,
) -> Result<Option<Run>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("r.id = ").value(id).push(" and ");
    may_see(&mut sql, viewer, bound);
    sql.optional(conn).await
}

/// The run with this id, whoever asks: for workers.
pub async fn by_id(conn: &mut Conn, id: RunId) -> Result<Option<Run>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("r.id = ").value(id);
    sql.optional(conn).await
}

/// How many runs a list of them has in all.
pub async fn count(conn: &mut Conn, viewer: &Viewer, filter: &Filter) -> Result<u64, Error> {
    let mut sql = Sql::new("select count(*) from (");
    sql.push(SELECT);
    those(&mut sql, viewer, filter);
    sql.push(") listed");
    sql.cell(conn).await
}

fn those(sql: &mut Sql, viewer: &Viewer, filter: &Filter) {
    may_see(sql, viewer, filter.bound.as_deref());
    if let Some(publisher) = filter.publisher {
        sql.push(" and r.publisher_id = ").value(publisher);
    }
    if let Some(state) = filter.state {
        sql.push(" and r.state = ").value(state);
        // So that the index of those that are not over is used.
        if !state.is_over() {
            sql.push(" and r.ended_at is null");
        }
    }
    if let Some(person) = filter.person {
        sql.push(" and r.person_id = ").value(person);
    }
    if let Some(SkillRef { publisher: Some(publisher), slug, .. }) = &filter.skill {
        // Neither name has a character that `like` knows.
        sql.push(" and r.skill like ").value(format!("@{publisher}/{slug}@%"));
    }
}

/// Runs that the viewer may see, the newest first, before `before`; one more than the page has.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    filter: &Filter,
    before: Option<RunId>,
    size: PageSize,
) -> Result<Vec<Run>, Error> {
    let mut sql = Sql::new(SELECT);
    those(&mut sql, viewer, filter);
    if let Some(before) = before {
        sql.push(" and r.id < ").value(before);
    }
    sql.push(" order by r.id desc limit ").value(size.and_one());
    sql.all(conn).await
}

/// The receipts of the newest runs of a version that the viewer may see, the newest first.
pub async fn receipts(
    conn: &mut Conn,
    viewer: &Viewer,
    bound: Option<&[PublisherId]>,
    version: VersionId,
    most: u32,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut sql = Sql::new("select r.receipt from run r where r.receipt is not null and r.version_id = ");
    sql.value(version).push(" and ");
    may_see(&mut sql, viewer, bound);
    sql.push(" order by r.id desc limit ").value(most);
    sql.column(conn).await
}

/// Those of these runs that a person asked for and that ended well with a receipt, in order of their ids.
pub async fn led(conn: &mut Conn, person: PersonId, runs: &[RunId]) -> Result<Vec<Led>, Error> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "select r.id, r.skill, r.digest, r.receipt, o.handle as author from run r
        left join skill s on s.id = r.skill_id
        left join publisher o on o.id = s.publisher_id and not exists
            (select 1 from publisher_member m where m.publisher_id = o.id and m.person_id = r.person_id)
        where r.state = 'finished' and r.receipt is not null and r.person_id = ",
    );
    sql.value(person).push(" and r.id in ").list(runs.iter().copied()).push(" order by r.id");
    sql.all(conn).await
}

/// A run is seen by who asked for it, by the admins of the publisher in whose name it ran, and by administrators.
fn may_see(sql: &mut Sql, viewer: &Viewer, bound: Option<&[PublisherId]>) {
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if let Some(person) = viewer.person_id() {
        let admin = |id: &PublisherId| viewer.role_in(*id).is_some_and(|role| role.includes(Role::Admin));
        let administered: Vec<PublisherId> = viewer.member_of().filter(admin).collect();
        sql.push("(r.person_id = ").value(person);
        if !administered.is_empty() {
            sql.push(" or r.publisher_id in ").list(administered);
        }
        sql.push(")");
    } else {
        sql.push("(false)");
    }
    match bound {
        Some([]) => {
            sql.push(" and (false)");
        }
        Some(bound) => {
            sql.push(" and r.publisher_id in ").list(bound.iter().copied());
        }
        None => {}
    }
}

/// What a person has used, and what has been used in a publisher's name. Whoever asks next waits until this unit ends, so
/// that two requests at once do not both get the last place.
pub async fn used(
    tx: &mut Tx,
    person: PersonId,
    publisher: PublisherId,
    since: Timestamp,
) -> Result<(Used, Used), Error> {
    const OF: &str = "select (select count(*) from run where ended_at is null and ";
    if tx.is_postgres() {
        // In one order for everybody: the person, then the publisher.
        let held: Option<PersonId> =
            Sql::new("select id from person where id = $1 for update").bind(person).optional_cell(tx).await?;
        let in_name: Option<PublisherId> =
            Sql::new("select id from publisher where id = $1 for update").bind(publisher).optional_cell(tx).await?;
        debug_assert!(held.is_some() && in_name.is_some(), "both are there: rows refer to them");
    }
    let mut found = [None, None];
    for (place, by_person) in found.iter_mut().zip([true, false]) {
        let mut sql = Sql::new(OF);
        let whose = |sql: &mut Sql| {
            if by_person {
                sql.push("person_id = ").value(person);
            } else {
                sql.push("publisher_id = ").value(publisher);
            }
        };
        whose(&mut sql);
        sql.push(") as open, (select count(*) from run where created_at >= ").value(since).push(" and ");
        whose(&mut sql);
        sql.push(") as since, (select min(created_at) from run where created_at >= ").value(since).push(" and ");
        whose(&mut sql);
        sql.push(") as first");
        *place = Some(sql.one::<Used>(tx).await?);
    }
    let none = Used { open: 0, since: 0, first: None };
    let [person, publisher] = found;
    Ok((person.unwrap_or(none), publisher.unwrap_or(none)))
}

/// How many runs stand where.
pub async fn counts(conn: &mut Conn) -> Result<Counts, Error> {
    const SQL: &str = "select (select count(*) from run where ended_at is null and state = 'queued') as queued,
        (select count(*) from run where ended_at is null and state = 'preparing') as preparing,
        (select count(*) from run where ended_at is null and state = 'running') as running,
        (select count(*) from run where state = 'finished') as finished,
        (select count(*) from run where state = 'failed') as failed,
        (select count(*) from run where state = 'cancelled') as cancelled,
        (select count(*) from run where state = 'lost') as lost,
        (select min(created_at) from run where ended_at is null and state = 'queued') as oldest";
    Sql::new(SQL).one(conn).await
}
