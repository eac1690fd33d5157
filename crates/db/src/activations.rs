//! Activations: which skills a person has made live, each in the version that was chosen then.

use kontor_types::{Handle, PersonId, PublisherId, SkillId, Timestamp, Version, VersionId, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// One skill that is live.
    #[derive(Copy)]
    pub struct Activation {
        /// The skill.
        pub skill_id: SkillId,
        /// The version.
        pub version_id: VersionId,
        /// Since when.
        pub created_at: Timestamp,
    }
}

record! {
    /// Somebody who has a skill live, and whether they know what was decided about a version of it.
    pub struct Holder {
        /// Who.
        pub person: Handle,
        /// The version that they have.
        pub number: Version,
        /// Since when they have the skill.
        pub since: Timestamp,
        /// When they were told of the decision.
        pub told_at: Option<Timestamp>,
        /// When they read that.
        pub read_at: Option<Timestamp>,
    }
}

record! {
    /// How many people have a version of a skill live.
    pub struct HeldVersion {
        /// The version.
        pub number: Version,
        /// How many.
        pub people: u64,
    }
}

record! {
    /// How many of those who have a skill live know what was decided about a version of it.
    #[derive(Copy)]
    pub struct Known {
        /// Were told.
        pub told: u64,
        /// Have read it.
        pub read: u64,
    }
}

/// What a person has made live, the first first.
pub async fn of(conn: &mut Conn, person: PersonId) -> Result<Vec<Activation>, Error> {
    const SQL: &str = "select skill_id, version_id, created_at from activation where person_id = $1
        order by created_at, skill_id";
    Sql::new(SQL).bind(person).all(conn).await
}

/// Makes a version live, in place of another of its skill.
pub async fn put(
    tx: &mut Tx,
    person: PersonId,
    (skill, version): (SkillId, VersionId),
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = "insert into activation (person_id, skill_id, version_id, created_at) values ($1, $2, $3, $4)
        on conflict (person_id, skill_id) do update set version_id = excluded.version_id";
    Sql::new(SQL).bind(person).bind(skill).bind(version).bind(now).run(tx).await
}

/// Ends it; `false` when the skill was not live.
pub async fn remove(tx: &mut Tx, person: PersonId, skill: SkillId) -> Result<bool, Error> {
    const SQL: &str = "delete from activation where person_id = $1 and skill_id = $2";
    Sql::new(SQL).bind(person).bind(skill).changed(tx).await
}

/// How many skills a person has made live, beside this one. On Postgres whoever asks next waits until this unit ends.
pub async fn others(tx: &mut Tx, person: PersonId, skill: SkillId) -> Result<u64, Error> {
    const SQL: &str = "select count(*) from activation where person_id = $1 and skill_id <> $2";
    if tx.is_postgres() {
        let held: Option<PersonId> =
            Sql::new("select id from person where id = $1 for update").bind(person).optional_cell(tx).await?;
        debug_assert!(held.is_some(), "who asks is there");
    }
    Sql::new(SQL).bind(person).bind(skill).cell(tx).await
}

/// How many people have each version of a skill live, without those who are shut out; the version of most people first.
pub async fn held_versions(conn: &mut Conn, skill: SkillId) -> Result<Vec<HeldVersion>, Error> {
    const SQL: &str = "select v.number, count(*) as people from activation a join person p on p.id = a.person_id
        join version v on v.id = a.version_id where a.skill_id = $1 and p.disabled_at is null
        group by v.id, v.number order by 2 desc, v.id desc";
    Sql::new(SQL).bind(skill).all(conn).await
}

/// Who has a skill live, by name, as far as the viewer may know people: an administrator everybody, others those with whom
/// they belong to a publisher. With each, whether they were told what was decided about `version`.
pub async fn holders(
    conn: &mut Conn,
    viewer: &Viewer,
    (skill, version): (SkillId, VersionId),
    limit: u32,
) -> Result<Vec<Holder>, Error> {
    let mut sql = Sql::new(
        "select p.handle as person, v.number, a.created_at as since, n.created_at as told_at, n.read_at
        from activation a join person p on p.id = a.person_id join version v on v.id = a.version_id
        left join notice n on n.id = (select told.id from notice told where told.version_id = ",
    );
    sql.value(version).push(" and told.person_id = a.person_id and told.kind in ").push(DECIDED);
    sql.push(" order by told.id desc limit 1) where p.disabled_at is null and a.skill_id = ").value(skill);
    if !viewer.is_administrator() {
        let shared: Vec<PublisherId> = viewer.member_of().collect();
        if shared.is_empty() {
            return Ok(Vec::new());
        }
        sql.push(
            " and exists (select 1 from publisher_member m where m.person_id = a.person_id and m.publisher_id in ",
        );
        sql.list(shared).push(")");
    }
    sql.push(" order by p.handle limit ").value(limit);
    sql.all(conn).await
}

/// How many of those who have a skill live were told what was decided about a version of it, and have read that.
pub async fn known(conn: &mut Conn, skill: SkillId, version: VersionId) -> Result<Known, Error> {
    let mut sql = Sql::new(
        "select count(distinct n.person_id) as told,
            count(distinct case when n.read_at is not null then n.person_id end) as read
        from notice n join activation a on a.person_id = n.person_id join person p on p.id = n.person_id
        where p.disabled_at is null and a.skill_id = ",
    );
    sql.value(skill).push(" and n.version_id = ").value(version).push(" and n.kind in ").push(DECIDED);
    sql.one(conn).await
}

/// Kinds of notices that say what was decided.
const DECIDED: &str = "('admitted', 'held', 'quarantined', 'rejected')";
