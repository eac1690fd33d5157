//! Merchants that the hub buys from. Nothing is removed: purchases refer to them.

use kontor_types::Timestamp;

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// One merchant.
    pub struct Merchant {
        /// The hub's name for it, which mandates name.
        pub slug: String,
        /// What its quotes call it.
        pub known_as: String,
        /// What it calls itself before people.
        pub name: String,
        /// Where its discovery document is below.
        pub url: String,
        /// Where its interface is.
        pub endpoint: String,
        /// The key that signs its quotes, as it was when an administrator added it.
        pub public_key: String,
        /// What the platform keeps of a sale, in basis points.
        pub platform_share: i64,
        /// What the authors of the skills that led to a sale get together, in basis points.
        pub author_share: i64,
        /// When it was added, or its key was read again.
        pub added_at: Timestamp,
        /// Since when nothing is bought there.
        pub removed_at: Option<Timestamp>,
    }
}

const SELECT: &str = "select slug, known_as, name, url, endpoint, public_key, platform_share, author_share, added_at,
    removed_at from merchant where ";

/// The merchants that are bought from, by name.
pub async fn list(conn: &mut Conn) -> Result<Vec<Merchant>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("removed_at is null order by slug");
    sql.all(conn).await
}

/// One merchant, also one that was removed.
pub async fn find(conn: &mut Conn, slug: &str) -> Result<Option<Merchant>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("slug = ").value(slug);
    sql.optional(conn).await
}

/// Adds a merchant, or puts what is now known of it in the place of what was known.
pub async fn put(tx: &mut Tx, merchant: &Merchant) -> Result<(), Error> {
    const SQL: &str =
        "insert into merchant (slug, known_as, name, url, endpoint, public_key, platform_share, author_share,
        added_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (slug) do update set known_as = excluded.known_as, name = excluded.name, url = excluded.url,
        endpoint = excluded.endpoint, public_key = excluded.public_key, platform_share = excluded.platform_share,
        author_share = excluded.author_share, added_at = excluded.added_at, removed_at = null";
    let sql = Sql::new(SQL).bind(&merchant.slug).bind(&merchant.known_as).bind(&merchant.name).bind(&merchant.url);
    let sql = sql.bind(&merchant.endpoint).bind(&merchant.public_key).bind(merchant.platform_share);
    sql.bind(merchant.author_share).bind(merchant.added_at).run(tx).await
}

/// Nothing is bought there from now on; `false` when nothing was.
pub async fn remove(tx: &mut Tx, slug: &str, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update merchant set removed_at = $2 where slug = $1 and removed_at is null";
    Sql::new(SQL).bind(slug).bind(now).changed(tx).await
}
