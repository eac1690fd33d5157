//! Budgets as calls see them: an amount in memory that was reserved in the ledger before, from which each call takes the most
//! that it can cost, and gives back what it did not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use kontor_db::model_budgets::{self, OwnerKind};
use kontor_types::{Currency, PersonId};

use crate::Error;
use crate::lease::{self, Held, Leases};
use crate::price::micros_of_minor;
use crate::table::Route;

/// Whose a budget is: a kind and an id.
pub type Owner = (OwnerKind, String);

/// One budget in this process.
#[derive(Debug)]
pub struct Pot {
    pub account: i64,
    pub owner: Owner,
    pub currency: Currency,
    closed: AtomicBool,
    state: Mutex<State>,
    /// Held while more is fetched from the ledger, so that not every call of a moment does it.
    pub fetching: tokio::sync::Mutex<()>,
}

/// Millionths, but the leases in minor units.
#[derive(Debug, Default)]
pub struct State {
    /// What was fetched and neither spent nor taken by a call.
    pub free: i64,
    /// What calls under way have taken.
    pub taken: i64,
    /// What was spent since it was last posted.
    pub spent: i64,
    /// What it was fetched by, the oldest first.
    pub leases: Vec<Held>,
    /// Looks since a call took something.
    pub idle: u32,
}

impl State {
    /// What can be given back: everything when no call has taken anything for so many looks, else the leases that are spent
    /// to the last. Leases, what was spent of them, and what is free of them.
    pub fn surplus(&mut self, idle: u32, unit: i64) -> Option<(Vec<Held>, i64, i64)> {
        self.idle = self.idle.saturating_add(1);
        if self.leases.is_empty() {
            return None;
        }
        if self.taken == 0 && self.idle > idle {
            let (spent, free) = (std::mem::take(&mut self.spent), std::mem::take(&mut self.free));
            return Some((std::mem::take(&mut self.leases), spent, free));
        }
        let (mut count, mut sum) = (0, 0_i64);
        for held in &self.leases {
            let next = sum.saturating_add(held.amount.saturating_mul(unit));
            if next > self.spent {
                break;
            }
            (count, sum) = (count + 1, next);
        }
        self.spent -= sum;
        (count > 0).then(|| (self.leases.drain(..count).collect(), sum, 0))
    }
}

