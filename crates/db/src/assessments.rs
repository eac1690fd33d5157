//! Versions that wait to be scanned and decided, and those that must be decided again.

use kontor_types::{
    Digest, Handle, PersonId, PublisherId, PublisherKind, Role, SkillId, Slug, TagName, Timestamp, Version, VersionId,
    Visibility,
};
use serde_json::Value;

use crate::reviews::ReviewState;
use crate::scan_reports::Severity;
use crate::sql::{MOST_IN_LIST, Sql};
use crate::versions::VersionState;
use crate::{Conn, Error, Tx};

record! {
    /// What a decision needs to know of a version, besides its scan.
    pub struct Subject {
        /// The version.
        pub id: VersionId,
        /// The skill.
        pub skill_id: SkillId,
        /// Whose skill.
        pub publisher_id: PublisherId,
        /// The publisher's name.
        pub publisher: Handle,
        /// Whether it is one person's.
        pub publisher_kind: PublisherKind,
        /// The skill's name.
        pub slug: Slug,
        /// Who may see the skill.
        pub visibility: Visibility,
        /// The version's number.
        pub number: Version,
        /// The identity of its content.
        pub digest: Digest,
        /// Bytes of the canonical archive.
        pub size: u64,
        /// How far it has come.
        pub state: VersionState,
        /// The licence.
        pub license: Option<String>,
        /// Where its bytes came from.
        pub origin: Option<Value>,
        /// Whether it has a manifest.
        pub has_manifest: bool,
        /// Who published it.
        pub author: Option<PersonId>,
        /// Their name.
        pub author_handle: Option<Handle>,
        /// Whether they administer the hub.
        pub author_administers: bool,
        /// Their role in the publisher.
        pub author_role: Option<Role>,
        /// When the publisher was made.
        pub publisher_since: Timestamp,
        /// When it was published.
        pub created_at: Timestamp,
        /// What its review came to.
        pub review: Option<ReviewState>,
        /// How many people approved it since its review was opened, and since the key that signed it was revoked.
        pub approvals: i64,
        /// Since when that review is open.
        pub review_opened_at: Option<Timestamp>,
        /// Whether a person refused it and none has approved it since.
        pub refused: bool,
        /// The worst finding that the review accepted.
        pub reviewed_severity: Option<Severity>,
        /// The rules and policy by which it was last decided.
        pub judged: Option<Digest>,
        /// Whose key signed it.
        pub signer: Option<Handle>,
        /// When the hub took the signature.
        pub signed_at: Option<Timestamp>,
        /// From when on the key is not to be believed.
        pub signer_revoked_from: Option<Timestamp>,
        /// The name as the author wrote it.
        pub display_name: String,
        /// Since when the skill has its name here.
        pub skill_since: Timestamp,
        /// Whether a version of its skill was admitted.
        pub established: bool,
        /// The version of another publisher whose text it repeats, as long as everybody may find that.
        pub copy_of: Option<String>,
        /// The share of text in common with it, in percent.
        pub likeness: Option<u64>,
        /// What it can do that the original cannot.
        pub gained: Option<Vec<String>>,
        /// The skill of another publisher that its name is easily taken for, as long as everybody may find that.
        pub looks_like: Option<String>,
    }
}

record! {
    /// A version whose scan failed.
    pub struct Failed {
        /// The version.
        pub version_id: VersionId,
        /// Whose skill.
        pub publisher: Handle,
        /// The skill's name.
        pub slug: Slug,
        /// The version's number.
        pub number: Version,
        /// How often it was tried.
        pub attempts: i64,
        /// What went wrong; nothing when the program ended meanwhile.
        pub error: Option<String>,
        /// When it was last tried.
        pub at: Timestamp,
    }
}

