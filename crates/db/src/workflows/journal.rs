use kontor_types::{Digest, PersonId, PublisherId, Timestamp, WorkflowId};

use super::WorkflowState;
use crate::connection::Inner;
use crate::record::Cell;
use crate::sql::{Sql, Value};
use crate::{Conn, Error, Tx};

/// Rows of one statement on SQLite: few texts, so that prepared statements are found again.
const CHUNKS: [usize; 3] = [64, 8, 1];

words! {
    /// What an entry of a journal says.
    pub enum EntryKind("kind of entry") {
        /// It was asked for.
        Started = "started",
        /// A step is done: this came of it.
        Step = "step",
        /// A step was tried in vain and is tried again.
        Failed = "failed",
        /// It tells those who follow it something.
        Told = "told",
        /// It asks somebody.
        Asked = "asked",
        /// Somebody answered, or nobody did in time.
        Answered = "answered",
        /// It chose.
        Chosen = "chosen",
        /// It waits for a time.
        Timer = "timer",
        /// It began another workflow.
        Child = "child",
        /// That other workflow is over.
        ChildEnded = "child_ended",
        /// From here on nothing is taken back.
        Sealed = "sealed",
        /// It saw that somebody wants it to end.
        Cancelling = "cancelling",
        /// It cannot go on by itself.
        Stalled = "stalled",
        /// Somebody lets it go on from a step.
        Retried = "retried",
        /// It is over.
        Ended = "ended",
    }
}

record! {
    /// One line of a journal.
    pub struct Entry {
        /// Counted from 1.
        pub number: i64,
        /// When.
        pub at: Timestamp,
        /// What it says.
        pub kind: EntryKind,
        /// Which part of the definition it is of; the main one has no name.
        pub branch: String,
        /// Where it stands in that part; nothing for what comes from outside.
        pub place: Option<i64>,
        /// What the definition calls it.
        pub name: String,
        /// The digest of what it was given.
        pub input: Option<Digest>,
        /// What came of it, as JSON: the text that the digest is about.
        pub data: String,
        /// The digest of this entry and, with it, of all before.
        pub digest: Digest,
    }
}

impl Entry {
    /// What came of it.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }
}

/// A workflow that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWorkflow {
    /// The workflow.
    pub id: WorkflowId,
    /// Which definition it runs.
    pub kind: String,
    /// Which version of it.
    pub version: u32,
    /// Under which it is asked for.
    pub key: String,
    /// What people read about it.
    pub title: String,
    /// For whom it works.
    pub person: PersonId,
    /// In whose name.
    pub publisher: Option<PublisherId>,
    /// Which one waits for it.
    pub parent: Option<WorkflowId>,
    /// Which one is begun anew with it.
    pub retry_of: Option<WorkflowId>,
    /// The digest of what is asked for.
    pub request: Digest,
    /// The worker that has it at once, and until when it is promised to it.
    pub held: Option<(String, Timestamp)>,
    /// Its journal's first entry.
    pub first: Entry,
}

/// How a worker lets a workflow go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// What it is from now on: over, stalled, queued or waiting.
    pub state: WorkflowState,
    /// When it goes on by itself.
    pub wake_at: Option<Timestamp>,
    /// The signals that were seen: if there are more by now, a waiting one is queued at once.
    pub signals: i64,
    /// What came of it.
    pub output: Option<String>,
    /// Why it failed or stalled: a word and a sentence.
    pub error: Option<(String, String)>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

/// Entries that a worker adds, fenced by its attempt and by the journal's length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Whose journal.
    pub id: WorkflowId,
    /// The worker's attempt.
    pub attempt: i64,
    /// How long the journal was.
    pub before: i64,
    /// What is added.
    pub entries: Vec<Entry>,
    /// The digest of the newest entry then.
    pub head: Digest,
    /// Only if nobody wants it to end; from then on nobody can.
    pub seals: bool,
    /// Whether the worker lets it go.
    pub leave: Option<Leave>,
}

impl Append {
    fn after(&self) -> i64 {
        self.before.saturating_add(i64::try_from(self.entries.len()).unwrap_or(i64::MAX))
    }
}

/// Writes workflows down, with their first entries. Those whose keys are taken are left out; the others' ids come back.
pub async fn insert(tx: &mut Tx, rows: &[&NewWorkflow], now: Timestamp) -> Result<Vec<WorkflowId>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let made = if matches!(tx.inner, Inner::PostgresTx(_)) {
        insert_postgres(tx, rows, now).await?
    } else {
        insert_sqlite(tx, rows, now).await?
    };
    let first = rows.iter().filter(|row| made.contains(&row.id));
    add_entries(tx, first.map(|row| (row.id, &row.first)).collect()).await?;
    Ok(made)
}

