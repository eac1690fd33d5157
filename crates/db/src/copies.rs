//! Which skills show the same text now, and which of them had it first: what collapses in a search.

use kontor_types::SkillId;

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error};

/// Most skills that are looked at again because others changed.
const MOST_FOLLOWERS: u32 = 2_000;

record! {
    /// A skill and the one whose text it shows.
    pub struct Head {
        /// The skill.
        pub skill_id: SkillId,
        /// The one that had the text first, itself maybe.
        pub head: Option<SkillId>,
    }
}

/// Of each of these skills the one that had the text of its newest version first, among those that still show it to
/// everybody to whom this one is shown. Skills that had it first themselves are left out.
pub async fn heads(conn: &mut Conn, skills: &[SkillId]) -> Result<Vec<(SkillId, SkillId)>, Error> {
    // Whoever finds `s` finds `o`: it is public, or belongs to the same publisher and is shown to no fewer of its people.
    const HEAD: &str = "select s.id as skill_id, (select o.id
        from (select v.digest union select k.other from likeness_pair k where k.digest = v.digest) side
        join version ov on ov.digest = side.digest join skill o on o.id = ov.skill_id
        join version now on now.id = o.latest_version_id
        where o.deleted_at is null and o.hidden_at is null and ov.state = 'visible' and ov.hidden_at is null
            and (o.visibility = 'public' or (o.publisher_id = s.publisher_id and s.visibility <> 'public'
                and (o.visibility <> 'private' or s.visibility = 'private')))
            and (now.digest = v.digest or exists (select 1 from likeness_pair k
                where k.digest = v.digest and k.other = now.digest))
        order by ov.created_at, ov.id limit 1) as head
        from skill s join version v on v.id = s.latest_version_id where s.id in ";
    let mut found = Vec::new();
    for skills in skills.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(HEAD);
        sql.list(skills.iter().copied());
        let rows: Vec<Head> = sql.all(conn).await?;
        let copies = rows.into_iter().filter_map(|row| Some((row.skill_id, row.head?)));
        found.extend(copies.filter(|(skill, head)| skill != head));
    }
    Ok(found)
}

/// Skills whose newest version came after a version of one of these with a like text: they may have another head now.
pub async fn followers(conn: &mut Conn, skills: &[SkillId]) -> Result<Vec<SkillId>, Error> {
    let mut found = Vec::new();
    for skills in skills.chunks(MOST_IN_LIST) {
        let mut sql =
            Sql::new("select distinct o.id from (select v.digest, v.created_at from version v where v.skill_id in ");
        sql.list(skills.iter().copied());
        sql.push(
            " union select k.other, v.created_at from version v join likeness_pair k on k.digest = v.digest
            where v.skill_id in ",
        );
        sql.list(skills.iter().copied());
        sql.push(
            ") side join version ov on ov.digest = side.digest and ov.created_at >= side.created_at
            join skill o on o.id = ov.skill_id and o.latest_version_id = ov.id where o.deleted_at is null limit ",
        );
        sql.value(MOST_FOLLOWERS);
        found.extend(sql.column::<SkillId>(conn).await?);
    }
    Ok(found)
}
