use kontor_types::{RunId, Timestamp};
use serde_json::Value;

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

words! {
    /// What an event of a run tells of.
    pub enum EventKind("kind of event") {
        /// It came into another state.
        State = "state",
        /// Its program said something.
        Stdout = "stdout",
        /// Its program said something beside that.
        Stderr = "stderr",
        /// The hub says something about it.
        Note = "note",
    }
}

record! {
    /// Something that happened in a run.
    pub struct RunEvent {
        /// Counted from 1 within its run.
        pub number: i64,
        /// When.
        pub at: Timestamp,
        /// What it tells of.
        pub kind: EventKind,
        /// What it tells.
        pub data: Value,
    }
}

/// Adds an event; its number comes from the run's row, so that events are without gaps whoever writes them.
pub async fn record(tx: &mut Tx, id: RunId, kind: EventKind, data: &Value, now: Timestamp) -> Result<i64, Error> {
    const NEXT: &str = "update run set events = events + 1 where id = $1 returning events";
    const SQL: &str = "insert into run_event (run_id, number, at, kind, data) values ($1, $2, $3, $4, $5)";
    let number: i64 = Sql::new(NEXT).bind(id).cell(tx).await?;
    Sql::new(SQL).bind(id).bind(number).bind(now).bind(kind).bind(data).run(tx).await?;
    Ok(number)
}

/// Events of a run after one of them, in their order.
pub async fn events(conn: &mut Conn, id: RunId, after: i64, limit: u32) -> Result<Vec<RunEvent>, Error> {
    const SQL: &str = "select number, at, kind, data from run_event where run_id = $1 and number > $2
        order by number limit $3";
    Sql::new(SQL).bind(id).bind(after).bind(limit).all(conn).await
}
