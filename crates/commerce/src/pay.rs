use std::time::Duration;

use http::Method;
use kontor_access::audit::Event;
use kontor_db::checkouts::{self, Checkout as Row, CheckoutState as State};
use kontor_db::persons::Person;
use kontor_db::{Tx, mandates};
use kontor_ledger::{Account, Amounts, Key, Leg, Order, Refusal as Ledgers, Request, open_accounts, split};
use kontor_types::{CheckoutId, Digest, MandateId, Money, PersonId, Timestamp};
use serde_json::{Value, json};

use crate::checkout::{agree, kept_refusal, quote_of, view, wrong_state};
use crate::commerce::{person, record};
use crate::mandates::{close_if_done, counter, own, terms_of};
use crate::merchant::{Shop, Told, path_safe, still_sells};
use crate::purse::{SCOPE, account, once, purse};
use crate::{Checkout, Commerce, Error, Quote, Refusal, Share, Why};

/// After this long a purchase that nobody finishes is taken up by the hub.
const PATIENCE: Duration = Duration::from_secs(30);
/// Purchases that are taken up at a time.
const MOST: u32 = 100;

/// What a merchant made of an order.
pub enum Outcome {
    /// It took it.
    Order(String),
    /// It did not.
    Refused(Refusal),
}

impl Commerce {
    /// Holds the money and has the merchant take the order: [`Commerce::reserve`], then [`Commerce::complete`].
    pub async fn purchase(&self, buyer: PersonId, id: CheckoutId, mandate: MandateId) -> Result<Checkout, Error> {
        self.reserve(buyer, id, mandate).await?;
        self.complete(buyer, id).await
    }

    /// The same for somebody who gave the payment a key of its own: another key for a checkout that is being paid or was is refused.
    pub async fn purchase_once(
        &self,
        buyer: PersonId,
        key: &str,
        id: CheckoutId,
        mandate: MandateId,
    ) -> Result<Checkout, Error> {
        self.hold(buyer, id, mandate, Some(key.to_owned())).await?;
        self.complete(buyer, id).await
    }

    /// Checks the mandate against the quote and holds the price in the purse and in the mandate by one transfer. Nothing is asked
    /// of the merchant. A checkout that is held or was paid under this mandate is given as it is.
    ///
    /// # Errors
    /// What stands against it; then nothing is held, and the audit trail says so.
    pub async fn reserve(&self, buyer: PersonId, id: CheckoutId, mandate: MandateId) -> Result<Checkout, Error> {
        self.hold(buyer, id, mandate, None).await
    }

    async fn hold(
        &self,
        buyer: PersonId,
        id: CheckoutId,
        mandate: MandateId,
        key: Option<String>,
    ) -> Result<Checkout, Error> {
        let now = self.now();
        let held = self
            .unit(move |tx| {
                let key = key.clone();
                Box::pin(async move { hold(tx, buyer, id, mandate, key, now).await })
            })
            .await;
        fail::fail_point!("commerce::reserved");
        if let Err(Error::Refused(refusal)) = &held
            && !matches!(refusal.why, Why::CheckoutState | Why::CheckoutUnknown)
        {
            self.note(buyer, "checkout.refuse", id.to_string(), refusal).await;
        }
        view(held?)
    }

    /// Has the merchant take the order for which money is held, and moves the money or frees it. Over again it says how that
    /// ended.
    ///
    /// # Errors
    /// [`Error::Unknown`] when the merchant did not say what it did: the money stays held, and asking again asks the merchant with
    /// the same key. The hub does so by itself too.
    pub async fn complete(&self, buyer: PersonId, id: CheckoutId) -> Result<Checkout, Error> {
        let now = self.now();
        let row = self.unit(move |tx| Box::pin(async move { begin(tx, buyer, id, now).await })).await?;
        if row.state != State::Reserved {
            return view(row);
        }
        fail::fail_point!("commerce::asked");
        let quote = quote_of(&row)?.ok_or(Error::Damaged { what: "a quote" })?;
        let shop = self.shop(&row.merchant).await?;
        let outcome = ask(&shop, &row, &quote).await?;
        fail::fail_point!("commerce::answered");
        if let Outcome::Refused(refusal) = &outcome {
            if refusal.why == Why::QuoteChanged
                && let Some(session) = &row.session
            {
                self.give_back(&row.merchant, session, id).await;
            }
            self.note(buyer, "checkout.refuse", id.to_string(), refusal).await;
        }
        let now = self.now();
        let outcome = std::sync::Arc::new(outcome);
        let row = self
            .unit(move |tx| {
                let outcome = std::sync::Arc::clone(&outcome);
                Box::pin(async move { settle(tx, buyer, id, &outcome, now).await })
            })
            .await?;
        fail::fail_point!("commerce::settled");
        view(row)
    }

