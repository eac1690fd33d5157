use http::Method;
use kontor_crypto::VerifyingKey;
use kontor_db::checkouts::{self, Checkout as Row, CheckoutState as State, Quoted};
use kontor_db::runs::{self, Led};
use kontor_db::{Conn, merchants};
use kontor_types::{CheckoutId, Digest, MandateId, Money, PersonId, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::merchant::{Shop, path_safe, still_sells, unknown};
use crate::shares::fix;
use crate::terms::LARGEST_AMOUNT;
use crate::{Commerce, Error, Quote, Refusal, Share, TiedRun, Why};

/// Most lines of a checkout.
const MOST_LINES: usize = 50;
/// Most of one thing.
const MOST_PIECES: i64 = 10_000;
const MOST_RUNS: usize = 16;
const LONGEST_KEY: usize = 200;
const LONGEST_ADDRESS: usize = 500;

/// What somebody wants to buy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCheckout {
    /// The hub's name for the merchant.
    pub merchant: String,
    /// What.
    pub lines: Vec<NewLine>,
    /// What takes something off.
    #[serde(default)]
    pub coupon: Option<String>,
    /// Where to, in words.
    #[serde(default)]
    pub deliver_to: String,
    /// The buyer's own runs on this hub that led here: the publishers of their skills share in the sale.
    #[serde(default)]
    pub runs: Vec<RunId>,
    /// The most that it may cost; a quote for more is refused at once.
    #[serde(default)]
    pub most: Option<Money>,
}

/// So many of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    /// The merchant's id of the item.
    pub item: String,
    /// How many.
    pub quantity: i64,
}

/// A purchase and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkout {
    /// Its id.
    pub id: CheckoutId,
    /// Who pays.
    pub buyer: PersonId,
    /// The hub's name for the merchant.
    pub merchant: String,
    /// How far it has come.
    #[serde(serialize_with = "word")]
    pub state: State,
    /// What was asked for.
    pub wanted: NewCheckout,
    /// The quote, checked.
    pub quote: Option<Quote>,
    /// The digest of the signed quote, which an instant mandate names.
    pub quote_digest: Option<Digest>,
    /// What it costs.
    pub total: Option<Money>,
    /// The mandate it is paid under.
    pub mandate: Option<MandateId>,
    /// The merchant's name for the order.
    pub order: Option<String>,
    /// Why it came to nothing.
    pub refusal: Option<RefusedFor>,
    /// Who gets which part.
    pub shares: Vec<Share>,
    /// The ledger's transfer that holds or held the money.
    pub reservation: Option<i64>,
    /// The ledger's transfer that moved it.
    pub posting: Option<i64>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
}

/// Why a purchase came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedFor {
    /// A stable word.
    pub code: String,
    /// The same for people.
    pub detail: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn word<S: serde::Serializer>(state: &State, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state.as_str())
}

impl NewCheckout {
    fn check(&self) -> Result<(), Refusal> {
        let invalid = |text: &str| Err(Refusal::new(Why::Invalid, text));
        let amounts = |text: &str| Err(Refusal::new(Why::AmountInvalid, text));
        let plain = |text: &str, most: usize| text.len() <= most && !text.chars().any(char::is_control);
        if self.lines.is_empty() || self.lines.len() > MOST_LINES {
            return invalid("a checkout has 1 to 50 lines");
        }
        if self.lines.iter().any(|line| line.item.is_empty() || !plain(&line.item, 200)) {
            return invalid("a line names its item by 1 to 200 bytes");
        }
        if self.lines.iter().any(|line| !(1..=MOST_PIECES).contains(&line.quantity)) {
            return amounts("a line is for 1 to 10,000 pieces");
        }
        if self.most.is_some_and(|most| !(1..=LARGEST_AMOUNT).contains(&most.minor)) {
            return amounts("an amount is more than nothing, at most 2^53-1 minor units");
        }
        if !plain(&self.deliver_to, LONGEST_ADDRESS) || self.coupon.as_ref().is_some_and(|code| !plain(code, 100)) {
            return invalid("an address has at most 500 bytes and a coupon 100, without control characters");
        }
        if self.runs.len() > MOST_RUNS {
            return invalid("at most 16 runs lead to a purchase");
        }
        Ok(())
    }
}

