//! Versions: immutable content under a number, what was read from it, and whether it may be used.

use kontor_types::{
    Cursor, Digest, Handle, Page, PageSize, PersonId, SkillId, Timestamp, Version as Number, VersionId, Viewer,
};
use serde_json::Value;

use crate::skills::Facts;
use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx, sight};

words! {
    /// How far a version has come.
    pub enum VersionState ("state of a version") {
        /// Stored, not yet decided.
        Pending = "pending",
        /// Decided: it may be used.
        Visible = "visible",
        /// Waits for a person's decision.
        Held = "held",
        /// Decided: it may not be used.
        Rejected = "rejected",
    }
}

record! {
    /// One version.
    pub struct Version {
        /// Its id.
        pub id: VersionId,
        /// The skill.
        pub skill_id: SkillId,
        /// Its number, unique in the skill for ever.
        pub number: Number,
        /// The identity of its content: the SHA-256 of the canonical archive.
        pub digest: Digest,
        /// Bytes of the canonical archive.
        pub size: u64,
        /// How many files it has.
        pub file_count: u64,
        /// The content's identity as ClawHub clients compute it.
        pub fingerprint: Digest,
        /// How far it has come.
        pub state: VersionState,
        /// The name as the author wrote it.
        pub display_name: String,
        /// What it is for.
        pub description: String,
        /// Whether the description was taken from the text.
        pub description_derived: bool,
        /// The licence as an SPDX expression.
        pub license: Option<String>,
        /// Categories the author chose.
        pub categories: Vec<String>,
        /// Free words the author chose.
        pub keywords: Vec<String>,
        /// Whether it agrees with the open format.
        pub spec_valid: bool,
        /// The path of the skill's text.
        pub skill_file: String,
        /// What changed, in the author's words.
        pub changelog: String,
        /// Where the bytes came from, as a JSON object.
        pub origin: Option<Value>,
        /// Who published it.
        pub published_by: Option<PersonId>,
        /// The handle of who published it.
        pub published_by_handle: Option<Handle>,
        /// When it was published.
        pub created_at: Timestamp,
        /// When it was withdrawn from resolution.
        pub yanked_at: Option<Timestamp>,
        /// Why it was withdrawn.
        pub yank_reason: Option<String>,
        /// When it was hidden.
        pub hidden_at: Option<Timestamp>,
        /// Why it was hidden.
        pub hidden_reason: Option<String>,
        /// Whose key signed it, if one did.
        pub signer: Option<Handle>,
        /// Which key.
        pub signer_key: Option<String>,
        /// Its public half.
        pub signer_public_key: Option<String>,
        /// When the hub took the signature.
        pub signed_at: Option<Timestamp>,
        /// From when on the key is not to be believed.
        pub signer_revoked_from: Option<Timestamp>,
    }
}

impl Version {
    /// What a skill shows when this is its newest version.
    pub fn facts(&self) -> Facts {
        Facts {
            display_name: self.display_name.clone(),
            description: self.description.clone(),
            description_derived: self.description_derived,
            license: self.license.clone(),
            categories: self.categories.clone(),
            keywords: self.keywords.clone(),
            spec_valid: self.spec_valid,
        }
    }

    /// Who signed it, if anybody did; the signature may count no more.
    pub fn signature(&self) -> Option<Signature> {
        Some(Signature {
            publisher: self.signer.clone()?,
            key_id: self.signer_key.clone()?,
            public_key: self.signer_public_key.clone()?,
            taken_at: self.signed_at?,
            revoked_from: self.signer_revoked_from,
        })
    }

    /// Whether everybody who may open the skill sees this version.
    pub fn is_shown(&self) -> bool {
        self.state == VersionState::Visible && self.hidden_at.is_none()
    }
}

/// Who signed a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose key.
    pub publisher: Handle,
    /// Which key.
    pub key_id: String,
    /// Its public half.
    pub public_key: String,
    /// When the hub took the signature.
    pub taken_at: Timestamp,
    /// From when on the key is not to be believed.
    pub revoked_from: Option<Timestamp>,
}

impl Signature {
    /// Whether it counts. The hub's time decides: what a signer writes of the time, a thief of the key writes too.
    pub fn counts(&self) -> bool {
        self.revoked_from.is_none_or(|from| self.taken_at < from)
    }
}

record! {
    /// What was read from a version, too long for lists.
    pub struct Reading {
        /// The front matter as JSON.
        pub front_matter: Value,
        /// The manifest as JSON, if there is one.
        pub manifest: Option<Value>,
        /// Findings as a JSON list.
        pub findings: Value,
    }
}

record! {
    /// What a choice among the versions of a skill needs to know of each.
    pub struct Candidate {
        /// The version.
        pub id: VersionId,
        /// The skill.
        pub skill_id: SkillId,
        /// Its number.
        pub number: Number,
        /// The identity of its content.
        pub digest: Digest,
        /// How far it has come.
        pub state: VersionState,
        /// When it was withdrawn from resolution.
        pub yanked_at: Option<Timestamp>,
        /// When it was hidden.
        pub hidden_at: Option<Timestamp>,
    }
}

