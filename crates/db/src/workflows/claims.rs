use kontor_types::{Digest, PersonId, PublisherId, Timestamp, WorkflowId};

use super::journal::add_entries;
use super::{Entry, WorkflowState};
use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx};

record! {
    /// A workflow that this worker has until its lease ends.
    pub struct Claimed {
        /// The workflow.
        pub id: WorkflowId,
        /// Which definition it runs.
        pub kind: String,
        /// Which version of it.
        pub version: i64,
        /// For whom it works.
        pub person_id: PersonId,
        /// In whose name.
        pub publisher_id: Option<PublisherId>,
        /// The one that waits for it.
        pub parent: Option<WorkflowId>,
        /// Which attempt this is, from 1: fences what earlier ones still want to write.
        pub attempt: i64,
        /// How often workers died with it since its journal last grew.
        pub crashes: i64,
        /// How often something happened that it may wait for.
        pub signals: i64,
        /// How long its journal is.
        pub entries: i64,
        /// The digest of its newest entry.
        pub head: Digest,
        /// Whether it can no longer be cancelled.
        pub sealed: bool,
        /// When somebody wanted it to end.
        pub cancel_at: Option<Timestamp>,
    }
}

record! {
    /// Where a workflow stands, for a worker that does not know whether its commit was made.
    pub struct Standing {
        /// The workflow.
        pub id: WorkflowId,
        /// Whose attempt it is.
        pub attempt: i64,
        /// How long its journal is.
        pub entries: i64,
        /// The digest of its newest entry.
        pub head: Digest,
        /// How far it has come.
        pub state: WorkflowState,
        /// What came of it.
        pub output: Option<String>,
        /// Why it failed or stalled, in a word.
        pub error_code: Option<String>,
        /// Why, in a sentence.
        pub error: Option<String>,
        /// When somebody wanted it to end.
        pub cancel_at: Option<Timestamp>,
    }
}

/// What a worker can do, and for how long it takes it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The definitions that it has.
    pub definitions: Vec<(String, u32)>,
    /// What tells it from others.
    pub worker: String,
    /// The present moment.
    pub now: Timestamp,
    /// Until when it is promised what it takes.
    pub until: Timestamp,
    /// The most that it takes.
    pub most: u32,
}

const TAKEN: &str =
    "returning id, kind, version, person_id, publisher_id, parent, attempt, crashes, signals, entries, head,
    sealed, cancel_at";

/// Takes workflows that can go on: those whose workers died, then those that have been due longest.
pub async fn claim(tx: &mut Tx, wanted: &Wanted) -> Result<Vec<Claimed>, Error> {
    if wanted.definitions.is_empty() || wanted.most == 0 {
        return Ok(Vec::new());
    }
    let mut taken = take(tx, wanted, "lease_until", "crashes + 1", wanted.most).await?;
    let left = wanted.most.saturating_sub(u32::try_from(taken.len()).unwrap_or(u32::MAX));
    if left > 0 {
        taken.extend(take(tx, wanted, "wake_at", "crashes", left).await?);
    }
    Ok(taken)
}

async fn take(
    tx: &mut Tx,
    wanted: &Wanted,
    when: &'static str,
    crashes: &'static str,
    most: u32,
) -> Result<Vec<Claimed>, Error> {
    let mut sql = Sql::new("update workflow set state = 'running', attempt = attempt + 1, wake_at = null, crashes = ");
    sql.push(crashes).push(", worker = ").value(&wanted.worker).push(", lease_until = ").value(wanted.until);
    sql.push(" where id in (select id from workflow where ").push(when).push(" <= ").value(wanted.now);
    of(&mut sql, &wanted.definitions);
    sql.push(" order by ").push(when).push(" limit ").value(most);
    if tx.is_postgres() {
        sql.push(" for update skip locked");
    }
    sql.push(") ").push(TAKEN);
    sql.all(tx).await
}

fn of(sql: &mut Sql, definitions: &[(String, u32)]) {
    let mut before = " and (";
    for (kind, version) in definitions {
        sql.push(before).push("kind = ").value(kind).push(" and version = ").value(*version);
        before = " or ";
    }
    sql.push(")");
}

/// The moment at which a worker with these definitions has something to do; nothing when nothing waits for a time.
pub async fn next_due(conn: &mut Conn, definitions: &[(String, u32)]) -> Result<Option<Timestamp>, Error> {
    if definitions.is_empty() {
        return Ok(None);
    }
    let mut earliest = None;
    for (when, order) in [("wake_at", " order by wake_at limit 1"), ("lease_until", " order by lease_until limit 1")] {
        let mut sql = Sql::new("select ");
        sql.push(when).push(" from workflow where ").push(when).push(" is not null");
        of(&mut sql, definitions);
        sql.push(order);
        let found: Option<Timestamp> = sql.optional_cell(conn).await?;
        earliest = earliest.into_iter().chain(found).min();
    }
    Ok(earliest)
}

