//! Rows of durable background work: claimed under a lease, retried, buried when they fail for good.

use kontor_types::{JobId, Timestamp};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use crate::{Conn, Error, Tx};

/// Work to be queued.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Which handler does it.
    pub kind: String,
    /// While a job with this key waits or runs, no second one is queued.
    pub key: Option<String>,
    /// What the handler needs to know; references, never secrets.
    pub payload: Value,
    /// Not before this moment.
    pub run_at: Timestamp,
    /// How often it is tried before it is buried.
    pub max_attempts: u32,
}

/// A job that this worker holds until its lease ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The job.
    pub id: JobId,
    /// Which handler does it.
    pub kind: String,
    /// What the handler needs to know.
    pub payload: Value,
    /// Which attempt this is, from 1; it also fences: a later attempt makes this one's outcome void.
    pub attempt: i64,
    /// How often it may be tried.
    pub max_attempts: i64,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// A job that failed for good and waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// The job.
    pub id: JobId,
    /// Which handler it was for.
    pub kind: String,
    /// What went wrong the last time.
    pub error: String,
    /// When it was given up.
    pub finished_at: Timestamp,
}

/// How many jobs stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting, due or not.
    pub ready: i64,
    /// Held by a worker.
    pub running: i64,
    /// Given up.
    pub dead: i64,
}

#[derive(FromRow)]
struct ClaimedRow {
    id: Uuid,
    kind: String,
    payload: Json<Value>,
    attempts: i64,
    max_attempts: i64,
    created_at: i64,
}

/// Queues a job; `None` when one with the same kind and key already waits or runs.
pub async fn enqueue(tx: &mut Tx, job: &NewJob, now: Timestamp) -> Result<Option<JobId>, Error> {
    const SQL: &str = "insert into job (id, kind, key, payload, state, run_at, max_attempts, created_at)
        values ($1, $2, $3, $4, 'ready', $5, $6, $7)
        on conflict (kind, key) where key is not null and state in ('ready', 'running') do nothing";
    let id = JobId::new(now);
    let rows = execute!(
        tx,
        sqlx::query(SQL)
            .bind(id.uuid())
            .bind(&job.kind)
            .bind(&job.key)
            .bind(Json(&job.payload))
            .bind(job.run_at.micros())
            .bind(i64::from(job.max_attempts))
            .bind(now.micros())
    )?;
    Ok((rows == 1).then_some(id))
}

/// Takes the job that has been due longest, of the given kinds; one whose lease ran out counts as due.
pub async fn claim(
    tx: &mut Tx,
    kinds: &[&str],
    worker: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Claimed>, Error> {
    if kinds.is_empty() {
        return Ok(None);
    }
    let skip_locked = if tx.is_postgres() { " for update skip locked" } else { "" };
    macro_rules! query {
        ($connection:expr) => {{
            let mut sql =
                QueryBuilder::new("update job set state = 'running', attempts = attempts + 1, lease_until = ");
            sql.push_bind(lease_until.micros()).push(", worker = ").push_bind(worker);
            sql.push(" where id = (select id from job where ((state = 'ready' and run_at <= ").push_bind(now.micros());
            sql.push(") or (state = 'running' and lease_until <= ").push_bind(now.micros()).push(")) and kind in (");
            let mut list = sql.separated(", ");
            for kind in kinds {
                list.push_bind(*kind);
            }
            sql.push(") order by run_at, id limit 1")
                .push(skip_locked)
                .push(") returning id, kind, payload, attempts, max_attempts, created_at");
            sql.build_query_as::<ClaimedRow>().fetch_optional($connection).await
        }};
    }
    let row = on!(tx, |c| async { query!(c) })?;
    Ok(row.map(|row| Claimed {
        id: row.id.into(),
        kind: row.kind,
        payload: row.payload.0,
        attempt: row.attempts,
        max_attempts: row.max_attempts,
        created_at: row.created_at.into(),
    }))
}

/// Extends the lease; `false` when the job is no longer this attempt's.
pub async fn heartbeat(tx: &mut Tx, job: &Claimed, lease_until: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update job set lease_until = $3 where id = $1 and attempts = $2 and state = 'running'";
    let rows = execute!(tx, sqlx::query(SQL).bind(job.id.uuid()).bind(job.attempt).bind(lease_until.micros()))?;
    Ok(rows == 1)
}

/// Marks the job done; `false` when it is no longer this attempt's.
pub async fn complete(tx: &mut Tx, job: &Claimed, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'done', finished_at = $3, lease_until = null, error = null
        where id = $1 and attempts = $2 and state = 'running'";
    let rows = execute!(tx, sqlx::query(SQL).bind(job.id.uuid()).bind(job.attempt).bind(now.micros()))?;
    Ok(rows == 1)
}

/// Puts the job back until `run_at`; `false` when it is no longer this attempt's.
pub async fn retry(tx: &mut Tx, job: &Claimed, run_at: Timestamp, error: &str) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'ready', run_at = $3, lease_until = null, error = $4
        where id = $1 and attempts = $2 and state = 'running'";
    let rows = execute!(tx, sqlx::query(SQL).bind(job.id.uuid()).bind(job.attempt).bind(run_at.micros()).bind(error))?;
    Ok(rows == 1)
}

