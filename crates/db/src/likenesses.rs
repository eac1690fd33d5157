//! Which contents say almost the same: their signatures, the buckets in which they meet, and the pairs that are alike.
//!
//! Whose content is the original is never written down: it is asked for each time, as the one who asks may see it.

use kontor_types::{Digest, Handle, PublisherId, SkillId, Slug, Timestamp, Version, VersionId, Viewer};

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx, sight};

record! {
    /// A content that nothing is known of yet.
    pub struct Fresh {
        /// The content.
        pub digest: Digest,
        /// Whether it is that of several versions.
        pub shared: bool,
    }
}

record! {
    /// A content in a bucket.
    pub struct Met {
        /// The bucket.
        pub band: i64,
        /// The content.
        pub digest: Digest,
        /// The places of its signature.
        pub places: Vec<u8>,
    }
}

/// A signature to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLikeness {
    /// The content.
    pub digest: Digest,
    /// Its places; none when the text is too short to compare.
    pub places: Vec<u8>,
    /// Its buckets.
    pub bands: Vec<i64>,
}

record! {
    /// A version whose text another one repeats.
    pub struct Original {
        /// The version.
        pub version_id: VersionId,
        /// The skill.
        pub skill_id: SkillId,
        /// Whose skill.
        pub publisher_id: PublisherId,
        /// The publisher's name.
        pub publisher: Handle,
        /// The skill's name.
        pub slug: Slug,
        /// The version's number.
        pub number: Version,
        /// The identity of its content.
        pub digest: Digest,
        /// The share of text in common, in percent.
        pub likeness: u64,
    }
}

/// Whose earlier versions count as the version's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Those of its skill.
    Skill,
    /// Those of its publisher.
    Publisher,
}

/// The version that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The version.
    pub version: VersionId,
    /// Its skill.
    pub skill: SkillId,
    /// Its publisher.
    pub publisher: PublisherId,
    /// Its content.
    pub digest: Digest,
    /// When it was published.
    pub since: Timestamp,
}

/// Those of these contents whose signature is kept.
pub async fn known(conn: &mut Conn, digests: &[Digest]) -> Result<Vec<Digest>, Error> {
    let mut known = Vec::with_capacity(digests.len());
    for digests in digests.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new("select digest from likeness where digest in ");
        sql.list(digests);
        known.extend(sql.column::<Digest>(conn).await?);
    }
    Ok(known)
}

/// Those of these contents whose signature is kept.
pub async fn kept(conn: &mut Conn, digests: &[Digest]) -> Result<Vec<Digest>, Error> {
    let mut kept = Vec::with_capacity(digests.len());
    for digests in digests.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new("select digest from likeness where digest in ");
        sql.list(digests);
        kept.extend(sql.column::<Digest>(conn).await?);
    }
    Ok(kept)
}

/// Those of these contents that versions have and whose signature is not kept.
pub async fn fresh(conn: &mut Conn, digests: &[Digest]) -> Result<Vec<Fresh>, Error> {
    let mut sql = Sql::new(
        "select b.digest, (select count(*) from version v where v.digest = b.digest) > 1 as shared from blob b
        where not exists (select 1 from likeness k where k.digest = b.digest) and b.digest in ",
    );
    sql.list(digests);
    sql.all(conn).await
}

/// What is in these buckets.
pub async fn met(conn: &mut Conn, bands: &[i64]) -> Result<Vec<Met>, Error> {
    let mut found = Vec::new();
    for bands in bands.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(
            "select b.band, b.digest, k.places from likeness_band b join likeness k on k.digest = b.digest where b.band in ",
        );
        sql.list(bands.iter().copied());
        found.extend(sql.all::<Met>(conn).await?);
    }
    Ok(found)
}

/// Keeps signatures. Their buckets are filled by [`fill`].
pub async fn keep(tx: &mut Tx, new: &[NewLikeness]) -> Result<(), Error> {
    insert(tx, "insert into likeness (digest, places, bands) values ", new, |sql, new| {
        let bands: Vec<u8> = new.bands.iter().flat_map(|band| band.to_le_bytes()).collect();
        sql.value(new.digest).push(", ").value(new.places.as_slice()).push(", ").value(bands);
    })
    .await
}

/// Puts contents whose signatures are kept into buckets.
pub async fn fill(tx: &mut Tx, members: &[(i64, Digest)]) -> Result<(), Error> {
    insert(tx, "insert into likeness_band (band, digest) values ", members, |sql, (band, digest)| {
        sql.value(*band).push(", ").value(digest);
    })
    .await
}

