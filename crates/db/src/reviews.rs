//! Versions that a person looks at, and what was said about them.

use kontor_types::{
    Cursor, Digest, Handle, Page, PageSize, PersonId, PublisherId, ReviewId, ReviewNoteId, SkillId, Slug, Timestamp,
    Version, VersionId, Viewer, Visibility,
};

use crate::decisions::Outcome;
use crate::scan_reports::Severity;
use crate::sql::Sql;
use crate::versions::VersionState;
use crate::{Conn, Error, Tx};

words! {
    /// What a review came to.
    pub enum ReviewState ("state of a review") {
        /// Somebody must decide.
        Open = "open",
        /// A person accepted it.
        Approved = "approved",
        /// The publisher shall change it.
        Changes = "changes",
        /// A person refused it.
        Rejected = "rejected",
        /// Nothing is left to decide: the policy did, by other rules or facts.
        Settled = "settled",
    }
}

words! {
    /// What was done in a review.
    pub enum NoteKind ("kind of note") {
        /// Somebody takes it on.
        Claim = "claim",
        /// Somebody leaves it to others.
        Release = "release",
        /// Something was said.
        Comment = "comment",
        /// Somebody accepts the version.
        Approve = "approve",
        /// Somebody refuses the version.
        Reject = "reject",
        /// Somebody asks for changes.
        Changes = "changes",
        /// The publisher asks for another look.
        Appeal = "appeal",
    }
}

record! {
    /// A version that a person looks at.
    pub struct Review {
        /// Its id.
        pub id: ReviewId,
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
        /// Who may see the skill.
        pub visibility: Visibility,
        /// The version's number.
        pub number: Version,
        /// The identity of its content.
        pub digest: Digest,
        /// How far the version has come.
        pub version_state: VersionState,
        /// Who published it.
        pub author: Option<PersonId>,
        /// Their name.
        pub author_handle: Option<Handle>,
        /// What the policy decided.
        pub outcome: Outcome,
        /// What the review came to.
        pub state: ReviewState,
        /// The worst finding.
        pub severity: Severity,
        /// Who has taken it on.
        pub claimed_by: Option<PersonId>,
        /// Their name.
        pub claimed_by_handle: Option<Handle>,
        /// Since when somebody must decide.
        pub opened_at: Timestamp,
        /// When it was decided.
        pub closed_at: Option<Timestamp>,
    }
}

record! {
    /// Something said or done in a review.
    pub struct ReviewNote {
        /// Its id.
        pub id: ReviewNoteId,
        /// Who; nobody stands for the hub.
        pub person_id: Option<PersonId>,
        /// Their name.
        pub person: Option<Handle>,
        /// What was done.
        pub kind: NoteKind,
        /// What was said.
        pub text: String,
        /// When.
        pub created_at: Timestamp,
    }
}

const SELECT: &str =
    "select r.id, r.version_id, v.skill_id, s.publisher_id, p.handle as publisher, s.slug, s.visibility,
    v.number, v.digest, v.state as version_state, v.published_by as author, who.handle as author_handle, r.outcome,
    r.state, r.severity, r.claimed_by, taker.handle as claimed_by_handle, r.opened_at, r.closed_at
    from review r join version v on v.id = r.version_id join skill s on s.id = v.skill_id
    join publisher p on p.id = s.publisher_id left join person who on who.id = v.published_by
    left join person taker on taker.id = r.claimed_by where ";

/// The review of a version, if it ever had one.
pub async fn of_version(conn: &mut Conn, version: VersionId) -> Result<Option<Review>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("r.version_id = ").value(version);
    sql.optional(conn).await
}

/// The review with this id, if the viewer may review it.
pub async fn find(conn: &mut Conn, viewer: &Viewer, id: ReviewId) -> Result<Option<Review>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("r.id = ").value(id).push(" and ");
    may_review(&mut sql, viewer);
    sql.optional(conn).await
}

/// The review of the version with this name, if the viewer may review it.
pub async fn named(
    conn: &mut Conn,
    viewer: &Viewer,
    publisher: &Handle,
    slug: &Slug,
    number: &Version,
) -> Result<Option<Review>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("p.handle = ").value(publisher).push(" and s.slug = ").value(slug);
    sql.push(" and v.number = ").value(number).push(" and s.deleted_at is null and ");
    may_review(&mut sql, viewer);
    sql.optional(conn).await
}

