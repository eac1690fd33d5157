//! Searches that found nothing, by day and words, without anybody's name.

use kontor_types::Day;

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// Rows that one day may have; what is looked for beyond them is not kept.
pub const MOST_A_DAY: i64 = 2_000;

record! {
    /// Searches for the same words on one day.
    pub struct Unanswered {
        /// The day.
        pub day: Day,
        /// The words, folded.
        pub words: String,
        /// How often they were looked for.
        pub searches: i64,
        /// A bit for each heap of callers who did.
        pub callers: i64,
    }
}

/// Adds searches to those of their day and words. New words are left out on a day that is full.
pub async fn add(tx: &mut Tx, one: &Unanswered) -> Result<(), Error> {
    const ADD: &str = "update unanswered_search set searches = searches + $3, callers = callers | $4
        where day = $1 and words = $2";
    const NEW: &str = "insert into unanswered_search (day, words, searches, callers) values ($1, $2, $3, $4)
        on conflict (day, words) do update set searches = unanswered_search.searches + excluded.searches,
            callers = unanswered_search.callers | excluded.callers";
    let bind = |sql: &'static str| Sql::new(sql).bind(one.day).bind(&one.words).bind(one.searches).bind(one.callers);
    if bind(ADD).changed(tx).await? {
        return Ok(());
    }
    let full: bool = Sql::new("select count(*) >= $2 from unanswered_search where day = $1")
        .bind(one.day)
        .bind(MOST_A_DAY)
        .cell(tx)
        .await?;
    if full {
        return Ok(());
    }
    bind(NEW).run(tx).await
}

/// What was looked for since `since`, the words that were looked for most often first, at most `words` of them, each with
/// all its days.
pub async fn since(conn: &mut Conn, since: Day, words: u32) -> Result<Vec<Unanswered>, Error> {
    const SQL: &str = "select u.day, u.words, u.searches, u.callers
        from (select words, cast(sum(searches) as bigint) as often from unanswered_search where day >= $1
            group by words order by 2 desc, words limit $2) w
        join unanswered_search u on u.words = w.words and u.day >= $1
        order by w.often desc, u.words, u.day";
    Sql::new(SQL).bind(since).bind(words).all(conn).await
}

/// Forgets days before `before`.
pub async fn purge(tx: &mut Tx, before: Day) -> Result<u64, Error> {
    Sql::new("delete from unanswered_search where day < $1").bind(before).execute(tx).await
}
