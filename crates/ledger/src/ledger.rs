use std::fmt;
use std::sync::Arc;

use kontor_db::ledger_accounts::{self, Account, Side};
use kontor_db::ledger_transfers::{self, Counter, Leg, Transfer};
use kontor_db::{Db, Tx};
use kontor_types::{Clock, Currency, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::sequencer::{self, Waiting};
use crate::{Error, Key, Order, Recorded, Refusal, Request};

/// Expired reservations that are freed at a time.
const EXPIRED: u32 = 500;

/// The books, for as many callers as there are.
#[derive(Clone)]
pub struct Ledger {
    db: Db,
    clock: Arc<dyn Clock>,
    queue: mpsc::Sender<Waiting>,
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
        let queue = sequencer::start(db.clone(), Arc::clone(&clock));
        Self { db, clock, queue }
    }

    /// Opens an account, or finds the one that was opened like this.
    ///
    /// # Errors
    /// [`Refusal::AccountDiffers`] when it was opened with another side or guard.
    pub async fn open(&self, new: NewAccount) -> Result<Account, Error> {
        self.open_all(vec![new]).await?.pop().ok_or(Error::Closed)
    }

    /// Opens several accounts in one commit, or none of them.
    pub async fn open_all(&self, wanted: Vec<NewAccount>) -> Result<Vec<Account>, Error> {
        wanted.iter().try_for_each(NewAccount::validate)?;
        let now = self.clock.now();
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let mut counter = ledger_transfers::lock(tx).await?;
                let mut accounts = Vec::with_capacity(wanted.len());
                for new in wanted {
                    accounts.push(open(tx, &mut counter, new, now).await?);
                }
                ledger_transfers::advance(tx, &counter).await?;
                Ok::<_, Error>(accounts)
            })
        });
        unit.await
    }

    /// Closes an account: from now on nothing is reserved from it, moved or posted to or from it. What is held can still be freed,
    /// and what was moved refunded.
    pub async fn close(&self, number: i64) -> Result<Account, Error> {
        let now = self.clock.now();
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                ledger_transfers::lock(tx).await?;
                let mut account = ledger_accounts::find(tx, number).await?.ok_or(Refusal::AccountUnknown { number })?;
                if account.closed_at.is_none() {
                    ledger_accounts::set_closed(tx, number, Some(now)).await?;
                    account.closed_at = Some(now);
                }
                Ok::<_, Error>(account)
            })
        });
        unit.await
    }

    /// Records a transfer; it is on the disk when this returns `Ok`.
    ///
    /// # Errors
    /// [`Error::Refused`] says why it is against the rules; after any other error ask again with the same key.
    pub async fn transfer(&self, request: Request) -> Result<Recorded, Error> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Waiting { request, reply }).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Frees reservations that have ended; how many.
    pub async fn expire(&self) -> Result<usize, Error> {
        let mut freed = 0;
        loop {
            let due = ledger_transfers::expired(&mut self.db.read().await?, self.clock.now(), EXPIRED).await?;
            let before = freed;
            for reservation in due {
                let key = Key::new("ledger", &format!("expire-{reservation}"))?;
                let request = Request::new(key, Order::Void { reservation }).memo("expired");
                match self.transfer(request).await {
                    Ok(_) => freed += 1,
                    // Somebody was faster.
                    Err(Error::Refused(Refusal::Settled { .. })) => {}
                    Err(error) => return Err(error),
                }
            }
            if freed == before {
                return Ok(freed);
            }
        }
    }

    /// The account with this number.
    pub async fn account(&self, number: i64) -> Result<Option<Account>, Error> {
        Ok(ledger_accounts::find(&mut self.db.read().await?, number).await?)
    }

    /// Accounts after a number, in their order.
    pub async fn accounts(&self, after: i64, limit: u32) -> Result<Vec<Account>, Error> {
        Ok(ledger_accounts::after(&mut self.db.read().await?, after, limit).await?)
    }

    /// The transfer recorded under a key.
    pub async fn find(&self, key: &Key) -> Result<Option<Transfer>, Error> {
        let keys = [key.as_str().to_owned()];
        Ok(ledger_transfers::with_keys(&mut self.db.read().await?, &keys).await?.pop())
    }

    /// The newest legs of an account that moved or held money, newest first.
    pub async fn statement(&self, number: i64, limit: u32) -> Result<Vec<Line>, Error> {
        let mut conn = self.db.read().await?;
        let account = ledger_accounts::find(&mut conn, number).await?.ok_or(Refusal::AccountUnknown { number })?;
        let legs = ledger_transfers::legs_back(&mut conn, number, account.last_leg, limit).await?;
        let numbers: Vec<i64> = legs.iter().map(|leg| leg.transfer).collect();
        let transfers = ledger_transfers::with_numbers(&mut conn, &numbers).await?;
        let mut balance = account.balance();
        let mut lines = Vec::with_capacity(legs.len());
        for leg in legs {
            let after = balance;
            let grows = (leg.debit == number) == (account.side == Side::Debit);
            balance -= if grows { leg.amount } else { -leg.amount };
            if let Some(transfer) = transfers.iter().find(|transfer| transfer.number == leg.transfer) {
                lines.push(Line { transfer: transfer.clone(), leg, balance: after });
            }
        }
        Ok(lines)
    }

    pub(crate) const fn db(&self) -> &Db {
        &self.db
    }
}

async fn open(tx: &mut Tx, counter: &mut Counter, new: NewAccount, now: Timestamp) -> Result<Account, Error> {
    let owner = (new.owner_kind.as_str(), new.owner.as_str());
    if let Some(known) = ledger_accounts::find_by_code(tx, owner, &new.code, new.currency).await? {
        let same = known.side == new.side && known.guarded == new.guarded;
        return if same { Ok(known) } else { Err(Refusal::AccountDiffers { number: known.number }.into()) };
    }
    counter.accounts += 1;
    let account = Account {
        number: counter.accounts,
        owner_kind: new.owner_kind,
        owner: new.owner,
        code: new.code,
        currency: new.currency,
        side: new.side,
        guarded: new.guarded,
        opened_at: now,
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
