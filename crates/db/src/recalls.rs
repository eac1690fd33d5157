//! Versions that were admitted once, for those who may have them installed: what became of them, though nobody sees them now.

use kontor_types::{Digest, Handle, SkillId, Slug, Timestamp, Version as Number, VersionId, Viewer};

use crate::sql::Sql;
use crate::versions::VersionState;
use crate::{Conn, Error, sight};

record! {
    /// A version that was admitted once.
    pub struct Recalled {
        /// Its id.
        pub id: VersionId,
        /// The skill.
        pub skill_id: SkillId,
        /// The publisher's handle of today.
        pub publisher: Handle,
        /// The skill's name of today; the last one, if it was deleted.
        pub slug: Slug,
        /// The version's number.
        pub number: Number,
        /// The identity of its content.
        pub digest: Digest,
        /// How far it has come.
        pub state: VersionState,
        /// When its skill was deleted.
        pub deleted_at: Option<Timestamp>,
    }
}

const SELECT: &str = "select v.id, v.skill_id, p.handle as publisher, s.slug, v.number, v.digest, v.state, s.deleted_at
    from version v join skill s on s.id = v.skill_id join publisher p on p.id = s.publisher_id where ";

/// The version of this present or former name and number.
pub async fn by_name(
    conn: &mut Conn,
    viewer: &Viewer,
    publisher: &Handle,
    slug: &Slug,
    number: &Number,
) -> Result<Option<Recalled>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("v.skill_id = (select n.skill_id from skill_name n join publisher owner on owner.id = n.publisher_id");
    sql.push(" where owner.handle = ").value(publisher).push(" and n.slug = ").value(slug);
    sql.push(") and v.number = ").value(number).push(" and ");
    sight::may_recall(&mut sql, viewer);
    sql.optional(conn).await
}

/// The versions with this content, the oldest first.
pub async fn by_digest(conn: &mut Conn, viewer: &Viewer, digest: &Digest, limit: u32) -> Result<Vec<Recalled>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("v.digest = ").value(digest).push(" and ");
    sight::may_recall(&mut sql, viewer);
    sql.push(" order by v.id limit ").value(limit);
    sql.all(conn).await
}

/// The publisher of the one version of this number whose skill has or had this slug; nothing when there are several.
pub async fn publisher_of(
    conn: &mut Conn,
    viewer: &Viewer,
    slug: &Slug,
    number: &Number,
) -> Result<Option<Handle>, Error> {
    let mut sql = Sql::new(
        "select owner.handle from skill_name n join publisher owner on owner.id = n.publisher_id
        join skill s on s.id = n.skill_id join version v on v.skill_id = s.id where n.slug = ",
    );
    sql.value(slug).push(" and v.number = ").value(number).push(" and s.deleted_at is null and ");
    sight::may_recall(&mut sql, viewer);
    sql.push(" limit 2");
    let mut found: Vec<Handle> = sql.column(conn).await?;
    Ok(found.pop().filter(|_| found.is_empty()))
}