const SELECT: &str = "select v.id, v.skill_id, s.publisher_id, p.handle as publisher, p.kind as publisher_kind, s.slug,
    s.visibility, v.number, v.digest, v.size, v.state, v.license, v.origin, v.manifest is not null as has_manifest,
    v.published_by as author, who.handle as author_handle, coalesce(who.administrator, false) as author_administers,
    m.role as author_role, p.created_at as publisher_since, v.created_at, r.state as review,
    (select count(distinct n.person_id) from review_note n where n.review_id = r.id and n.kind = 'approve'
        and n.created_at >= r.opened_at
        and (k.revoked_at is null or k.revoked_from > g.taken_at or n.created_at >= k.revoked_at)) as approvals,
    exists (select 1 from review_note n where n.review_id = r.id and n.kind = 'reject'
        and not exists (select 1 from review_note later where later.review_id = r.id and later.kind = 'approve'
            and later.id > n.id)) as refused, r.opened_at as review_opened_at,
    r.severity as reviewed_severity, v.judged, whose.handle as signer, g.taken_at as signed_at,
    k.revoked_from as signer_revoked_from,
    v.display_name, s.created_at as skill_since, exists (select 1 from version a where a.skill_id = s.id
        and a.state = 'visible') as established,
    '@' || op.handle || '/' || os.slug || '@' || ov.number as copy_of, like_to.likeness, like_to.gained,
    '@' || lp.handle || '/' || ls.slug as looks_like
    from version v join skill s on s.id = v.skill_id join publisher p on p.id = s.publisher_id
    left join person who on who.id = v.published_by
    left join publisher_member m on m.publisher_id = s.publisher_id and m.person_id = v.published_by
    left join review r on r.version_id = v.id
    left join version_signature g on g.version_id = v.id
    left join publisher_key k on k.publisher_id = g.publisher_id and k.key_id = g.key_id
    left join publisher whose on whose.id = g.publisher_id
    left join resemblance like_to on like_to.version_id = v.id
    left join version ov on ov.id = like_to.copy_of and ov.state = 'visible' and ov.hidden_at is null
    left join skill os on os.id = ov.skill_id and os.visibility = 'public' and os.deleted_at is null
        and os.hidden_at is null
    left join publisher op on op.id = os.publisher_id
    left join skill ls on ls.id = like_to.looks_like and ls.visibility = 'public' and ls.deleted_at is null
        and ls.hidden_at is null
    left join publisher lp on lp.id = ls.publisher_id where ";

/// Versions that nobody has begun to scan, the oldest first.
pub async fn waiting(conn: &mut Conn, limit: u32) -> Result<Vec<Subject>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("v.state = 'pending' and not exists (select 1 from scan_attempt a where a.version_id = v.id)");
    sql.push(" order by v.id limit ").value(limit);
    sql.all(conn).await
}

/// Whether a version waits that nobody has begun to scan.
pub async fn any_waiting(conn: &mut Conn) -> Result<bool, Error> {
    const SQL: &str = "select exists (select 1 from version v where v.state = 'pending'
        and not exists (select 1 from scan_attempt a where a.version_id = v.id))";
    Sql::new(SQL).cell(conn).await
}

/// These versions, in no particular order.
pub async fn subjects(conn: &mut Conn, ids: &[VersionId]) -> Result<Vec<Subject>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(SELECT);
        sql.push("v.id in ").list(ids.iter().copied());
        found.extend(sql.all::<Subject>(conn).await?);
    }
    Ok(found)
}

/// Versions after `after` that are decided, the oldest first.
pub async fn decided(conn: &mut Conn, after: Option<VersionId>, limit: u32) -> Result<Vec<Subject>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("v.state <> 'pending'");
    if let Some(after) = after {
        sql.push(" and v.id > ").value(after);
    }
    sql.push(" order by v.id limit ").value(limit);
    sql.all(conn).await
}

/// The versions of a skill that are decided, the oldest first.
pub async fn of_skill(conn: &mut Conn, skill: SkillId) -> Result<Vec<Subject>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("v.state <> 'pending' and v.skill_id = ").value(skill).push(" order by v.id");
    sql.all(conn).await
}

/// How far a version has come and by what it was judged, as its unit of writing sees it.
pub async fn standing(tx: &mut Tx, id: VersionId) -> Result<Option<Subject>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("v.id = ").value(id);
    sql.optional(tx).await
}

/// Notes by which rules and policy a version was decided.
pub async fn set_judged(tx: &mut Tx, id: VersionId, judged: &Digest) -> Result<(), Error> {
    Sql::new("update version set judged = $2 where id = $1").bind(id).bind(judged).run(tx).await
}

