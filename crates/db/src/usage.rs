//! Use of skills: downloads and installs by day, and the counters made of them.

use kontor_types::{Day, SkillId, VersionId, Viewer};

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx, sight};

/// Use of one version on one day, to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The skill.
    pub skill_id: SkillId,
    /// The version.
    pub version_id: VersionId,
    /// The day.
    pub day: Day,
    /// Downloads to add.
    pub downloads: u64,
    /// Installs to add.
    pub installs: u64,
}

record! {
    /// Use of a skill on one day, all versions together.
    pub struct DayUse {
        /// The day.
        pub day: Day,
        /// Downloads.
        pub downloads: u64,
        /// Installs.
        pub installs: u64,
    }
}

record! {
    /// Use of one version since it was published.
    pub struct VersionUse {
        /// The version.
        pub version_id: VersionId,
        /// Downloads.
        pub downloads: u64,
        /// Installs.
        pub installs: u64,
    }
}

/// Rows that one statement makes: five values each, below the 32,766 that SQLite binds.
const ROWS: usize = 2_000;

/// How many days the counter of recent use looks back, today included.
const RECENT_DAYS: i64 = 7;

/// Adds use and brings the counters of the skills it concerns up to date; a version that is gone is passed over.
pub async fn add(tx: &mut Tx, uses: &[Use], today: Day) -> Result<(), Error> {
    for rows in uses.chunks(ROWS) {
        let mut sql = Sql::new("insert into usage_day (skill_id, version_id, day, downloads, installs) ");
        let mut before = "select s.id, v.id, u.day, u.downloads, u.installs from (select ";
        for one in rows {
            sql.push(before);
            sql.push("cast(")
                .value(one.day)
                .push(" as bigint) as day, ")
                .value(one.version_id)
                .push(" as version_id, ");
            sql.push("cast(").value(one.downloads).push(" as bigint) as downloads, ");
            sql.push("cast(").value(one.installs).push(" as bigint) as installs");
            before = " union all select ";
        }
        sql.push(") u join version v on v.id = u.version_id join skill s on s.id = v.skill_id where true");
        sql.push(" on conflict (version_id, day) do update set");
        sql.push(" downloads = usage_day.downloads + excluded.downloads,");
        sql.push(" installs = usage_day.installs + excluded.installs");
        sql.run(tx).await?;
    }
    let mut totals = std::collections::BTreeMap::<SkillId, (u64, u64)>::new();
    for one in uses {
        let total = totals.entry(one.skill_id).or_default();
        total.0 = total.0.saturating_add(one.downloads);
        total.1 = total.1.saturating_add(one.installs);
    }
    for (skill, (downloads, installs)) in totals {
        count(tx, skill, downloads, installs, today).await?;
    }
    Ok(())
}

async fn count(tx: &mut Tx, skill: SkillId, downloads: u64, installs: u64, today: Day) -> Result<(), Error> {
    const SQL: &str = "update skill set downloads = downloads + $2, installs = installs + $3,
        trending = (select cast(coalesce(sum(d.downloads + d.installs), 0) as bigint) from usage_day d
            where d.skill_id = skill.id and d.day > $4)
        where id = $1";
    let since = today.number().saturating_sub(RECENT_DAYS);
    Sql::new(SQL).bind(skill).bind(downloads).bind(installs).bind(since).run(tx).await
}

/// Skills whose counter of recent use is not what their days say, because days went by; in the order of their ids.
pub async fn faded(conn: &mut Conn, today: Day) -> Result<Vec<SkillId>, Error> {
    const SQL: &str = "select s.id from skill s where s.trending <> (
            select cast(coalesce(sum(d.downloads + d.installs), 0) as bigint)
            from usage_day d where d.skill_id = s.id and d.day > $1)
        order by s.id";
    let since = today.number().saturating_sub(RECENT_DAYS);
    Sql::new(SQL).bind(since).column(conn).await
}

/// Brings the counter of recent use of these skills up to date; returns those whose counter changed.
pub async fn refresh_trending(tx: &mut Tx, today: Day, skills: &[SkillId]) -> Result<Vec<SkillId>, Error> {
    const SQL: &str = "update skill set trending = (select cast(coalesce(sum(d.downloads + d.installs), 0) as bigint)
            from usage_day d where d.skill_id = skill.id and d.day > $1)
        where trending <> (select cast(coalesce(sum(d.downloads + d.installs), 0) as bigint)
            from usage_day d where d.skill_id = skill.id and d.day > $1) and id in ";
    let since = today.number().saturating_sub(RECENT_DAYS);
    let mut changed = Vec::new();
    for skills in skills.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(SQL).bind(since);
        sql.list(skills.iter().copied()).push(" returning id");
        changed.extend(sql.column::<SkillId>(tx).await?);
    }
    Ok(changed)
}

/// The use of a skill on each day since `since`, the oldest first; days without any are left out.
pub async fn by_day(conn: &mut Conn, skill: SkillId, since: Day) -> Result<Vec<DayUse>, Error> {
    const SQL: &str = "select day, cast(sum(downloads) as bigint) as downloads,
            cast(sum(installs) as bigint) as installs
        from usage_day where skill_id = $1 and day >= $2 group by day order by day";
    Sql::new(SQL).bind(skill).bind(since).all(conn).await
}

/// The use of each version of a skill that the viewer may see, since it was published, the most used first.
pub async fn by_version(conn: &mut Conn, viewer: &Viewer, skill: SkillId) -> Result<Vec<VersionUse>, Error> {
    let mut sql = Sql::new(
        "select u.version_id, cast(sum(u.downloads) as bigint) as downloads, cast(sum(u.installs) as bigint) as installs
        from usage_day u join version v on v.id = u.version_id join skill s on s.id = v.skill_id where u.skill_id = ",
    );
    sql.value(skill).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.push(" group by u.version_id order by 2 desc, u.version_id");
    sql.all(conn).await
}

/// Skills whose counters are not what their stars and days of use say, with the counters set right.
pub async fn mend_counters(tx: &mut Tx, today: Day) -> Result<Vec<SkillId>, Error> {
    const SQL: &str = "update skill set stars = (select count(*) from star t where t.skill_id = skill.id),
            downloads = (select cast(coalesce(sum(d.downloads), 0) as bigint) from usage_day d
                where d.skill_id = skill.id),
            installs = (select cast(coalesce(sum(d.installs), 0) as bigint) from usage_day d
                where d.skill_id = skill.id),
            trending = (select cast(coalesce(sum(d.downloads + d.installs), 0) as bigint) from usage_day d
                where d.skill_id = skill.id and d.day > $1)
        where stars <> (select count(*) from star t where t.skill_id = skill.id)
            or downloads <> (select cast(coalesce(sum(d.downloads), 0) as bigint) from usage_day d
                where d.skill_id = skill.id)
            or installs <> (select cast(coalesce(sum(d.installs), 0) as bigint) from usage_day d
                where d.skill_id = skill.id)
        returning id";
    let since = today.number().saturating_sub(RECENT_DAYS);
    Sql::new(SQL).bind(since).column(tx).await
}
