//! What the scanner said of a content: one row for each content and set of rules.

use kontor_types::{Digest, Timestamp};
use serde_json::Value;

use crate::sql::{MOST_IN_LIST, Sql};
use crate::{Conn, Error, Tx};

words! {
    /// What a scan says in one word.
    pub enum Verdict ("verdict") {
        /// Everything was examined and nothing reaches medium.
        Clean = "clean",
        /// Nothing reaches medium, but not everything could be examined.
        Incomplete = "incomplete",
        /// The worst finding is medium.
        Suspicious = "suspicious",
        /// The worst finding is high or critical.
        Malicious = "malicious",
    }
}

words! {
    /// The worst finding of a scan.
    pub enum Severity ("severity") {
        /// Nothing was found.
        None = "none",
        /// Worth knowing.
        Info = "info",
        /// Harmless alone.
        Low = "low",
        /// Somebody should look.
        Medium = "medium",
        /// Harm to whoever uses it.
        High = "high",
        /// Harm without any doubt about the intent.
        Critical = "critical",
    }
}

record! {
    /// What the scanner said.
    pub struct ScanReport {
        /// The content.
        pub digest: Digest,
        /// The digest of the rules.
        pub rules: Digest,
        /// The verdict.
        pub verdict: Verdict,
        /// The worst finding.
        pub severity: Severity,
        /// The whole report as JSON.
        pub report: Value,
        /// When.
        pub scanned_at: Timestamp,
    }
}

const SELECT: &str = "select digest, rules, verdict, severity, report, scanned_at from scan_report where ";

/// The report of a content under these rules.
pub async fn find(conn: &mut Conn, digest: &Digest, rules: &Digest) -> Result<Option<ScanReport>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push("digest = ").value(digest).push(" and rules = ").value(rules);
    sql.optional(conn).await
}

/// The newest report of each of these contents, in no particular order.
pub async fn newest(conn: &mut Conn, digests: &[Digest]) -> Result<Vec<ScanReport>, Error> {
    let mut found = Vec::with_capacity(digests.len());
    for digests in digests.chunks(MOST_IN_LIST) {
        let mut sql = Sql::new(
            "select r.digest, r.rules, r.verdict, r.severity, r.report, r.scanned_at from scan_report r where r.digest in ",
        );
        sql.list(digests.iter().copied());
        sql.push(
            " and not exists (select 1 from scan_report later where later.digest = r.digest
            and (later.scanned_at, later.rules) > (r.scanned_at, r.rules))",
        );
        found.extend(sql.all::<ScanReport>(conn).await?);
    }
    Ok(found)
}

/// Keeps a report; one of the same content and rules is replaced, for both say the same of it.
pub async fn put(tx: &mut Tx, report: &ScanReport) -> Result<(), Error> {
    const SQL: &str = "insert into scan_report (digest, rules, verdict, severity, report, scanned_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (digest, rules) do update set verdict = excluded.verdict, severity = excluded.severity,
            report = excluded.report, scanned_at = excluded.scanned_at";
    Sql::new(SQL)
        .bind(report.digest)
        .bind(report.rules)
        .bind(report.verdict)
        .bind(report.severity)
        .bind(&report.report)
        .bind(report.scanned_at)
        .run(tx)
        .await
}
