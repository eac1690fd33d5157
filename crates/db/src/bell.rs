//! Bells between processes on one Postgres: who rings wakes those who listen, once the ringing transaction is committed.

use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};

use crate::sql::Sql;
use crate::{Error, Tx};

/// Hears a bell, over a connection of its own.
#[derive(Debug)]
pub struct Bell(PgListener);

impl Bell {
    pub(crate) async fn listen(pool: &PgPool, name: &str) -> Result<Self, Error> {
        let alone = PgPoolOptions::new().max_connections(1).connect_lazy_with((*pool.connect_options()).clone());
        let mut listener = PgListener::connect_with(&alone).await?;
        listener.listen(name).await?;
        Ok(Self(listener))
    }

    /// Waits until somebody rings. A connection that broke off is made anew, and counts as a ring: one may have been missed.
    ///
    /// # Errors
    /// [`Error::Query`] when it cannot be made anew.
    pub async fn rung(&mut self) -> Result<(), Error> {
        self.0.try_recv().await?;
        Ok(())
    }
}

/// Rings a bell when the transaction is committed; on SQLite there is nobody to hear it.
pub async fn ring(tx: &mut Tx, name: &'static str) -> Result<(), Error> {
    if tx.is_postgres() {
        return Sql::new("select pg_notify($1, '')").bind(name).run(tx).await;
    }
    Ok(())
}
