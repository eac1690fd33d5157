//! What was decided about versions, and why: rows are only added.

use kontor_types::{DecisionId, Digest, PersonId, Timestamp, VersionId};
use serde_json::Value;

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx};

words! {
    /// What a decision says.
    pub enum Outcome ("outcome of a decision") {
        /// The version may be seen and used.
        Admit = "admit",
        /// A person shall look at it first.
        Review = "review",
        /// It is kept away from everybody until an administrator releases it.
        Quarantine = "quarantine",
        /// It is refused.
        Reject = "reject",
    }
}

record! {
    /// One decision about one version.
    pub struct Decision {
        /// Its id.
        pub id: DecisionId,
        /// The version.
        pub version_id: VersionId,
        /// What was decided.
        pub outcome: Outcome,
        /// Why, as a JSON list of `{policy, text}`.
        pub reasons: Value,
        /// The facts it was decided by, as a JSON object.
        pub facts: Value,
        /// The digest of the policy.
        pub policy: Digest,
        /// The digest of the scanner's rules.
        pub rules: Digest,
        /// What led to it: `publish`, `catalogue`, `review`, `appeal`, `key`, `visibility`.
        pub cause: String,
        /// The person whose deed led to it.
        pub person_id: Option<PersonId>,
        /// When.
        pub created_at: Timestamp,
    }
}

const SELECT: &str =
    "select d.id, d.version_id, d.outcome, d.reasons, d.facts, d.policy, d.rules, d.cause, d.person_id,
    d.created_at from decision d where ";

/// Adds a decision.
pub async fn insert(tx: &mut Tx, decision: &Decision) -> Result<(), Error> {
    const SQL: &str = "insert into decision (id, version_id, outcome, reasons, facts, policy, rules, cause, person_id,
            created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    Sql::new(SQL)
        .bind(decision.id)
        .bind(decision.version_id)
        .bind(decision.outcome)
        .bind(&decision.reasons)
        .bind(&decision.facts)
        .bind(decision.policy)
        .bind(decision.rules)
        .bind(&decision.cause)
        .bind(decision.person_id)
        .bind(decision.created_at)
        .run(tx)
        .await
}

/// The newest decision about each of these versions, in no particular order.
pub async fn newest(conn: &mut Conn, versions: &[VersionId]) -> Result<Vec<Decision>, Error> {
    let mut found = Vec::with_capacity(versions.len());
    for versions in versions.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(SELECT);
        sql.push("d.version_id in ").list(versions.iter().copied());
        sql.push(
            " and not exists (select 1 from decision later where later.version_id = d.version_id
            and later.id > d.id)",
        );
        found.extend(sql.all::<Decision>(conn).await?);
    }
    Ok(found)
}

/// Every decision about a version, the newest first.
pub async fn of_version(conn: &mut Conn, version: VersionId, limit: u32) -> Result<Vec<Decision>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("d.version_id = ").value(version).push(" order by d.id desc limit ").value(limit);
    sql.all(conn).await
}
