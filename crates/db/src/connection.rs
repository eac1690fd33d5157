use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite, Transaction};

/// A connection to either database, for reading.
pub struct Conn {
    pub(crate) inner: Inner,
}

/// An open transaction; it derefs to [`Conn`], so every read also works inside it.
pub struct Tx {
    conn: Conn,
}

pub(crate) enum Inner {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    PostgresTx(Transaction<'static, Postgres>),
}

impl std::ops::Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

/// Runs one expression on whichever driver the connection has: `on!(conn, |c| sqlx::query(SQL).execute(c))`.
macro_rules! on {
    ($conn:expr, |$c:ident| $query:expr) => {
        match &mut $conn.inner {
            $crate::connection::Inner::Sqlite(connection) => {
                let $c = &mut **connection;
                $query.await
            }
            $crate::connection::Inner::Postgres(connection) => {
                let $c = &mut **connection;
                $query.await
            }
            $crate::connection::Inner::PostgresTx(connection) => {
                let $c = &mut **connection;
                $query.await
            }
        }
    };
}

/// The number of rows a statement changed, on either driver.
macro_rules! execute {
    ($conn:expr, $query:expr) => {
        on!($conn, |c| async { $query.execute(c).await.map(|done| done.rows_affected()) }).map_err($crate::Error::from)
    };
}

impl Tx {
    pub(crate) const fn new(inner: Inner) -> Self {
        Self { conn: Conn { inner } }
    }

    pub(crate) fn into_inner(self) -> Inner {
        self.conn.inner
    }
}

impl Conn {
    /// Nobody else gets this connection afterwards.
    pub(crate) fn close_on_drop(&mut self) {
        match &mut self.inner {
            Inner::Sqlite(connection) => connection.close_on_drop(),
            Inner::Postgres(connection) => connection.close_on_drop(),
            Inner::PostgresTx(_) => {}
        }
    }

    /// Whether this is Postgres; only dialect decisions ask.
    pub(crate) const fn is_postgres(&self) -> bool {
        !matches!(self.inner, Inner::Sqlite(_))
    }
}
