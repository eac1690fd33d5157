//! The files of a version: where each lies in the canonical archive.

use kontor_types::{Digest, SkillId, VersionId, Viewer};

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx, sight};

record! {
    /// One file.
    pub struct File {
        /// Its path inside the skill.
        pub path: String,
        /// Where its bytes begin in the archive.
        pub position: u64,
        /// How many bytes it has.
        pub size: u64,
        /// SHA-256 of its bytes.
        pub digest: Digest,
    }
}

/// Rows that one statement makes: five values each, below the 32,766 that SQLite binds.
const ROWS: usize = 2_000;

const SELECT: &str = "select f.path, f.position, f.size, f.digest from version_file f
    join version v on v.id = f.version_id join skill s on s.id = v.skill_id where ";

/// The files of a version that the viewer may see, by the bytes of their path.
pub async fn list(conn: &mut Conn, viewer: &Viewer, version: VersionId) -> Result<Vec<File>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("f.version_id = ").value(version).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.push(" order by f.path");
    sql.all(conn).await
}

/// One file of a version that the viewer may see.
pub async fn find(conn: &mut Conn, viewer: &Viewer, version: VersionId, path: &str) -> Result<Option<File>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("f.version_id = ").value(version).push(" and f.path = ").value(path).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.optional(conn).await
}

record! {
    /// Where the text of a skill's newest version lies.
    pub struct Text {
        /// The skill.
        pub skill_id: SkillId,
        /// The archive that holds it.
        pub archive: Digest,
        /// Where its bytes begin in the archive.
        pub position: u64,
        /// How many bytes it has.
        pub size: u64,
    }
}

/// Where the texts of these skills' newest versions lie, in no particular order; for the index, which sees everything.
pub async fn texts(conn: &mut Conn, skills: &[SkillId]) -> Result<Vec<Text>, Error> {
    let mut found = Vec::with_capacity(skills.len());
    for ids in skills.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(
            "select s.id as skill_id, v.digest as archive, f.position, f.size from skill s
            join version v on v.id = s.latest_version_id
            join version_file f on f.version_id = v.id and f.path = v.skill_file where s.id in ",
        );
        sql.list(ids.iter().copied());
        found.extend(sql.all::<Text>(conn).await?);
    }
    Ok(found)
}

record! {
    /// The file of a version that has just one.
    pub struct Only {
        /// The version.
        pub version_id: VersionId,
        /// SHA-256 of the file's bytes.
        pub digest: Digest,
    }
}

/// The files of those of these versions that have just one and that the viewer may see.
pub async fn only(conn: &mut Conn, viewer: &Viewer, versions: &[VersionId]) -> Result<Vec<Only>, Error> {
    let mut found = Vec::new();
    for ids in versions.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(
            "select f.version_id, f.digest from version_file f join version v on v.id = f.version_id
            join skill s on s.id = v.skill_id where v.file_count = 1 and v.id in ",
        );
        sql.list(ids.iter().copied()).push(" and ");
        sight::may_see(&mut sql, viewer);
        found.extend(sql.all::<Only>(conn).await?);
    }
    Ok(found)
}

/// Makes the files of a version.
pub async fn insert(tx: &mut Tx, version: VersionId, files: &[File]) -> Result<(), Error> {
    for rows in files.chunks(ROWS) {
        let mut sql = Sql::new("insert into version_file (version_id, path, position, size, digest) values ");
        let mut before = "(";
        for file in rows {
            sql.push(before).value(version).push(", ").value(file.path.as_str()).push(", ").value(file.position);
            sql.push(", ").value(file.size).push(", ").value(file.digest).push(")");
            before = ", (";
        }
        sql.run(tx).await?;
    }
    Ok(())
}