    /// Takes up purchases for which money is held and that nobody finishes; how many were brought to an end.
    pub async fn resume(&self) -> Result<usize, Error> {
        let before = self.now().before(PATIENCE);
        let waiting = checkouts::waiting(&mut self.read().await?, before, MOST).await?;
        let mut ended = 0;
        for row in waiting {
            match self.complete(row.person_id, row.id).await {
                Ok(_) => ended += 1,
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    checkout.id = %row.id,
                    "a purchase under way is not at its end; it is asked for again"
                ),
            }
        }
        Ok(ended)
    }
}

/// One transaction: the mandate is looked at and counted, the checkout takes its place, the ledger holds the money.
async fn hold(
    tx: &mut Tx,
    buyer: PersonId,
    id: CheckoutId,
    mandate: MandateId,
    key: Option<String>,
    now: Timestamp,
) -> Result<Row, Error> {
    let held = own(mandates::hold(tx, mandate).await?, buyer)?;
    checkouts::hold(tx, id).await?;
    let row = mine(tx, buyer, id).await?;
    match row.state {
        State::Quoted => {}
        State::Reserved | State::Paid | State::Refunded => {
            let same = row.mandate_id == Some(mandate) && (key.is_none() || row.spend_key == key);
            return if same { Ok(row) } else { Err(wrong_state(row.state)) };
        }
        State::Refused => return Err(kept_refusal(&row).into()),
        state => return Err(wrong_state(state)),
    }
    let (Some(quote), Some(digest)) = (quote_of(&row)?, row.quote_digest) else {
        return Err(Error::Damaged { what: "a quote" });
    };
    if quote.expires_at <= now {
        return Err(Error::refused(Why::QuoteExpired, format!("the quote has ended at {}", quote.expires_at)));
    }
    still_sells(tx, &row.merchant, row.merchant_key.as_deref()).await?;
    if held.revoked_at.is_some() {
        return Err(Error::refused(Why::MandateRevoked, "the mandate was taken back"));
    }
    let terms = terms_of(&held)?;
    terms.allow(&row.merchant, &quote, &digest, now)?;
    if held.uses >= held.most {
        return Err(Error::refused(
            Why::MandateUsedUp,
            format!("the mandate was used {} times, as often as it may be", held.uses),
        ));
    }
    let person = person(tx, buyer).await?;
    let (legs, purse) = legs(tx, &person, &row, &quote, held.account, now).await?;
    let request =
        Request::new(ledger_key(id, &format!("reserve-{}", row.attempt))?, Order::Reserve { legs, expires_at: None });
    let recorded = once(tx, request.memo(memo(&row)), now).await.map_err(|error| short(error, held.account, purse))?;
    mandates::count_use(tx, mandate).await?;
    let taken = checkouts::reserved(tx, id, digest, (mandate, key, recorded.transfer.number), now).await?;
    if !taken {
        return Err(wrong_state(row.state));
    }
    let facts = json!({ "mandate": mandate, "total": quote.currency.minor(quote.total), "merchant": row.merchant });
    record(tx, &person, Event::new("checkout.reserve", id.to_string()).detail(facts), now).await?;
    mine(tx, buyer, id).await
}

async fn mine(tx: &mut Tx, buyer: PersonId, id: CheckoutId) -> Result<Row, Error> {
    let row = checkouts::find(tx, id).await?.filter(|row| row.person_id == buyer);
    row.ok_or_else(Error::unknown_checkout)
}

