use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgConnection, PgPool, SqlitePool};
use tokio::sync::oneshot;

use crate::connection::Inner;
use crate::writer::{Finished, Writer};
use crate::{Bell, Conn, Error, Tx, migrations};

/// The hub's database: SQLite with one writer and several readers, or a pool of Postgres connections.
#[derive(Debug, Clone)]
pub struct Db(Pools);

#[derive(Debug, Clone)]
enum Pools {
    Sqlite { readers: SqlitePool, writer: Writer },
    Postgres(PgPool),
}

/// Which database stands behind a [`Db`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded SQLite in write-ahead mode.
    Sqlite,
    /// A Postgres server.
    Postgres,
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Options {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Connections for reading (SQLite) or for everything (Postgres).
    pub connections: u32,
}

impl Options {
    /// SQLite in one file.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self { url: format!("sqlite:{}", path.into().display()), connections: 4 }
    }

    /// Whatever `url` names.
    pub fn url(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 8 }
    }
}

/// How long a database server that does not answer is waited for; it may be starting too.
pub const PATIENCE: Duration = Duration::from_secs(20);

impl Db {
    /// Opens the database, makes it if it is SQLite and missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::NewerSchema`] when a newer program has written it; [`Error::Address`], [`Error::Open`], [`Error::Migrate`].
    pub async fn open(options: &Options) -> Result<Self, Error> {
        if let Some(path) = options.url.strip_prefix("sqlite:") {
            return Self::open_sqlite(path.trim_start_matches("//"), options.connections).await;
        }
        if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            return Self::open_postgres(&options.url, options.connections).await;
        }
        let url = options.url.split_once(':').map_or("", |(scheme, _)| scheme).to_owned();
        Err(Error::Address { url })
    }

    async fn open_sqlite(path: &str, connections: u32) -> Result<Self, Error> {
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .statement_cache_capacity(256);
        let writers = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        // What a unit of writing changed before it failed is kept in memory for its return, not in a file.
        // Moving the log's pages into the file is what commits wait for: 16 MiB at a time move a busy page once instead of often.
        // With 64 MiB of pages in memory, a large unit does not spill what it changed before it commits.
        let writing = connect.clone().pragma("temp_store", "memory").pragma("wal_autocheckpoint", "4000");
        let writing = writing.pragma("cache_size", "-65536").pragma("recursive_triggers", "on");
        let write_pool = writers.connect_with(writing).await.map_err(Error::Open)?;
        migrations::run_sqlite(&write_pool).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(connections.max(1))
            // A file does not hang up as a server may: asking first would only wake its thread once more.
            .test_before_acquire(false)
            .connect_with(connect.read_only(true).create_if_missing(false))
            .await
            .map_err(Error::Open)?;
        let connection = write_pool.acquire().await.map_err(Error::Open)?;
        Ok(Self(Pools::Sqlite { readers, writer: Writer::start(connection) }))
    }

    async fn open_postgres(url: &str, connections: u32) -> Result<Self, Error> {
        let connect = PgConnectOptions::from_str(url).map_err(Error::Open)?.application_name("kontor");
        let pool = PgPoolOptions::new()
            .max_connections(connections.max(2))
            .acquire_timeout(PATIENCE)
            .connect_with(connect.clone())
            .await;
        let pool = match pool {
            // The pool tried again and again; one more try alone says why.
            Err(sqlx::Error::PoolTimedOut) => {
                let again = tokio::time::timeout(Duration::from_secs(5), PgConnection::connect_with(&connect)).await;
                let why = again.ok().and_then(Result::err).unwrap_or(sqlx::Error::PoolTimedOut);
                return Err(Error::Open(why));
            }
            other => other.map_err(Error::Open)?,
        };
        migrations::run_postgres(&pool).await?;
        Ok(Self(Pools::Postgres(pool)))
    }

    /// Which database this is.
    pub const fn backend(&self) -> Backend {
        match self.0 {
            Pools::Sqlite { .. } => Backend::Sqlite,
            Pools::Postgres(_) => Backend::Postgres,
        }
    }

    /// A connection for reading; it sees every write acknowledged before.
    pub async fn read(&self) -> Result<Conn, Error> {
        let inner = match &self.0 {
            Pools::Sqlite { readers, .. } => Inner::Sqlite(readers.acquire().await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.acquire().await?),
        };
        Ok(Conn { inner })
    }

    /// Runs a unit of writing: all of it is on disk when this returns `Ok`, none of it when it returns `Err`.
    ///
    /// No network or blob work belongs inside: on SQLite every other write waits.
    pub async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.0 {
            Pools::Sqlite { writer, .. } => write_sqlite(writer, unit).await,
            Pools::Postgres(pool) => write_postgres(pool, unit).await,
        }
    }

    /// Listens to a bell that other processes on the same Postgres ring; on SQLite there are none.
    pub async fn bell(&self, name: &str) -> Result<Option<Bell>, Error> {
        match &self.0 {
            Pools::Sqlite { .. } => Ok(None),
            Pools::Postgres(pool) => Bell::listen(pool, name).await.map(Some),
        }
    }

    /// Waits for queued writes and closes every connection; later calls fail with [`Error::Closed`] or a pool error.
    pub async fn close(&self) {
        match &self.0 {
            Pools::Sqlite { readers, .. } => {
                readers.close().await;
                // An empty unit queued last: when it is acknowledged, all earlier ones are on disk.
                let _ = self.write(|_| Box::pin(async { Ok::<(), Error>(()) })).await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

async fn write_sqlite<T, E, F>(writer: &Writer, unit: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let queued = writer.queue(Box::new(move |tx| {
        Box::pin(async move {
            let result = unit(tx).await;
            Finished {
                keep: result.is_ok(),
                acknowledge: Box::new(move |committed| {
                    let outcome = match (result, committed) {
                        (Ok(value), Ok(())) => Ok(value),
                        (Ok(_), Err(error)) => Err(E::from(error)),
                        (Err(error), _) => Err(error),
                    };
                    // The caller may have gone away; the work is done all the same.
                    let _ = sender.send(outcome);
                }),
            }
        })
    }));
    queued.await?;
    receiver.await.map_err(|_| Error::NotCommitted { reason: "the unit did not run to its end".to_owned() })?
}

async fn write_postgres<T, E, F>(pool: &PgPool, unit: F) -> Result<T, E>
where
    E: From<Error>,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
{
    // Whatever the server's default is: after a lock was waited for, the newest rows are to be seen.
    let transaction = pool.begin_with("begin isolation level read committed").await.map_err(Error::from)?;
    let mut tx = Tx::new(Inner::PostgresTx(transaction));
    let value = unit(&mut tx).await?;
    if let Inner::PostgresTx(transaction) = tx.into_inner() {
        transaction.commit().await.map_err(|error| match error {
            error @ sqlx::Error::Database(_) => Error::from(error),
            error => Error::CommitUnknown(error),
        })?;
    }
    Ok(value)
}
