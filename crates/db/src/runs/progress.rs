use kontor_types::{RunId, Timestamp};
use serde_json::Value;

use super::{Run, RunState, by_id};
use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// What came of a program that ended.
#[derive(Debug, Clone)]
pub struct Executed {
    /// What came of it.
    pub result: Value,
    /// The signed receipt.
    pub receipt: Vec<u8>,
    /// What opens its digests.
    pub salts: Value,
}

/// Gives a run to a worker: from now on what earlier workers write changes nothing. Nothing for a run that is over.
pub async fn begin(tx: &mut Tx, id: RunId, worker: &str) -> Result<Option<Run>, Error> {
    const SQL: &str = "update run set attempt = attempt + 1, worker = $2 where id = $1 and ended_at is null";
    if !Sql::new(SQL).bind(id).bind(worker).changed(tx).await? {
        return Ok(None);
    }
    by_id(tx, id).await
}

/// Whether the run is still this attempt's, and whether somebody wants it to stop.
pub async fn is_held(conn: &mut Conn, id: RunId, attempt: i64) -> Result<Option<bool>, Error> {
    const SQL: &str = "select cancel_at is not null as stop from run
        where id = $1 and attempt = $2 and ended_at is null";
    Sql::new(SQL).bind(id).bind(attempt).optional_cell(conn).await
}

/// Writes down which packages it has; `false` when the run is no longer this attempt's.
pub async fn prepared(tx: &mut Tx, id: RunId, attempt: i64, layer: &Value) -> Result<bool, Error> {
    const SQL: &str = "update run set step = 'prepared', layer = $3
        where id = $1 and attempt = $2 and ended_at is null and step in ('accepted', 'prepared')";
    Sql::new(SQL).bind(id).bind(attempt).bind(layer).changed(tx).await
}

/// Writes down that it is prepared or that its program is started now; `false` when the run is no longer this attempt's.
pub async fn executing(tx: &mut Tx, id: RunId, attempt: i64, started: bool, now: Timestamp) -> Result<bool, Error> {
    const PREPARING: &str = "update run set state = 'preparing'
        where id = $1 and attempt = $2 and ended_at is null and step in ('accepted', 'prepared')";
    const RUNNING: &str = "update run set state = 'running', executions = executions + 1,
            started_at = coalesce(started_at, $3)
        where id = $1 and attempt = $2 and ended_at is null and step = 'prepared'";
    if started {
        return Sql::new(RUNNING).bind(id).bind(attempt).bind(now).changed(tx).await;
    }
    Sql::new(PREPARING).bind(id).bind(attempt).changed(tx).await
}

/// Writes down what came of its program, which is then never started again; `false` when the run is no longer this
/// attempt's.
pub async fn executed(tx: &mut Tx, id: RunId, attempt: i64, came: &Executed) -> Result<bool, Error> {
    const SQL: &str = "update run set step = 'executed', result = $3, receipt = $4, salts = $5
        where id = $1 and attempt = $2 and ended_at is null and step = 'prepared'";
    Sql::new(SQL)
        .bind(id)
        .bind(attempt)
        .bind(&came.result)
        .bind(came.receipt.as_slice())
        .bind(&came.salts)
        .changed(tx)
        .await
}

/// Ends a run; `false` when it is over already or no longer this attempt's. `None` for whoever is no worker.
pub async fn end(
    tx: &mut Tx,
    id: RunId,
    attempt: Option<i64>,
    state: RunState,
    error: Option<(&str, &str)>,
    (now, keep_until): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    let mut sql = Sql::new("update run set step = 'recorded', state = ");
    sql.value(state).push(", error_code = ").value(error.map(|(code, _)| code));
    sql.push(", error = ").value(error.map(|(_, text)| text));
    sql.push(", ended_at = ").value(now).push(", keep_until = ").value(keep_until);
    sql.push(" where ended_at is null and id = ").value(id);
    if let Some(attempt) = attempt {
        sql.push(" and attempt = ").value(attempt);
    }
    sql.changed(tx).await
}

/// Says that somebody wants it to stop. A run that no worker has is over at once, and so is the state that comes back.
pub async fn cancel(
    tx: &mut Tx,
    id: RunId,
    (now, keep_until): (Timestamp, Timestamp),
) -> Result<Option<RunState>, Error> {
    const WAITING: &str = "update run set state = 'cancelled', step = 'recorded', cancel_at = $2, ended_at = $2,
            keep_until = $3
        where id = $1 and ended_at is null and state = 'queued' returning state";
    const HELD: &str = "update run set cancel_at = coalesce(cancel_at, $2)
        where id = $1 and ended_at is null returning state";
    let over: Option<RunState> = Sql::new(WAITING).bind(id).bind(now).bind(keep_until).optional_cell(tx).await?;
    match over {
        Some(state) => Ok(Some(state)),
        None => Sql::new(HELD).bind(id).bind(now).optional_cell(tx).await,
    }
}

/// Runs that are not over and whose place in the queue is gone: nobody will ever take them.
pub async fn orphans(conn: &mut Conn, limit: u32) -> Result<Vec<RunId>, Error> {
    const SQL: &str = "select r.id from run r where r.ended_at is null and not exists
        (select 1 from job j where j.id = r.job_id and j.state in ('ready', 'running')) order by r.id limit $1";
    Sql::new(SQL).bind(limit).column(conn).await
}
