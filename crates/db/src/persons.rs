//! People who can sign in.

use kontor_types::{Handle, PageSize, PersonId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// One person.
    pub struct Person {
        /// Their id.
        pub id: PersonId,
        /// Their name on the hub, also that of their personal publisher.
        pub handle: Handle,
        /// The name shown to people.
        pub display_name: String,
        /// Whether they administer the hub.
        pub administrator: bool,
        /// When they came.
        pub created_at: Timestamp,
        /// Since when they may no longer sign in.
        pub disabled_at: Option<Timestamp>,
    }
}

const COLUMNS: &str = "select id, handle, display_name, administrator, created_at, disabled_at from person";

/// Adds a person; a taken handle is [`Error::Duplicate`].
pub async fn insert(tx: &mut Tx, person: &Person) -> Result<(), Error> {
    const SQL: &str = "insert into person (id, handle, display_name, administrator, created_at, disabled_at)
        values ($1, $2, $3, $4, $5, $6)";
    Sql::new(SQL)
        .bind(person.id)
        .bind(&person.handle)
        .bind(&person.display_name)
        .bind(person.administrator)
        .bind(person.created_at)
        .bind(person.disabled_at)
        .run(tx)
        .await
}

/// The person with this id.
pub async fn by_id(conn: &mut Conn, id: PersonId) -> Result<Option<Person>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where id = ").value(id);
    sql.optional(conn).await
}

/// The person with this handle.
pub async fn by_handle(conn: &mut Conn, handle: &Handle) -> Result<Option<Person>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where handle = ").value(handle);
    sql.optional(conn).await
}

/// People after `after` by handle, one more than the page has.
pub async fn list(conn: &mut Conn, after: Option<&Handle>, size: PageSize) -> Result<Vec<Person>, Error> {
    let mut sql = Sql::new(COLUMNS);
    if let Some(after) = after {
        sql.push(" where handle > ").value(after);
    }
    sql.push(" order by handle limit ").value(size.and_one());
    sql.all(conn).await
}

/// How many people there are, shut out ones included.
pub async fn count(conn: &mut Conn) -> Result<u64, Error> {
    Sql::new("select count(*) from person").cell(conn).await
}

/// How many people administer the hub and may sign in.
pub async fn administrators(conn: &mut Conn) -> Result<i64, Error> {
    Sql::new("select count(*) from person where administrator and disabled_at is null").cell(conn).await
}

/// The administrator who came first, if there ever was one.
pub async fn first_administrator(conn: &mut Conn) -> Result<Option<Person>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push(" where administrator order by created_at, id limit 1");
    sql.optional(conn).await
}

/// Changes what may change: the shown name, the administrator's powers, and whether they may sign in.
pub async fn update(tx: &mut Tx, person: &Person) -> Result<bool, Error> {
    const SQL: &str = "update person set display_name = $2, administrator = $3, disabled_at = $4 where id = $1";
    Sql::new(SQL)
        .bind(person.id)
        .bind(&person.display_name)
        .bind(person.administrator)
        .bind(person.disabled_at)
        .changed(tx)
        .await
}
