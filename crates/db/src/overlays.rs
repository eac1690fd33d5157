//! Overlays: an operator's manifest over somebody else's skill, with its own chain of versions.

use kontor_types::{Digest, Handle, OverlayId, PersonId, PublisherId, SkillId, Timestamp, Version, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx, sight};

record! {
    /// One version of an overlay.
    pub struct Overlay {
        /// Its id.
        pub id: OverlayId,
        /// Who lays it.
        pub publisher_id: PublisherId,
        /// The handle of who lays it.
        pub publisher: Handle,
        /// The skill under it.
        pub skill_id: SkillId,
        /// Its number, unique for its publisher and skill.
        pub number: Version,
        /// The manifest's text.
        pub manifest: String,
        /// SHA-256 of the manifest's text.
        pub digest: Digest,
        /// Who made it.
        pub created_by: Option<PersonId>,
        /// When.
        pub created_at: Timestamp,
    }
}

/// An overlay to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOverlay {
    /// Its id.
    pub id: OverlayId,
    /// Who lays it.
    pub publisher_id: PublisherId,
    /// The skill under it.
    pub skill_id: SkillId,
    /// Its number.
    pub number: Version,
    /// The manifest's text.
    pub manifest: String,
    /// SHA-256 of the manifest's text.
    pub digest: Digest,
    /// Who made it.
    pub created_by: Option<PersonId>,
    /// When.
    pub now: Timestamp,
}

const SELECT: &str = "select o.id, o.publisher_id, p.handle as publisher, o.skill_id, o.number, o.manifest, o.digest,
    o.created_by, o.created_at from overlay o join publisher p on p.id = o.publisher_id
    join skill s on s.id = o.skill_id where ";

/// Every overlay of one publisher over a skill, the highest number first.
///
/// The viewer must be a member of the publisher and may open the skill.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    publisher: PublisherId,
    skill: SkillId,
) -> Result<Vec<Overlay>, Error> {
    if !viewer.is_administrator() && viewer.role_in(publisher).is_none() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(SELECT);
    sql.push("o.publisher_id = ").value(publisher).push(" and o.skill_id = ").value(skill).push(" and ");
    sight::may_open(&mut sql, viewer);
    let mut rows: Vec<Overlay> = sql.all(conn).await?;
    rows.sort_by(|left, right| right.number.cmp(&left.number));
    Ok(rows)
}

/// Makes an overlay; [`Error::Duplicate`] when the number is taken.
pub async fn insert(tx: &mut Tx, overlay: &NewOverlay) -> Result<(), Error> {
    const SQL: &str =
        "insert into overlay (id, publisher_id, skill_id, number, manifest, digest, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    Sql::new(SQL)
        .bind(overlay.id)
        .bind(overlay.publisher_id)
        .bind(overlay.skill_id)
        .bind(&overlay.number)
        .bind(&overlay.manifest)
        .bind(overlay.digest)
        .bind(overlay.created_by)
        .bind(overlay.now)
        .run(tx)
        .await
}

/// Forgets all overlays of one publisher over a skill; returns how many there were.
pub async fn remove(tx: &mut Tx, publisher: PublisherId, skill: SkillId) -> Result<u64, Error> {
    const SQL: &str = "delete from overlay where publisher_id = $1 and skill_id = $2";
    Sql::new(SQL).bind(publisher).bind(skill).execute(tx).await
}
