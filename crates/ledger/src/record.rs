use std::collections::HashMap;

use kontor_db::ledger_transfers::{self, Batch, Leg, Transfer};
use kontor_db::{Tx, ledger_accounts};
use kontor_types::{Digest, Timestamp};

use crate::book::Book;
use crate::{Order, Refusal, Request};

/// A transfer that is in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The transfer.
    pub transfer: Transfer,
    /// Its legs, in their order.
    pub legs: Vec<Leg>,
    /// Whether it was there before under this key.
    pub repeated: bool,
}

/// Records requests in this order within a transaction: each is in the books when the transaction commits, or refused.
///
/// From here to the end of the transaction nobody else writes to the ledger, so call it last.
///
/// # Errors
/// What the database says; then nothing of the transaction may be kept.
pub async fn record(
    tx: &mut Tx,
    requests: &[Request],
    now: Timestamp,
) -> Result<Vec<Result<Recorded, Refusal>>, kontor_db::Error> {
    let counter = ledger_transfers::lock(tx).await?;
    let (first, before) = (counter.transfers + 1, counter.digest);
    let mut book = Book::new(counter, now);
    know_keys(tx, &mut book, requests).await?;
    let mut accounts = know_origins(tx, &mut book, requests).await?;
    for request in requests {
        if let Order::Move(legs) | Order::Reserve { legs, .. } = &request.order {
            accounts.extend(legs.iter().flat_map(|leg| [leg.debit, leg.credit]));
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    book.know_accounts(&ledger_accounts::with_numbers(tx, &accounts).await?);
    let outcomes = requests.iter().map(|request| book.take(request)).collect();
    if !book.transfers.is_empty() {
        ledger_transfers::insert(tx, &book.transfers).await?;
        ledger_transfers::insert_legs(tx, &book.legs).await?;
        book.counter.digest = chained(&before, &book.transfers, &book.legs);
        let batch = Batch { last: book.counter.transfers, first, digest: book.counter.digest };
        ledger_transfers::add_batch(tx, &batch).await?;
        ledger_transfers::advance(tx, &book.counter).await?;
    }
    Ok(outcomes)
}

async fn know_keys(tx: &mut Tx, book: &mut Book, requests: &[Request]) -> Result<(), kontor_db::Error> {
    let keys: Vec<String> = requests.iter().map(|request| request.key.as_str().to_owned()).collect();
    let known = ledger_transfers::with_keys(tx, &keys).await?;
    if known.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i64> = known.iter().map(|transfer| transfer.number).collect();
    let mut legs = legs_by_transfer(tx, &numbers).await?;
    for transfer in known {
        let legs = legs.remove(&transfer.number).unwrap_or_default();
        book.know_key(transfer, legs);
    }
    Ok(())
}

/// Loads what the requests settle or refund; the accounts of its legs.
async fn know_origins(tx: &mut Tx, book: &mut Book, requests: &[Request]) -> Result<Vec<i64>, kontor_db::Error> {
    let origins = requests.iter().filter_map(|request| match request.order {
        Order::Post { reservation, .. } | Order::Void { reservation } => Some(reservation),
        Order::Refund { transfer, .. } => Some(transfer),
        Order::Move(_) | Order::Reserve { .. } => None,
    });
    let mut origins: Vec<i64> = origins.collect();
    origins.sort_unstable();
    origins.dedup();
    if origins.is_empty() {
        return Ok(Vec::new());
    }
    let known = ledger_transfers::with_numbers(tx, &origins).await?;
    let consequences = ledger_transfers::after_origins(tx, &origins).await?;
    let numbers: Vec<i64> = known.iter().chain(&consequences).map(|transfer| transfer.number).collect();
    let mut legs = legs_by_transfer(tx, &numbers).await?;
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

async fn legs_by_transfer(tx: &mut Tx, transfers: &[i64]) -> Result<HashMap<i64, Vec<Leg>>, kontor_db::Error> {
    let mut legs: HashMap<i64, Vec<Leg>> = HashMap::new();
    for leg in ledger_transfers::legs_of(tx, transfers).await? {
        legs.entry(leg.transfer).or_default().push(leg);
    }
    Ok(legs)
}

/// The digest of the books up to `before` with these transfers and legs after them.
pub fn chained(before: &Digest, transfers: &[Transfer], legs: &[Leg]) -> Digest {
    let mut bytes = Vec::with_capacity(32 + transfers.len() * 160 + legs.len() * 80);
    bytes.extend(before.as_bytes());
    for transfer in transfers {
        let Transfer { number, key, kind, request, origin, first_leg, legs, expires_at, memo, created_at } = transfer;
        for text in [key.as_str(), kind.as_str(), memo.as_str()] {
            bytes.extend(text.len().to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(request.as_bytes());
        let expires_at = expires_at.map_or(i64::MIN, Timestamp::micros);
        for value in [*number, origin.unwrap_or(0), *first_leg, *legs, expires_at, created_at.micros()] {
            bytes.extend(value.to_be_bytes());
        }
    }
    for leg in legs {
        bytes.extend(leg.kind.as_str().as_bytes());
        bytes.extend(leg.currency.as_str().as_bytes());
        let origin = leg.origin.unwrap_or(0);
        let numbers = [leg.number, leg.transfer, leg.debit, leg.credit, leg.amount, leg.held, origin];
        for value in numbers.into_iter().chain([leg.debit_before, leg.credit_before]) {
            bytes.extend(value.to_be_bytes());
        }
    }
    Digest::of(&bytes)
}
