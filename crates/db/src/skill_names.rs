//! Names: what each skill is called, was called, or holds back after a deletion.
//!
//! One row a publisher and slug, pointing straight at a skill, so a name never means two things and redirects never chain.

use kontor_types::{Handle, PublisherId, SkillId, Slug, Timestamp, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, sight};

words! {
    /// Why a name points to a skill.
    pub enum NameKind ("kind of name") {
        /// It is the skill's name.
        Current = "current",
        /// The skill was once called so, or was merged with one that was.
        Redirect = "redirect",
        /// The skill was deleted; nobody else gets the name for a while.
        Reserved = "reserved",
    }
}

record! {
    /// One name.
    pub struct Name {
        /// Within which publisher.
        pub publisher_id: PublisherId,
        /// The name.
        pub slug: Slug,
        /// The skill it points to.
        pub skill_id: SkillId,
        /// Why.
        pub kind: NameKind,
        /// Until when it is held back, if it is.
        pub until: Option<Timestamp>,
    }
}

record! {
    /// A skill that a bare slug may mean.
    pub struct Match {
        /// The skill.
        pub skill_id: SkillId,
        /// The handle of the publisher that holds the name.
        pub publisher: Handle,
        /// Why the name points to it; a reserved one blocks the slug and is not to be shown.
        pub kind: NameKind,
    }
}

const SELECT: &str = "select n.publisher_id, n.slug, n.skill_id, n.kind, n.until from skill_name n";

/// The name in a publisher, whatever it points to; for writers, who decide what may be taken.
pub async fn get(conn: &mut Conn, publisher: PublisherId, slug: &Slug) -> Result<Option<Name>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" where n.publisher_id = ").value(publisher).push(" and n.slug = ").value(slug);
    sql.optional(conn).await
}

/// The skill that a full name means, by its present or a former name, if the viewer may open it.
pub async fn resolve(
    conn: &mut Conn,
    viewer: &Viewer,
    publisher: &Handle,
    slug: &Slug,
) -> Result<Option<SkillId>, Error> {
    let mut sql = Sql::new(
        "select n.skill_id from skill_name n join publisher owner on owner.id = n.publisher_id
        join skill s on s.id = n.skill_id where n.kind in ('current', 'redirect') and owner.handle = ",
    );
    sql.value(publisher).push(" and n.slug = ").value(slug).push(" and ");
    sight::may_open(&mut sql, viewer);
    sql.optional_cell(conn).await
}

/// The deleted skill whose name is held back, if the viewer maintains it.
pub async fn resolve_reserved(
    conn: &mut Conn,
    viewer: &Viewer,
    publisher: &Handle,
    slug: &Slug,
) -> Result<Option<SkillId>, Error> {
    let mut sql = Sql::new(
        "select n.skill_id from skill_name n join publisher owner on owner.id = n.publisher_id
        join skill s on s.id = n.skill_id where n.kind = 'reserved' and owner.handle = ",
    );
    sql.value(publisher).push(" and n.slug = ").value(slug).push(" and ");
    sight::may_maintain(&mut sql, viewer);
    sql.optional_cell(conn).await
}

/// Everything that a slug without a publisher may mean to this viewer, at most `limit`, by publisher.
///
/// Former names count, so that a rename does not hand a slug to somebody else; so do names held back after a deletion,
/// when the deleted skill was open to everybody.
pub async fn resolve_bare(
    conn: &mut Conn,
    viewer: &Viewer,
    slug: &Slug,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Match>, Error> {
    let mut sql = Sql::new(
        "select n.skill_id, owner.handle as publisher, n.kind from skill_name n
        join publisher owner on owner.id = n.publisher_id join skill s on s.id = n.skill_id where n.slug = ",
    );
    sql.value(slug).push(" and ((n.kind in ('current', 'redirect') and ");
    sight::may_open(&mut sql, viewer);
    sql.push(") or (n.kind = 'reserved' and s.visibility = 'public' and s.hidden_at is null and n.until > ");
    sql.value(now).push(")) order by owner.handle limit ").value(limit);
    sql.all(conn).await
}

/// All names of a skill.
pub async fn of_skill(conn: &mut Conn, skill: SkillId) -> Result<Vec<Name>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" where n.skill_id = ").value(skill).push(" order by n.publisher_id, n.slug");
    sql.all(conn).await
}

/// Makes a name; [`Error::Duplicate`] when the publisher has it already.
pub async fn insert(tx: &mut Tx, name: &Name, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into skill_name (publisher_id, slug, skill_id, kind, until, created_at)
        values ($1, $2, $3, $4, $5, $6)";
    write(tx, SQL, name, now).await
}

/// Makes a name or points the one that is there to another skill.
pub async fn put(tx: &mut Tx, name: &Name, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "insert into skill_name (publisher_id, slug, skill_id, kind, until, created_at)
        values ($1, $2, $3, $4, $5, $6) on conflict (publisher_id, slug) do update
        set skill_id = excluded.skill_id, kind = excluded.kind, until = excluded.until,
            created_at = excluded.created_at";
    write(tx, SQL, name, now).await
}

async fn write(tx: &mut Tx, sql: &'static str, name: &Name, now: Timestamp) -> Result<(), Error> {
    Sql::new(sql)
        .bind(name.publisher_id)
        .bind(&name.slug)
        .bind(name.skill_id)
        .bind(name.kind)
        .bind(name.until)
        .bind(now)
        .run(tx)
        .await
}

/// Points every name of one skill to another as a redirect.
pub async fn redirect_all(tx: &mut Tx, from: SkillId, to: SkillId) -> Result<u64, Error> {
    const SQL: &str = "update skill_name set skill_id = $2, kind = 'redirect', until = null where skill_id = $1";
    Sql::new(SQL).bind(from).bind(to).execute(tx).await
}

/// Holds back every name of a deleted skill.
pub async fn reserve_all(tx: &mut Tx, skill: SkillId, until: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update skill_name set kind = 'reserved', until = $2 where skill_id = $1";
    Sql::new(SQL).bind(skill).bind(until).execute(tx).await
}

/// Gives a skill that was brought back its names again: `current` the one it has, redirects the others.
pub async fn restore_all(tx: &mut Tx, skill: SkillId) -> Result<u64, Error> {
    const SQL: &str = "update skill_name set until = null, kind = case when exists (select 1 from skill s
            where s.id = skill_name.skill_id and s.publisher_id = skill_name.publisher_id and s.slug = skill_name.slug)
            then 'current' else 'redirect' end
        where skill_id = $1";
    Sql::new(SQL).bind(skill).execute(tx).await
}

/// Forgets a name.
pub async fn remove(tx: &mut Tx, publisher: PublisherId, slug: &Slug) -> Result<bool, Error> {
    const SQL: &str = "delete from skill_name where publisher_id = $1 and slug = $2";
    Sql::new(SQL).bind(publisher).bind(slug).changed(tx).await
}

/// Deleted skills whose names need not be held back any longer.
pub async fn expired(conn: &mut Conn, now: Timestamp, limit: u32) -> Result<Vec<SkillId>, Error> {
    const SQL: &str =
        "select distinct n.skill_id from skill_name n where n.kind = 'reserved' and n.until <= $1 limit $2";
    Sql::new(SQL).bind(now).bind(limit).column(conn).await
}
