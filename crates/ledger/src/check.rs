use std::collections::HashSet;

use kontor_db::Conn;
use kontor_db::ledger_accounts;
use kontor_db::ledger_transfers::{self, Counter};
use kontor_types::Digest;

use crate::audit::Audit;
use crate::record::Added;
use crate::{Error, Ledger};

/// Rows that are read at a time.
const PAGE: u32 = 1_000;

/// The most rows of one commit that are read.
const MOST: i64 = 1_000_000;

/// Complaints that are told; more of them are only counted.
const TOLD: usize = 100;

/// The books up to a commit, in 40 bytes. Whoever keeps one outside the database can show later that they were not changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the commit.
    pub commits: i64,
    /// The digest over everything up to it.
    pub digest: Digest,
}

/// What adding everything up again has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Accounts that were compared.
    pub accounts: u64,
    /// Transfers that were read.
    pub transfers: u64,
    /// Legs that were added up.
    pub legs: u64,
    /// What does not agree, the first hundred of it.
    pub complaints: Vec<String>,
    /// How many complaints there are.
    pub wrong: u64,
    /// Up to where that is; nothing when there was no commit yet.
    pub head: Option<Head>,
}

impl Findings {
    /// Whether everything agrees.
    pub const fn are_clean(&self) -> bool {
        self.wrong == 0
    }

    pub(crate) fn complain(&mut self, text: String) {
        self.wrong += 1;
        if self.complaints.len() < TOLD {
            self.complaints.push(text);
        }
    }

    pub(crate) fn unless(&mut self, agrees: bool, text: impl FnOnce() -> String) {
        if !agrees {
            self.complain(text());
        }
    }
}

impl Ledger {
    /// Where the books are now.
    pub async fn head(&self) -> Result<Head, Error> {
        let Counter { commits, digest, .. } = ledger_transfers::counter(&mut self.db().read().await?).await?;
        Ok(Head { commits, digest })
    }

    /// Reads the whole history and holds it against the accounts, the open reservations, and the digests of every commit.
    pub async fn check(&self) -> Result<Findings, Error> {
        self.check_against(&[]).await
    }

    /// The same, and the history must have gone through these heads, which were noted before.
    pub async fn check_against(&self, noted: &[Head]) -> Result<Findings, Error> {
        let mut conn = self.db().read().await?;
        let mut audit = Audit::default();
        // History only grows, so most of it needs no fixed moment, which would hold up whoever writes.
        loop {
            let end = ledger_transfers::counter(&mut conn).await?.commits;
            if end - audit.at.commits <= i64::from(PAGE) / 10 {
                break;
            }
            read(&mut conn, &mut audit, end, noted).await?;
        }
        let counter = ledger_transfers::freeze(&mut conn).await?;
        read(&mut conn, &mut audit, counter.commits, noted).await?;
        compare(&mut conn, &mut audit, &counter).await?;
        for head in noted.iter().filter(|head| head.commits > audit.at.commits) {
            audit.findings.complain(format!("commit {} was noted before and is not there", head.commits));
        }
        let Counter { commits, digest, .. } = audit.at;
        audit.findings.head = (commits > 0).then_some(Head { commits, digest });
        Ok(audit.findings)
    }
}

/// Goes through the commits up to one.
async fn read(conn: &mut Conn, audit: &mut Audit, end: i64, noted: &[Head]) -> Result<(), kontor_db::Error> {
    let mut after = audit.at.commits;
    while after < end {
        let limit = u32::try_from(end - after).unwrap_or(PAGE).min(PAGE);
        let commits = ledger_transfers::commits_after(conn, after, limit).await?;
        let Some(last) = commits.last() else { break };
        after = last.commits;
        for commit in commits {
            one(conn, audit, commit, noted).await?;
        }
    }
    Ok(())
}