impl Pot {
    fn new(account: i64, owner: Owner, currency: Currency) -> Self {
        let (closed, state) = (AtomicBool::new(false), Mutex::default());
        Self { account, owner, currency, closed, state, fetching: tokio::sync::Mutex::default() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an amount, if that much was fetched.
    fn take(&self, amount: i64) -> bool {
        let mut state = self.state();
        state.idle = 0;
        if state.free < amount {
            return false;
        }
        state.free -= amount;
        state.taken += amount;
        true
    }

    fn settle(&self, taken: i64, cost: i64) {
        let mut state = self.state();
        state.taken -= taken;
        // What a call cost beyond what it took is missing to the next ones.
        state.free = state.free.saturating_add(taken).saturating_sub(cost);
        state.spent = state.spent.saturating_add(cost);
    }
}

/// What a call has taken from budgets; when nobody settles it, all of it is spent, since nobody knows what it cost.
#[derive(Debug)]
pub struct Taken {
    parts: Vec<(Arc<Pot>, i64)>,
}

impl Taken {
    /// From no budget.
    pub const fn nothing() -> Self {
        Self { parts: Vec::new() }
    }

    /// Whether a budget bounds the call.
    pub fn is_bounded(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Spends the cost and gives back the rest.
    pub fn settle(mut self, cost: i64) {
        for (pot, amount) in self.parts.drain(..) {
            pot.settle(amount, cost);
        }
    }

    /// The most that was taken from one budget.
    pub fn most(&self) -> i64 {
        self.parts.iter().map(|(_, amount)| *amount).max().unwrap_or_default()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        for (pot, amount) in self.parts.drain(..) {
            pot.settle(amount, amount);
        }
    }
}

type Standing = HashMap<Owner, Vec<Arc<Pot>>>;

/// Every budget that this process knows.
pub struct Purse {
    pub leases: Leases,
    /// Budgets of people and publishers, as the database had them.
    standing: ArcSwap<Standing>,
    /// Whether they were ever read.
    read: AtomicBool,
    /// The mark of what was read.
    seen: tokio::sync::Mutex<i64>,
    /// Every budget that was ever taken from here, by account.
    pub pots: Mutex<HashMap<i64, Arc<Pot>>>,
}

impl Purse {
    pub fn new(leases: Leases) -> Self {
        Self {
            leases,
            standing: ArcSwap::default(),
            read: AtomicBool::new(false),
            seen: tokio::sync::Mutex::new(-1),
            pots: Mutex::default(),
        }
    }

    /// Reads budgets again if one was set or closed, by whatever process.
    pub async fn refresh(&self) -> Result<(), kontor_db::Error> {
        let mut seen = self.seen.lock().await;
        let mut conn = self.leases.db.read().await?;
        let mark = model_budgets::mark(&mut conn).await?;
        if mark == *seen {
            return Ok(());
        }
        let mut standing = Standing::new();
        for row in model_budgets::standing(&mut conn).await? {
            let pot = self.pot(&row);
            standing.entry(pot.owner.clone()).or_default().push(pot);
        }
        self.standing.store(Arc::new(standing));
        self.read.store(true, Ordering::Release);
        *seen = mark;
        Ok(())
    }

    /// Has budgets read again at the next look, whatever their times say.
    pub async fn forget(&self) {
        *self.seen.lock().await = -1;
    }

    /// The pot of a budget, as open or closed as the database has it.
    fn pot(&self, row: &model_budgets::Budget) -> Arc<Pot> {
        let mut pots = self.pots.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Pot::new(row.account, (row.owner_kind, row.owner.clone()), row.currency));
        let pot = pots.entry(row.account).or_insert_with(new);
        pot.closed.store(row.closed_at.is_some(), Ordering::Relaxed);
        Arc::clone(pot)
    }

    /// The budgets of an owner that a call counts against.
    async fn of_owner(&self, owner: Owner, caller: Option<PersonId>) -> Result<Vec<Arc<Pot>>, Error> {
        if owner.0 != OwnerKind::Errand {
            return Ok(self.standing.load().get(&owner).cloned().unwrap_or_default());
        }
        // Errands come and go, so they are looked up.
        let rows = model_budgets::of_owner(&mut self.leases.db.read().await?, owner.0, &owner.1).await?;
        // Nobody spends from the budget of somebody else's errand.
        if caller.is_some() && rows.iter().any(|row| row.set_by.is_some() && row.set_by != caller) {
            return Err(Error::BudgetUnknown { owner: lease::told(&owner) });
        }
        Ok(rows.iter().map(|row| self.pot(row)).collect())
    }

    /// Takes the most that a call can cost from every budget of its owners.
    ///
    /// # Errors
    /// The budget that has not enough, is closed or counts something else; then nothing is taken.
    pub async fn take(
        &self,
        owners: Vec<Owner>,
        caller: Option<PersonId>,
        route: &Route,
        worst: i64,
    ) -> Result<Taken, Error> {
        if !self.read.load(Ordering::Acquire) {
            self.refresh().await?;
        }
        let mut taken = Taken::nothing();
        for owner in owners {
            let pots = match self.of_owner(owner, caller).await {
                Ok(pots) => pots,
                Err(error) => {
                    taken.give_back();
                    return Err(error);
                }
            };
            let Some(first) = pots.first() else { continue };
            let told = || lease::told(&first.owner);
            let model = || route.name.to_string();
            let Some(currency) = route.currency else {
                taken.give_back();
                return Err(Error::BudgetUnpriced { model: model(), owner: told() });
            };
            let Some(pot) = pots.iter().find(|pot| pot.currency == currency) else {
                taken.give_back();
                return Err(Error::BudgetCurrency { model: model(), currency, owner: told() });
            };
            if let Err(error) = self.take_from(pot, worst).await {
                taken.give_back();
                return Err(error);
            }
            taken.parts.push((Arc::clone(pot), worst));
        }
        Ok(taken)
    }

    async fn take_from(&self, pot: &Arc<Pot>, amount: i64) -> Result<(), Error> {
        if pot.closed.load(Ordering::Relaxed) {
            return Err(Error::BudgetClosed { owner: lease::told(&pot.owner) });
        }
        // Where nothing is reserved nothing could be held to it, so a call that costs nothing still needs a budget with room.
        let amount = amount.max(0);
        loop {
            if pot.take(amount) {
                return Ok(());
            }
            let _one = pot.fetching.lock().await;
            let missing = amount.saturating_sub(pot.state().free);
            if missing <= 0 {
                continue;
            }
            let held = self.leases.fetch(pot, missing, amount).await?;
            let mut state = pot.state();
            state.free = state.free.saturating_add(held.amount.saturating_mul(micros_of_minor(pot.currency)));
            state.leases.push(held);
        }
    }
}

impl Taken {
    /// Gives everything back.
    fn give_back(self) {
        self.settle(0);
    }
}

impl Purse {
    /// Every budget that was ever taken from here.
    pub fn known(&self) -> Vec<Arc<Pot>> {
        self.pots.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Forgets budgets of errands that no call uses and of which nothing is held.
    pub fn forget_unused(&self) {
        let mut pots = self.pots.lock().unwrap_or_else(PoisonError::into_inner);
        pots.retain(|_, pot| {
            let held = || !pot.state().leases.is_empty();
            pot.owner.0 != OwnerKind::Errand || Arc::strong_count(pot) > 1 || held()
        });
    }

    /// Whether this process holds something of any budget.
    pub fn holds_any(&self) -> bool {
        self.known().iter().any(|pot| !pot.state().leases.is_empty())
    }

    /// Gives up leases that others took for a dead process's: they are posted as a whole.
    pub fn lose_all_but(&self, kept: &[i64]) {
        for pot in self.known() {
            let mut state = pot.state();
            let (stay, gone): (Vec<_>, Vec<_>) =
                state.leases.iter().copied().partition(|held| kept.contains(&held.reservation));
            let lost: i64 = gone.iter().map(|held| held.amount).sum();
            let lost = lost.saturating_mul(micros_of_minor(pot.currency));
            // What was spent of them is posted with them.
            let spent = state.spent.min(lost);
            state.spent -= spent;
            state.free = state.free.saturating_sub(lost - spent);
            state.leases = stay;
        }
    }
}
