use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use kontor_db::ledger_accounts::{self, Account, Closing, Side};
use kontor_db::ledger_transfers::{self, Counter, Leg, Transfer};
use kontor_db::{Conn, Db, Tx};
use kontor_types::{Clock, Currency, Digest, Timestamp};
use tokio::task::JoinSet;

use crate::record::{self, Added};
use crate::request::Asked;
use crate::sequencer::Queue;
use crate::{Error, Key, Order, Recorded, Refusal, Request};

/// Expired reservations that are freed at a time.
const EXPIRED: u32 = 500;
/// The most accounts that are opened at a time.
const OPENED: usize = 500;
/// The most rows that are given at a time.
const SHOWN: u32 = 1_000;

/// The books, for as many callers as there are.
#[derive(Clone)]
pub struct Ledger {
    db: Db,
    clock: Arc<dyn Clock>,
    queue: Queue,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ledger").field("db", &self.db).finish_non_exhaustive()
    }
}

/// An account to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// What kind of thing owns it, for example `publisher`.
    pub owner_kind: String,
    /// Which of them.
    pub owner: String,
    /// What it is for.
    pub code: String,
    /// What it is counted in.
    pub currency: Currency,
    /// The side on which it grows.
    pub side: Side,
    /// Whether what is free in it may never fall below zero.
    pub guarded: bool,
}

/// One line of an account's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The leg.
    pub leg: Leg,
    /// The transfer it is of.
    pub transfer: Transfer,
    /// What was in the account after it, counted on the account's side.
    pub balance: i64,
}

impl NewAccount {
    fn validate(&self) -> Result<(), Refusal> {
        let word = |text: &str| !text.is_empty() && text.len() <= 100 && !text.chars().any(char::is_control);
        for (what, text) in [("owner's kind", &self.owner_kind), ("owner", &self.owner), ("code", &self.code)] {
            if !word(text) {
                return Err(Refusal::Text { what, rule: "1 to 100 bytes without control characters" });
            }
        }
        Ok(())
    }
}

impl Ledger {
    /// The books in this database; starts the task that records.
    pub fn start(db: Db, clock: Arc<dyn Clock>) -> Self {
        let queue = Queue::start(db.clone(), Arc::clone(&clock));
        Self { db, clock, queue }
    }

    /// Opens an account, or finds the one that was opened like this.
    ///
    /// # Errors
    /// [`Refusal::AccountDiffers`] when it was opened with another side or guard.
    pub async fn open(&self, new: NewAccount) -> Result<Account, Error> {
        self.open_all(vec![new]).await?.pop().ok_or(Error::Closed)
    }

    /// Opens several accounts in one commit, at most 500, or none of them.
    pub async fn open_all(&self, wanted: Vec<NewAccount>) -> Result<Vec<Account>, Error> {
        let now = self.clock.now();
        self.db.write(move |tx| Box::pin(async move { open_accounts(tx, wanted, now).await })).await
    }

    /// Closes an account: from now on nothing is reserved from it, moved or posted to or from it. What is held can still be freed,
    /// and what was moved refunded.
    pub async fn close(&self, number: i64) -> Result<Account, Error> {
        let now = self.clock.now();
        self.db.write(move |tx| Box::pin(async move { close_account(tx, number, now).await })).await
    }

    /// Records a transfer; it is on the disk when this returns `Ok`. Look at [`Recorded::state`] before anything is delivered for it.
    ///
    /// # Errors
    /// [`Error::Refused`] says why it is against the rules; after any other error ask again with the same key.
    pub async fn transfer(&self, request: Request) -> Result<Recorded, Error> {
        self.queue.ask(Asked::new(request)?).await
    }

