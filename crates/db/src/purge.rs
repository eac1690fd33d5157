//! Removing what was deleted long enough ago, with everything that belongs to it.

use kontor_types::{Digest, SkillId, Timestamp};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, likenesses};

/// Skills that were deleted before `before`, at most `limit`.
pub async fn due(conn: &mut Conn, before: Timestamp, limit: u32) -> Result<Vec<SkillId>, Error> {
    const SQL: &str = "select id from skill where deleted_at is not null and deleted_at < $1
        order by updated_at, id limit $2";
    Sql::new(SQL).bind(before).bind(limit).column(conn).await
}

/// What hangs on a skill, in an order in which nothing points to what is gone.
const PARTS: [&str; 22] = [
    "delete from report where skill_id = $1",
    "delete from star where skill_id = $1",
    "delete from activation where skill_id = $1",
    "delete from usage_day where skill_id = $1",
    "delete from skill_tag where skill_id = $1",
    "delete from import_path where skill_id = $1",
    "delete from overlay where skill_id = $1",
    "delete from transfer where skill_id = $1",
    "delete from requirement where version_id in (select id from version where skill_id = $1)",
    "delete from consent where version_id in (select id from version where skill_id = $1)",
    "delete from version_file where version_id in (select id from version where skill_id = $1)",
    "delete from version_signature where version_id in (select id from version where skill_id = $1)",
    "delete from scan_attempt where version_id in (select id from version where skill_id = $1)",
    "delete from tag_wish where version_id in (select id from version where skill_id = $1)",
    "delete from notice where version_id in (select id from version where skill_id = $1)",
    "delete from review_note where review_id in (select r.id from review r join version v on v.id = r.version_id
        where v.skill_id = $1)",
    "delete from review where version_id in (select id from version where skill_id = $1)",
    "delete from decision where version_id in (select id from version where skill_id = $1)",
    "delete from resemblance where version_id in (select id from version where skill_id = $1)",
    "delete from observed_openly where version_id in (select id from version where skill_id = $1)",
    "delete from version where skill_id = $1",
    "delete from skill_name where skill_id = $1",
];

/// Removes a deleted skill for good; `false` when it was brought back meanwhile. Its bytes are collected later.
pub async fn remove(tx: &mut Tx, skill: SkillId) -> Result<bool, Error> {
    const LOCK: &str = "update skill set latest_version_id = null where id = $1 and deleted_at is not null";
    const BLOB: &str = "delete from blob where digest = $1 and not exists (select 1 from version v where v.digest = $1)
            and not exists (select 1 from run_file f where f.digest = $1)";
    const REPORTS: &str =
        "delete from scan_report where digest = $1 and not exists (select 1 from version v where v.digest = $1)";
    const OBSERVED: [&str; 2] = [
        "delete from observed where digest = $1 and not exists (select 1 from version v where v.digest = $1)",
        "delete from observed_by where digest = $1 and not exists (select 1 from version v where v.digest = $1)",
    ];
    if !Sql::new(LOCK).bind(skill).changed(tx).await? {
        return Ok(false);
    }
    let sql = Sql::new("select distinct digest from version where skill_id = $1").bind(skill);
    let digests: Vec<Digest> = sql.column(tx).await?;
    for part in PARTS {
        Sql::new(part).bind(skill).run(tx).await?;
    }
    for digest in digests {
        Sql::new(REPORTS).bind(digest).run(tx).await?;
        for part in OBSERVED {
            Sql::new(part).bind(digest).run(tx).await?;
        }
        likenesses::forget(tx, &digest).await?;
        Sql::new(BLOB).bind(digest).run(tx).await?;
    }
    Sql::new("delete from skill where id = $1").bind(skill).run(tx).await?;
    Ok(true)
}
