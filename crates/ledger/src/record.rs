use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kontor_db::ledger_accounts::{self, Account, Closing};
use kontor_db::ledger_transfers::{self, Counter, Leg, Transfer};
use kontor_db::{Conn, Tx};
use kontor_types::{Digest, Timestamp};

use crate::book::{Book, Memory};
use crate::request::Asked;
use crate::{Order, Recorded, Refusal, Request};

/// Records requests in this order within a transaction: each is in the books when the transaction commits, or refused.
///
/// From here to the end of the transaction nobody else writes to the ledger, so call it last. Never wait for
/// [`Ledger::transfer`](crate::Ledger::transfer) within such a transaction: that waits for its end.
///
/// # Errors
/// What the database says; then nothing of the transaction may be kept.
pub async fn record(
    tx: &mut Tx,
    requests: &[Request],
    now: Timestamp,
) -> Result<Vec<Result<Recorded, Refusal>>, kontor_db::Error> {
    let (mut asked, mut refused) = (Vec::with_capacity(requests.len()), Vec::with_capacity(requests.len()));
    for request in requests {
        match Asked::new(request.clone()) {
            Ok(one) => {
                asked.push(one);
                refused.push(None);
            }
            Err(refusal) => refused.push(Some(refusal)),
        }
    }
    let mut outcomes = record_asked(tx, &asked, || now, &Mutex::default()).await?.into_iter();
    let all =
        refused.into_iter().filter_map(|refusal| refusal.map_or_else(|| outcomes.next(), |refusal| Some(Err(refusal))));
    Ok(all.collect())
}

/// The same for requests that are valid by themselves. `now` is asked when the lock is had, for that may take a while.
pub async fn record_asked<A: Borrow<Asked>>(
    tx: &mut Tx,
    asked: &[A],
    now: impl Fn() -> Timestamp,
    memory: &Mutex<Memory>,
) -> Result<Vec<Result<Recorded, Refusal>>, kontor_db::Error> {
    let counter = ledger_transfers::lock(tx).await?;
    let before = counter.digest;
    let remembered = std::mem::take(&mut *memory.lock().unwrap_or_else(PoisonError::into_inner));
    let mut book = Book::new(counter, now(), remembered);
    let known = know_keys(tx, &mut book, asked).await?;
    let mut accounts = know_origins(tx, &mut book, origins(asked).chain(known)).await?;
    for one in asked {
        if let Order::Move(legs) | Order::Reserve { legs, .. } = &one.borrow().request.order {
            accounts.extend(legs.iter().flat_map(|leg| [leg.debit, leg.credit]));
        }
    }
    let accounts = book.unknown(accounts.into_iter());
    book.know_accounts(&ledger_accounts::with_numbers(tx, &accounts).await?);
    let outcomes = asked.iter().map(|one| book.take(one.borrow())).collect();
    if book.transfers.is_empty() {
        return Ok(outcomes);
    }
    book.counter.commits += 1;
    let added = Added { transfers: &book.transfers, legs: &book.legs, ..Added::default() };
    book.counter.digest = added.chained(&before, &book.counter);
    ledger_transfers::begin(tx).await?;
    ledger_transfers::insert(tx, &book.transfers).await?;
    ledger_transfers::insert_legs(tx, &book.legs).await?;
    ledger_transfers::seal(tx, &book.counter).await?;
    *memory.lock().unwrap_or_else(PoisonError::into_inner) = book.remember();
    Ok(outcomes)
}

/// A transfer under a key as it is now, with what has become of it.
pub async fn recorded(conn: &mut Conn, key: &str, now: Timestamp) -> Result<Option<Recorded>, kontor_db::Error> {
    let Some(transfer) = ledger_transfers::with_keys(conn, &[key.to_owned()]).await?.pop() else { return Ok(None) };
    let mut book = Book::new(ledger_transfers::counter(conn).await?, now, Memory::default());
    know_origins(conn, &mut book, std::iter::once(transfer.number)).await?;
    let legs = ledger_transfers::legs_of(conn, &[transfer.number]).await?;
    Ok(Some(Recorded { state: book.state(&transfer), transfer, legs, repeated: true }))
}

/// Loads what is there under the keys; the numbers of it.
async fn know_keys<A: Borrow<Asked>>(
    tx: &mut Tx,
    book: &mut Book<'_>,
    asked: &[A],
) -> Result<Vec<i64>, kontor_db::Error> {
    let keys: Vec<String> = asked.iter().map(|one| one.borrow().request.key.as_str().to_owned()).collect();
    let known = ledger_transfers::with_keys(tx, &keys).await?;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i64> = known.iter().map(|transfer| transfer.number).collect();
    let mut legs = legs_by_transfer(tx, &numbers).await?;
    for transfer in known {
        let legs = legs.remove(&transfer.number).unwrap_or_default();
        book.know_key(transfer, legs);
    }
    Ok(numbers)
}

