//! Single facts about the hub itself, by name.

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

/// The value of a setting, if it was ever set.
pub async fn get(conn: &mut Conn, name: &str) -> Result<Option<String>, Error> {
    Sql::new("select value from setting where name = $1").bind(name).optional_cell(conn).await
}

/// Sets a value unless there is one; returns the one that holds.
pub async fn keep(tx: &mut Tx, name: &str, value: &str) -> Result<String, Error> {
    const SQL: &str = "insert into setting (name, value) values ($1, $2) on conflict (name) do nothing";
    Sql::new(SQL).bind(name).bind(value).execute(tx).await?;
    Sql::new("select value from setting where name = $1").bind(name).cell(tx).await
}

/// Sets a value, whatever it was before.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), Error> {
    const SQL: &str = "insert into setting (name, value) values ($1, $2)
        on conflict (name) do update set value = excluded.value";
    Sql::new(SQL).bind(name).bind(value).run(tx).await
}
