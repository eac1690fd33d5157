//! Workflows: rows of what is done step by step, and their journals.
//!
//! Every entry is added together with a change of its workflow's row, and that change names the attempt and the length of the
//! journal that it goes on from: a worker that lost its workflow to another one can add nothing.

mod claims;
mod journal;
mod questions;

use kontor_types::{Digest, Handle, PageSize, PersonId, PublisherId, Role, Timestamp, Viewer, WorkflowId};

use crate::sql::Sql;
use crate::{Conn, Error};

pub use claims::{
    Claimed, Standing, Wanted, cancel, claim, keep, next_due, release, revive, signal, standing, stopping,
};
pub use journal::{Append, Entry, EntryKind, Leave, NewWorkflow, append, insert, with_keys};
pub use questions::{NewQuestion, Question, Who, add, answer, close, close_all, find_question, is_asked, open, sought};

words! {
    /// How far a workflow has come.
    pub enum WorkflowState("state of a workflow") {
        /// It goes on as soon as a worker takes it.
        Queued = "queued",
        /// A worker has it.
        Running = "running",
        /// It waits for a person, a time or another workflow.
        Waiting = "waiting",
        /// It ended well.
        Finished = "finished",
        /// It ended without what it was for; what it did was taken back.
        Failed = "failed",
        /// Somebody wanted it to end; what it did was taken back.
        Cancelled = "cancelled",
        /// It cannot go on by itself: a person decides.
        Stalled = "stalled",
    }
}

impl WorkflowState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Waiting, Self::Finished, Self::Failed, Self::Cancelled, Self::Stalled];

    /// Whether nothing more is done.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }
}

record! {
    /// A workflow as people see it.
    pub struct Workflow {
        /// The workflow.
        pub id: WorkflowId,
        /// Which definition it runs.
        pub kind: String,
        /// Which version of it.
        pub version: i64,
        /// The key under which it was asked for.
        pub key: String,
        /// What people read about it.
        pub title: String,
        /// For whom it works.
        pub person_id: PersonId,
        /// Their name.
        pub person: Handle,
        /// In whose name.
        pub publisher_id: Option<PublisherId>,
        /// That publisher's name.
        pub publisher: Option<Handle>,
        /// The workflow that waits for this one.
        pub parent: Option<WorkflowId>,
        /// The one that was begun anew with this one.
        pub retry_of: Option<WorkflowId>,
        /// How far it has come.
        pub state: WorkflowState,
        /// How often a worker took it.
        pub attempt: i64,
        /// The worker that had it last.
        pub worker: Option<String>,
        /// When it goes on by itself.
        pub wake_at: Option<Timestamp>,
        /// How long its journal is.
        pub entries: i64,
        /// The digest of the newest entry.
        pub head: Digest,
        /// Whether it can no longer be cancelled.
        pub sealed: bool,
        /// What came of it, as JSON.
        pub output: Option<String>,
        /// Why it failed or stalled, in a word.
        pub error_code: Option<String>,
        /// Why, in a sentence.
        pub error: Option<String>,
        /// When it was asked for.
        pub created_at: Timestamp,
        /// When somebody wanted it to end.
        pub cancel_at: Option<Timestamp>,
        /// When it was over.
        pub ended_at: Option<Timestamp>,
    }
}

impl Workflow {
    /// What came of it.
    pub fn result(&self) -> Option<serde_json::Value> {
        serde_json::from_str(self.output.as_ref()?).ok()
    }
}

record! {
    /// How many workflows stand where; those that are over are not counted.
    #[derive(Copy, Default)]
    pub struct Counts {
        /// Waiting for a worker.
        pub queued: i64,
        /// Held by one.
        pub running: i64,
        /// Waiting for something else.
        pub waiting: i64,
        /// Waiting for a person's decision.
        pub stalled: i64,
        /// Since when the oldest that could go on waits; nothing when none does.
        pub oldest: Option<Timestamp>,
    }
}

/// Which workflows to list; an empty filter lists all that the viewer may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in the name of one of these: what the caller's token is bound to.
    pub bound: Option<Vec<PublisherId>>,
    /// Only those in this state.
    pub state: Option<WorkflowState>,
    /// Only those of this kind.
    pub kind: Option<String>,
}