impl Commerce {
    /// Asks a merchant for a signed quote and checks it; nothing is held or paid. The same key again gives the same checkout.
    ///
    /// # Errors
    /// What breaks a rule; then the checkout is refused for good, and the same key gives the same refusal. [`Error::Merchant`] when
    /// the merchant does not answer: ask again with the same key.
    pub async fn quote(&self, buyer: PersonId, key: &str, new: NewCheckout) -> Result<Checkout, Error> {
        if key.is_empty() || key.len() > LONGEST_KEY || key.chars().any(char::is_control) {
            return Err(Error::refused(Why::Invalid, "a key has 1 to 200 bytes without control characters"));
        }
        new.check()?;
        let wanted = serde_json::to_value(&new).unwrap_or_default();
        let request = Digest::of(&serde_json::to_vec(&new).unwrap_or_default());
        let (key, now) = (key.to_owned(), self.now());
        let row = self
            .unit(move |tx| {
                let (key, wanted, merchant) = (key.clone(), wanted.clone(), new.merchant.clone());
                let runs = new.runs.clone();
                Box::pin(async move {
                    if let Some(row) = checkouts::by_key(tx, buyer, &key).await? {
                        if row.request == request {
                            return Ok(row);
                        }
                        return Err(Error::refused(Why::KeyConflict, "this key was used for another checkout"));
                    }
                    led(tx, buyer, &runs).await?;
                    let known = merchants::find(tx, &merchant).await?;
                    known.filter(|known| known.removed_at.is_none()).ok_or_else(|| unknown(&merchant))?;
                    let id = CheckoutId::new(now);
                    let row = checkouts::NewCheckout { id, person_id: buyer, key, request, merchant, wanted, now };
                    checkouts::insert(tx, &row).await?;
                    checkouts::find(tx, id).await?.ok_or(Error::Damaged { what: "a checkout" })
                })
            })
            .await?;
        self.ask_for_quote(row).await
    }

    /// Asks for another quote, when the one there is has ended and nothing is held. One that still holds is given again.
    pub async fn requote(&self, buyer: PersonId, id: CheckoutId) -> Result<Checkout, Error> {
        let row = self.own(buyer, id).await?;
        let now = self.now();
        let ended = view(row.clone())?.quote.is_some_and(|quote| quote.expires_at <= now);
        if row.state == State::Quoted && ended {
            let attempt = row.attempt;
            self.unit(move |tx| Box::pin(async move { Ok(checkouts::reopen(tx, id, attempt, now).await?) })).await?;
        }
        let row = self.own(buyer, id).await?;
        match row.state {
            State::Open | State::Quoted => self.ask_for_quote(row).await,
            state => Err(wrong_state(state)),
        }
    }

    /// One checkout of a person.
    pub async fn checkout(&self, buyer: PersonId, id: CheckoutId) -> Result<Checkout, Error> {
        view(self.own(buyer, id).await?)
    }

    /// The newest checkouts of a person, newest first.
    pub async fn checkouts(&self, buyer: PersonId, limit: u32) -> Result<Vec<Checkout>, Error> {
        let rows = checkouts::of(&mut self.read().await?, buyer, limit).await?;
        rows.into_iter().map(view).collect()
    }

    /// The checkout that a person asked for under a key.
    pub async fn find_by_key(&self, buyer: PersonId, key: &str) -> Result<Option<Checkout>, Error> {
        checkouts::by_key(&mut self.read().await?, buyer, key).await?.map(view).transpose()
    }

    /// Ends a checkout before money is held for it.
    pub async fn cancel(&self, buyer: PersonId, id: CheckoutId) -> Result<Checkout, Error> {
        let row = self.own(buyer, id).await?;
        let now = self.now();
        let ended = self.unit(move |tx| Box::pin(async move { Ok(checkouts::cancelled(tx, id, now).await?) })).await?;
        let after = self.own(buyer, id).await?;
        if !ended && after.state != State::Cancelled {
            return Err(wrong_state(after.state));
        }
        if ended && let Some(session) = &row.session {
            self.give_back(&row.merchant, session, row.id).await;
        }
        view(after)
    }

    pub(crate) async fn own(&self, buyer: PersonId, id: CheckoutId) -> Result<Row, Error> {
        let row = checkouts::find(&mut self.read().await?, id).await?;
        let row = row.filter(|row| row.person_id == buyer);
        row.ok_or_else(Error::unknown_checkout)
    }

    /// Tells a merchant that a session is not wanted; when it does not hear, the session ends by itself.
    pub(crate) async fn give_back(&self, merchant: &str, session: &str, id: CheckoutId) {
        if let Ok(shop) = self.shop(merchant).await {
            let path = format!("/checkout-sessions/{}/cancel", path_safe(session));
            let _ = shop.ask(Method::POST, &path, Some(&format!("{id}-cancel")), Some(&json!({}))).await;
        }
    }

