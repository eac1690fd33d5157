//! Stars: who likes which skill; the skill's counter moves in the same transaction.

use kontor_types::{PersonId, SkillId, Timestamp};

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx};

/// Gives a star; `false` when the person had given one.
pub async fn add(tx: &mut Tx, skill: SkillId, person: PersonId, now: Timestamp) -> Result<bool, Error> {
    const STAR: &str = "insert into star (skill_id, person_id, created_at) values ($1, $2, $3)
        on conflict (skill_id, person_id) do nothing";
    let added = Sql::new(STAR).bind(skill).bind(person).bind(now).changed(tx).await?;
    if added {
        Sql::new("update skill set stars = stars + 1 where id = $1").bind(skill).run(tx).await?;
    }
    Ok(added)
}

/// Takes a star back; `false` when there was none.
pub async fn remove(tx: &mut Tx, skill: SkillId, person: PersonId) -> Result<bool, Error> {
    const UNSTAR: &str = "delete from star where skill_id = $1 and person_id = $2";
    let removed = Sql::new(UNSTAR).bind(skill).bind(person).changed(tx).await?;
    if removed {
        Sql::new("update skill set stars = stars - 1 where id = $1 and stars > 0").bind(skill).run(tx).await?;
    }
    Ok(removed)
}

/// Those of these skills that the person has starred.
pub async fn starred(conn: &mut Conn, person: PersonId, skills: &[SkillId]) -> Result<Vec<SkillId>, Error> {
    let mut starred = Vec::new();
    for ids in skills.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new("select skill_id from star where person_id = ");
        sql.value(person).push(" and skill_id in ").list(ids.iter().copied());
        starred.extend(sql.column::<SkillId>(conn).await?);
    }
    Ok(starred)
}

/// Moves the stars of one skill to another, where a person has not starred both; both counters follow.
pub async fn hand_over(tx: &mut Tx, from: SkillId, to: SkillId) -> Result<(), Error> {
    const MOVE: &str = "insert into star (skill_id, person_id, created_at)
        select $2, person_id, created_at from star where skill_id = $1
        on conflict (skill_id, person_id) do nothing";
    const COUNT: &str = "update skill set stars = (select count(*) from star where star.skill_id = skill.id)
        where id in ($1, $2)";
    Sql::new(MOVE).bind(from).bind(to).run(tx).await?;
    Sql::new("delete from star where skill_id = $1").bind(from).run(tx).await?;
    Sql::new(COUNT).bind(from).bind(to).run(tx).await
}