/// A page of the reviews that the viewer may take part in, the oldest first; `None` when the cursor is not one of this list.
pub async fn list(
    conn: &mut Conn,
    viewer: &Viewer,
    state: ReviewState,
    size: PageSize,
    after: Option<&Cursor>,
) -> Result<Option<Page<Review>>, Error> {
    let mut sql = Sql::new(SELECT);
    in_state(&mut sql, viewer, state);
    if let Some(cursor) = after {
        let Some(id) = cursor.keys::<1>().and_then(|[id]| id.parse::<ReviewId>().ok()) else { return Ok(None) };
        sql.push(" and r.id > ").value(id);
    }
    sql.push(" order by r.id limit ").value(size.and_one());
    let rows: Vec<Review> = sql.all(conn).await?;
    Ok(Some(Page::cut(rows, size, |review| Cursor::of(&[&review.id]))))
}

/// Administrators review everything, others what belongs to publishers in which they are at least reviewers.
/// How many reviews the viewer may take part in.
pub async fn count(conn: &mut Conn, viewer: &Viewer, state: ReviewState) -> Result<u64, Error> {
    let mut sql = Sql::new("select count(*) from (");
    sql.push(SELECT);
    in_state(&mut sql, viewer, state);
    sql.push(") listed");
    sql.cell(conn).await
}

fn in_state(sql: &mut Sql, viewer: &Viewer, state: ReviewState) {
    // The open ones have an index of their own, which a bound word would not meet.
    if state == ReviewState::Open {
        sql.push("r.state = 'open' and s.deleted_at is null and ");
    } else {
        sql.push("r.state = ").value(state).push(" and s.deleted_at is null and ");
    }
    may_review(sql, viewer);
}

fn may_review(sql: &mut Sql, viewer: &Viewer) {
    let publishers: Vec<PublisherId> = viewer.reviewer_of().collect();
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if publishers.is_empty() {
        sql.push("(false)");
    } else {
        sql.push("(s.publisher_id in ").list(publishers).push(")");
    }
}

/// Opens the review of a version, again when it had one; who had taken it on keeps it.
pub async fn open(
    tx: &mut Tx,
    version: VersionId,
    outcome: Outcome,
    severity: Severity,
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = "insert into review (id, version_id, outcome, state, severity, opened_at)
        values ($1, $2, $3, 'open', $4, $5)
        on conflict (version_id) do update set outcome = excluded.outcome, state = 'open',
            severity = excluded.severity, opened_at = excluded.opened_at, closed_at = null";
    Sql::new(SQL).bind(ReviewId::new(now)).bind(version).bind(outcome).bind(severity).bind(now).run(tx).await
}

/// Sets what an open review came to; `false` when it is not open.
pub async fn close(tx: &mut Tx, version: VersionId, state: ReviewState, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = "update review set state = $2, closed_at = $3 where version_id = $1 and state = 'open'";
    Sql::new(SQL).bind(version).bind(state).bind(now).changed(tx).await
}

/// Sets who has taken a review on.
pub async fn claim(tx: &mut Tx, id: ReviewId, person: Option<PersonId>, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = "update review set claimed_by = $2, claimed_at = $3 where id = $1";
    Sql::new(SQL).bind(id).bind(person).bind(person.map(|_| now)).run(tx).await
}

/// Adds what was said or done; the id that it got.
pub async fn note(
    tx: &mut Tx,
    review: ReviewId,
    person: Option<PersonId>,
    kind: NoteKind,
    text: &str,
    now: Timestamp,
) -> Result<ReviewNoteId, Error> {
    const SQL: &str =
        "insert into review_note (id, review_id, person_id, kind, text, created_at) values ($1, $2, $3, $4, $5, $6)";
    let id = ReviewNoteId::new(now);
    Sql::new(SQL).bind(id).bind(review).bind(person).bind(kind).bind(text).bind(now).run(tx).await?;
    Ok(id)
}

/// What was said and done in a review, in its order.
pub async fn notes(conn: &mut Conn, review: ReviewId) -> Result<Vec<ReviewNote>, Error> {
    const SQL: &str = "select n.id, n.person_id, who.handle as person, n.kind, n.text, n.created_at
        from review_note n left join person who on who.id = n.person_id where n.review_id = $1 order by n.id";
    Sql::new(SQL).bind(review).all(conn).await
}