/// What moves when it is paid: the price from the purse to those who share it, and as much out of the mandate.
async fn legs(
    tx: &mut Tx,
    person: &Person,
    row: &Row,
    quote: &Quote,
    mandate: i64,
    now: Timestamp,
) -> Result<(Vec<Leg>, i64), Error> {
    let currency = quote.currency;
    let shares: Vec<Share> = row
        .shares
        .clone()
        .map(serde_json::from_value)
        .transpose()
        .map_err(|_| Error::Damaged { what: "a checkout" })?
        .unwrap_or_default();
    let mut wanted = vec![purse(&person.handle, currency), counter(&person.handle, currency)];
    let credit = kontor_ledger::Side::Credit;
    wanted.extend(
        shares.iter().map(|share| account(&share.owner_kind, &share.owner, &share.code, currency, credit, false)),
    );
    let accounts = open_accounts(tx, wanted, now).await?;
    let [purse, counter, rest @ ..] = accounts.as_slice() else { return Err(Error::Damaged { what: "a purse" }) };
    let parts: Vec<(i64, u32)> = rest.iter().map(number).zip(shares.iter().map(|share| share.basis_points)).collect();
    let amount: Money = currency.minor(quote.total);
    let mut legs = split(purse.number, amount, &parts).map_err(kontor_ledger::Error::from)?;
    legs.push(Leg { debit: mandate, credit: counter.number, amount });
    Ok((legs, purse.number))
}

const fn number(account: &Account) -> i64 {
    account.number
}

/// What the ledger refuses, in the words of whoever buys.
fn short(error: Error, mandate: i64, purse: i64) -> Error {
    match error {
        Error::Ledger(kontor_ledger::Error::Refused(Ledgers::InsufficientFunds { number, free }))
            if number == mandate =>
        {
            Error::refused(Why::MandateOverLimit, format!("only {free} of the mandate are left"))
        }
        Error::Ledger(kontor_ledger::Error::Refused(Ledgers::InsufficientFunds { number, free }))
            if number == purse =>
        {
            Error::refused(Why::InsufficientFunds, format!("only {free} are free in the purse"))
        }
        Error::Ledger(kontor_ledger::Error::Refused(Ledgers::AccountClosed { .. })) => {
            Error::refused(Why::MandateRevoked, "the mandate was taken back")
        }
        other => other,
    }
}

/// From here on the merchant is asked, unless the mandate was taken back or the quote has ended before.
async fn begin(tx: &mut Tx, buyer: PersonId, id: CheckoutId, now: Timestamp) -> Result<Row, Error> {
    let seen = mine(tx, buyer, id).await?;
    match (seen.state, seen.mandate_id) {
        (State::Open | State::Quoted | State::Cancelled, _) => Err(wrong_state(seen.state)),
        (State::Reserved, Some(mandate)) => {
            let held = own(mandates::hold(tx, mandate).await?, buyer)?;
            let row = mine(tx, buyer, id).await?;
            if row.state != State::Reserved {
                return Ok(row);
            }
            if row.asked_at.is_none() {
                let quote = quote_of(&row)?.ok_or(Error::Damaged { what: "a quote" })?;
                let gone = match still_sells(tx, &row.merchant, row.merchant_key.as_deref()).await {
                    Ok(()) => None,
                    Err(Error::Refused(refusal)) => Some(refusal),
                    Err(error) => return Err(error),
                };
                let refusal = if gone.is_some() {
                    gone
                } else if held.revoked_at.is_some() {
                    Some(Refusal::new(Why::MandateRevoked, "the mandate was taken back before the merchant was asked"))
                } else if quote.expires_at <= now {
                    Some(Refusal::new(Why::QuoteExpired, "the quote has ended before the merchant was asked"))
                } else {
                    None
                };
                if let Some(refusal) = refusal {
                    free(tx, &row, &refusal, now).await?;
                    return mine(tx, buyer, id).await;
                }
            }
            checkouts::asked(tx, id, now).await?;
            mine(tx, buyer, id).await
        }
        _ => Ok(seen),
    }
}

/// Frees what is held for a checkout that comes to nothing; the caller holds its mandate.
pub async fn free(tx: &mut Tx, row: &Row, refusal: &Refusal, now: Timestamp) -> Result<(), Error> {
    let why = (refusal.code(), refusal.detail.as_str());
    if !checkouts::refused(tx, row.id, State::Reserved, why, now).await? {
        return Ok(());
    }
    let reservation = row.reservation.ok_or(Error::Damaged { what: "a checkout" })?;
    let request = Request::new(ledger_key(row.id, "void")?, Order::Void { reservation });
    once(tx, request.memo(memo(row)), now).await?;
    if let Some(mandate) = row.mandate_id {
        mandates::uncount_use(tx, mandate).await?;
    }
    Ok(())
}

