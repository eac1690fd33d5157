//! What must be true between rows and is not held by a constraint: questions that a check of the whole hub asks.

use kontor_types::{Digest, Handle, SkillId, Slug, Timestamp, Version as Number, VersionId};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

record! {
    /// A version by the names people know it by.
    pub struct Named {
        /// The version.
        pub id: VersionId,
        /// The skill.
        pub skill_id: SkillId,
        /// Who publishes it.
        pub publisher: Handle,
        /// The skill's name.
        pub slug: Slug,
        /// The version's number.
        pub number: Number,
        /// The identity of its content.
        pub digest: Digest,
    }
}

record! {
    /// A skill whose counters are not what its rows add up to.
    pub struct Miscounted {
        /// The skill.
        pub skill_id: SkillId,
        /// Who publishes it.
        pub publisher: Handle,
        /// The skill's name.
        pub slug: Slug,
        /// The stars that there are.
        pub stars: u64,
        /// The downloads that there are.
        pub downloads: u64,
        /// The installs that there are.
        pub installs: u64,
    }
}

const NAMED: &str = "select v.id, v.skill_id, p.handle as publisher, s.slug, v.number, v.digest
    from version v join skill s on s.id = v.skill_id join publisher p on p.id = s.publisher_id where ";

/// Every version that has this content, whoever may see it.
pub async fn versions_of(conn: &mut Conn, digest: &Digest) -> Result<Vec<Named>, Error> {
    let mut sql = Sql::new(NAMED);
    sql.push("v.digest = ").value(digest).push(" order by v.id");
    sql.all(conn).await
}

/// Versions without an index of their files.
pub async fn versions_without_files(conn: &mut Conn) -> Result<Vec<Named>, Error> {
    let mut sql = Sql::new(NAMED);
    sql.push("(select count(*) from version_file f where f.version_id = v.id) <> v.file_count order by v.id");
    sql.all(conn).await
}

/// Skills whose counters have drifted from the rows that they sum up.
pub async fn miscounted(conn: &mut Conn) -> Result<Vec<Miscounted>, Error> {
    const SQL: &str = "select * from (
            select s.id as skill_id, p.handle as publisher, s.slug,
                (select count(*) from star where star.skill_id = s.id) as stars,
                (select cast(coalesce(sum(u.downloads), 0) as bigint) from usage_day u where u.skill_id = s.id) as downloads,
                (select cast(coalesce(sum(u.installs), 0) as bigint) from usage_day u where u.skill_id = s.id) as installs,
                s.stars as said_stars, s.downloads as said_downloads, s.installs as said_installs
            from skill s join publisher p on p.id = s.publisher_id) counted
        where stars <> said_stars or downloads <> said_downloads or installs <> said_installs
        order by skill_id";
    Sql::new(SQL).all(conn).await
}

/// Sets a skill's counters to what its rows add up to.
pub async fn recount(tx: &mut Tx, skill: &Miscounted) -> Result<(), Error> {
    const SQL: &str = "update skill set stars = $2, downloads = $3, installs = $4 where id = $1";
    let sql = Sql::new(SQL).bind(skill.skill_id).bind(skill.stars).bind(skill.downloads).bind(skill.installs);
    sql.run(tx).await
}

/// Hides a version whose content is lost, with the reason; one that is hidden already keeps its reason.
pub async fn hide_lost(tx: &mut Tx, version: VersionId, reason: &str, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update version set hidden_at = $2, hidden_reason = $3 where id = $1 and hidden_at is null";
    Sql::new(SQL).bind(version).bind(now).bind(reason).changed(tx).await
}
