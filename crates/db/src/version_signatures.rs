//! Publishers' signatures over versions, byte for byte as they came.

use kontor_types::{PublisherId, SkillId, Timestamp, VersionId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// The signature of one version.
    pub struct VersionSignature {
        /// The version.
        pub version_id: VersionId,
        /// Whose key signed it.
        pub publisher_id: PublisherId,
        /// Which key.
        pub key_id: String,
        /// The DSSE envelope.
        pub envelope: Vec<u8>,
        /// When the hub took it.
        pub taken_at: Timestamp,
    }
}

record! {
    /// A version that a key signed.
    pub struct Signed {
        /// The version.
        pub version_id: VersionId,
        /// Its skill.
        pub skill_id: SkillId,
    }
}

/// Keeps the signature of a version that has none.
pub async fn insert(tx: &mut Tx, signature: &VersionSignature) -> Result<(), Error> {
    const SQL: &str = "insert into version_signature (version_id, publisher_id, key_id, envelope, taken_at)
        values ($1, $2, $3, $4, $5)";
    Sql::new(SQL)
        .bind(signature.version_id)
        .bind(signature.publisher_id)
        .bind(&signature.key_id)
        .bind(signature.envelope.clone())
        .bind(signature.taken_at)
        .run(tx)
        .await
}

/// The signature of a version, if it has one; for whoever may see the version.
pub async fn of_version(conn: &mut Conn, version: VersionId) -> Result<Option<VersionSignature>, Error> {
    const SQL: &str = "select version_id, publisher_id, key_id, envelope, taken_at from version_signature
        where version_id = $1";
    Sql::new(SQL).bind(version).optional(conn).await
}

/// Versions that a key signed and the hub took at `from` or later, after `after`, by id.
pub async fn by_key(
    conn: &mut Conn,
    (publisher, key): (PublisherId, &str),
    from: Timestamp,
    after: Option<VersionId>,
    limit: u32,
) -> Result<Vec<Signed>, Error> {
    let mut sql = Sql::new(
        "select g.version_id, v.skill_id from version_signature g join version v on v.id = g.version_id
        where g.publisher_id = $1 and g.key_id = $2 and g.taken_at >= $3",
    )
    .bind(publisher)
    .bind(key)
    .bind(from);
    if let Some(after) = after {
        sql.push(" and g.version_id > ").value(after);
    }
    sql.push(" order by g.version_id limit ").value(limit);
    sql.all(conn).await
}
