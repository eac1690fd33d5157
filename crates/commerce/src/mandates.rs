use kontor_access::audit::Event;
use kontor_crypto::VerifyingKey;
use kontor_db::mandates::{self, Mandate as Row, NewMandate};
use kontor_db::{Conn, Tx, checkouts, ledger_accounts};
use kontor_ledger::{Key, Leg, NewAccount, Order, Request, Side, close_account, open_accounts};
use kontor_types::{Currency, Handle, MandateId, Money, PersonId, Timestamp};
use serde::Serialize;
use serde_json::json;

use crate::commerce::{person, record};
use crate::pay::free;
use crate::purse::{SCOPE, account, once};
use crate::{Commerce, Error, Refusal, Terms, Why};

/// The newest mandates that are listed.
const MOST: u32 = 500;

/// A mandate and how far it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mandate {
    /// What was signed.
    pub terms: Terms,
    /// Whether something can be bought with it.
    pub state: MandateState,
    /// What can still be spent of it.
    pub left: Money,
    /// What purchases under way hold of it.
    pub held: Money,
    /// How many purchases hold or have spent something of it.
    pub used: u32,
    /// The ledger account that holds its limit.
    pub account: i64,
    /// The key that signed it.
    pub key_id: String,
    /// When the hub took it.
    pub accepted_at: Timestamp,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Whether something can be bought with a mandate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MandateState {
    /// It can.
    Active,
    /// It has not begun.
    NotYet,
    /// Its time is over.
    Ended,
    /// It was used as often as it may be, or nothing is left of its limit.
    UsedUp,
    /// It was taken back.
    Revoked,
}

impl Commerce {
    /// Takes a signed mandate: from now on its limit lies in a guarded account of the ledger. The same one again is the same one.
    ///
    /// # Errors
    /// [`Why::MandateSignature`] and the words for what it says; [`Why::KeyConflict`] when its id belongs to another one.
    pub async fn accept_mandate(&self, id: PersonId, handle: &Handle, envelope: &[u8]) -> Result<Mandate, Error> {
        let (now, hub) = (self.now(), self.hub().to_owned());
        let (envelope, handle) = (envelope.to_vec(), handle.clone());
        self.unit(move |tx| {
            let (envelope, handle, hub) = (envelope.clone(), handle.clone(), hub.clone());
            Box::pin(async move {
                let (terms, _) = Terms::read(&envelope)?;
                if let Some(row) = mandates::find(tx, terms.id).await? {
                    if row.person_id == id && row.envelope == envelope {
                        return view(tx, row, now).await;
                    }
                    return Err(Error::refused(Why::KeyConflict, "the id of this mandate belongs to another one"));
                }
                let person = person(tx, id).await?;
                if person.handle != handle {
                    return Err(Error::refused(Why::MandateSignature, "the mandate is somebody else's"));
                }
                let keys = mandates::keys(tx, id).await?;
                let keys = keys.iter().filter(|key| key.retired_at.is_none());
                let keys: Vec<VerifyingKey> = keys.filter_map(|key| key.public_key.parse().ok()).collect();
                let (terms, key) = Terms::open(&envelope, &keys)?;
                terms.check(&hub, &handle, now)?;
                let account = fund(tx, &terms, now).await?;
                let new = NewMandate {
                    id: terms.id,
                    person_id: id,
                    key_id: key.to_string(),
                    envelope,
                    account,
                    most: i64::from(terms.count),
                    now,
                };
                mandates::insert(tx, &new).await?;
                let facts =
                    json!({ "mode": terms.mode, "total": terms.total, "count": terms.count, "until": terms.until });
                let event = Event::new("mandate.accept", terms.id.to_string()).detail(facts);
                record(tx, &person, event, now).await?;
                let row = mandates::find(tx, terms.id).await?.ok_or(Error::Damaged { what: "a mandate" })?;
                view(tx, row, now).await
            })
        })
        .await
    }

    /// One mandate of a person.
    pub async fn mandate(&self, id: PersonId, mandate: MandateId) -> Result<Mandate, Error> {
        let mut conn = self.read().await?;
        let row = own(mandates::find(&mut conn, mandate).await?, id)?;
        view(&mut conn, row, self.now()).await
    }