/// Notes which contents are alike, and to which share in percent.
pub async fn pair(tx: &mut Tx, pairs: &[(Digest, Digest, u32)]) -> Result<(), Error> {
    insert(tx, "insert into likeness_pair (digest, other, likeness) values ", pairs, |sql, (one, other, likeness)| {
        sql.value(one).push(", ").value(other).push(", ").value(*likeness).push("), (");
        sql.value(other).push(", ").value(one).push(", ").value(*likeness);
    })
    .await
}

/// Inserts rows that are not there yet, each made by `row`.
async fn insert<T>(tx: &mut Tx, text: &'static str, rows: &[T], row: impl Fn(&mut Sql, &T)) -> Result<(), Error> {
    for rows in rows.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(text);
        for (place, one) in rows.iter().enumerate() {
            sql.push(if place == 0 { "(" } else { ", (" });
            row(&mut sql, one);
            sql.push(")");
        }
        sql.push(" on conflict do nothing");
        sql.run(tx).await?;
    }
    Ok(())
}

const SELECT: &str = "select v.id as version_id, v.skill_id, s.publisher_id, p.handle as publisher, s.slug, v.number,
    v.digest, side.likeness from (select b.digest, 100 as likeness from blob b where b.digest = ";

/// The contents that are equal to `digest` or like it, joined with their versions.
fn alike(digest: &Digest) -> Sql {
    let mut sql = Sql::new(SELECT);
    sql.value(digest).push(" union all select other, likeness from likeness_pair where digest = ").value(digest);
    sql.push(
        ") side join version v on v.digest = side.digest join skill s on s.id = v.skill_id
        join publisher p on p.id = s.publisher_id where ",
    );
    sql
}

/// The earliest version whose text is like that of the one asked about, published before it and shown in a skill that the
/// viewer may find; nothing when an own one was there first.
pub async fn original(conn: &mut Conn, viewer: &Viewer, asked: &Asked, own: Own) -> Result<Option<Original>, Error> {
    let mut sql = alike(&asked.digest);
    sql.push("(v.created_at, v.id) < (").value(asked.since).push(", ").value(asked.version).push(") and (");
    match own {
        Own::Skill => sql.push("s.id = ").value(asked.skill),
        Own::Publisher => sql.push("s.publisher_id = ").value(asked.publisher),
    };
    sql.push(" or (");
    shown(&mut sql, viewer);
    sql.push(")) order by v.created_at, v.id limit 1");
    let first: Option<Original> = sql.optional(conn).await?;
    Ok(first.filter(|first| match own {
        Own::Skill => first.skill_id != asked.skill,
        Own::Publisher => first.publisher_id != asked.publisher,
    }))
}

/// Versions of a skill that the viewer may find whose text is like a content, the most alike first.
pub async fn of_skill(
    conn: &mut Conn,
    viewer: &Viewer,
    digest: &Digest,
    skill: SkillId,
    limit: u32,
) -> Result<Vec<Original>, Error> {
    let mut sql = alike(digest);
    sql.push("v.skill_id = ").value(skill).push(" and ");
    shown(&mut sql, viewer);
    sql.push(" order by case when v.digest = ").value(digest).push(" then 0 else 1 end, side.likeness desc");
    sql.push(", v.created_at, v.id limit ").value(limit);
    sql.all(conn).await
}

fn shown(sql: &mut Sql, viewer: &Viewer) {
    sql.push("v.state = 'visible' and v.hidden_at is null and ");
    sight::may_list(sql, viewer);
}

/// Forgets the signatures of contents that no version has.
pub async fn forget_unused(tx: &mut Tx) -> Result<(), Error> {
    const UNUSED: &str =
        "select digest from likeness k where not exists (select 1 from version v where v.digest = k.digest)";
    let unused: Vec<Digest> = Sql::new(UNUSED).column(tx).await?;
    for digest in unused {
        forget(tx, &digest).await?;
    }
    Ok(())
}

/// Forgets the signature of a content that no version has.
pub(crate) async fn forget(tx: &mut Tx, digest: &Digest) -> Result<(), Error> {
    const KEPT: &str = "select bands from likeness k where k.digest = $1
        and not exists (select 1 from version v where v.digest = k.digest)";
    let Some(bands) = Sql::new(KEPT).bind(digest).optional_cell::<Vec<u8>>(tx).await? else { return Ok(()) };
    for band in bands.as_chunks().0 {
        let sql = Sql::new("delete from likeness_band where band = $1 and digest = $2");
        sql.bind(i64::from_le_bytes(*band)).bind(digest).run(tx).await?;
    }
    Sql::new("delete from likeness_pair where digest = $1").bind(digest).run(tx).await?;
    Sql::new("delete from likeness_pair where other = $1").bind(digest).run(tx).await?;
    Sql::new("delete from likeness where digest = $1").bind(digest).run(tx).await
}