    async fn ask_for_quote(&self, row: Row) -> Result<Checkout, Error> {
        if row.state == State::Refused {
            return Err(kept_refusal(&row).into());
        }
        if row.state != State::Open {
            return view(row);
        }
        let new: NewCheckout =
            serde_json::from_value(row.wanted.clone()).map_err(|_| Error::Damaged { what: "a checkout" })?;
        still_sells(&mut self.read().await?, &row.merchant, None).await?;
        let shop = self.shop(&row.merchant).await?;
        let key = format!("{}-{}-create", row.id, row.attempt);
        let told = shop.ask(Method::POST, "/checkout-sessions", Some(&key), Some(&asked(&new))).await;
        fail::fail_point!("commerce::session");
        let checked = match told.before_payment(&row.merchant) {
            Ok(said) => self.judge(&shop, &new, &said).map_err(|refusal| (Some(said), refusal)),
            Err(Error::Refused(refusal)) => Err((None, refusal)),
            Err(error) => return Err(error),
        };
        match checked {
            Ok((session, signed)) => self.keep_quote(&row, &shop, &new, session, signed).await,
            Err((said, refusal)) => {
                let session = said.as_ref().and_then(|said| said.get("id")).and_then(Value::as_str);
                if let Some(session) = session {
                    self.give_back(&row.merchant, session, row.id).await;
                }
                self.refuse(&row, refusal).await
            }
        }
    }

    /// The session and the signed quote in an answer, if they are what was asked for.
    fn judge(&self, shop: &Shop, new: &NewCheckout, said: &Value) -> Result<(String, String), Refusal> {
        let invalid = |text: &str| Refusal::new(Why::QuoteInvalid, text);
        let key: VerifyingKey =
            shop.row.public_key.parse().map_err(|_| invalid("the merchant's key cannot be read"))?;
        let text = |name: &str| said.pointer(name).and_then(Value::as_str);
        let session =
            text("/id").filter(|id| (1..=200).contains(&id.len())).ok_or_else(|| invalid("the session has no id"))?;
        let signed = text("/quote/jws").ok_or_else(|| invalid("the merchant signs no quote"))?;
        let quote = Quote::open(signed, &key)?;
        quote.fit(&shop.row.known_as, session, &new.lines, self.now())?;
        quote.speaks_to_buyers()?;
        agree(said, &quote)?;
        if let Some(most) = new.most {
            let total = quote.currency.minor(quote.total);
            if quote.currency != most.currency {
                let text = format!("the merchant wants {}, and {} was asked for", quote.currency, most.currency);
                return Err(Refusal::new(Why::MandateCurrency, text));
            }
            if quote.total > most.minor {
                return Err(Refusal::new(
                    Why::OverLimit,
                    format!("the quote is {total}, more than the {most} that were said"),
                ));
            }
        }
        Ok((session.to_owned(), signed.to_owned()))
    }

    async fn keep_quote(
        &self,
        row: &Row,
        shop: &Shop,
        new: &NewCheckout,
        session: String,
        quote: String,
    ) -> Result<Checkout, Error> {
        let led = led(&mut self.read().await?, row.person_id, &new.runs).await?;
        let shares = serde_json::to_value(fix(&shop.row, &led)).unwrap_or_default();
        let digest = Quote::digest_of(&quote);
        let quoted = Quoted { session, quote, digest, key: shop.row.public_key.clone(), shares };
        let (id, attempt, now) = (row.id, row.attempt, self.now());
        self.unit(move |tx| {
            let quoted = quoted.clone();
            Box::pin(async move { Ok(checkouts::quoted(tx, id, attempt, &quoted, now).await?) })
        })
        .await?;
        // Whoever was faster asked with the same key and got the same quote.
        self.checkout(row.person_id, id).await
    }

    async fn refuse(&self, row: &Row, refusal: Refusal) -> Result<Checkout, Error> {
        let (id, now, kept) = (row.id, self.now(), refusal.clone());
        self.unit(move |tx| {
            let kept = kept.clone();
            Box::pin(
                async move { Ok(checkouts::refused(tx, id, State::Open, (kept.code(), &kept.detail), now).await?) },
            )
        })
        .await?;
        self.note(row.person_id, "checkout.refuse", id.to_string(), &refusal).await;
        Err(refusal.into())
    }
}

