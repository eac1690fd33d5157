//! The part of the books that some requests are about, in memory: judges one request after another as the database will have it.

use std::collections::HashMap;

use kontor_db::ledger_accounts::{Account, Side};
use kontor_db::ledger_transfers::{Counter, Kind, Leg as Row, Transfer};
use kontor_types::{Currency, Timestamp};

use crate::recorded::State as Become;
use crate::request::Asked;
use crate::{Amounts, Leg, Order, Recorded, Refusal, portion};

/// Most that an account counts on either side: differences of such numbers can be counted too.
const MOST: i64 = 1 << 62;

/// Accounts that are kept in memory; with more it begins anew.
const REMEMBERED: usize = 200_000;

/// An account as far as the rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct State {
    currency: Currency,
    side: Side,
    guarded: bool,
    closed: bool,
    debits: i64,
    credits: i64,
    held_debits: i64,
    held_credits: i64,
    last_leg: i64,
}

/// A transfer that others may settle or refund.
#[derive(Debug)]
struct Origin {
    transfer: Transfer,
    legs: Vec<Row>,
    /// How much of each leg went back.
    refunded: Vec<i64>,
    settled_by: Option<(i64, Kind)>,
}

/// A leg before it has its number.
#[derive(Debug, Clone, Copy)]
struct Draft {
    debit: i64,
    credit: i64,
    currency: Currency,
    amount: i64,
    held: i64,
    origin: Option<i64>,
}

/// What a request comes to.
#[derive(Debug)]
struct Plan {
    kind: Kind,
    origin: Option<i64>,
    expires_at: Option<Timestamp>,
    drafts: Vec<Draft>,
}

/// Accounts as they were after a commit. They are good for as long as the counter is what that commit left: it has the digest of
/// everything, so no other history, and no other process, leaves the same.
#[derive(Debug, Default)]
pub struct Memory {
    after: Option<Counter>,
    accounts: HashMap<i64, State>,
}

/// What is known, and what was added to it.
#[derive(Debug)]
pub struct Book<'a> {
    /// The moment by which reservations end.
    now: Timestamp,
    pub counter: Counter,
    accounts: HashMap<i64, State>,
    origins: HashMap<i64, Origin>,
    known: HashMap<String, (Transfer, Vec<Row>)>,
    /// Where in `transfers` what was added under a key is.
    fresh: HashMap<&'a str, usize>,
    pub transfers: Vec<Transfer>,
    pub legs: Vec<Row>,
}

impl<'a> Book<'a> {
    /// Books after what the counter says; `memory` is taken, and used if it is of that moment.
    pub fn new(mut counter: Counter, now: Timestamp, memory: Memory) -> Self {
        let current = memory.after.as_ref() == Some(&counter) && memory.accounts.len() < REMEMBERED;
        counter.made_at = counter.made_at.max(now);
        Self {
            now,
            counter,
            accounts: if current { memory.accounts } else { HashMap::new() },
            origins: HashMap::new(),
            known: HashMap::new(),
            fresh: HashMap::new(),
            transfers: Vec::new(),
            legs: Vec::new(),
        }
    }

    /// What is known of accounts after what the counter says.
    pub fn remember(self) -> Memory {
        Memory { after: Some(self.counter), accounts: self.accounts }
    }