impl Candidate {
    /// Whether everybody who may open the skill sees this version.
    pub fn is_shown(&self) -> bool {
        self.state == VersionState::Visible && self.hidden_at.is_none()
    }

    /// Whether `latest`, ranges and searches may choose it.
    pub fn is_eligible(&self) -> bool {
        self.is_shown() && self.yanked_at.is_none()
    }
}

/// A version to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVersion {
    /// Its id.
    pub id: VersionId,
    /// The skill.
    pub skill_id: SkillId,
    /// Its number.
    pub number: Number,
    /// The identity of its content; [`crate::blobs`] must know it.
    pub digest: Digest,
    /// Bytes of the canonical archive.
    pub size: u64,
    /// How many files it has.
    pub file_count: u64,
    /// The content's identity as ClawHub clients compute it.
    pub fingerprint: Digest,
    /// How far it has come.
    pub state: VersionState,
    /// What it says of itself.
    pub facts: Facts,
    /// The path of the skill's text.
    pub skill_file: String,
    /// The front matter as JSON.
    pub front_matter: Value,
    /// The manifest as JSON.
    pub manifest: Option<Value>,
    /// Findings as a JSON list.
    pub findings: Value,
    /// What changed.
    pub changelog: String,
    /// Where the bytes came from, as a JSON object.
    pub origin: Option<Value>,
    /// Who published it.
    pub published_by: Option<PersonId>,
    /// When.
    pub now: Timestamp,
}

const COLUMNS: &str = "select v.id, v.skill_id, v.number, v.digest, v.size, v.file_count, v.fingerprint, v.state,
    v.display_name, v.description, v.description_derived, v.license, v.categories, v.keywords, v.spec_valid,
    v.skill_file, v.changelog, v.origin, v.published_by, who.handle as published_by_handle, v.created_at, v.yanked_at,
    v.yank_reason, v.hidden_at, v.hidden_reason, whose.handle as signer, g.key_id as signer_key,
    k.public_key as signer_public_key, g.taken_at as signed_at, k.revoked_from as signer_revoked_from
    from version v join skill s on s.id = v.skill_id left join person who on who.id = v.published_by
    left join version_signature g on g.version_id = v.id
    left join publisher_key k on k.publisher_id = g.publisher_id and k.key_id = g.key_id
    left join publisher whose on whose.id = g.publisher_id where ";

const CANDIDATE: &str = "select v.id, v.skill_id, v.number, v.digest, v.state, v.yanked_at, v.hidden_at
    from version v join skill s on s.id = v.skill_id where ";

/// The version with this id, if the viewer may see it.
pub async fn find(conn: &mut Conn, viewer: &Viewer, id: VersionId) -> Result<Option<Version>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("v.id = ").value(id).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.optional(conn).await
}

/// Those of these versions that the viewer may see, in no particular order.
pub async fn find_many(conn: &mut Conn, viewer: &Viewer, ids: &[VersionId]) -> Result<Vec<Version>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(COLUMNS);
        sql.push("v.id in ").list(ids.iter().copied()).push(" and ");
        sight::may_see(&mut sql, viewer);
        found.extend(sql.all::<Version>(conn).await?);
    }
    Ok(found)
}

/// The version of a skill with this number, if the viewer may see it.
pub async fn by_number(
    conn: &mut Conn,
    viewer: &Viewer,
    skill: SkillId,
    number: &Number,
) -> Result<Option<Version>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("v.skill_id = ").value(skill).push(" and v.number = ").value(number).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.optional(conn).await
}

/// A page of a skill's versions, the newest first; `None` when the cursor is not one of this list.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    skill: SkillId,
    size: PageSize,
    after: Option<&Cursor>,
) -> Result<Option<Page<Version>>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("v.skill_id = ").value(skill).push(" and ");
    sight::may_see(&mut sql, viewer);
    if let Some(cursor) = after {
        let Some((at, id)) = position(cursor) else { return Ok(None) };
        sql.push(" and (v.created_at, v.id) < (").value(at).push(", ").value(id).push(")");
    }
    sql.push(" order by v.created_at desc, v.id desc limit ").value(size.and_one());
    let rows: Vec<Version> = sql.all(conn).await?;
    Ok(Some(Page::cut(rows, size, |version| Cursor::of(&[&version.created_at.micros(), &version.id]))))
}