async fn insert_postgres(tx: &mut Tx, rows: &[&NewWorkflow], now: Timestamp) -> Result<Vec<WorkflowId>, Error> {
    const SQL: &str = "insert into workflow (id, kind, version, key, title, person_id, publisher_id, parent, retry_of, request,
            state, attempt, crashes, worker, lease_until, wake_at, signals, entries, head, sealed, created_at)
        select id, kind, version, key, title, person_id, publisher_id, parent, retry_of, request,
            case when worker is null then 'queued' else 'running' end, case when worker is null then 0 else 1 end, 0, worker,
            lease_until, case when worker is null then $14::bigint end, 0, 1, head, false, $14::bigint
        from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[],
            $9::uuid[], $10::bytea[], $11::text[], $12::bigint[], $13::bytea[])
            as n (id, kind, version, key, title, person_id, publisher_id, parent, retry_of, request, worker, lease_until, head)
        on conflict (person_id, kind, key) do nothing returning id";
    let Inner::PostgresTx(c) = &mut tx.inner else { return Err(Error::Closed) };
    let query = sqlx::query_as::<_, Cell<WorkflowId>>(SQL)
        .bind(rows.iter().map(|row| row.id.uuid()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| i64::from(row.version)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.title.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.person.uuid()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.publisher.map(PublisherId::uuid)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.parent.map(WorkflowId::uuid)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.retry_of.map(WorkflowId::uuid)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.request.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.held.as_ref().map(|held| held.0.as_str())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.held.as_ref().map(|held| held.1.micros())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.first.digest.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(now.micros());
    Ok(query.fetch_all(&mut **c).await?.into_iter().map(|Cell(id)| id).collect())
}

async fn insert_sqlite(tx: &mut Tx, rows: &[&NewWorkflow], now: Timestamp) -> Result<Vec<WorkflowId>, Error> {
    const INTO: &str =
        "insert into workflow (id, kind, version, key, title, person_id, publisher_id, parent, retry_of, request,
        state, attempt, crashes, worker, lease_until, wake_at, signals, entries, head, sealed, created_at)";
    const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 0, 1, ?, 0, ?)";
    let mut made = Vec::with_capacity(rows.len());
    for chunk in chunks(rows) {
        let mut sql = rows_of(INTO, ROW, chunk.len());
        sql.push(" on conflict (person_id, kind, key) do nothing returning id");
        for row in chunk {
            let (state, attempt) =
                if row.held.is_some() { (WorkflowState::Running, 1_i64) } else { (WorkflowState::Queued, 0) };
            sql = sql.bind(row.id).bind(&row.kind).bind(row.version).bind(&row.key).bind(&row.title).bind(row.person);
            sql =
                sql.bind(row.publisher).bind(row.parent).bind(row.retry_of).bind(row.request).bind(state).bind(attempt);
            sql = sql.bind(row.held.as_ref().map(|held| held.0.as_str())).bind(row.held.as_ref().map(|held| held.1));
            sql = sql.bind(row.held.is_none().then_some(now)).bind(row.first.digest).bind(now);
        }
        made.extend(sql.column::<WorkflowId>(tx).await?);
    }
    Ok(made)
}

/// The workflows of a person under keys: kind, key, id and the digest of what was asked for.
pub async fn with_keys(
    conn: &mut Conn,
    asked: &[(PersonId, String, String)],
) -> Result<Vec<(PersonId, String, String, WorkflowId, Digest)>, Error> {
    const SQL: &str = "select id, request from workflow where person_id = $1 and kind = $2 and key = $3";
    let mut found = Vec::new();
    for (person, kind, key) in asked {
        let row: Option<Known> = Sql::new(SQL).bind(*person).bind(kind).bind(key).optional(conn).await?;
        found.extend(row.map(|row| (*person, kind.clone(), key.clone(), row.id, row.request)));
    }
    Ok(found)
}

record! {
    struct Known {
        id: WorkflowId,
        request: Digest,
    }
}

