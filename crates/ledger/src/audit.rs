//! What a history comes to when it is added up, and what in it does not agree with itself.

use std::collections::{HashMap, HashSet};

use kontor_db::ledger_accounts::Account;
use kontor_db::ledger_transfers::{Counter, Kind, Leg, Transfer};
use kontor_types::{Currency, Digest, Timestamp};

use crate::Findings;
use crate::record::Added;

/// What legs add up to on one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    debits: i128,
    credits: i128,
    held_debits: i128,
    held_credits: i128,
    last_leg: i64,
}

/// A history that was read up to a commit.
#[derive(Debug)]
pub struct Audit {
    pub findings: Findings,
    /// The commit that was read last.
    pub at: Counter,
    pub sums: HashMap<i64, Sum>,
    currencies: HashMap<i64, Currency>,
    /// The legs of open reservations: number and what they hold.
    pub open: HashMap<i64, Vec<(i64, i64)>>,
    /// What went back of a leg, and for which transfers.
    pub refunds: HashMap<i64, (i128, HashSet<Option<i64>>)>,
    pub closed: HashMap<i64, Timestamp>,
}

impl Default for Audit {
    fn default() -> Self {
        let at = Counter {
            commits: 0,
            accounts: 0,
            closings: 0,
            transfers: 0,
            legs: 0,
            made_at: Timestamp::from_micros(0),
            digest: Digest::from_bytes([0; 32]),
        };
        Self {
            findings: Findings::default(),
            at,
            sums: HashMap::new(),
            currencies: HashMap::new(),
            open: HashMap::new(),
            refunds: HashMap::new(),
            closed: HashMap::new(),
        }
    }
}

impl Audit {
    /// Takes the next commit.
    pub fn commit(&mut self, commit: &Counter, added: &Added<'_>) {
        let findings = &mut self.findings;
        let number = commit.commits;
        findings.unless(number == self.at.commits + 1 && commit.made_at >= self.at.made_at, || {
            format!("commit {number} does not follow on the one before")
        });
        let digest = added.chained(&self.at.digest, commit);
        findings.unless(digest == commit.digest, || {
            format!("what commit {number} added is not what was recorded: its digest differs")
        });
        let last = |numbers: Option<i64>, before: i64| numbers.unwrap_or(before);
        let ends = [
            last(added.accounts.last().map(|account| account.number), self.at.accounts) == commit.accounts,
            last(added.closings.last().map(|closing| closing.number), self.at.closings) == commit.closings,
            last(added.transfers.last().map(|transfer| transfer.number), self.at.transfers) == commit.transfers,
            last(added.legs.last().map(|leg| leg.number), self.at.legs) == commit.legs,
        ];
        findings.unless(ends == [true; 4], || format!("commit {number} has not the rows that it counts"));
        let mut legs = added.legs;
        for transfer in added.transfers {
            let mine = legs.iter().take_while(|leg| leg.transfer == transfer.number).count();
            let (mine, rest) = legs.split_at(mine);
            legs = rest;
            self.one(transfer, mine);
        }
        self.findings.unless(legs.is_empty(), || format!("commit {number} has legs without a transfer"));
        for closing in added.closings {
            let again = self.closed.insert(closing.account, closing.closed_at).is_some();
            self.findings.unless(!again, || format!("account {} was closed twice", closing.account));
        }
        // One altered commit is told once, not for all after it.
        self.at = commit.clone();
    }

    fn one(&mut self, transfer: &Transfer, legs: &[Leg]) {
        let number = transfer.number;
        let findings = &mut self.findings;
        findings.transfers += 1;
        let all = i64::try_from(legs.len()).is_ok_and(|count| count == transfer.legs);
        let first = legs.first().is_some_and(|leg| leg.number == transfer.first_leg);
        findings.unless(all && first, || format!("transfer {number} has not the legs that it names"));
        match transfer.kind {
            Kind::Reserve => {
                self.open.insert(number, legs.iter().map(|leg| (leg.number, leg.held)).collect());
            }
            Kind::Post | Kind::Void => {
                let origin = transfer.origin.and_then(|origin| self.open.remove(&origin));
                findings.unless(origin.is_some(), || format!("transfer {number} settles no open reservation"));
                let settled = legs.iter().map(|leg| (leg.origin.unwrap_or(0), leg.held.saturating_neg()));
                let whole = origin.is_none_or(|origin| settled.eq(origin));
                findings.unless(whole, || format!("transfer {number} does not settle its whole reservation"));
            }
            Kind::Move | Kind::Refund => {}
        }
        for leg in legs {
            self.leg(transfer, leg);
        }
    }

    fn leg(&mut self, transfer: &Transfer, leg: &Leg) {
        let number = leg.number;
        let findings = &mut self.findings;
        findings.legs += 1;
        findings.unless(leg.kind == transfer.kind, || format!("leg {number} is of another kind than its transfer"));
        if leg.kind == Kind::Refund {
            let (sum, transfers) = self.refunds.entry(leg.origin.unwrap_or(0)).or_default();
            *sum += i128::from(leg.amount);
            transfers.insert(transfer.origin);
        }
        for (account, before) in [(leg.debit, leg.debit_before), (leg.credit, leg.credit_before)] {
            let sum = self.sums.entry(account).or_default();
            findings.unless(sum.last_leg == before, || format!("leg {number} does not continue account {account}"));
            sum.last_leg = number;
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
            let over = self.closed.contains_key(&account) && !matches!(leg.kind, Kind::Void | Kind::Refund);
            findings.unless(!over, || format!("leg {number} came when account {account} was closed"));
        }
    }

    /// Holds what the database keeps of an account against what it must be.
    pub fn account(&mut self, account: &Account) {
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
        let closed = self.closed.get(&number).copied();
        findings.unless(closed == account.closed_at, || format!("account {number} is not closed as its closing says"));
    }
}
