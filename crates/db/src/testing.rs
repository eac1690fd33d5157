//! Databases for tests.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::Error;
use crate::sql::Sql;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// SQLite in a folder.
    Sqlite,
    /// A fresh database on the server that `KONTOR_TEST_POSTGRES` names.
    Postgres,
}

impl On {
    /// The address of an empty database, in `folder` when it is a file; `None`, said loudly, without a Postgres.
    #[expect(clippy::print_stderr, reason = "what a test leaves out must be seen")]
    pub async fn address(self, folder: &Path) -> Result<Option<String>, Error> {
        match self {
            Self::Sqlite => Ok(Some(format!("sqlite:{}", folder.join("kontor.db").display()))),
            Self::Postgres => {
                let Ok(server) = std::env::var("KONTOR_TEST_POSTGRES") else {
                    eprintln!("SKIPPED on Postgres: KONTOR_TEST_POSTGRES is not set (cargo xtask test sets it)");
                    return Ok(None);
                };
                create_database(&server).await.map(Some)
            }
        }
    }
}

/// Makes an empty database with a random name on a Postgres server and returns its address.
pub async fn create_database(server: &str) -> Result<String, Error> {
    let name = format!("kontor_{}", Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(server).await.map_err(Error::Open)?;
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await?;
    let (base, query) = server.split_once('?').map_or((server, None), |(base, query)| (base, Some(query)));
    let scheme_end = base.find("://").map_or(0, |at| at + 3);
    let path = base[scheme_end..].find('/').map_or(base.len(), |at| scheme_end + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{}/{name}{query}", &base[..path]))
}

/// Marks an SQLite database as if a newer program had migrated it.
pub async fn pretend_newer_schema(url: &str) -> Result<(), Error> {
    const SQL: &str = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'from the future', true, x'00', 0)";
    let mut connection = sqlx::SqliteConnection::connect(url).await.map_err(Error::Open)?;
    sqlx::query(SQL).execute(&mut connection).await?;
    Ok(())
}

/// Takes one change out of the feed, as no program of ours does.
pub async fn lose_change(tx: &mut crate::Tx, seq: i64) -> Result<u64, Error> {
    execute!(tx, sqlx::query("delete from change where seq = $1").bind(seq))
}

/// Takes every entry out of the log, as if the versions had been published before there was one.
pub async fn forget_log(tx: &mut crate::Tx) -> Result<u64, Error> {
    execute!(tx, sqlx::query("delete from log_entry"))
}

/// The names of all tables that migrations made, sorted.
pub async fn table_names(conn: &mut crate::Conn) -> Result<Vec<String>, Error> {
    const SQLITE: &str = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'
        and name not like '\\_sqlx%' escape '\\' order by name";
    const POSTGRES: &str = "select table_name::text from information_schema.tables
        where table_schema = current_schema() and table_name not like '\\_sqlx%' order by table_name";
    let sql = if conn.is_postgres() { POSTGRES } else { SQLITE };
    Sql::new(sql).column(conn).await
}

/// Runs a statement that no program of ours runs.
pub async fn run(tx: &mut crate::Tx, sql: String) -> Result<u64, Error> {
    execute!(tx, sqlx::query(AssertSqlSafe(sql.as_str())))
}

/// The only column of what a query of a test finds.
pub async fn texts(conn: &mut crate::Conn, sql: String) -> Result<Vec<String>, Error> {
    Sql::of_schema(sql).column(conn).await
}

/// What a Postgres server is set to.
pub async fn server_setting(conn: &mut crate::Conn, name: &str) -> Result<String, Error> {
    Sql::new("select current_setting($1)").bind(name).cell(conn).await
}