    /// The newest mandates of a person, newest first.
    pub async fn mandates(&self, id: PersonId) -> Result<Vec<Mandate>, Error> {
        let mut conn = self.read().await?;
        let mut views = Vec::new();
        for row in mandates::of(&mut conn, id, MOST).await? {
            views.push(view(&mut conn, row, self.now()).await?);
        }
        Ok(views)
    }

    /// Takes a mandate back: nothing new is bought with it, what is held and was not yet asked of a merchant is free again, and
    /// its account is closed. A purchase that a merchant was asked for already ends as the merchant says.
    pub async fn revoke_mandate(&self, id: PersonId, mandate: MandateId) -> Result<Mandate, Error> {
        let now = self.now();
        self.unit(move |tx| {
            Box::pin(async move {
                let row = own(mandates::hold(tx, mandate).await?, id)?;
                if mandates::revoke(tx, mandate, now).await? {
                    let person = person(tx, id).await?;
                    for checkout in checkouts::holding(tx, mandate).await? {
                        if checkout.asked_at.is_none() {
                            let refusal = Refusal::new(
                                Why::MandateRevoked,
                                "the mandate was taken back before the merchant was asked",
                            );
                            free(tx, &checkout, &refusal, now).await?;
                        }
                    }
                    close_if_done(tx, mandate, row.account, now).await?;
                    record(tx, &person, Event::new("mandate.revoke", mandate.to_string()), now).await?;
                }
                let row = own(mandates::find(tx, mandate).await?, id)?;
                view(tx, row, now).await
            })
        })
        .await
    }
}

/// Closes the account of a mandate that was taken back, as soon as no purchase under way needs it.
pub async fn close_if_done(tx: &mut Tx, mandate: MandateId, account: i64, now: Timestamp) -> Result<(), Error> {
    if checkouts::holding(tx, mandate).await?.is_empty() {
        close_account(tx, account, now).await?;
    }
    Ok(())
}

/// The account from which mandates get their limits and to which they give what was spent of them.
pub fn counter(handle: &Handle, currency: Currency) -> NewAccount {
    account("person", handle.as_str(), "mandates", currency, Side::Debit, false)
}

/// Opens the account of a mandate with its limit in it.
async fn fund(tx: &mut Tx, terms: &Terms, now: Timestamp) -> Result<i64, Error> {
    let (handle, currency) = (&terms.person, terms.total.currency);
    let code = format!("mandate {}", terms.id);
    let wanted =
        vec![counter(handle, currency), account("person", handle.as_str(), &code, currency, Side::Credit, true)];
    let accounts = open_accounts(tx, wanted, now).await?;
    let [counter, limit] = accounts.as_slice() else { return Err(Error::Damaged { what: "a mandate" }) };
    let key = Key::new(SCOPE, &format!("mandate-{}", terms.id)).map_err(kontor_ledger::Error::from)?;
    let legs = vec![Leg { debit: counter.number, credit: limit.number, amount: terms.total }];
    once(tx, Request::new(key, Order::Move(legs)).memo("limit of a mandate"), now).await?;
    Ok(limit.number)
}

/// A mandate of this person; somebody else's is unknown.
pub fn own(row: Option<Row>, id: PersonId) -> Result<Row, Error> {
    row.filter(|row| row.person_id == id).ok_or_else(Error::unknown_mandate)
}

/// What the hub once took, read again.
pub fn terms_of(row: &Row) -> Result<Terms, Error> {
    Terms::read(&row.envelope).map(|(terms, _)| terms).map_err(|_| Error::Damaged { what: "a mandate" })
}

async fn view(conn: &mut Conn, row: Row, now: Timestamp) -> Result<Mandate, Error> {
    let terms = terms_of(&row)?;
    let account = ledger_accounts::find(conn, row.account).await?.ok_or(Error::Damaged { what: "a mandate" })?;
    let (left, held) = (account.currency.minor(account.free()), account.currency.minor(account.held_debits));
    let state = if row.revoked_at.is_some() {
        MandateState::Revoked
    } else if now >= terms.until {
        MandateState::Ended
    } else if now.after(crate::SKEW) < terms.not_before {
        MandateState::NotYet
    } else if row.uses >= row.most || left.minor == 0 {
        MandateState::UsedUp
    } else {
        MandateState::Active
    };
    Ok(Mandate {
        terms,
        state,
        left,
        held,
        used: u32::try_from(row.uses).unwrap_or(u32::MAX),
        account: row.account,
        key_id: row.key_id,
        accepted_at: row.accepted_at,
        revoked_at: row.revoked_at,
    })
}
