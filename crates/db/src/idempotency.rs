//! Answers to writes that carried an `Idempotency-Key`, so that a repeated write is answered and not done again.

use kontor_types::{Digest, PersonId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// An answer as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers worth repeating.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: the key is now ours, the write may run.
    Ours,
    /// The same write is under way.
    Running,
    /// The key belongs to another request.
    Mismatch,
    /// The write was answered before.
    Answered(Answer),
}

record! {
    struct Row {
        request: Digest,
        status: Option<i64>,
        headers: Option<Vec<(String, String)>>,
        body: Option<Vec<u8>>,
    }
}

impl Row {
    fn answer(self) -> Option<Answer> {
        let status = u16::try_from(self.status?).ok()?;
        Some(Answer { status, headers: self.headers.unwrap_or_default(), body: self.body.unwrap_or_default() })
    }
}

/// Takes the key for a request, or says why not. A key that expired, or whose write began before `abandoned` and was
/// never answered, is free again.
pub async fn claim(
    tx: &mut Tx,
    person: PersonId,
    key: &str,
    request: &Digest,
    now: Timestamp,
    (expires_at, abandoned): (Timestamp, Timestamp),
) -> Result<Claim, Error> {
    const FREE: &str = "delete from idempotency where person_id = $1 and key = $2
        and (expires_at <= $3 or (status is null and created_at < $4))";
    const TAKE: &str = "insert into idempotency (person_id, key, request, created_at, expires_at)
        values ($1, $2, $3, $4, $5) on conflict (person_id, key) do nothing";
    Sql::new(FREE).bind(person).bind(key).bind(now).bind(abandoned).run(tx).await?;
    if Sql::new(TAKE).bind(person).bind(key).bind(request).bind(now).bind(expires_at).changed(tx).await? {
        return Ok(Claim::Ours);
    }
    Ok(match find(tx, person, key).await? {
        Some(row) if row.request != *request => Claim::Mismatch,
        row => row.and_then(Row::answer).map_or(Claim::Running, Claim::Answered),
    })
}

async fn find(conn: &mut Conn, person: PersonId, key: &str) -> Result<Option<Row>, Error> {
    const SQL: &str = "select request, status, headers, body from idempotency where person_id = $1 and key = $2";
    Sql::new(SQL).bind(person).bind(key).optional(conn).await
}

/// Keeps the answer for those who ask again.
pub async fn answer(tx: &mut Tx, person: PersonId, key: &str, answer: &Answer) -> Result<(), Error> {
    const SQL: &str = "update idempotency set status = $3, headers = $4, body = $5 where person_id = $1 and key = $2";
    Sql::new(SQL)
        .bind(person)
        .bind(key)
        .bind(answer.status)
        .bind(&answer.headers)
        .bind(answer.body.as_slice())
        .run(tx)
        .await
}

/// Gives the key back: the write did not happen.
pub async fn release(tx: &mut Tx, person: PersonId, key: &str) -> Result<(), Error> {
    const SQL: &str = "delete from idempotency where person_id = $1 and key = $2 and status is null";
    Sql::new(SQL).bind(person).bind(key).run(tx).await
}

/// Gives back every key whose write was never answered; returns how many. Only for a process that knows to be the only one:
/// it has just started, so whoever took those keys is dead.
pub async fn release_unanswered(tx: &mut Tx) -> Result<u64, Error> {
    Sql::new("delete from idempotency where status is null").execute(tx).await
}

/// Forgets answers that expired.
pub async fn purge(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    Sql::new("delete from idempotency where expires_at <= $1").bind(now).execute(tx).await
}
