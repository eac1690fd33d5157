//! What a process fetches from a budget, and how what it spent is posted.
//!
//! A lease is a reservation in the ledger. A process that lives renews its leases; what a process held that died counts as
//! spent, because nobody knows what it had spent of it: a budget is never exceeded.

use std::sync::Arc;
use std::time::Duration;

use kontor_db::model_budgets::{self, Lease, OwnerKind};
use kontor_db::{Db, Tx, ledger_accounts, ledger_transfers};
use kontor_ledger::{Amounts, Key, Ledger, Leg, NewAccount, Order, Recorded, Refusal, Request, Side, record};
use kontor_types::{Clock, Currency, Money, Timestamp};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::Error;
use crate::price::{Cost, micros_of_minor};
use crate::purse::{Owner, Pot};

/// A fetch takes this part of what is left, so that other processes find something.
const PART: i64 = 16;
/// A fetch takes at most what so many calls like this one can cost.
const CALLS: i64 = 64;
/// How long a process may be silent before what it held counts as spent.
const SILENCE: Duration = Duration::from_mins(1);
/// How often a commit is tried again that lost a race against another process.
const TRIES: usize = 5;
/// Leases of dead processes that are posted at a time.
const DEAD: u32 = 100;

/// A lease of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub reservation: i64,
    /// In minor units.
    pub amount: i64,
}

/// What leases are made with.
pub struct Leases {
    pub db: Db,
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    pub process: String,
    /// Where limits come from and where what is spent goes, by currency.
    counters: Mutex<std::collections::HashMap<Currency, (i64, i64)>>,
}

impl Leases {
    pub fn new(db: Db, ledger: Ledger, clock: Arc<dyn Clock>, process: String) -> Self {
        Self { db, ledger, clock, process, counters: Mutex::default() }
    }

    /// The accounts that limits come from and that what is spent goes to.
    pub async fn counters(&self, currency: Currency) -> Result<(i64, i64), Error> {
        let mut known = self.counters.lock().await;
        if let Some(pair) = known.get(&currency) {
            return Ok(*pair);
        }
        let account = |code: &str, side| NewAccount {
            owner_kind: "hub".to_owned(),
            owner: "models".to_owned(),
            code: code.to_owned(),
            currency,
            side,
            guarded: false,
        };
        let wanted = vec![account("limits", Side::Debit), account("spent", Side::Credit)];
        let opened = self.ledger.open_all(wanted).await?;
        let pair = match opened.as_slice() {
            [limits, spent] => (limits.number, spent.number),
            _ => return Err(kontor_ledger::Error::Closed.into()),
        };
        known.insert(currency, pair);
        Ok(pair)
    }

    /// Reserves in the ledger what is missing at least, and more if there is plenty.
    ///
    /// # Errors
    /// [`Error::BudgetSpent`] when there is not that much.
    pub async fn fetch(&self, pot: &Pot, missing: i64, call: i64) -> Result<Held, Error> {
        let (_, spent) = self.counters(pot.currency).await?;
        let (account, currency, now) = (pot.account, pot.currency, self.clock.now());
        let process = self.process.clone();
        let outcome = self.tried(move |tx| {
            let process = process.clone();
            Box::pin(async move {
                ledger_transfers::lock(tx).await?;
                let Some(budget) = model_budgets::find(tx, account).await? else { return Ok(Err(0)) };
                let free = ledger_accounts::find(tx, account).await?.map_or(0, |account| account.free());
                let unit = micros_of_minor(currency);
                // What is spent and not yet posted is no longer there to be reserved.
                let free = free.saturating_sub(minor_up(budget.carry, unit));
                let least = minor_up(missing, unit);
                if free < least || budget.closed_at.is_some() {
                    return Ok(Err(free));
                }
                let amount = least.max((free / PART).min(minor_up(call.saturating_mul(CALLS), unit))).max(1);
                let order = Order::Reserve {
                    legs: vec![Leg { debit: account, credit: spent, amount: currency.minor(amount.min(free)) }],
                    expires_at: None,
                };
                let recorded = one(tx, order, now).await?;
                let held = Held { reservation: recorded.transfer.number, amount: amount.min(free) };
                let (reservation, amount) = (held.reservation, held.amount);
                model_budgets::lease(tx, &Lease { reservation, account, process, amount, renewed_at: now }).await?;
                Ok(Ok(held))
            })
        });
        outcome.await?.map_err(|free| Error::BudgetSpent {
            owner: told(&pot.owner),
            free: pot.currency.minor(free.max(0)).to_string(),
            wanted: Cost { currency, micros: call }.to_string(),
        })
    }