const SELECT: &str = "select w.id, w.kind, w.version, w.key, w.title, w.person_id, p.handle as person, w.publisher_id,
    o.handle as publisher, w.parent, w.retry_of, w.state, w.attempt, w.worker, w.wake_at, w.entries, w.head, w.sealed,
    w.output, w.error_code, w.error, w.created_at, w.cancel_at, w.ended_at
    from workflow w join person p on p.id = w.person_id left join publisher o on o.id = w.publisher_id where ";

/// The workflow with this id if the viewer may see it, through a token that is bound to these publishers.
pub async fn find(
    conn: &mut Conn,
    viewer: &Viewer,
    bound: Option<&[PublisherId]>,
    id: WorkflowId,
) -> Result<Option<Workflow>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("w.id = ").value(id).push(" and ");
    may_see(&mut sql, viewer, bound);
    sql.optional(conn).await
}

/// The workflow with this id, whoever asks: for workers.
pub async fn by_id(conn: &mut Conn, id: WorkflowId) -> Result<Option<Workflow>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("w.id = ").value(id);
    sql.optional(conn).await
}

/// How many workflows a list of them has in all.
pub async fn count(conn: &mut Conn, viewer: &Viewer, filter: &Filter) -> Result<u64, Error> {
    let mut sql = Sql::new("select count(*) from (");
    sql.push(SELECT);
    those(&mut sql, viewer, filter);
    sql.push(") listed");
    sql.cell(conn).await
}

fn those(sql: &mut Sql, viewer: &Viewer, filter: &Filter) {
    may_see(sql, viewer, filter.bound.as_deref());
    if let Some(state) = filter.state {
        sql.push(" and w.state = ").value(state);
        // So that the index of those that are not over is used.
        sql.push(if state.is_over() { " and w.ended_at is not null" } else { " and w.ended_at is null" });
    }
    if let Some(kind) = &filter.kind {
        sql.push(" and w.kind = ").value(kind);
    }
}

/// Workflows that the viewer may see, the newest first, before `before`; one more than the page has.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    filter: &Filter,
    before: Option<WorkflowId>,
    size: PageSize,
) -> Result<Vec<Workflow>, Error> {
    let mut sql = Sql::new(SELECT);
    those(&mut sql, viewer, filter);
    if let Some(before) = before {
        sql.push(" and w.id < ").value(before);
    }
    sql.push(" order by w.id desc limit ").value(size.and_one());
    sql.all(conn).await
}

/// A workflow is seen by the person for whom it works, by the admins of the publisher in whose name it does, by persons whom
/// it asked, and by administrators.
fn may_see(sql: &mut Sql, viewer: &Viewer, bound: Option<&[PublisherId]>) {
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if let Some(person) = viewer.person_id() {
        sql.push("(w.person_id = ").value(person);
        let administered = administered(viewer);
        if !administered.is_empty() {
            sql.push(" or w.publisher_id in ").list(administered);
        }
        sql.push(" or w.id in (select a.workflow_id from workflow_asked a where a.person_id = ")
            .value(person)
            .push("))");
    } else {
        sql.push("(false)");
    }
    match bound {
        Some([]) => {
            sql.push(" and (false)");
        }
        Some(bound) => {
            sql.push(" and w.publisher_id in ").list(bound.iter().copied());
        }
        None => {}
    }
}

/// The publishers of which the viewer is an admin.
fn administered(viewer: &Viewer) -> Vec<PublisherId> {
    let admin = |id: &PublisherId| viewer.role_in(*id).is_some_and(|role| role.includes(Role::Admin));
    viewer.member_of().filter(admin).collect()
}

/// Entries of a journal after one of them, in their order.
pub async fn entries(conn: &mut Conn, id: WorkflowId, after: i64, limit: u32) -> Result<Vec<Entry>, Error> {
    const SQL: &str = "select number, at, kind, branch, place, name, input, data, digest from workflow_entry
        where workflow_id = $1 and number > $2 order by number limit $3";
    Sql::new(SQL).bind(id).bind(after).bind(limit).all(conn).await
}

/// How many workflows that are not over stand where.
pub async fn counts(conn: &mut Conn) -> Result<Counts, Error> {
    const SQL: &str = "select (select count(*) from workflow where ended_at is null and state = 'queued') as queued,
        (select count(*) from workflow where ended_at is null and state = 'running') as running,
        (select count(*) from workflow where ended_at is null and state = 'waiting') as waiting,
        (select count(*) from workflow where ended_at is null and state = 'stalled') as stalled,
        (select min(wake_at) from workflow where wake_at is not null and state = 'queued') as oldest";
    Sql::new(SQL).one(conn).await
}
