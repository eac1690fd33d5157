//! What people are told about versions that concern them.

use kontor_types::{Handle, NoticeId, PersonId, Slug, Timestamp, Version, VersionId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// Something that one person is told.
    pub struct Notice {
        /// Its id.
        pub id: NoticeId,
        /// Whose version.
        pub publisher: Handle,
        /// Of which skill.
        pub slug: Slug,
        /// Which version.
        pub number: Version,
        /// What they are told.
        pub text: String,
        /// When.
        pub created_at: Timestamp,
        /// When it was read.
        pub read_at: Option<Timestamp>,
    }
}

/// Tells a person something about a version.
pub async fn insert(
    tx: &mut Tx,
    person: PersonId,
    version: VersionId,
    text: &str,
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = "insert into notice (id, person_id, version_id, text, created_at) values ($1, $2, $3, $4, $5)";
    Sql::new(SQL).bind(NoticeId::new(now)).bind(person).bind(version).bind(text).bind(now).run(tx).await
}

/// What a person was told, the newest first.
pub async fn of_person(conn: &mut Conn, person: PersonId, limit: u32) -> Result<Vec<Notice>, Error> {
    const SQL: &str = "select n.id, p.handle as publisher, s.slug, v.number, n.text, n.created_at, n.read_at
        from notice n join version v on v.id = n.version_id join skill s on s.id = v.skill_id
        join publisher p on p.id = s.publisher_id
        where n.person_id = $1 order by n.id desc limit $2";
    Sql::new(SQL).bind(person).bind(limit).all(conn).await
}

/// Notes that a person has read these; how many were new.
pub async fn read(tx: &mut Tx, person: PersonId, ids: &[NoticeId], now: Timestamp) -> Result<u64, Error> {
    let mut sql = Sql::new("update notice set read_at = ");
    sql.value(now).push(" where read_at is null and person_id = ").value(person);
    sql.push(" and id in ").list(ids.iter().copied());
    sql.execute(tx).await
}