/// Adds entries of many workflows. Those that came back were still the attempts' whose entries they are; of the others nothing
/// was written. No workflow may be named twice.
pub async fn append(tx: &mut Tx, appends: &[&Append]) -> Result<Vec<WorkflowId>, Error> {
    let (leaving, staying): (Vec<_>, Vec<_>) = appends.iter().copied().partition(|append| append.leave.is_some());
    let mut held = Vec::with_capacity(appends.len());
    if !staying.is_empty() {
        held.extend(grow(tx, &staying).await?);
    }
    if !leaving.is_empty() {
        held.extend(leave(tx, &leaving).await?);
    }
    let known: std::collections::HashSet<_> = held.iter().copied().collect();
    let entries = appends.iter().filter(|append| known.contains(&append.id));
    add_entries(tx, entries.flat_map(|append| append.entries.iter().map(|entry| (append.id, entry))).collect()).await?;
    Ok(held)
}

/// Planned anew each time on Postgres: a plan from a time when the table was small would read all of it.
async fn grow(tx: &mut Tx, appends: &[&Append]) -> Result<Vec<WorkflowId>, Error> {
    const POSTGRES: &str =
        "update workflow w set entries = n.after, head = n.head, crashes = 0, sealed = w.sealed or n.seals
        from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::boolean[])
            as n (id, attempt, before, after, head, seals)
        where w.id = n.id and w.attempt = n.attempt and w.entries = n.before and w.state = 'running'
            and not (n.seals and w.cancel_at is not null) returning w.id";
    const WITH: &str = "with n (id, attempt, before, after, head, seals) as";
    const UPDATE: &str =
        ") update workflow set entries = n.after, head = n.head, crashes = 0, sealed = max(sealed, n.seals) from n
        where workflow.id = n.id and workflow.attempt = n.attempt and workflow.entries = n.before
            and workflow.state = 'running' and not (n.seals and workflow.cancel_at is not null) returning workflow.id";
    if let Inner::PostgresTx(c) = &mut tx.inner {
        let query = sqlx::query_as::<_, Cell<WorkflowId>>(POSTGRES)
            .persistent(false)
            .bind(appends.iter().map(|append| append.id.uuid()).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.attempt).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.before).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.after()).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.head.as_bytes().as_slice()).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.seals).collect::<Vec<_>>());
        return Ok(query.fetch_all(&mut **c).await?.into_iter().map(|Cell(id)| id).collect());
    }
    let mut held = Vec::with_capacity(appends.len());
    for chunk in chunks(appends) {
        let mut sql = given(WITH, "(?, ?, ?, ?, ?, ?)", chunk.len());
        sql.push(UPDATE);
        for append in chunk {
            sql = sql.bind(append.id).bind(append.attempt).bind(append.before).bind(append.after());
            sql = sql.bind(append.head).bind(append.seals);
        }
        held.extend(sql.column::<WorkflowId>(tx).await?);
    }
    Ok(held)
}

async fn leave(tx: &mut Tx, appends: &[&Append]) -> Result<Vec<WorkflowId>, Error> {
    const POSTGRES: &str = "update workflow w set entries = n.after, head = n.head, crashes = 0, worker = w.worker,
            lease_until = null,
            state = case when n.state = 'waiting' and w.signals > n.signals then 'queued' else n.state end,
            wake_at = case when n.state = 'waiting' and w.signals > n.signals then w.created_at else n.wake_at end,
            output = n.output, error_code = n.code, error = n.error, ended_at = n.ended_at
        from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[], $7::bigint[], $8::bigint[],
            $9::text[], $10::text[], $11::text[], $12::bigint[])
            as n (id, attempt, before, after, head, state, wake_at, signals, output, code, error, ended_at)
        where w.id = n.id and w.attempt = n.attempt and w.entries = n.before and w.state = 'running' returning w.id";
    const WITH: &str =
        "with n (id, attempt, before, after, head, state, wake_at, signals, output, code, error, ended_at) as";
    const UPDATE: &str = ") update workflow set entries = n.after, head = n.head, crashes = 0, lease_until = null,
            state = case when n.state = 'waiting' and workflow.signals > n.signals then 'queued' else n.state end,
            wake_at = case when n.state = 'waiting' and workflow.signals > n.signals then workflow.created_at else n.wake_at end,
            output = n.output, error_code = n.code, error = n.error, ended_at = n.ended_at from n
        where workflow.id = n.id and workflow.attempt = n.attempt and workflow.entries = n.before
            and workflow.state = 'running' returning workflow.id";
    let left = || appends.iter().filter_map(|append| append.leave.as_ref());
    if let Inner::PostgresTx(c) = &mut tx.inner {
        let error = |leave: &'_ Leave| leave.error.clone().unzip();
        let query = sqlx::query_as::<_, Cell<WorkflowId>>(POSTGRES)
            .persistent(false)
            .bind(appends.iter().map(|append| append.id.uuid()).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.attempt).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.before).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.after()).collect::<Vec<_>>())
            .bind(appends.iter().map(|append| append.head.as_bytes().as_slice()).collect::<Vec<_>>())
            .bind(left().map(|leave| leave.state.as_str()).collect::<Vec<_>>())
            .bind(left().map(|leave| leave.wake_at.map(Timestamp::micros)).collect::<Vec<_>>())
            .bind(left().map(|leave| leave.signals).collect::<Vec<_>>())
            .bind(left().map(|leave| leave.output.as_deref()).collect::<Vec<_>>())
            .bind(left().map(|leave| error(leave).0).collect::<Vec<_>>())
            .bind(left().map(|leave| error(leave).1.map(storable)).collect::<Vec<_>>())
            .bind(left().map(|leave| leave.ended_at.map(Timestamp::micros)).collect::<Vec<_>>());
        return Ok(query.fetch_all(&mut **c).await?.into_iter().map(|Cell(id)| id).collect());
    }
    let mut held = Vec::with_capacity(appends.len());
    for chunk in chunks(appends) {
        let mut sql = given(WITH, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", chunk.len());
        sql.push(UPDATE);
        for (append, leave) in chunk.iter().filter_map(|append| Some((append, append.leave.as_ref()?))) {
            let error = leave.error.as_ref();
            sql = sql.bind(append.id).bind(append.attempt).bind(append.before).bind(append.after()).bind(append.head);
            sql = sql.bind(leave.state).bind(leave.wake_at).bind(leave.signals).bind(leave.output.as_deref());
            sql = sql
                .bind(error.map(|error| error.0.as_str()))
                .bind(error.map(|error| error.1.as_str()))
                .bind(leave.ended_at);
        }
        held.extend(sql.column::<WorkflowId>(tx).await?);
    }
    Ok(held)
}

