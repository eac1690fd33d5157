//! Which folder of which source made which skill, so that importing again changes only what changed.

use kontor_types::{Digest, PublisherId, SkillId, Timestamp};

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx};

record! {
    /// One folder and the skill it made.
    pub struct ImportPath {
        /// For which publisher.
        pub publisher_id: PublisherId,
        /// The source, as its importer names it.
        pub source: String,
        /// The folder inside the source.
        pub path: String,
        /// The skill it made.
        pub skill_id: SkillId,
        /// The content that was last imported from there.
        pub digest: Digest,
        /// When that was.
        pub imported_at: Timestamp,
    }
}

const SELECT: &str = "select publisher_id, source, path, skill_id, digest, imported_at from import_path";

/// What a folder made, if it was imported before.
pub async fn find(
    conn: &mut Conn,
    publisher: PublisherId,
    source: &str,
    path: &str,
) -> Result<Option<ImportPath>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" where publisher_id = ").value(publisher).push(" and source = ").value(source);
    sql.push(" and path = ").value(path);
    sql.optional(conn).await
}

/// What these folders of one source made; folders that were never imported are left out.
pub async fn find_many(
    conn: &mut Conn,
    publisher: PublisherId,
    source: &str,
    paths: &[String],
) -> Result<Vec<ImportPath>, Error> {
    let mut found = Vec::new();
    for paths in paths.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(SELECT);
        sql.push(" where publisher_id = ").value(publisher).push(" and source = ").value(source);
        sql.push(" and path in ").list(paths);
        found.extend(sql.all::<ImportPath>(conn).await?);
    }
    Ok(found)
}

/// The folders that made a skill.
pub async fn of_skill(conn: &mut Conn, skill: SkillId) -> Result<Vec<ImportPath>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" where skill_id = ").value(skill).push(" order by source, path");
    sql.all(conn).await
}

/// Remembers what a folder made.
pub async fn put(tx: &mut Tx, row: &ImportPath) -> Result<(), Error> {
    const SQL: &str = "insert into import_path (publisher_id, source, path, skill_id, digest, imported_at)
        values ($1, $2, $3, $4, $5, $6) on conflict (publisher_id, source, path) do update
        set skill_id = excluded.skill_id, digest = excluded.digest, imported_at = excluded.imported_at";
    Sql::new(SQL)
        .bind(row.publisher_id)
        .bind(&row.source)
        .bind(&row.path)
        .bind(row.skill_id)
        .bind(row.digest)
        .bind(row.imported_at)
        .run(tx)
        .await
}

/// Gives the memory of a skill's folders to another publisher; what that one imported from the same folders stays its own.
pub async fn hand_over(tx: &mut Tx, skill: SkillId, to: PublisherId) -> Result<(), Error> {
    const TAKEN: &str = "delete from import_path where skill_id = $1 and exists (select 1 from import_path other
        where other.publisher_id = $2 and other.source = import_path.source and other.path = import_path.path
            and other.skill_id <> import_path.skill_id)";
    const MOVE: &str = "update import_path set publisher_id = $2 where skill_id = $1";
    Sql::new(TAKEN).bind(skill).bind(to).run(tx).await?;
    Sql::new(MOVE).bind(skill).bind(to).run(tx).await
}

/// Forgets the folders that made a skill.
pub async fn forget(tx: &mut Tx, skill: SkillId) -> Result<u64, Error> {
    Sql::new("delete from import_path where skill_id = $1").bind(skill).execute(tx).await
}
