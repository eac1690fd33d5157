//! Access tokens: only the hash of the secret is here.

use kontor_types::{Digest, Handle, PersonId, PublisherId, Scope, Timestamp, TokenId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// One token, without its secret.
    pub struct Token {
        /// Its id.
        pub id: TokenId,
        /// Whose it is.
        pub person_id: PersonId,
        /// What its owner calls it.
        pub label: String,
        /// What it may be used for.
        pub scopes: Vec<Scope>,
        /// The publishers it is bound to; `None` means any.
        pub publishers: Option<Vec<PublisherId>>,
        /// When it was made.
        pub created_at: Timestamp,
        /// From when on it no longer works.
        pub expires_at: Option<Timestamp>,
        /// When it was used last, roughly.
        pub last_used_at: Option<Timestamp>,
        /// When it was revoked.
        pub revoked_at: Option<Timestamp>,
    }
}

record! {
    /// A token with the person it speaks for.
    pub struct Bearer {
        /// The token.
        pub token: Token,
        /// The person's handle.
        pub handle: Handle,
        /// Whether the person administers the hub.
        pub administrator: bool,
        /// Since when the person may no longer sign in.
        pub disabled_at: Option<Timestamp>,
    }
}

const COLUMNS: &str = "select t.id, t.person_id, t.label, t.scopes, t.publishers, t.created_at, t.expires_at,
    t.last_used_at, t.revoked_at from token t where ";

/// Adds a token by the hash of its secret.
pub async fn insert(tx: &mut Tx, token: &Token, hash: &Digest) -> Result<(), Error> {
    const SQL: &str = "insert into token (id, person_id, hash, label, scopes, publishers, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    Sql::new(SQL)
        .bind(token.id)
        .bind(token.person_id)
        .bind(hash)
        .bind(&token.label)
        .bind(token.scopes.as_slice())
        .bind(token.publishers.as_ref())
        .bind(token.created_at)
        .bind(token.expires_at)
        .run(tx)
        .await
}

/// The token whose secret has this hash, whatever its state.
pub async fn by_hash(conn: &mut Conn, hash: &Digest) -> Result<Option<Bearer>, Error> {
    const SQL: &str = "select t.id, t.person_id, t.label, t.scopes, t.publishers, t.created_at, t.expires_at,
            t.last_used_at, t.revoked_at, p.handle, p.administrator, p.disabled_at
        from token t join person p on p.id = t.person_id where t.hash = $1";
    Sql::new(SQL).bind(hash).optional(conn).await
}

/// The token with this id.
pub async fn by_id(conn: &mut Conn, id: TokenId) -> Result<Option<Token>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("t.id = ").value(id);
    sql.optional(conn).await
}

/// A person's tokens, newest first; revoked ones too, at most `limit`.
pub async fn of_person(conn: &mut Conn, person: PersonId, limit: u32) -> Result<Vec<Token>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("t.person_id = ").value(person).push(" order by t.created_at desc, t.id desc limit ").value(limit);
    sql.all(conn).await
}

/// How many of a person's tokens work now.
pub async fn active(conn: &mut Conn, person: PersonId, now: Timestamp) -> Result<i64, Error> {
    const SQL: &str = "select count(*) from token
        where person_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)";
    Sql::new(SQL).bind(person).bind(now).cell(conn).await
}

/// Ends a token; `false` when it had already ended.
pub async fn revoke(tx: &mut Tx, id: TokenId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update token set revoked_at = $2 where id = $1 and revoked_at is null";
    Sql::new(SQL).bind(id).bind(now).changed(tx).await
}

/// Ends every token of a person and says how many.
pub async fn revoke_all(tx: &mut Tx, person: PersonId, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update token set revoked_at = $2 where person_id = $1 and revoked_at is null";
    Sql::new(SQL).bind(person).bind(now).execute(tx).await
}

/// Notes that a token was used.
pub async fn touch(tx: &mut Tx, id: TokenId, now: Timestamp) -> Result<(), Error> {
    Sql::new("update token set last_used_at = $2 where id = $1").bind(id).bind(now).run(tx).await
}
