//! Answers to writes that carried an `Idempotency-Key`, so that a repeated write is answered and not done again.

use kontor_types::{Digest, PersonId, Timestamp};
use sqlx::types::Json;

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

#[derive(sqlx::FromRow)]
struct Row {
    request: Vec<u8>,
    status: Option<i64>,
    headers: Option<Json<Vec<(String, String)>>>,
    body: Option<Vec<u8>>,
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
    let (id, asked) = (person.uuid(), request.as_bytes().as_slice());
    execute!(tx, sqlx::query(FREE).bind(id).bind(key).bind(now.micros()).bind(abandoned.micros()))?;
    let taken =
        execute!(tx, sqlx::query(TAKE).bind(id).bind(key).bind(asked).bind(now.micros()).bind(expires_at.micros()))?;
    if taken > 0 {
        return Ok(Claim::Ours);
    }
    let Some(row) = find(tx, person, key).await? else { return Ok(Claim::Running) };
    if row.request != asked {
        return Ok(Claim::Mismatch);
    }
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    Ok(status.map_or(Claim::Running, |status| {
        let headers = row.headers.map(|Json(headers)| headers).unwrap_or_default();
        Claim::Answered(Answer { status, headers, body: row.body.unwrap_or_default() })
    }))
}

async fn find(conn: &mut Conn, person: PersonId, key: &str) -> Result<Option<Row>, Error> {
    const SQL: &str = "select request, status, headers, body from idempotency where person_id = $1 and key = $2";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(person.uuid()).bind(key).fetch_optional(c))?)
}

/// Keeps the answer for those who ask again.
pub async fn answer(tx: &mut Tx, person: PersonId, key: &str, answer: &Answer) -> Result<(), Error> {
    const SQL: &str = "update idempotency set status = $3, headers = $4, body = $5 where person_id = $1 and key = $2";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(person.uuid())
            .bind(key)
            .bind(i64::from(answer.status))
            .bind(Json(&answer.headers))
            .bind(answer.body.as_slice())
    )?;
    Ok(())
}

/// Gives the key back: the write did not happen.
pub async fn release(tx: &mut Tx, person: PersonId, key: &str) -> Result<(), Error> {
    const SQL: &str = "delete from idempotency where person_id = $1 and key = $2 and status is null";
    execute!(tx, sqlx::query(SQL).bind(person.uuid()).bind(key))?;
    Ok(())
}

/// Forgets answers that expired.
pub async fn purge(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "delete from idempotency where expires_at <= $1";
    execute!(tx, sqlx::query(SQL).bind(now.micros()))
}