async fn ask(shop: &Shop, row: &Row, quote: &Quote) -> Result<Outcome, Error> {
    let path = format!("/checkout-sessions/{}/complete", path_safe(&quote.session));
    let key = format!("{}-{}-complete", row.id, row.attempt);
    let digest = row.quote_digest.unwrap_or_else(|| Digest::of(&[]));
    let body = json!({
        "quote": { "digest": digest, "total": quote.total, "currency": quote.currency },
        "payment_data": { "handler_id": "kontor_ledger", "reservation": row.id, "amount": quote.total, "currency": quote.currency },
    });
    let told = shop.ask(Method::POST, &path, Some(&key), Some(&body)).await;
    fail::fail_point!("commerce::told");
    let (refused, reason) = match told {
        Told::Yes(said) => match read(&said, quote) {
            Some(outcome) => return Ok(outcome),
            None => (None, "an answer that does not say what became of the order".to_owned()),
        },
        Told::No { why, detail } => (Some(Refusal::new(why, detail)), String::new()),
        Told::Unknown(reason) => (None, reason),
    };
    // A refusal may be of the repetition only, and an answer may have been lost: what the session is now, decides.
    match (shop.session(&quote.session).await, refused) {
        (Told::Yes(said), refused) => match (read(&said, quote), refused) {
            (Some(outcome), _) => Ok(outcome),
            (None, Some(refusal)) => Ok(Outcome::Refused(refusal)),
            (None, None) => Err(Error::Unknown { reason }),
        },
        (Told::No { .. }, Some(refusal)) => Ok(Outcome::Refused(refusal)),
        (Told::No { .. }, None) => Err(Error::Unknown { reason }),
        (Told::Unknown(reason), _) => Err(Error::Unknown { reason }),
    }
}

/// What a session says of its order; nothing while it is not at its end.
fn read(said: &Value, quote: &Quote) -> Option<Outcome> {
    let text = |name: &str| said.pointer(name).and_then(Value::as_str);
    match text("/status")? {
        "completed" => {
            if let Err(refusal) = agree(said, quote) {
                return Some(Outcome::Refused(refusal));
            }
            let order = text("/order/id")
                .filter(|order| (1..=200).contains(&order.len()) && !order.chars().any(char::is_control))?;
            Some(Outcome::Order(order.to_owned()))
        }
        "canceled" => Some(Outcome::Refused(Refusal::new(Why::PaymentRefused, "the merchant has ended the session"))),
        _ => None,
    }
}

/// One transaction: the money moves or is free, and the checkout says so.
pub async fn settle(
    tx: &mut Tx,
    buyer: PersonId,
    id: CheckoutId,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Row, Error> {
    let seen = mine(tx, buyer, id).await?;
    let mandate = seen.mandate_id.ok_or(Error::Damaged { what: "a checkout" })?;
    let held = own(mandates::hold(tx, mandate).await?, buyer)?;
    let row = mine(tx, buyer, id).await?;
    if row.state != State::Reserved {
        return Ok(row);
    }
    let reservation = row.reservation.ok_or(Error::Damaged { what: "a checkout" })?;
    match outcome {
        Outcome::Order(order) => {
            let request = Request::new(ledger_key(id, "post")?, Order::Post { reservation, amounts: Amounts::Full });
            let posted = once(tx, request.memo(memo(&row)), now).await?;
            checkouts::paid(tx, id, posted.transfer.number, order, now).await?;
            let facts = json!({ "order": order, "transfer": posted.transfer.number });
            let person = person(tx, buyer).await?;
            record(tx, &person, Event::new("checkout.pay", id.to_string()).detail(facts), now).await?;
        }
        Outcome::Refused(refusal) => free(tx, &row, refusal, now).await?,
    }
    if held.revoked_at.is_some() {
        close_if_done(tx, mandate, held.account, now).await?;
    }
    mine(tx, buyer, id).await
}

/// The key under which the ledger knows a step of a checkout.
pub fn ledger_key(id: CheckoutId, step: &str) -> Result<Key, Error> {
    Ok(Key::new(SCOPE, &format!("{step}-{id}")).map_err(kontor_ledger::Error::from)?)
}

pub fn memo(row: &Row) -> String {
    format!("purchase from {}", row.merchant)
}