fn origins<A: Borrow<Asked>>(asked: &[A]) -> impl Iterator<Item = i64> {
    asked.iter().filter_map(|one| match one.borrow().request.order {
        Order::Post { reservation, .. } | Order::Void { reservation } => Some(reservation),
        Order::Refund { transfer, .. } => Some(transfer),
        Order::Move(_) | Order::Reserve { .. } => None,
    })
}

/// Loads transfers that may be settled or refunded, with what was done to them; the accounts of their legs.
async fn know_origins(
    conn: &mut Conn,
    book: &mut Book<'_>,
    origins: impl Iterator<Item = i64>,
) -> Result<Vec<i64>, kontor_db::Error> {
    let mut origins: Vec<i64> = origins.collect();
    origins.sort_unstable();
    origins.dedup();
    if origins.is_empty() {
        return Ok(Vec::new());
    }
    let known = ledger_transfers::with_numbers(conn, &origins).await?;
    let consequences = ledger_transfers::after_origins(conn, &origins).await?;
    let numbers: Vec<i64> = known.iter().chain(&consequences).map(|transfer| transfer.number).collect();
    let mut legs = legs_by_transfer(conn, &numbers).await?;
    let accounts = legs.values().flatten().flat_map(|leg| [leg.debit, leg.credit]).collect();
    for transfer in known {
        let legs = legs.get(&transfer.number).cloned().unwrap_or_default();
        book.know_origin(transfer, legs);
    }
    for transfer in consequences {
        let legs = legs.remove(&transfer.number).unwrap_or_default();
        book.know_consequence(&transfer, &legs);
    }
    Ok(accounts)
}

async fn legs_by_transfer(conn: &mut Conn, transfers: &[i64]) -> Result<HashMap<i64, Vec<Leg>>, kontor_db::Error> {
    let mut legs: HashMap<i64, Vec<Leg>> = HashMap::new();
    for leg in ledger_transfers::legs_of(conn, transfers).await? {
        legs.entry(leg.transfer).or_default().push(leg);
    }
    Ok(legs)
}

/// What one commit adds.
#[derive(Debug, Default, Clone, Copy)]
pub struct Added<'a> {
    pub accounts: &'a [Account],
    pub closings: &'a [Closing],
    pub transfers: &'a [Transfer],
    pub legs: &'a [Leg],
}

impl Added<'_> {
    /// The digest of the books up to `before` with this after it, which leaves the counter like that.
    pub fn chained(&self, before: &Digest, counter: &Counter) -> Digest {
        let mut bytes = Vec::with_capacity(96 + self.transfers.len() * 160 + self.legs.len() * 80);
        bytes.extend(before.as_bytes());
        let Counter { commits, accounts, closings, transfers, legs, made_at, digest: _ } = counter;
        numbers(&mut bytes, [*commits, *accounts, *closings, *transfers, *legs, made_at.micros()]);
        for account in self.accounts {
            let Account { number, owner_kind, owner, code, currency, side, guarded, opened_at, .. } = account;
            texts(&mut bytes, [owner_kind, owner, code, currency.as_str(), side.as_str()]);
            numbers(&mut bytes, [*number, i64::from(*guarded), opened_at.micros()]);
        }
        for closing in self.closings {
            numbers(&mut bytes, [closing.number, closing.account, closing.closed_at.micros()]);
        }
        for transfer in self.transfers {
            let Transfer { number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at } =
                transfer;
            texts(&mut bytes, [key, kind.as_str(), memo]);
            bytes.extend(request.as_bytes());
            let expires_at = expires_at.map_or(i64::MIN, Timestamp::micros);
            numbers(&mut bytes, [*number, origin.unwrap_or(0), *first_leg, *legs, expires_at, created_at.micros()]);
        }
        for leg in self.legs {
            bytes.extend(leg.kind.as_str().as_bytes());
            bytes.extend(leg.currency.as_str().as_bytes());
            let origin = leg.origin.unwrap_or(0);
            numbers(&mut bytes, [leg.number, leg.transfer, leg.debit, leg.credit, leg.amount, leg.held, origin]);
            numbers(&mut bytes, [leg.debit_before, leg.credit_before]);
        }
        Digest::of(&bytes)
    }
}

fn texts<const N: usize>(bytes: &mut Vec<u8>, texts: [&str; N]) {
    for text in texts {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
}

fn numbers<const N: usize>(bytes: &mut Vec<u8>, numbers: [i64; N]) {
    for number in numbers {
        bytes.extend(number.to_be_bytes());
    }
}