async fn one(conn: &mut Conn, audit: &mut Audit, commit: Counter, noted: &[Head]) -> Result<(), kontor_db::Error> {
    let before = audit.at.clone();
    let count = |to: i64, from: i64| to.checked_sub(from).filter(|count| (0..=MOST).contains(count));
    let counts = [
        count(commit.accounts, before.accounts),
        count(commit.closings, before.closings),
        count(commit.transfers, before.transfers),
        count(commit.legs, before.legs),
    ];
    let [Some(accounts), Some(closings), Some(transfers), Some(legs)] = counts.map(|count| u32::try_from(count?).ok())
    else {
        audit.findings.complain(format!("commit {} counts what cannot be", commit.commits));
        audit.at = commit;
        return Ok(());
    };
    let accounts =
        if accounts == 0 { Vec::new() } else { ledger_accounts::after(conn, before.accounts, accounts).await? };
    let closings = if closings == 0 {
        Vec::new()
    } else {
        ledger_accounts::closings_after(conn, before.closings, closings).await?
    };
    let transfers =
        if transfers == 0 { Vec::new() } else { ledger_transfers::after(conn, before.transfers, transfers).await? };
    let legs = if legs == 0 { Vec::new() } else { ledger_transfers::legs_after(conn, before.legs, legs).await? };
    let added = Added { accounts: &accounts, closings: &closings, transfers: &transfers, legs: &legs };
    audit.commit(&commit, &added);
    for head in noted.iter().filter(|head| head.commits == commit.commits) {
        audit.findings.unless(head.digest == commit.digest, || {
            format!("commit {} has another digest than was noted before", commit.commits)
        });
    }
    Ok(())
}

/// Holds what the history comes to against what the database keeps; the connection sees one moment.
async fn compare(conn: &mut Conn, audit: &mut Audit, counter: &Counter) -> Result<(), kontor_db::Error> {
    let agrees = audit.at.commits == counter.commits && (audit.at.commits == 0 || audit.at == *counter);
    audit
        .findings
        .unless(agrees, || "the counter has other numbers, or another digest, than the last commit".to_owned());
    refunds(conn, audit).await?;
    let mut after = 0;
    loop {
        let accounts = ledger_accounts::after(conn, after, PAGE).await?;
        let Some(last) = accounts.last() else { break };
        after = last.number;
        for account in &accounts {
            audit.account(account);
        }
    }
    audit.findings.unless(audit.sums.is_empty(), || "legs name accounts that are not there".to_owned());
    audit.findings.unless(after == counter.accounts, || "an account is missing or too many at the end".to_owned());
    let mut after = 0;
    loop {
        let open = ledger_transfers::open_after(conn, after, PAGE).await?;
        let Some(last) = open.last() else { break };
        after = *last;
        for number in open {
            let known = audit.open.remove(&number).is_some();
            audit.findings.unless(known, || format!("reservation {number} is kept open and is not"));
        }
    }
    audit.findings.unless(audit.open.is_empty(), || "an open reservation is not kept as such".to_owned());
    let behind = !ledger_transfers::after(conn, counter.transfers, 1).await?.is_empty()
        || !ledger_transfers::legs_after(conn, counter.legs, 1).await?.is_empty()
        || !ledger_accounts::closings_after(conn, counter.closings, 1).await?.is_empty();
    audit.findings.unless(!behind, || "there are rows behind the last commit".to_owned());
    for rule in ledger_transfers::missing_rules(conn).await? {
        audit.findings.complain(format!("the database does not keep the rule `{rule}` at present"));
    }
    Ok(())
}

/// No leg was refunded beyond what it moved, and each by a refund of its own transfer.
async fn refunds(conn: &mut Conn, audit: &mut Audit) -> Result<(), kontor_db::Error> {
    let numbers: Vec<i64> = audit.refunds.keys().copied().collect();
    for chunk in numbers.chunks(500) {
        for leg in ledger_transfers::legs_with_numbers(conn, chunk).await? {
            let Some((refunded, transfers)) = audit.refunds.remove(&leg.number) else { continue };
            let within = refunded <= i128::from(leg.amount);
            audit.findings.unless(within, || format!("leg {} was refunded beyond what it moved", leg.number));
            let own = transfers == HashSet::from([Some(leg.transfer)]);
            audit.findings.unless(own, || format!("leg {} was refunded for another transfer", leg.number));
        }
    }
    audit.findings.unless(audit.refunds.is_empty(), || "a refund names a leg that is not there".to_owned());
    Ok(())
}