/// Adds entries of workflows whose rows were changed for them just now.
pub(super) async fn add_entries(tx: &mut Tx, rows: Vec<(WorkflowId, &Entry)>) -> Result<(), Error> {
    const POSTGRES: &str =
        "insert into workflow_entry (workflow_id, number, at, kind, branch, place, name, input, data, digest)
        select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[],
            $8::bytea[], $9::text[], $10::bytea[])";
    const INTO: &str =
        "insert into workflow_entry (workflow_id, number, at, kind, branch, place, name, input, data, digest)";
    if rows.is_empty() {
        return Ok(());
    }
    if let Inner::PostgresTx(c) = &mut tx.inner {
        let query = sqlx::query(POSTGRES)
            .bind(rows.iter().map(|row| row.0.uuid()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.number).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.at.micros()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.kind.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.branch.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.place).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.name.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.input.map(|digest| digest.as_bytes().to_vec())).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.data.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.1.digest.as_bytes().as_slice()).collect::<Vec<_>>());
        query.execute(&mut **c).await?;
        return Ok(());
    }
    for chunk in chunks(&rows) {
        let mut sql = rows_of(INTO, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", chunk.len());
        for (id, entry) in chunk {
            sql =
                sql.bind(*id).bind(entry.number).bind(entry.at).bind(entry.kind).bind(&entry.branch).bind(entry.place);
            sql = sql.bind(&entry.name).bind(entry.input.map(|digest| digest.as_bytes().to_vec())).bind(&entry.data);
            sql = sql.bind(entry.digest);
        }
        sql.run(tx).await?;
    }
    Ok(())
}

/// Postgres holds no NUL in text; what is bound as a list does not pass through [`Value`].
fn storable(text: String) -> String {
    match Value::from(text) {
        Value::Text(Some(text)) => text,
        _ => String::new(),
    }
}

/// An insertion of some rows. Its values have no names: SQLite looks each name up among all of them, one by one.
fn rows_of(into: &'static str, row: &'static str, count: usize) -> Sql {
    let mut sql = Sql::new(into);
    values(&mut sql, " values ", row, count);
    sql
}

fn given(with: &'static str, row: &'static str, count: usize) -> Sql {
    let mut sql = Sql::new(with);
    values(&mut sql, " (values ", row, count);
    sql
}

fn values(sql: &mut Sql, mut before: &'static str, row: &'static str, count: usize) {
    for _ in 0..count {
        sql.push(before).push(row);
        before = ", ";
    }
}

fn chunks<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut parts = Vec::new();
    for size in CHUNKS {
        while let Some((part, rest)) = rows.split_at_checked(size) {
            parts.push(part);
            rows = rest;
        }
    }
    parts
}