    /// Posts what was spent of leases and frees the rest; in a budget's `carry` stays what is less than a minor unit.
    pub async fn give_back(
        &self,
        account: i64,
        currency: Currency,
        leases: Vec<Held>,
        spent: i64,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let unit = self.tried(move |tx| {
            let leases = leases.clone();
            Box::pin(async move {
                ledger_transfers::lock(tx).await?;
                let Some(budget) = model_budgets::find(tx, account).await? else { return Ok(()) };
                let unit = micros_of_minor(currency);
                let mut due = budget.carry.saturating_add(spent);
                for held in leases {
                    if !model_budgets::release(tx, held.reservation).await? {
                        // It was taken for dead and posted as a whole.
                        continue;
                    }
                    let posted = (due / unit).clamp(0, held.amount);
                    due -= posted * unit;
                    one(tx, settle(held.reservation, currency.minor(posted)), now).await?;
                }
                model_budgets::set_carry(tx, account, due.max(0)).await?;
                Ok(())
            })
        });
        unit.await
    }

    /// Says that this process lives; the reservations that it still holds.
    pub async fn renew(&self) -> Result<Vec<i64>, Error> {
        let (process, now) = (self.process.clone(), self.clock.now());
        let unit = self.db.write(move |tx| Box::pin(async move { model_budgets::renew(tx, &process, now).await }));
        Ok(unit.await?)
    }

    /// Posts as a whole what processes held that have been silent for too long.
    pub async fn bury(&self) -> Result<usize, Error> {
        let silent = self.clock.now().before(SILENCE);
        let dead = model_budgets::stale(&mut self.db.read().await?, silent, DEAD).await?;
        let count = dead.len();
        for lease in dead {
            let now = self.clock.now();
            let amount = lease.amount;
            tracing::warn!(account = lease.account, amount, "a process died; what it held of a budget counts as spent");
            let unit = self.tried(move |tx| {
                let lease = lease.clone();
                Box::pin(async move {
                    ledger_transfers::lock(tx).await?;
                    if model_budgets::release(tx, lease.reservation).await? {
                        let order = Order::Post { reservation: lease.reservation, amounts: Amounts::Full };
                        one(tx, order, now).await?;
                    }
                    Ok(())
                })
            });
            unit.await?;
        }
        Ok(count)
    }

    /// Runs a unit of work again when another process was faster.
    pub async fn tried<T, F>(&self, unit: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> futures::future::BoxFuture<'t, Result<T, Error>> + Clone + Send + 'static,
    {
        let mut tries = 0;
        loop {
            let unit = unit.clone();
            tries += 1;
            match self.db.write(move |tx| unit(tx)).await {
                Err(Error::Db(error)) if error.is_race() && tries < TRIES => {}
                outcome => return outcome,
            }
        }
    }
}

/// Records one order under a key of its own.
pub async fn one(tx: &mut Tx, order: Order, now: Timestamp) -> Result<Recorded, Error> {
    let key = Key::new("models", &Uuid::now_v7().to_string()).map_err(kontor_ledger::Error::from)?;
    let mut outcomes = record(tx, &[Request::new(key, order)], now).await?;
    let outcome: Option<Result<Recorded, Refusal>> = outcomes.pop();
    outcome.ok_or(kontor_ledger::Error::Closed)?.map_err(|refusal| kontor_ledger::Error::from(refusal).into())
}

/// The order that ends a reservation.
fn settle(reservation: i64, posted: Money) -> Order {
    if posted.minor == 0 {
        return Order::Void { reservation };
    }
    Order::Post { reservation, amounts: Amounts::Part(posted) }
}

/// As many minor units as these millionths begin.
pub fn minor_up(micros: i64, unit: i64) -> i64 {
    micros.max(0) / unit + i64::from(micros.max(0) % unit != 0)
}

/// Whose a budget is, for people.
pub fn told(owner: &Owner) -> String {
    match owner.0 {
        OwnerKind::Person => "the caller".to_owned(),
        OwnerKind::Publisher => "the organisation".to_owned(),
        OwnerKind::Errand => format!("errand {}", owner.1),
    }
}