/// Notes that a node begins a scan; how often one has begun by now.
pub async fn begin(tx: &mut Tx, id: VersionId, owner: &str, now: Timestamp) -> Result<i64, Error> {
    const SQL: &str = "insert into scan_attempt (version_id, owner, attempts, at) values ($1, $2, 1, $3)
        on conflict (version_id) do update set attempts = scan_attempt.attempts + 1, at = excluded.at,
            owner = excluded.owner
        returning attempts";
    Sql::new(SQL).bind(id).bind(owner).bind(now).cell(tx).await
}

/// Notes that these are still being scanned.
pub async fn still_here(tx: &mut Tx, ids: &[VersionId], now: Timestamp) -> Result<(), Error> {
    for ids in ids.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new("update scan_attempt set at = ");
        sql.value(now).push(" where version_id in ").list(ids.iter().copied());
        sql.run(tx).await?;
    }
    Ok(())
}

/// Notes why a scan failed.
pub async fn failed(tx: &mut Tx, id: VersionId, error: &str) -> Result<(), Error> {
    Sql::new("update scan_attempt set error = $2 where version_id = $1").bind(id).bind(error).run(tx).await
}

/// Forgets the attempts at a version that is decided, or that shall be tried anew.
pub async fn end(tx: &mut Tx, id: VersionId) -> Result<(), Error> {
    Sql::new("delete from scan_attempt where version_id = $1").bind(id).run(tx).await
}

/// Versions whose scan began before `before` and was left by a node that ended, the longest ago first.
pub async fn left_behind(conn: &mut Conn, before: Timestamp, limit: u32) -> Result<Vec<Failed>, Error> {
    const SQL: &str = "select a.version_id, p.handle as publisher, s.slug, v.number, a.attempts, a.error, a.at
        from scan_attempt a join version v on v.id = a.version_id join skill s on s.id = v.skill_id
        join publisher p on p.id = s.publisher_id
        where a.at <= $1 and a.error is null order by a.at limit $2";
    Sql::new(SQL).bind(before).bind(limit).all(conn).await
}

/// Versions whose scan failed, the longest ago first.
pub async fn failures(conn: &mut Conn, limit: u32) -> Result<Vec<Failed>, Error> {
    const SQL: &str = "select a.version_id, p.handle as publisher, s.slug, v.number, a.attempts, a.error, a.at
        from scan_attempt a join version v on v.id = a.version_id join skill s on s.id = v.skill_id
        join publisher p on p.id = s.publisher_id
        where a.error is not null order by a.at limit $1";
    Sql::new(SQL).bind(limit).all(conn).await
}

/// Marks the scans that a node had begun before it started anew as long past.
pub async fn release(tx: &mut Tx, owner: &str) -> Result<(), Error> {
    Sql::new("update scan_attempt set at = 0 where owner = $1 and error is null").bind(owner).run(tx).await
}

/// The attempts at one version.
pub async fn attempt(conn: &mut Conn, id: VersionId) -> Result<Option<Failed>, Error> {
    const SQL: &str = "select a.version_id, p.handle as publisher, s.slug, v.number, a.attempts, a.error, a.at
        from scan_attempt a join version v on v.id = a.version_id join skill s on s.id = v.skill_id
        join publisher p on p.id = s.publisher_id
        where a.version_id = $1";
    Sql::new(SQL).bind(id).optional(conn).await
}

/// How many versions wait to be decided, those whose scan failed included.
pub async fn count_waiting(conn: &mut Conn) -> Result<u64, Error> {
    Sql::new("select count(*) from version where state = 'pending'").cell(conn).await
}

/// Keeps a tag for the moment in which the version is admitted.
pub async fn wish(tx: &mut Tx, id: VersionId, tag: &TagName) -> Result<(), Error> {
    const SQL: &str =
        "insert into tag_wish (version_id, name) values ($1, $2) on conflict (version_id, name) do nothing";
    Sql::new(SQL).bind(id).bind(tag).run(tx).await
}

/// Takes the tags that were kept for a version.
pub async fn wishes(tx: &mut Tx, id: VersionId) -> Result<Vec<TagName>, Error> {
    Sql::new("delete from tag_wish where version_id = $1 returning name").bind(id).column(tx).await
}
