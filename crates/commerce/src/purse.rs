use kontor_db::Tx;
use kontor_ledger::{Account, Key, Leg, NewAccount, Order, Refusal as Ledgers, Request, Side, open_accounts, record};
use kontor_types::{Currency, Handle, Money, PersonId, Timestamp};
use serde::Serialize;

use crate::commerce::person;
use crate::terms::LARGEST_AMOUNT;
use crate::{Commerce, Error, Refusal, Why};

/// The scope of the keys of everything here.
pub const SCOPE: &str = "commerce";
/// The code of a purse among a person's accounts.
pub const PURSE: &str = "purse";

/// What is in a purse, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The number of the account.
    pub account: i64,
    /// What is in it.
    pub balance: Money,
    /// What of it is not held for a purchase.
    pub free: Money,
}

impl From<&Account> for Balance {
    fn from(account: &Account) -> Self {
        let currency = account.currency;
        Self {
            account: account.number,
            balance: currency.minor(account.balance()),
            free: currency.minor(account.free()),
        }
    }
}

impl Commerce {
    /// What is in a person's purse, in each currency.
    pub async fn purse(&self, id: PersonId) -> Result<Vec<Balance>, Error> {
        let handle = person(&mut self.read().await?, id).await?.handle;
        let owners = [("person".to_owned(), handle.to_string())];
        let accounts = self.0.ledger.accounts_of(&owners, 0, 1_000).await?;
        Ok(accounts.iter().filter(|account| account.code == PURSE).map(Balance::from).collect())
    }

    /// Puts money from the simulated bank into a purse, once per key. Whoever calls has judged the right.
    pub async fn top_up(&self, id: PersonId, key: &str, amount: Money) -> Result<Balance, Error> {
        if !(1..=LARGEST_AMOUNT).contains(&amount.minor) {
            return Err(Error::refused(
                Why::AmountInvalid,
                "an amount is more than nothing, at most 2^53-1 minor units",
            ));
        }
        let (key, now) = (key.to_owned(), self.now());
        self.unit(move |tx| {
            let key = key.clone();
            Box::pin(async move {
                let handle = person(tx, id).await?.handle;
                let wanted = vec![bank(amount.currency), purse(&handle, amount.currency)];
                let accounts = open_accounts(tx, wanted, now).await?;
                let [bank, purse] = accounts.as_slice() else { return Err(Error::Damaged { what: "a purse" }) };
                let key = Key::new(SCOPE, &format!("top-up {handle}/{key}")).map_err(kontor_ledger::Error::from)?;
                let legs = vec![Leg { debit: bank.number, credit: purse.number, amount }];
                once(tx, Request::new(key, Order::Move(legs)).memo("top-up"), now).await?;
                let account = kontor_db::ledger_accounts::find(tx, purse.number).await?;
                Ok(Balance::from(&account.ok_or(Error::Damaged { what: "a purse" })?))
            })
        })
        .await
    }
}

/// The account of a person's money.
pub fn purse(handle: &Handle, currency: Currency) -> NewAccount {
    account("person", handle.as_str(), PURSE, currency, Side::Credit, true)
}

/// The account that stands for the money outside.
fn bank(currency: Currency) -> NewAccount {
    account("hub", "bank", "simulated", currency, Side::Debit, false)
}

/// An account to be opened.
pub fn account(kind: &str, owner: &str, code: &str, currency: Currency, side: Side, guarded: bool) -> NewAccount {
    NewAccount { owner_kind: kind.to_owned(), owner: owner.to_owned(), code: code.to_owned(), currency, side, guarded }
}

/// Records one request within a transaction that keeps nothing when it is refused.
pub async fn once(tx: &mut Tx, request: Request, now: Timestamp) -> Result<kontor_ledger::Recorded, Error> {
    let outcome = record(tx, &[request], now).await?.pop();
    match outcome {
        Some(Ok(recorded)) => Ok(recorded),
        Some(Err(Ledgers::KeyConflict { .. })) => {
            Err(Refusal::new(Why::KeyConflict, "this key was used for another request").into())
        }
        Some(Err(refusal)) => Err(Error::Ledger(refusal.into())),
        None => Err(Error::Ledger(kontor_ledger::Error::Closed)),
    }
}