/// Renews leases; what is still the attempts' comes back.
pub async fn keep(tx: &mut Tx, held: &[(WorkflowId, i64)], until: Timestamp) -> Result<Vec<WorkflowId>, Error> {
    let mut kept = Vec::with_capacity(held.len());
    for part in held.chunks(MOST_IN_LIST / 2) {
        let mut sql = Sql::new("update workflow set lease_until = ");
        sql.value(until).push(" where state = 'running'");
        let mut before = " and (";
        for (id, attempt) in part {
            sql.push(before).push("id = ").value(*id).push(" and attempt = ").value(*attempt);
            before = " or ";
        }
        sql.push(") returning id");
        kept.extend(sql.column::<WorkflowId>(tx).await?);
    }
    Ok(kept)
}

/// Ends all leases. Only for a process that knows to be the only one: whoever held them is dead.
pub async fn release(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    Sql::new("update workflow set lease_until = $1 where lease_until > $1").bind(now).execute(tx).await
}

/// Where workflows stand.
pub async fn standing(conn: &mut Conn, ids: &[WorkflowId]) -> Result<Vec<Standing>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(
            "select id, attempt, entries, head, state, output, error_code, error, cancel_at from workflow where id in ",
        );
        sql.list(part.iter().copied());
        found.extend(sql.all::<Standing>(conn).await?);
    }
    Ok(found)
}

/// Which of a worker's workflows somebody wants to end.
pub async fn stopping(conn: &mut Conn, worker: &str) -> Result<Vec<WorkflowId>, Error> {
    const SQL: &str = "select id from workflow where cancel_at is not null and ended_at is null and state = 'running'
        and worker = $1";
    Sql::new(SQL).bind(worker).column(conn).await
}

/// Says that something happened that workflows may wait for: those that do are queued.
pub async fn signal(tx: &mut Tx, ids: &[WorkflowId], now: Timestamp) -> Result<(), Error> {
    for part in ids.chunks(MOST_IN_LIST) {
        let mut sql =
            Sql::new("update workflow set signals = signals + 1, wake_at = case when state = 'waiting' then ");
        sql.value(now).push(" else wake_at end, state = case when state = 'waiting' then 'queued' else state end");
        sql.push(" where ended_at is null and id in ").list(part.iter().copied());
        sql.run(tx).await?;
    }
    Ok(())
}

/// Says that somebody wants a workflow to end, and those that it waits for. Nothing comes back when it is over, or can no
/// longer be cancelled.
pub async fn cancel(
    tx: &mut Tx,
    id: WorkflowId,
    by: Option<PersonId>,
    now: Timestamp,
) -> Result<Option<WorkflowState>, Error> {
    const SQL: &str =
        "update workflow set cancel_at = coalesce(cancel_at, $2), cancelled_by = coalesce(cancelled_by, $3),
            signals = signals + 1, wake_at = case when state = 'running' then null else $2 end,
            state = case when state = 'running' then state else 'queued' end
        where id = $1 and ended_at is null and not (sealed) returning state";
    const CHILDREN: &str = "select id from workflow where parent = $1 and ended_at is null";
    let state = Sql::new(SQL).bind(id).bind(now).bind(by).optional_cell(tx).await?;
    let mut families = if state.is_some() { vec![id] } else { Vec::new() };
    while let Some(parent) = families.pop() {
        let children: Vec<WorkflowId> = Sql::new(CHILDREN).bind(parent).column(tx).await?;
        for child in children {
            let ended: Option<WorkflowState> = Sql::new(SQL).bind(child).bind(now).bind(by).optional_cell(tx).await?;
            families.extend(ended.map(|_| child));
        }
    }
    Ok(state)
}

/// Lets a workflow that stalled or failed go on, with the entry that says so; `false` when its journal has grown, or it is in
/// another state by now.
pub async fn revive(tx: &mut Tx, id: WorkflowId, entry: &Entry, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str =
        "update workflow set state = 'queued', wake_at = $2, ended_at = null, output = null, error_code = null,
            error = null, crashes = 0, entries = $3, head = $4
        where id = $1 and entries = $3 - 1 and state in ('stalled', 'failed')";
    let revived = Sql::new(SQL).bind(id).bind(now).bind(entry.number).bind(entry.digest).changed(tx).await?;
    if revived {
        add_entries(tx, vec![(id, entry)]).await?;
    }
    Ok(revived)
}