fn position(cursor: &Cursor) -> Option<(i64, VersionId)> {
    let [at, id] = cursor.keys::<2>()?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

/// Every version of a skill that the viewer may see, the highest number first.
pub async fn candidates(conn: &mut Conn, viewer: &Viewer, skill: SkillId) -> Result<Vec<Candidate>, Error> {
    let mut sql = Sql::new(CANDIDATE);
    sql.push("v.skill_id = ").value(skill).push(" and ");
    sight::may_see(&mut sql, viewer);
    let mut rows: Vec<Candidate> = sql.all(conn).await?;
    rows.sort_by(|left, right| right.number.cmp(&left.number));
    Ok(rows)
}

/// Every version of a skill in any state, the highest number first; for writers, who decide about numbers.
pub async fn all(conn: &mut Conn, skill: SkillId) -> Result<Vec<Candidate>, Error> {
    let mut sql = Sql::new(CANDIDATE);
    sql.push("v.skill_id = ").value(skill);
    let mut rows: Vec<Candidate> = sql.all(conn).await?;
    rows.sort_by(|left, right| right.number.cmp(&left.number));
    Ok(rows)
}

/// The versions of a skill whose files have this fingerprint, the newest first.
pub async fn by_fingerprint(
    conn: &mut Conn,
    viewer: &Viewer,
    skill: SkillId,
    fingerprint: &Digest,
) -> Result<Vec<Version>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("v.skill_id = ").value(skill).push(" and v.fingerprint = ").value(fingerprint).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.push(" order by v.created_at desc, v.id desc");
    sql.all(conn).await
}

/// The versions of any skill with this content that the viewer may see, the oldest first.
pub async fn by_digest(conn: &mut Conn, viewer: &Viewer, digest: &Digest, limit: u32) -> Result<Vec<Version>, Error> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("v.digest = ").value(digest).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.push(" order by v.id limit ").value(limit);
    sql.all(conn).await
}

/// What was read from a version.
pub async fn reading(conn: &mut Conn, viewer: &Viewer, id: VersionId) -> Result<Option<Reading>, Error> {
    let mut sql = Sql::new(
        "select v.front_matter, v.manifest, v.findings from version v join skill s on s.id = v.skill_id where v.id = ",
    );
    sql.value(id).push(" and ");
    sight::may_see(&mut sql, viewer);
    sql.optional(conn).await
}

record! {
    /// The front matter of one of several versions.
    pub struct FrontMatter {
        /// The version.
        pub id: VersionId,
        /// Its front matter as JSON.
        pub front_matter: Value,
    }
}

/// The front matter of those of these versions that the viewer may see, in no particular order.
pub async fn front_matter_of(conn: &mut Conn, viewer: &Viewer, ids: &[VersionId]) -> Result<Vec<FrontMatter>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new("select v.id, v.front_matter from version v join skill s on s.id = v.skill_id where ");
        sql.push("v.id in ").list(ids.iter().copied()).push(" and ");
        sight::may_see(&mut sql, viewer);
        found.extend(sql.all::<FrontMatter>(conn).await?);
    }
    Ok(found)
}

/// Makes a version; [`Error::Duplicate`] when the number is taken.
pub async fn insert(tx: &mut Tx, version: &NewVersion) -> Result<(), Error> {
    const SQL: &str = "insert into version (id, skill_id, number, digest, size, file_count, fingerprint, state,
            display_name, description, description_derived, license, categories, keywords, spec_valid, skill_file,
            front_matter, manifest, findings, changelog, origin, published_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23)";
    let facts = &version.facts;
    Sql::new(SQL)
        .bind(version.id)
        .bind(version.skill_id)
        .bind(&version.number)
        .bind(version.digest)
        .bind(version.size)
        .bind(version.file_count)
        .bind(version.fingerprint)
        .bind(version.state)
        .bind(&facts.display_name)
        .bind(&facts.description)
        .bind(facts.description_derived)
        .bind(facts.license.clone())
        .bind(&facts.categories)
        .bind(&facts.keywords)
        .bind(facts.spec_valid)
        .bind(&version.skill_file)
        .bind(&version.front_matter)
        .bind(version.manifest.as_ref())
        .bind(&version.findings)
        .bind(&version.changelog)
        .bind(version.origin.as_ref())
        .bind(version.published_by)
        .bind(version.now)
        .run(tx)
        .await
}

/// Sets how far a version has come.
pub async fn set_state(tx: &mut Tx, id: VersionId, state: VersionState) -> Result<(), Error> {
    Sql::new("update version set state = $2 where id = $1").bind(id).bind(state).run(tx).await
}

/// Withdraws a version from resolution with a reason, or restores it with `None`.
pub async fn set_yanked(tx: &mut Tx, id: VersionId, yanked: Option<(Timestamp, &str)>) -> Result<(), Error> {
    const SQL: &str = "update version set yanked_at = $2, yank_reason = $3 where id = $1";
    let (at, reason) = yanked.unzip();
    Sql::new(SQL).bind(id).bind(at).bind(reason).run(tx).await
}

/// Hides a version with a reason from everybody but its maintainers, or shows it again with `None`.
pub async fn set_hidden(tx: &mut Tx, id: VersionId, hidden: Option<(Timestamp, &str)>) -> Result<(), Error> {
    const SQL: &str = "update version set hidden_at = $2, hidden_reason = $3 where id = $1";
    let (at, reason) = hidden.unzip();
    Sql::new(SQL).bind(id).bind(at).bind(reason).run(tx).await
}