/// The runs that a buyer names, if each is the buyer's own and ended well. Who shares in a sale follows from them, never from
/// what somebody says.
async fn led(conn: &mut Conn, buyer: PersonId, named: &[RunId]) -> Result<Vec<Led>, Error> {
    let found = runs::led(conn, buyer, named).await?;
    match named.iter().find(|named| found.iter().all(|run| run.id != **named)) {
        Some(missing) => {
            Err(Error::refused(Why::RunUnknown, format!("you have no run {missing} on this hub that ended well")))
        }
        None => Ok(found),
    }
}

/// The same for a receipt.
pub async fn led_to(conn: &mut Conn, row: &Row) -> Result<Vec<TiedRun>, Error> {
    let wanted: NewCheckout =
        serde_json::from_value(row.wanted.clone()).map_err(|_| Error::Damaged { what: "a checkout" })?;
    let tied = |run: Led| {
        let receipt = Digest::of(&run.receipt);
        TiedRun { run: run.id, skill: run.skill, digest: run.digest, receipt }
    };
    Ok(runs::led(conn, row.person_id, &wanted.runs).await?.into_iter().map(tied).collect())
}

/// What the merchant shows has to be what it signs.
pub fn agree(said: &Value, quote: &Quote) -> Result<(), Refusal> {
    let changed = |text: String| Err(Refusal::new(Why::QuoteChanged, text));
    let currency = said.get("currency").and_then(Value::as_str);
    if currency != Some(quote.currency.as_str()) {
        return changed(format!(
            "the merchant shows the currency {}, and its quote is in {}",
            currency.unwrap_or("none"),
            quote.currency
        ));
    }
    let totals = said.get("totals").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let total = totals.iter().find(|total| total.get("type").and_then(Value::as_str) == Some("total"));
    let total = total.and_then(|total| total.get("amount")).and_then(Value::as_i64);
    if total != Some(quote.total) {
        let shown = total.map_or_else(|| "no total".to_owned(), |total| quote.currency.minor(total).to_string());
        return changed(format!(
            "the merchant shows {shown}, and its quote says {}",
            quote.currency.minor(quote.total)
        ));
    }
    Ok(())
}

fn asked(new: &NewCheckout) -> Value {
    let lines: Vec<Value> =
        new.lines.iter().map(|line| json!({ "item": { "id": line.item }, "quantity": line.quantity })).collect();
    let mut asked = json!({
        "line_items": lines,
        "fulfillment": { "address": { "text": new.deliver_to } },
        "payment": { "handlers": [], "instruments": [] },
    });
    if let Some(most) = new.most {
        asked["currency"] = json!(most.currency.as_str());
    }
    if let Some(coupon) = &new.coupon {
        asked["discounts"] = json!({ "codes": [coupon] });
    }
    asked
}

pub fn wrong_state(state: State) -> Error {
    Error::refused(Why::CheckoutState, format!("the checkout is {state}, which does not allow this"))
}

pub fn kept_refusal(row: &Row) -> Refusal {
    let why = Why::read(row.refusal.as_deref().unwrap_or_default());
    Refusal::new(why, row.refusal_detail.clone().unwrap_or_default())
}

/// The quote of a checkout, read again under the key that it was checked with.
pub fn quote_of(row: &Row) -> Result<Option<Quote>, Error> {
    let (Some(signed), Some(key)) = (&row.quote, &row.merchant_key) else { return Ok(None) };
    let key: VerifyingKey = key.parse().map_err(|_| Error::Damaged { what: "a quote" })?;
    Quote::open(signed, &key).map(Some).map_err(|_| Error::Damaged { what: "a quote" })
}

pub fn view(row: Row) -> Result<Checkout, Error> {
    let damaged = |_| Error::Damaged { what: "a checkout" };
    let quote = quote_of(&row)?;
    let shares = row.shares.map(serde_json::from_value).transpose().map_err(damaged)?.unwrap_or_default();
    Ok(Checkout {
        id: row.id,
        buyer: row.person_id,
        merchant: row.merchant,
        state: row.state,
        wanted: serde_json::from_value(row.wanted).map_err(damaged)?,
        total: quote.as_ref().map(|quote| quote.currency.minor(quote.total)),
        quote,
        quote_digest: row.quote_digest,
        mandate: row.mandate_id,
        order: row.order_id,
        refusal: row.refusal.map(|code| RefusedFor { code, detail: row.refusal_detail.unwrap_or_default() }),
        shares,
        reservation: row.reservation,
        posting: row.posting,
        created_at: row.created_at,
        changed_at: row.changed_at,
    })
}
