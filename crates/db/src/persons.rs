//! People who can sign in.

use kontor_types::{Handle, PageSize, PersonId, Timestamp};

use crate::columns::{NullableTime, changed};
use crate::{Conn, Error, Tx};

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    /// Their id.
    #[sqlx(try_from = "uuid::Uuid")]
    pub id: PersonId,
    /// Their name on the hub, also that of their personal publisher.
    #[sqlx(try_from = "String")]
    pub handle: Handle,
    /// The name shown to people.
    pub display_name: String,
    /// Whether they administer the hub.
    pub administrator: bool,
    /// When they came.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// Since when they may no longer sign in.
    #[sqlx(try_from = "NullableTime")]
    pub disabled_at: Option<Timestamp>,
}

/// Adds a person; a taken handle is [`Error::Duplicate`].
pub async fn insert(tx: &mut Tx, person: &Person) -> Result<(), Error> {
    const SQL: &str = "insert into person (id, handle, display_name, administrator, created_at, disabled_at)
        values ($1, $2, $3, $4, $5, $6)";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(person.id.uuid())
            .bind(person.handle.as_str())
            .bind(&person.display_name)
            .bind(person.administrator)
            .bind(person.created_at.micros())
            .bind(person.disabled_at.map(Timestamp::micros))
    )?;
    Ok(())
}

/// The person with this id.
pub async fn by_id(conn: &mut Conn, id: PersonId) -> Result<Option<Person>, Error> {
    const SQL: &str = "select * from person where id = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(id.uuid()).fetch_optional(c))?)
}

/// The person with this handle.
pub async fn by_handle(conn: &mut Conn, handle: &Handle) -> Result<Option<Person>, Error> {
    const SQL: &str = "select * from person where handle = $1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(handle.as_str()).fetch_optional(c))?)
}

/// People after `after` by handle, one more than the page has.
pub async fn list(conn: &mut Conn, after: Option<&Handle>, size: PageSize) -> Result<Vec<Person>, Error> {
    const SQL: &str = "select * from person where handle > $1 order by handle limit $2";
    let after = after.map_or("", Handle::as_str);
    Ok(on!(conn, |c| sqlx::query_as(SQL).bind(after).bind(size.and_one()).fetch_all(c))?)
}

/// How many people administer the hub and may sign in.
pub async fn administrators(conn: &mut Conn) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from person where administrator and disabled_at is null";
    Ok(on!(conn, |c| sqlx::query_scalar(SQL).fetch_one(c))?)
}

/// The administrator who came first, if there ever was one.
pub async fn first_administrator(conn: &mut Conn) -> Result<Option<Person>, Error> {
    const SQL: &str = "select * from person where administrator order by created_at, id limit 1";
    Ok(on!(conn, |c| sqlx::query_as(SQL).fetch_optional(c))?)
}

/// Changes what may change: the shown name, the administrator's powers, and whether they may sign in.
pub async fn update(tx: &mut Tx, person: &Person) -> Result<bool, Error> {
    const SQL: &str = "update person set display_name = $2, administrator = $3, disabled_at = $4 where id = $1";
    changed(execute!(
        tx,
        sqlx::query(SQL)
            .bind(person.id.uuid())
            .bind(&person.display_name)
            .bind(person.administrator)
            .bind(person.disabled_at.map(Timestamp::micros))
    ))
}