    /// Frees reservations that have ended; how many. What cannot be freed is logged and does not hold up the others.
    pub async fn expire(&self) -> Result<usize, Error> {
        let (mut freed, mut after) = (0, 0);
        loop {
            let due = ledger_transfers::expired(&mut self.db.read().await?, self.clock.now(), after, EXPIRED).await?;
            let Some(last) = due.last() else { return Ok(freed) };
            after = *last;
            let mut asked = JoinSet::new();
            for reservation in due {
                let request = Request::new(Key::of_expiry(reservation), Order::Void { reservation }).memo("expired");
                let ledger = self.clone();
                asked.spawn(async move { (reservation, ledger.transfer(request).await) });
            }
            while let Some(done) = asked.join_next().await {
                match done {
                    Ok((_, Ok(recorded))) if !recorded.repeated => freed += 1,
                    // Somebody was faster.
                    Ok((_, Ok(_) | Err(Error::Refused(Refusal::Settled { .. })))) => {}
                    Ok((reservation, Err(error))) => {
                        tracing::error!(
                            reservation,
                            error = &error as &dyn std::error::Error,
                            "an expired reservation was not freed"
                        );
                    }
                    Err(error) => tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "an expired reservation was not freed"
                    ),
                }
            }
        }
    }

    /// The account with this number.
    pub async fn account(&self, number: i64) -> Result<Option<Account>, Error> {
        Ok(ledger_accounts::find(&mut self.db.read().await?, number).await?)
    }

    /// Accounts after a number, in their order.
    pub async fn accounts(&self, after: i64, limit: u32) -> Result<Vec<Account>, Error> {
        Ok(ledger_accounts::after(&mut self.db.read().await?, after, limit.min(SHOWN)).await?)
    }

    /// Accounts of these owners, by kind and name, after a number, in their order.
    pub async fn accounts_of(
        &self,
        owners: &[(String, String)],
        after: i64,
        limit: u32,
    ) -> Result<Vec<Account>, Error> {
        Ok(ledger_accounts::of_owners(&mut self.db.read().await?, owners, after, limit.min(SHOWN)).await?)
    }

    /// The transfer recorded under a key.
    pub async fn find(&self, key: &Key) -> Result<Option<Transfer>, Error> {
        let keys = [key.as_str().to_owned()];
        Ok(ledger_transfers::with_keys(&mut self.db.read().await?, &keys).await?.pop())
    }

    /// The transfer recorded under a key, with its legs and what has become of it.
    pub async fn recorded(&self, key: &Key) -> Result<Option<Recorded>, Error> {
        Ok(record::recorded(&mut self.db.read().await?, key.as_str(), self.clock.now()).await?)
    }

    /// The newest legs of an account that moved or held money, newest first.
    pub async fn statement(&self, number: i64, limit: u32) -> Result<Vec<Line>, Error> {
        let mut conn = self.db.read().await?;
        let account = ledger_accounts::find(&mut conn, number).await?.ok_or(Refusal::AccountUnknown { number })?;
        let legs = ledger_transfers::legs_back(&mut conn, number, account.last_leg, limit.min(SHOWN)).await?;
        let numbers: Vec<i64> = legs.iter().map(|leg| leg.transfer).collect();
        let transfers = ledger_transfers::with_numbers(&mut conn, &numbers).await?;
        let transfers: HashMap<i64, &Transfer> = transfers.iter().map(|transfer| (transfer.number, transfer)).collect();
        let mut balance = account.balance();
        let mut lines = Vec::with_capacity(legs.len());
        for leg in legs {
            let after = balance;
            let grows = (leg.debit == number) == (account.side == Side::Debit);
            balance -= if grows { leg.amount } else { -leg.amount };
            if let Some(transfer) = transfers.get(&leg.transfer) {
                lines.push(Line { transfer: (*transfer).clone(), leg, balance: after });
            }
        }
        Ok(lines)
    }

    pub(crate) const fn db(&self) -> &Db {
        &self.db
    }
}

