//! Single facts about the hub itself, by name.

use crate::{Conn, Error, Tx};

/// The value of a setting, if it was ever set.
pub async fn get(conn: &mut Conn, name: &str) -> Result<Option<String>, Error> {
    const SQL: &str = "select value from setting where name = $1";
    Ok(on!(conn, |c| sqlx::query_scalar(SQL).bind(name).fetch_optional(c))?)
}

/// Sets a value, whatever it was before.
pub async fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), Error> {
    const SQL: &str = "insert into setting (name, value) values ($1, $2)
        on conflict (name) do update set value = excluded.value";
    execute!(tx, sqlx::query(SQL).bind(name).bind(value))?;
    Ok(())
}