    /// Which of these accounts are not known.
    pub fn unknown(&self, accounts: impl Iterator<Item = i64>) -> Vec<i64> {
        let mut unknown: Vec<i64> = accounts.filter(|number| !self.accounts.contains_key(number)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    pub fn know_accounts(&mut self, accounts: &[Account]) {
        let states = accounts.iter().map(|account| {
            let state = State {
                currency: account.currency,
                side: account.side,
                guarded: account.guarded,
                closed: account.closed_at.is_some(),
                debits: account.debits,
                credits: account.credits,
                held_debits: account.held_debits,
                held_credits: account.held_credits,
                last_leg: account.last_leg,
            };
            (account.number, state)
        });
        self.accounts.extend(states);
    }

    pub fn know_key(&mut self, transfer: Transfer, legs: Vec<Row>) {
        self.known.insert(transfer.key.clone(), (transfer, legs));
    }

    pub fn know_origin(&mut self, transfer: Transfer, legs: Vec<Row>) {
        let refunded = vec![0; legs.len()];
        self.origins.insert(transfer.number, Origin { transfer, legs, refunded, settled_by: None });
    }

    /// A transfer that settled or refunded an origin.
    pub fn know_consequence(&mut self, transfer: &Transfer, legs: &[Row]) {
        let Some(origin) = transfer.origin.and_then(|number| self.origins.get_mut(&number)) else { return };
        match transfer.kind {
            Kind::Post | Kind::Void => origin.settled_by = Some((transfer.number, transfer.kind)),
            Kind::Refund => {
                for leg in legs {
                    if let Some(place) = origin.legs.iter().position(|original| Some(original.number) == leg.origin)
                        && let Some(refunded) = origin.refunded.get_mut(place)
                    {
                        *refunded = refunded.saturating_add(leg.amount);
                    }
                }
            }
            Kind::Move | Kind::Reserve => {}
        }
    }

    /// Takes a request into the books, or says why not.
    pub fn take(&mut self, asked: &'a Asked) -> Result<Recorded, Refusal> {
        let Asked { request, digest } = asked;
        if let Some((transfer, legs)) = self.there(request.key.as_str()) {
            if transfer.request != *digest {
                return Err(Refusal::KeyConflict { number: transfer.number });
            }
            let state = self.state(transfer);
            return Ok(Recorded { transfer: transfer.clone(), legs: legs.to_vec(), repeated: true, state });
        }
        let Plan { kind, origin, expires_at, drafts } = self.draft(&request.order)?;
        let number = self.counter.transfers + 1;
        let rows = self.enter(number, kind, &drafts)?;
        let transfer = Transfer {
            number,
            key: request.key.as_str().to_owned(),
            kind,
            request: *digest,
            origin,
            first_leg: self.counter.legs + 1,
            legs: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            expires_at,
            memo: request.memo.clone(),
            created_at: self.counter.made_at,
        };
        self.counter.transfers = number;
        self.counter.legs += transfer.legs;
        self.know_consequence(&transfer, &rows);
        self.fresh.insert(request.key.as_str(), self.transfers.len());
        self.transfers.push(transfer.clone());
        self.legs.extend_from_slice(&rows);
        let state = self.state(&transfer);
        Ok(Recorded { transfer, legs: rows, repeated: false, state })
    }

    /// What was recorded under a key.
    fn there(&self, key: &str) -> Option<(&Transfer, &[Row])> {
        if let Some(place) = self.fresh.get(key) {
            let transfer = self.transfers.get(*place)?;
            let first = self.transfers.first()?.first_leg;
            let start = usize::try_from(transfer.first_leg - first).ok()?;
            let end = start + usize::try_from(transfer.legs).ok()?;
            return Some((transfer, self.legs.get(start..end)?));
        }
        self.known.get(key).map(|(transfer, legs)| (transfer, legs.as_slice()))
    }

    /// What has become of a transfer.
    pub fn state(&self, transfer: &Transfer) -> Become {
        let origin = self.origins.get(&transfer.number);
        match (transfer.kind, origin.and_then(|origin| origin.settled_by)) {
            (Kind::Reserve, Some((by, kind))) => Become::Settled { by, kind },
            (Kind::Reserve, None) if transfer.expires_at.is_some_and(|moment| moment <= self.now) => Become::Expired,
            (Kind::Reserve, None) => Become::Open,
            (Kind::Move | Kind::Post | Kind::Void | Kind::Refund, _) => match origin {
                Some(origin) if origin.refunded.iter().any(|back| *back > 0) => {
                    Become::Refunded { back: origin.refunded.clone() }
                }
                _ => Become::Done,
            },
        }
    }

    fn draft(&self, order: &Order) -> Result<Plan, Refusal> {
        match order {
            Order::Move(legs) => Ok(Plan {
                kind: Kind::Move,
                origin: None,
                expires_at: None,
                drafts: legs.iter().map(|leg| fresh(leg, false)).collect(),
            }),
            Order::Reserve { legs, expires_at } => {
                if expires_at.is_some_and(|moment| moment <= self.now) {
                    return Err(Refusal::Amount { rule: "a reservation ends in the future" });
                }
                Ok(Plan {
                    kind: Kind::Reserve,
                    origin: None,
                    expires_at: *expires_at,
                    drafts: legs.iter().map(|leg| fresh(leg, true)).collect(),
                })
            }
            Order::Post { reservation, amounts } => {
                let origin = self.open(*reservation)?;
                if origin.transfer.expires_at.is_some_and(|moment| moment <= self.now) {
                    return Err(Refusal::Expired { number: *reservation });
                }
                let left: Vec<i64> = origin.legs.iter().map(|leg| leg.held).collect();
                let amounts = chosen(origin, &left, amounts)?;
                Ok(Plan {
                    kind: Kind::Post,
                    origin: Some(*reservation),
                    expires_at: None,
                    drafts: settle(origin, &amounts),
                })
            }
            Order::Void { reservation } => {
                let origin = self.open(*reservation)?;
                Ok(Plan {
                    kind: Kind::Void,
                    origin: Some(*reservation),
                    expires_at: None,
                    drafts: settle(origin, &vec![0; origin.legs.len()]),
                })
            }
            Order::Refund { transfer, amounts } => {
                let known = self.origins.get(transfer);
                let origin = known
                    .filter(|origin| matches!(origin.transfer.kind, Kind::Move | Kind::Post))
                    .ok_or(Refusal::TransferUnknown { number: *transfer, wanted: "transfer that moved money" })?;
                let left: Vec<i64> =
                    origin.legs.iter().zip(&origin.refunded).map(|(leg, refunded)| leg.amount - refunded).collect();
                let amounts = chosen(origin, &left, amounts)?;
                // Backwards: what passed through an account comes back to it before it goes on.
                let legs = origin.legs.iter().zip(amounts).rev();
                let back = legs.filter(|(_, amount)| *amount > 0).map(|(leg, amount)| Draft {
                    debit: leg.credit,
                    credit: leg.debit,
                    currency: leg.currency,
                    amount,
                    held: 0,
                    origin: Some(leg.number),
                });
                Ok(Plan { kind: Kind::Refund, origin: Some(*transfer), expires_at: None, drafts: back.collect() })
            }
        }
    }

    fn open(&self, reservation: i64) -> Result<&Origin, Refusal> {
        let known = self.origins.get(&reservation);
        let origin = known
            .filter(|origin| origin.transfer.kind == Kind::Reserve)
            .ok_or(Refusal::TransferUnknown { number: reservation, wanted: "reservation" })?;
        origin.settled_by.map_or(Ok(origin), |(by, _)| Err(Refusal::Settled { number: reservation, by }))
    }

    /// Numbers the legs and moves the balances; all of them, or none.
    fn enter(&mut self, transfer: i64, kind: Kind, drafts: &[Draft]) -> Result<Vec<Row>, Refusal> {
        let mut before = Vec::with_capacity(drafts.len() * 2);
        let mut rows = Vec::with_capacity(drafts.len());
        for (draft, number) in drafts.iter().zip(self.counter.legs + 1..) {
            let moved = self.touch(draft, draft.debit, kind, number, &mut before).and_then(|debit_before| {
                Ok((debit_before, self.touch(draft, draft.credit, kind, number, &mut before)?))
            });
            match moved {
                Ok((debit_before, credit_before)) => rows.push(Row {
                    number,
                    transfer,
                    kind,
                    debit: draft.debit,
                    credit: draft.credit,
                    currency: draft.currency,
                    amount: draft.amount,
                    held: draft.held,
                    origin: draft.origin,
                    debit_before,
                    credit_before,
                }),
                Err(refusal) => {
                    self.accounts.extend(before.into_iter().rev());
                    return Err(refusal);
                }
            }
        }
        Ok(rows)
    }

    /// Moves one account's balance by a leg and returns the leg before.
    fn touch(
        &mut self,
        draft: &Draft,
        number: i64,
        kind: Kind,
        leg: i64,
        before: &mut Vec<(i64, State)>,
    ) -> Result<i64, Refusal> {
        let state = self.accounts.get_mut(&number).ok_or(Refusal::AccountUnknown { number })?;
        if state.currency != draft.currency {
            return Err(Refusal::CurrencyMismatch { number, expected: state.currency, found: draft.currency });
        }
        if state.closed && !matches!(kind, Kind::Void | Kind::Refund) {
            return Err(Refusal::AccountClosed { number });
        }
        let old = *state;
        let sum = |one: i64, other: i64| one.checked_add(other).filter(|sum| *sum <= MOST);
        let (total, held) = if number == draft.debit {
            (&mut state.debits, &mut state.held_debits)
        } else {
            (&mut state.credits, &mut state.held_credits)
        };
        let (Some(new_total), Some(new_held)) = (sum(*total, draft.amount), sum(*held, draft.held)) else {
            return Err(Refusal::Overflow { number });
        };
        (*total, *held) = (new_total, new_held);
        if state.guarded && state.free() < 0 {
            let free = old.currency.minor(old.free().max(0));
            *state = old;
            return Err(Refusal::InsufficientFunds { number, free });
        }
        state.last_leg = leg;
        before.push((number, old));
        Ok(old.last_leg)
    }
}

impl State {
    const fn free(&self) -> i64 {
        match self.side {
            Side::Credit => self.credits - self.debits - self.held_debits,
            Side::Debit => self.debits - self.credits - self.held_credits,
        }
    }
}

const fn fresh(leg: &Leg, held: bool) -> Draft {
    let Leg { debit, credit, amount } = *leg;
    let (moved, held) = if held { (0, amount.minor) } else { (amount.minor, 0) };
    Draft { debit, credit, currency: amount.currency, amount: moved, held, origin: None }
}

fn settle(origin: &Origin, amounts: &[i64]) -> Vec<Draft> {
    let legs = origin.legs.iter().zip(amounts);
    let settled = legs.map(|(leg, amount)| Draft {
        debit: leg.debit,
        credit: leg.credit,
        currency: leg.currency,
        amount: *amount,
        held: -leg.held,
        origin: Some(leg.number),
    });
    settled.collect()
}

/// How much of each leg is meant, of which `left` is left.
fn chosen(origin: &Origin, left: &[i64], amounts: &Amounts) -> Result<Vec<i64>, Refusal> {
    let number = origin.transfer.number;
    let chosen = match amounts {
        Amounts::Full => left.to_vec(),
        Amounts::Legs(amounts) => {
            if amounts.len() != left.len() || amounts.iter().any(|amount| *amount < 0) {
                return Err(Refusal::Amount { rule: "give one amount for each leg, none of them negative" });
            }
            if let Some((_, left)) = amounts.iter().zip(left).find(|(amount, left)| amount > left) {
                return Err(Refusal::Exceeds { number, left: *left });
            }
            amounts.clone()
        }
        Amounts::Part(part) => proportional(origin, left, *part)?,
    };
    if chosen.iter().all(|amount| *amount == 0) {
        let nothing_left = left.iter().all(|left| *left == 0);
        return Err(if nothing_left {
            Refusal::Exceeds { number, left: 0 }
        } else {
            Refusal::Amount { rule: "at least one amount is more than nothing" }
        });
    }
    Ok(chosen)
}

/// The same part from each account that paid.
fn proportional(origin: &Origin, left: &[i64], part: kontor_types::Money) -> Result<Vec<i64>, Refusal> {
    if part.minor <= 0 {
        return Err(Refusal::Amount { rule: "every amount is more than nothing" });
    }
    let mut payers: Vec<i64> = origin.legs.iter().map(|leg| leg.debit).collect();
    payers.sort_unstable();
    payers.dedup();
    let mut chosen = vec![0; left.len()];
    let mut each = None;
    for payer in payers {
        let places: Vec<usize> = (0..left.len()).filter(|place| origin.legs[*place].debit == payer).collect();
        if let Some(leg) = places.iter().map(|place| &origin.legs[*place]).find(|leg| leg.currency != part.currency) {
            let (expected, found) = (leg.currency, part.currency);
            return Err(Refusal::CurrencyMismatch { number: payer, expected, found });
        }
        let weights: Vec<i64> = places.iter().map(|place| left[*place]).collect();
        let sum: i64 = weights.iter().fold(0, |sum, weight| sum.saturating_add(*weight));
        if *each.get_or_insert(sum) != sum {
            return Err(Refusal::Amount {
                rule: "the paying accounts differ in what is left: give one amount for each leg",
            });
        }
        if part.minor > sum {
            return Err(Refusal::Exceeds { number: origin.transfer.number, left: sum });
        }
        for (place, amount) in places.into_iter().zip(portion(&weights, part.minor)) {
            chosen[place] = amount;
        }
    }
    Ok(chosen)
}
