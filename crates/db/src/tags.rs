//! Tags: movable names for versions.

use kontor_types::{SkillId, TagName, Timestamp, Version, VersionId, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, sight};

record! {
    /// A tag and where it points.
    pub struct Tag {
        /// Its name.
        pub name: TagName,
        /// The version it points to.
        pub version_id: VersionId,
        /// The number of that version.
        pub number: Version,
        /// When it was last moved.
        pub updated_at: Timestamp,
    }
}

const SELECT: &str = "select t.name, t.version_id, v.number, t.updated_at from skill_tag t
    join version v on v.id = t.version_id join skill s on s.id = t.skill_id where t.skill_id = ";

/// The tags of a skill that point to versions the viewer may see, by name.
pub async fn list(conn: &mut Conn, viewer: &Viewer, skill: SkillId) -> Result<Vec<Tag>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.value(skill).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.push(" order by t.name");
    sql.all(conn).await
}

/// One tag, if it points to a version the viewer may see.
pub async fn find(conn: &mut Conn, viewer: &Viewer, skill: SkillId, name: &TagName) -> Result<Option<Tag>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.value(skill).push(" and t.name = ").value(name).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.optional(conn).await
}

/// How many tags a skill has.
pub async fn count(conn: &mut Conn, skill: SkillId) -> Result<u64, Error> {
    let sql = Sql::new("select count(*) from skill_tag where skill_id = $1").bind(skill);
    sql.cell(conn).await
}

/// Points a tag to a version, wherever it pointed before.
pub async fn put(tx: &mut Tx, skill: SkillId, name: &TagName, version: VersionId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into skill_tag (skill_id, name, version_id, updated_at) values ($1, $2, $3, $4)
        on conflict (skill_id, name) do update set version_id = excluded.version_id, updated_at = excluded.updated_at";
    Sql::new(SQL).bind(skill).bind(name).bind(version).bind(now).run(tx).await
}

/// Removes a tag; `false` when there was none.
pub async fn remove(tx: &mut Tx, skill: SkillId, name: &TagName) -> Result<bool, Error> {
    const SQL: &str = "delete from skill_tag where skill_id = $1 and name = $2";
    Sql::new(SQL).bind(skill).bind(name).changed(tx).await
}
