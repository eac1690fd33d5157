//! The change feed: a gapless sequence in the order of commits, followed by the search index and by caches.
//!
//! Its beginning is forgotten after a while. Whoever follows it and finds that the change after the last one they know is
//! gone begins anew from the rows themselves.

use kontor_types::Timestamp;
use uuid::Uuid;

use crate::{Conn, Error, Tx};

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A skill, one of its versions, or who may see it.
    Skill,
    /// A skill's counters of use, and nothing else of it.
    Use,
    /// A publisher's name or members.
    Publisher,
}

impl ChangeKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::Use => "use",
            Self::Publisher => "publisher",
        }
    }
}

/// One entry of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its place: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// What kind of thing changed; `None` for a kind that a newer program wrote.
    pub kind: Option<ChangeKind>,
    /// Which one.
    pub id: Uuid,
}

/// Records a change. Call it last in a unit: on Postgres the counter's row stays locked until the commit.
pub async fn record(tx: &mut Tx, kind: ChangeKind, id: Uuid, now: Timestamp) -> Result<i64, Error> {
    const NEXT: &str = "update change_counter set seq = seq + 1 where single = 1 returning seq";
    const INSERT: &str = "insert into change (seq, kind, id, at) values ($1, $2, $3, $4)";
    let seq: i64 = on!(tx, |c| sqlx::query_scalar(NEXT).fetch_one(c))?;
    execute!(tx, sqlx::query(INSERT).bind(seq).bind(kind.as_str()).bind(id).bind(now.micros()))?;
    Ok(seq)
}

/// Up to `limit` changes after `seq`, in order.
pub async fn after(conn: &mut Conn, seq: i64, limit: u32) -> Result<Vec<Change>, Error> {
    const SQL: &str = "select seq, kind, id from change where seq > $1 order by seq limit $2";
    let rows: Vec<(i64, String, Uuid)> =
        on!(conn, |c| sqlx::query_as(SQL).bind(seq).bind(i64::from(limit)).fetch_all(c))?;
    let kind = |word: &str| match word {
        "skill" => Some(ChangeKind::Skill),
        "use" => Some(ChangeKind::Use),
        "publisher" => Some(ChangeKind::Publisher),
        _ => None,
    };
    Ok(rows.into_iter().map(|(seq, word, id)| Change { seq, kind: kind(&word), id }).collect())
}

/// The newest place in the feed; 0 when nothing ever changed.
pub async fn newest(conn: &mut Conn) -> Result<i64, Error> {
    Ok(on!(conn, |c| sqlx::query_scalar("select seq from change_counter where single = 1").fetch_one(c))?)
}

/// Forgets the oldest changes, those before the first that was recorded at `before` or later, at most `limit`; returns how
/// many. What is left has no gap.
pub async fn prune(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, Error> {
    const OLDEST: &str = "select min(seq) from change";
    const KEPT: &str = "select min(seq) from change where at >= $1";
    const FORGET: &str = "delete from change where seq < $1";
    let oldest: Option<i64> = on!(tx, |c| sqlx::query_scalar(OLDEST).fetch_one(c))?;
    let Some(oldest) = oldest else { return Ok(0) };
    let kept: Option<i64> = on!(tx, |c| sqlx::query_scalar(KEPT).bind(before.micros()).fetch_one(c))?;
    let kept = match kept {
        Some(kept) => kept,
        None => newest(tx).await?.saturating_add(1),
    };
    let end = kept.min(oldest.saturating_add(i64::from(limit)));
    execute!(tx, sqlx::query(FORGET).bind(end))
}

/// How many numbers are missing between the oldest change and the newest place; less than zero when there are changes
/// behind it.
pub async fn missing(conn: &mut Conn) -> Result<i64, Error> {
    const SQL: &str = "select case when count(*) = 0 then 0
            when max(seq) > (select seq from change_counter where single = 1) then -1
            else (select seq from change_counter where single = 1) - min(seq) + 1 - count(*) end
        from change";
    Ok(on!(conn, |c| sqlx::query_scalar(SQL).fetch_one(c))?)
}

/// Empties the feed and skips a place, so that whoever follows it begins anew.
pub async fn begin_anew(tx: &mut Tx) -> Result<(), Error> {
    const SKIP: &str = "update change_counter set seq = 1 +
        (case when seq > (select coalesce(max(seq), 0) from change) then seq
            else (select coalesce(max(seq), 0) from change) end) where single = 1";
    execute!(tx, sqlx::query(SKIP))?;
    execute!(tx, sqlx::query("delete from change")).map(drop)
}
