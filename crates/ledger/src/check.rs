use std::collections::{HashMap, HashSet};

use kontor_db::Conn;
use kontor_db::ledger_accounts::{self, Account};
use kontor_db::ledger_transfers::{self, Batch, Counter, Kind, Leg, Transfer};
use kontor_types::Digest;

use crate::record::chained;
use crate::{Error, Ledger};

/// Rows that are read at a time.
const PAGE: u32 = 1_000;

/// Complaints that are told; more of them are only counted.
const TOLD: usize = 100;

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
}

impl Findings {
    /// Whether everything agrees.
    pub const fn are_clean(&self) -> bool {
        self.wrong == 0
    }

    fn complain(&mut self, text: String) {
        self.wrong += 1;
        if self.complaints.len() < TOLD {
            self.complaints.push(text);
        }
    }

    fn unless(&mut self, agrees: bool, text: impl FnOnce() -> String) {
        if !agrees {
            self.complain(text());
        }
    }
}

/// What legs add up to on one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    debits: i128,
    credits: i128,
    held_debits: i128,
    held_credits: i128,
    last_leg: i64,
}

#[derive(Default)]
struct Audit {
    findings: Findings,
    sums: HashMap<i64, Sum>,
    currencies: HashMap<i64, kontor_types::Currency>,
    open: HashSet<i64>,
    refunds: HashMap<i64, i128>,
    digest: Option<Digest>,
    transfer: i64,
    leg: i64,
}

impl Ledger {
    /// Reads the whole history and holds it against the balances, the open reservations, and the digests of every commit.
    pub async fn check(&self) -> Result<Findings, Error> {
        let mut conn = self.db().read().await?;
        let counter = ledger_transfers::freeze(&mut conn).await?;
        let audited = audit(&mut conn, counter).await;
        ledger_transfers::thaw(&mut conn).await?;
        Ok(audited?)
    }
}

async fn audit(conn: &mut Conn, counter: Counter) -> Result<Findings, kontor_db::Error> {
    let mut audit = Audit::default();
    loop {
        let batches = ledger_transfers::batches_after(conn, audit.transfer, PAGE).await?;
        if batches.is_empty() {
            break;
        }
        for batch in batches {
            let count = u32::try_from(batch.last - batch.first + 1).unwrap_or(0);
            let transfers = ledger_transfers::after(conn, batch.first - 1, count).await?;
            let legs: i64 = transfers.iter().map(|transfer| transfer.legs).sum();
            let legs = ledger_transfers::legs_after(conn, audit.leg, u32::try_from(legs).unwrap_or(0)).await?;
            audit.batch(&batch, &transfers, &legs);
        }
    }
    audit.refunds(conn).await?;
    audit.accounts(conn, &counter).await?;
    audit.holds(conn).await?;
    let Audit { mut findings, transfer, leg, digest, .. } = audit;
    let agrees = (transfer, leg) == (counter.transfers, counter.legs);
    findings.unless(agrees, || "the counter has other numbers than the last commit".to_owned());
    let agrees = digest.is_none_or(|digest| digest == counter.digest);
    findings.unless(agrees, || "the counter has another digest than the last commit".to_owned());
    Ok(findings)
}

impl Audit {
    fn batch(&mut self, batch: &Batch, transfers: &[Transfer], legs: &[Leg]) {
        let findings = &mut self.findings;
        let before = self.digest.unwrap_or_else(|| Digest::from_bytes([0; 32]));
        let digest = chained(&before, transfers, legs);
        findings.unless(batch.first == self.transfer + 1, || {
            format!("commit {} does not follow on the one before", batch.last)
        });
        findings.unless(digest == batch.digest, || {
            format!("transfers {} to {} are not what was recorded: their digest differs", batch.first, batch.last)
        });
        // One altered commit is told once, not for all after it.
        self.digest = Some(batch.digest);
        let mut legs = legs;
        for transfer in transfers {
            let mine = legs.iter().take_while(|leg| leg.transfer == transfer.number).count();
            let (mine, rest) = legs.split_at(mine);
            legs = rest;
            self.one(transfer, mine);
        }
        self.findings.unless(legs.is_empty(), || format!("commit {} has legs without a transfer", batch.last));
        self.transfer = batch.last;
    }