/// Opens accounts within a transaction, at most 500, or finds those that were opened like this. When one is opened, nobody else
/// writes to the ledger from then to the transaction's end.
///
/// # Errors
/// [`Refusal::AccountDiffers`] when one was opened with another side or guard; then nothing of the transaction may be kept.
pub async fn open_accounts(tx: &mut Tx, wanted: Vec<NewAccount>, now: Timestamp) -> Result<Vec<Account>, Error> {
    if wanted.len() > OPENED {
        return Err(Refusal::Text { what: "list of accounts", rule: "at most 500 at a time" }.into());
    }
    wanted.iter().try_for_each(NewAccount::validate)?;
    // What an account is never changes, so most of the time nobody has to be kept out.
    let mut accounts = Vec::with_capacity(wanted.len());
    for new in &wanted {
        match known(tx, new).await? {
            Some(account) => accounts.push(account),
            None => break,
        }
    }
    if accounts.len() == wanted.len() {
        return Ok(accounts);
    }
    let mut counter = ledger_transfers::lock(tx).await?;
    let (before, first) = (counter.digest, counter.accounts);
    counter.made_at = counter.made_at.max(now);
    for new in wanted.into_iter().skip(accounts.len()) {
        if let Some(account) = known(tx, &new).await? {
            accounts.push(account);
            continue;
        }
        if counter.accounts == first {
            ledger_transfers::begin(tx).await?;
        }
        accounts.push(open(tx, &mut counter, new).await?);
    }
    let mut opened: Vec<Account> = accounts.iter().filter(|account| account.number > first).cloned().collect();
    opened.sort_unstable_by_key(|account| account.number);
    opened.dedup_by_key(|account| account.number);
    seal(tx, counter, &before, Added { accounts: &opened, ..Added::default() }).await?;
    Ok(accounts)
}

/// Closes an account within a transaction, as [`Ledger::close`] does.
pub async fn close_account(tx: &mut Tx, number: i64, now: Timestamp) -> Result<Account, Error> {
    let mut counter = ledger_transfers::lock(tx).await?;
    let mut account = ledger_accounts::find(tx, number).await?.ok_or(Refusal::AccountUnknown { number })?;
    if account.closed_at.is_none() {
        let before = counter.digest;
        counter.made_at = counter.made_at.max(now);
        counter.closings += 1;
        let closing = Closing { number: counter.closings, account: number, closed_at: counter.made_at };
        ledger_transfers::begin(tx).await?;
        ledger_accounts::insert_closing(tx, &closing).await?;
        account.closed_at = Some(closing.closed_at);
        seal(tx, counter, &before, Added { closings: &[closing], ..Added::default() }).await?;
    }
    Ok(account)
}

/// Ends a commit, if it added anything.
async fn seal(tx: &mut Tx, mut counter: Counter, before: &Digest, added: Added<'_>) -> Result<(), Error> {
    if added.accounts.is_empty() && added.closings.is_empty() {
        return Ok(());
    }
    counter.commits += 1;
    counter.digest = added.chained(before, &counter);
    Ok(ledger_transfers::seal(tx, &counter).await?)
}

async fn known(conn: &mut Conn, new: &NewAccount) -> Result<Option<Account>, Error> {
    let owner = (new.owner_kind.as_str(), new.owner.as_str());
    let known = ledger_accounts::find_by_code(conn, owner, &new.code, new.currency).await?;
    match known {
        Some(known) if known.side != new.side || known.guarded != new.guarded => {
            Err(Refusal::AccountDiffers { number: known.number }.into())
        }
        known => Ok(known),
    }
}

async fn open(tx: &mut Tx, counter: &mut Counter, new: NewAccount) -> Result<Account, Error> {
    counter.accounts += 1;
    let account = Account {
        number: counter.accounts,
        owner_kind: new.owner_kind,
        owner: new.owner,
        code: new.code,
        currency: new.currency,
        side: new.side,
        guarded: new.guarded,
        opened_at: counter.made_at,
        closed_at: None,
        debits: 0,
        credits: 0,
        held_debits: 0,
        held_credits: 0,
        last_leg: 0,
    };
    ledger_accounts::insert(tx, &account).await?;
    Ok(account)
}
