use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgPool, SqlitePool};

use crate::Error;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Brings an SQLite database up to date.
pub async fn run_sqlite(pool: &SqlitePool) -> Result<(), Error> {
    SQLITE.run(pool).await.map_err(|error| explain(&SQLITE, error))
}

/// Brings a Postgres database up to date; several nodes may start at once, an advisory lock orders them.
pub async fn run_postgres(pool: &PgPool) -> Result<(), Error> {
    POSTGRES.run(pool).await.map_err(|error| explain(&POSTGRES, error))
}

fn explain(migrator: &Migrator, error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(found) => Error::NewerSchema { found, known: newest(migrator) },
        other => Error::Migrate(other),
    }
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|migration| migration.version).max().unwrap_or(0)
}