    fn one(&mut self, transfer: &Transfer, legs: &[Leg]) {
        let number = transfer.number;
        let findings = &mut self.findings;
        findings.transfers += 1;
        let all = i64::try_from(legs.len()).is_ok_and(|count| count == transfer.legs);
        let first = legs.first().is_some_and(|leg| leg.number == transfer.first_leg);
        findings.unless(all && first, || format!("transfer {number} has not the legs that it names"));
        let settles = matches!(transfer.kind, Kind::Post | Kind::Void);
        let opened = settles && transfer.origin.is_some_and(|origin| self.open.remove(&origin));
        findings.unless(opened == settles, || format!("transfer {number} settles no open reservation"));
        if transfer.kind == Kind::Reserve {
            self.open.insert(number);
        }
        for leg in legs {
            self.leg(transfer, leg);
        }
    }

    fn leg(&mut self, transfer: &Transfer, leg: &Leg) {
        let findings = &mut self.findings;
        findings.legs += 1;
        findings
            .unless(leg.kind == transfer.kind, || format!("leg {} is of another kind than its transfer", leg.number));
        findings.unless(leg.number == self.leg + 1, || format!("leg {} does not follow on the one before", leg.number));
        self.leg = leg.number;
        if let (Kind::Refund, Some(origin)) = (leg.kind, leg.origin) {
            *self.refunds.entry(origin).or_default() += i128::from(leg.amount);
        }
        for (account, before) in [(leg.debit, leg.debit_before), (leg.credit, leg.credit_before)] {
            let sum = self.sums.entry(account).or_default();
            findings
                .unless(sum.last_leg == before, || format!("leg {} does not continue account {account}", leg.number));
            sum.last_leg = leg.number;
            let (amount, held) = (i128::from(leg.amount), i128::from(leg.held));
            if account == leg.debit {
                sum.debits += amount;
                sum.held_debits += held;
            } else {
                sum.credits += amount;
                sum.held_credits += held;
            }
            let currency = *self.currencies.entry(account).or_insert(leg.currency);
            findings.unless(currency == leg.currency, || format!("account {account} has legs of several currencies"));
        }
    }

    /// No leg was refunded beyond what it moved.
    async fn refunds(&mut self, conn: &mut Conn) -> Result<(), kontor_db::Error> {
        let numbers: Vec<i64> = self.refunds.keys().copied().collect();
        for chunk in numbers.chunks(500) {
            for leg in ledger_transfers::legs_with_numbers(conn, chunk).await? {
                let refunded = self.refunds.remove(&leg.number).unwrap_or(0);
                let within = refunded <= i128::from(leg.amount);
                self.findings.unless(within, || format!("leg {} was refunded beyond what it moved", leg.number));
            }
        }
        self.findings.unless(self.refunds.is_empty(), || "a refund names a leg that is not there".to_owned());
        Ok(())
    }

    async fn accounts(&mut self, conn: &mut Conn, counter: &Counter) -> Result<(), kontor_db::Error> {
        let mut after = 0;
        loop {
            let accounts = ledger_accounts::after(conn, after, PAGE).await?;
            let Some(last) = accounts.last() else { break };
            after = last.number;
            for account in &accounts {
                self.account(account);
            }
        }
        self.findings.unless(self.sums.is_empty(), || "legs name accounts that are not there".to_owned());
        self.findings.unless(after == counter.accounts, || "an account is missing at the end".to_owned());
        Ok(())
    }

    fn account(&mut self, account: &Account) {
        let number = account.number;
        let sum = self.sums.remove(&number).unwrap_or_default();
        let kept = Sum {
            debits: account.debits.into(),
            credits: account.credits.into(),
            held_debits: account.held_debits.into(),
            held_credits: account.held_credits.into(),
            last_leg: account.last_leg,
        };
        let findings = &mut self.findings;
        findings.accounts += 1;
        findings.unless(sum == kept, || format!("the balance of account {number} is not the sum of its legs"));
        let currency = self.currencies.get(&number).copied().unwrap_or(account.currency);
        findings.unless(currency == account.currency, || format!("account {number} has legs of another currency"));
        let free = match account.side {
            crate::Side::Credit => sum.credits - sum.debits - sum.held_debits,
            crate::Side::Debit => sum.debits - sum.credits - sum.held_credits,
        };
        findings.unless(!account.guarded || free >= 0, || format!("account {number} has less than nothing"));
    }

    async fn holds(&mut self, conn: &mut Conn) -> Result<(), kontor_db::Error> {
        let mut after = 0;
        loop {
            let open = ledger_transfers::open_after(conn, after, PAGE).await?;
            let Some(last) = open.last() else { break };
            after = *last;
            for number in open {
                let known = self.open.remove(&number);
                self.findings.unless(known, || format!("reservation {number} is kept open and is not"));
            }
        }
        self.findings.unless(self.open.is_empty(), || "an open reservation is not kept as such".to_owned());
        Ok(())
    }
}