/// Gives the job up; `false` when it is no longer this attempt's.
pub async fn bury(tx: &mut Tx, job: &Claimed, now: Timestamp, error: &str) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'dead', finished_at = $3, lease_until = null, error = $4
        where id = $1 and attempts = $2 and state = 'running'";
    let rows = execute!(tx, sqlx::query(SQL).bind(job.id.uuid()).bind(job.attempt).bind(now.micros()).bind(error))?;
    Ok(rows == 1)
}

/// Gives a buried job another full set of attempts; `false` when it is not buried.
pub async fn revive(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'ready', attempts = 0, run_at = $2, finished_at = null
        where id = $1 and state = 'dead'";
    let rows = execute!(tx, sqlx::query(SQL).bind(id.uuid()).bind(now.micros()))?;
    Ok(rows == 1)
}

/// Forgets jobs that were done before `before`; returns how many.
pub async fn forget_done(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "delete from job where state = 'done' and finished_at < $1";
    execute!(tx, sqlx::query(SQL).bind(before.micros()))
}

/// The newest buried jobs.
pub async fn buried(conn: &mut Conn, limit: u32) -> Result<Vec<Buried>, Error> {
    const SQL: &str = "select id, kind, coalesce(error, ''), coalesce(finished_at, 0) from job
        where state = 'dead' order by finished_at desc, id desc limit $1";
    let rows: Vec<(Uuid, String, String, i64)> =
        on!(conn, |c| sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(c))?;
    let buried = |(id, kind, error, at): (Uuid, String, String, i64)| Buried {
        id: id.into(),
        kind,
        error,
        finished_at: Timestamp::from_micros(at),
    };
    Ok(rows.into_iter().map(buried).collect())
}

/// How many jobs stand where.
pub async fn counts(conn: &mut Conn) -> Result<Counts, Error> {
    const SQL: &str = "select count(*) filter (where state = 'ready'), count(*) filter (where state = 'running'),
        count(*) filter (where state = 'dead') from job where state <> 'done'";
    let (ready, running, dead) = on!(conn, |c| sqlx::query_as(SQL).fetch_one(c))?;
    Ok(Counts { ready, running, dead })
}

/// Whether any job is due, without taking it.
pub async fn any_due(conn: &mut Conn, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "select 1 from job
        where (state = 'ready' and run_at <= $1) or (state = 'running' and lease_until <= $1) limit 1";
    let due: Option<i32> = on!(conn, |c| sqlx::query_scalar(SQL).bind(now.micros()).fetch_optional(c))?;
    Ok(due.is_some())
}
