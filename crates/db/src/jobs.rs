//! Rows of durable background work: claimed under a lease, retried, buried when they fail for good.

use kontor_types::{JobId, Timestamp};
use serde_json::Value;

use crate::sql::Sql;
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

record! {
    /// A job that this worker holds until its lease ends.
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
}

record! {
    /// A job that failed for good and waits for a person.
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
}

record! {
    /// How many jobs stand where.
    #[derive(Copy, Default)]
    pub struct Counts {
        /// Waiting, due or not.
        pub ready: i64,
        /// Held by a worker.
        pub running: i64,
        /// Given up.
        pub dead: i64,
    }
}

record! {
    /// How the jobs of one kind stand.
    pub struct KindOfJobs {
        /// Which handler does them.
        pub kind: String,
        /// Waiting, due or not.
        pub ready: i64,
        /// Held by a worker.
        pub running: i64,
        /// Given up.
        pub dead: i64,
        /// Since when the one is due that has waited longest.
        pub oldest: Option<Timestamp>,
    }
}

/// Queues a job; `None` when one with the same kind and key already waits or runs.
pub async fn enqueue(tx: &mut Tx, job: &NewJob, now: Timestamp) -> Result<Option<JobId>, Error> {
    const SQL: &str = "insert into job (id, kind, key, payload, state, run_at, max_attempts, created_at)
        values ($1, $2, $3, $4, 'ready', $5, $6, $7)
        on conflict (kind, key) where key is not null and state in ('ready', 'running') do nothing";
    let id = JobId::new(now);
    let queued = Sql::new(SQL)
        .bind(id)
        .bind(&job.kind)
        .bind(job.key.as_ref())
        .bind(&job.payload)
        .bind(job.run_at)
        .bind(job.max_attempts)
        .bind(now)
        .changed(tx)
        .await?;
    Ok(queued.then_some(id))
}

/// Takes a job of the given kinds: one whose lease ran out, or else the one that has been due longest.
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
    let mut sql = Sql::new("update job set state = 'running', attempts = attempts + 1, lease_until = ");
    sql.value(lease_until).push(", worker = ").value(worker);
    sql.push(" where id = coalesce((select id from job where state = 'running' and lease_until <= ").value(now);
    first_of(&mut sql, kinds, " order by lease_until, id limit 1", tx.is_postgres());
    sql.push("), (select id from job where state = 'ready' and run_at <= ").value(now);
    first_of(&mut sql, kinds, " order by run_at, id limit 1", tx.is_postgres());
    sql.push(")) returning id, kind, payload, attempts as attempt, max_attempts, created_at");
    sql.optional(tx).await
}

fn first_of(sql: &mut Sql, kinds: &[&str], order: &'static str, skips_locked: bool) {
    sql.push(" and kind in ").list(kinds.iter().copied()).push(order);
    if skips_locked {
        sql.push(" for update skip locked");
    }
}

/// Extends the lease; `false` when the job is no longer this attempt's.
pub async fn heartbeat(tx: &mut Tx, job: &Claimed, lease_until: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update job set lease_until = $3 where id = $1 and attempts = $2 and state = 'running'";
    Sql::new(SQL).bind(job.id).bind(job.attempt).bind(lease_until).changed(tx).await
}

/// Marks the job done; `false` when it is no longer this attempt's.
pub async fn complete(tx: &mut Tx, job: &Claimed, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'done', finished_at = $3, lease_until = null, error = null
        where id = $1 and attempts = $2 and state = 'running'";
    Sql::new(SQL).bind(job.id).bind(job.attempt).bind(now).changed(tx).await
}

/// Puts the job back until `run_at`; `false` when it is no longer this attempt's.
pub async fn retry(tx: &mut Tx, job: &Claimed, run_at: Timestamp, error: &str) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'ready', run_at = $3, lease_until = null, error = $4
        where id = $1 and attempts = $2 and state = 'running'";
    Sql::new(SQL).bind(job.id).bind(job.attempt).bind(run_at).bind(error).changed(tx).await
}

/// Gives the job up; `false` when it is no longer this attempt's.
pub async fn bury(tx: &mut Tx, job: &Claimed, now: Timestamp, error: &str) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'dead', finished_at = $3, lease_until = null, error = $4
        where id = $1 and attempts = $2 and state = 'running'";
    Sql::new(SQL).bind(job.id).bind(job.attempt).bind(now).bind(error).changed(tx).await
}

/// Gives a buried job another full set of attempts; `false` when it is not buried.
pub async fn revive(tx: &mut Tx, id: JobId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update job set state = 'ready', attempts = 0, run_at = $2, finished_at = null
        where id = $1 and state = 'dead'";
    Sql::new(SQL).bind(id).bind(now).changed(tx).await
}

/// Forgets jobs that were done before `before`; returns how many.
pub async fn forget_done(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Sql::new("delete from job where state = 'done' and finished_at < $1").bind(before).execute(tx).await
}

/// The newest buried jobs.
pub async fn buried(conn: &mut Conn, limit: u32) -> Result<Vec<Buried>, Error> {
    const SQL: &str = "select id, kind, coalesce(error, '') as error, coalesce(finished_at, 0) as finished_at from job
        where state = 'dead' order by job.finished_at desc, id desc limit $1";
    Sql::new(SQL).bind(limit).all(conn).await
}

/// How many jobs stand where.
pub async fn counts(conn: &mut Conn) -> Result<Counts, Error> {
    const SQL: &str = "select (select count(*) from job where state = 'ready') as ready,
            (select count(*) from job where state = 'running') as running,
            (select count(*) from job where state = 'dead') as dead";
    Sql::new(SQL).one(conn).await
}

/// How the jobs of each kind stand at `now`, those that are done left out.
pub async fn by_kind(conn: &mut Conn, now: Timestamp) -> Result<Vec<KindOfJobs>, Error> {
    const SQL: &str = "select kind, cast(sum(ready) as bigint) as ready, cast(sum(running) as bigint) as running,
            cast(sum(dead) as bigint) as dead, min(due) as oldest
        from (select kind, 1 as ready, 0 as running, 0 as dead,
                case when run_at <= $1 then run_at end as due from job where state = 'ready'
            union all select kind, 0, 1, 0, null from job where state = 'running'
            union all select kind, 0, 0, 1, null from job where state = 'dead') counted
        group by kind order by kind";
    Sql::new(SQL).bind(now).all(conn).await
}

/// Whether any job of the given kinds is due, without taking it.
pub async fn any_due(conn: &mut Conn, kinds: &[&str], now: Timestamp) -> Result<bool, Error> {
    if kinds.is_empty() {
        return Ok(false);
    }
    let mut sql = Sql::new("select exists (select 1 from job where state = 'ready' and run_at <= ");
    sql.value(now).push(" and kind in ").list(kinds.iter().copied());
    sql.push(") or exists (select 1 from job where state = 'running' and lease_until <= ").value(now);
    sql.push(" and kind in ").list(kinds.iter().copied()).push(")");
    sql.cell(conn).await
}

/// Ends the leases of all jobs of a kind, so that they are taken again at once; returns how many. Only for a process that
/// knows to be the only one: whoever held them is dead.
pub async fn release(tx: &mut Tx, kind: &str, now: Timestamp) -> Result<u64, Error> {
    Sql::new("update job set lease_until = $2 where state = 'running' and kind = $1")
        .bind(kind)
        .bind(now)
        .execute(tx)
        .await
}
