//! Offers to hand a skill to another publisher.

use kontor_types::{Handle, PersonId, PublisherId, SkillId, Slug, Timestamp, TransferId, Viewer};

use crate::sql::Sql;
use crate::{Conn, Error, Tx};

words! {
    /// What became of an offer.
    pub enum TransferState ("state of a transfer") {
        /// The other side has not answered.
        Pending = "pending",
        /// The skill changed hands.
        Accepted = "accepted",
        /// The other side does not want it.
        Rejected = "rejected",
        /// The offer was taken back.
        Cancelled = "cancelled",
    }
}

record! {
    /// One offer.
    pub struct Transfer {
        /// Its id.
        pub id: TransferId,
        /// The skill.
        pub skill_id: SkillId,
        /// The skill's name.
        pub slug: Slug,
        /// The name as the author wrote it.
        pub display_name: String,
        /// Who gives.
        pub from_publisher: PublisherId,
        /// The handle of who gives.
        pub from_handle: Handle,
        /// Who is to receive.
        pub to_publisher: PublisherId,
        /// The handle of who is to receive.
        pub to_handle: Handle,
        /// A word to the other side.
        pub message: String,
        /// What became of it.
        pub state: TransferState,
        /// Who offered.
        pub created_by: PersonId,
        /// When.
        pub created_at: Timestamp,
        /// When it was decided.
        pub decided_at: Option<Timestamp>,
    }
}

/// An offer to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTransfer {
    /// Its id.
    pub id: TransferId,
    /// The skill.
    pub skill_id: SkillId,
    /// Who gives.
    pub from_publisher: PublisherId,
    /// Who is to receive.
    pub to_publisher: PublisherId,
    /// A word to the other side.
    pub message: String,
    /// What it is at once: pending, or accepted when an administrator moves the skill directly.
    pub state: TransferState,
    /// Who offers.
    pub created_by: PersonId,
    /// When.
    pub now: Timestamp,
}

const SELECT: &str = "select t.id, t.skill_id, s.slug, s.display_name, t.from_publisher, giver.handle as from_handle,
    t.to_publisher, taker.handle as to_handle, t.message, t.state, t.created_by, t.created_at, t.decided_at
    from transfer t join skill s on s.id = t.skill_id join publisher giver on giver.id = t.from_publisher
    join publisher taker on taker.id = t.to_publisher where ";

/// Which side of an offer a publisher is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It receives.
    Incoming,
    /// It gives.
    Outgoing,
}

/// Pending offers on one side of the publishers that the viewer maintains, the newest first, at most `limit`.
pub async fn pending(conn: &mut Conn, viewer: &Viewer, side: Side, limit: u32) -> Result<Vec<Transfer>, Error> {
    let publishers: Vec<PublisherId> = viewer.maintainer_of().collect();
    if publishers.is_empty() && !viewer.is_administrator() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(SELECT);
    sql.push("t.state = 'pending' and s.deleted_at is null");
    // An administrator who maintains publishers looks at their own first: the whole hub's list would hide them.
    if !publishers.is_empty() {
        sql.push(match side {
            Side::Incoming => " and t.to_publisher in ",
            Side::Outgoing => " and t.from_publisher in ",
        });
        sql.list(publishers);
    }
    sql.push(" order by t.id desc limit ").value(limit);
    sql.all(conn).await
}

/// An offer in any state, if the viewer maintains one of its sides.
pub async fn find(conn: &mut Conn, viewer: &Viewer, id: TransferId) -> Result<Option<Transfer>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("t.id = ").value(id).push(" and s.deleted_at is null and ");
    concerned(&mut sql, viewer);
    sql.optional(conn).await
}

/// The pending offer of a skill, if the viewer maintains one of its sides.
pub async fn of_skill(conn: &mut Conn, viewer: &Viewer, skill: SkillId) -> Result<Option<Transfer>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("t.skill_id = ").value(skill).push(" and t.state = 'pending' and s.deleted_at is null and ");
    concerned(&mut sql, viewer);
    sql.push(" order by t.id desc limit 1");
    sql.optional(conn).await
}

/// The viewer maintains one of the sides of the offer `t`.
fn concerned(sql: &mut Sql, viewer: &Viewer) {
    let publishers: Vec<PublisherId> = viewer.maintainer_of().collect();
    if viewer.is_administrator() {
        sql.push("(true)");
    } else if publishers.is_empty() {
        sql.push("(false)");
    } else {
        sql.push("(t.to_publisher in ").list(publishers.iter().copied());
        sql.push(" or t.from_publisher in ").list(publishers).push(")");
    }
}

/// The pending offer to the viewer of a skill with this name, given by this publisher or by anybody.
pub async fn incoming_named(
    conn: &mut Conn,
    viewer: &Viewer,
    from: Option<&Handle>,
    slug: &Slug,
) -> Result<Vec<Transfer>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("t.state = 'pending' and s.deleted_at is null and s.slug = ").value(slug);
    if let Some(from) = from {
        sql.push(" and giver.handle = ").value(from);
    }
    let publishers: Vec<PublisherId> = viewer.maintainer_of().collect();
    if !publishers.is_empty() {
        sql.push(" and t.to_publisher in ").list(publishers);
    } else if !viewer.is_administrator() {
        return Ok(Vec::new());
    }
    sql.push(" order by t.id desc limit 20");
    sql.all(conn).await
}

/// Makes an offer.
pub async fn insert(tx: &mut Tx, transfer: &NewTransfer) -> Result<(), Error> {
    const SQL: &str = "insert into transfer
            (id, skill_id, from_publisher, to_publisher, message, state, created_by, created_at, decided_by, decided_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let decided = transfer.state != TransferState::Pending;
    Sql::new(SQL)
        .bind(transfer.id)
        .bind(transfer.skill_id)
        .bind(transfer.from_publisher)
        .bind(transfer.to_publisher)
        .bind(&transfer.message)
        .bind(transfer.state)
        .bind(transfer.created_by)
        .bind(transfer.now)
        .bind(decided.then_some(transfer.created_by))
        .bind(decided.then_some(transfer.now))
        .run(tx)
        .await
}

/// Decides a pending offer; `false` when it is not pending.
pub async fn decide(
    tx: &mut Tx,
    id: TransferId,
    state: TransferState,
    by: Option<PersonId>,
    now: Timestamp,
) -> Result<bool, Error> {
    const SQL: &str = "update transfer set state = $2, decided_by = $3, decided_at = $4
        where id = $1 and state = 'pending'";
    Sql::new(SQL).bind(id).bind(state).bind(by).bind(now).changed(tx).await
}

/// Takes back every pending offer of a skill; returns how many there were.
pub async fn cancel_all(tx: &mut Tx, skill: SkillId, by: Option<PersonId>, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "update transfer set state = 'cancelled', decided_by = $2, decided_at = $3
        where skill_id = $1 and state = 'pending'";
    Sql::new(SQL).bind(skill).bind(by).bind(now).execute(tx).await
}
