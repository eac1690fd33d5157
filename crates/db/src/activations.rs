//! Activations: which skills a person has made live, each in the version that was chosen then.

use kontor_types::{PersonId, SkillId, Timestamp, VersionId};

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
