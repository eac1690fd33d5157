//! Purses, mandates, merchants, checkouts, and accounts of the ledger.

use kontor_types::{CheckoutId, Handle, MandateId, Slug};
use kontor_wire as wire;
use reqwest::Method;

use crate::api::{API, Client};
use crate::error::Error;
use crate::transport::Request;

/// The largest receipt of an order, and the largest proof of one.
const MOST_RECEIPT: u64 = 8 << 20;

/// Purse and mandates.
impl Client {
    /// What is in the caller's purse.
    pub async fn purse(&self) -> Result<wire::Purse, Error> {
        self.get(&["purse"], &()).await
    }

    /// Puts money from the simulated bank into a purse.
    pub async fn top_up(&self, new: &wire::NewTopUp) -> Result<wire::PurseBalance, Error> {
        self.send(Method::POST, &["purse", "top-ups"], new).await
    }

    /// The keys that sign the caller's mandates.
    pub async fn mandate_keys(&self) -> Result<wire::MandateKeyList, Error> {
        self.get(&["mandate-keys"], &()).await
    }

    /// Registers such a key.
    pub async fn register_mandate_key(&self, new: &wire::NewPublisherKey) -> Result<wire::MandateKey, Error> {
        self.send(Method::POST, &["mandate-keys"], new).await
    }

    /// Puts the keys of a person who lost theirs out of use.
    pub async fn release_mandate_keys(&self, handle: &Handle) -> Result<(), Error> {
        self.order(Method::DELETE, &["people", handle.as_str(), "mandate-keys"]).await
    }

    /// The caller's mandates.
    pub async fn mandates(&self) -> Result<wire::MandateList, Error> {
        self.get(&["mandates"], &()).await
    }

    /// One of them.
    pub async fn mandate(&self, id: MandateId) -> Result<wire::Mandate, Error> {
        self.get(&["mandates", &id.to_string()], &()).await
    }

    /// Hands in a signed mandate.
    pub async fn give_mandate(&self, new: &wire::NewMandate) -> Result<wire::Mandate, Error> {
        self.send(Method::POST, &["mandates"], new).await
    }

    /// Takes a mandate back.
    pub async fn revoke_mandate(&self, id: MandateId) -> Result<wire::Mandate, Error> {
        let id = id.to_string();
        let path = [API, "mandates", &id];
        self.transport.json(Request::new(Method::DELETE, &path)).await
    }
}

/// Merchants, and what is bought from them.
impl Client {
    /// The merchants that the hub buys from.
    pub async fn merchants(&self) -> Result<wire::MerchantList, Error> {
        self.get(&["merchants"], &()).await
    }

    /// Adds a merchant, or reads again what it says of itself.
    pub async fn put_merchant(&self, slug: &Slug, new: &wire::NewMerchant) -> Result<wire::Merchant, Error> {
        self.send(Method::PUT, &["merchants", slug.as_str()], new).await
    }

    /// Nothing is bought there from now on.
    pub async fn remove_merchant(&self, slug: &Slug) -> Result<(), Error> {
        self.order(Method::DELETE, &["merchants", slug.as_str()]).await
    }

    /// What the merchants sell.
    pub async fn offers(&self, query: &wire::OfferQuery) -> Result<wire::OfferList, Error> {
        self.get(&["offers"], query).await
    }

    /// The caller's checkouts.
    pub async fn checkouts(&self) -> Result<wire::CheckoutList, Error> {
        self.get(&["checkouts"], &()).await
    }

    /// One of them.
    pub async fn checkout(&self, id: CheckoutId) -> Result<wire::Checkout, Error> {
        self.get(&["checkouts", &id.to_string()], &()).await
    }

    /// Asks a merchant for a quote.
    pub async fn new_checkout(&self, new: &wire::NewCheckout) -> Result<wire::Checkout, Error> {
        self.send(Method::POST, &["checkouts"], new).await
    }

    /// Pays a checkout under a mandate.
    pub async fn complete_checkout(&self, id: CheckoutId, mandate: MandateId) -> Result<wire::Checkout, Error> {
        self.send(Method::POST, &["checkouts", &id.to_string(), "complete"], &wire::Completion { mandate }).await
    }

    /// Ends a checkout for which no money is held.
    pub async fn cancel_checkout(&self, id: CheckoutId) -> Result<wire::Checkout, Error> {
        let id = id.to_string();
        let path = [API, "checkouts", &id, "cancel"];
        self.transport.json(Request::new(Method::POST, &path)).await
    }

    /// Asks the merchant to take an order back.
    pub async fn refund_checkout(&self, id: CheckoutId, refund: &wire::NewRefund) -> Result<wire::Checkout, Error> {
        self.send(Method::POST, &["checkouts", &id.to_string(), "refunds"], refund).await
    }

    /// Purchases whose merchants have not said how they ended; for administrators.
    pub async fn undecided_checkouts(&self) -> Result<wire::UndecidedList, Error> {
        self.get(&["checkouts", "undecided"], &()).await
    }

    /// Ends a purchase whose merchant does not answer; for administrators.
    pub async fn decide_checkout(
        &self,
        id: CheckoutId,
        said: &wire::CheckoutDecision,
    ) -> Result<wire::Checkout, Error> {
        self.send(Method::POST, &["checkouts", &id.to_string(), "decide"], said).await
    }

    /// The signed receipt of an order.
    pub async fn order_receipt(&self, id: CheckoutId) -> Result<Vec<u8>, Error> {
        let id = id.to_string();
        let path = [API, "checkouts", &id, "receipt"];
        self.transport.bytes(Request::new(Method::GET, &path), MOST_RECEIPT, "the receipt").await
    }

    /// The proof that it is in the hub's log.
    pub async fn order_proof(&self, id: CheckoutId) -> Result<Vec<u8>, Error> {
        let id = id.to_string();
        let path = [API, "checkouts", &id, "proof"];
        self.transport.bytes(Request::new(Method::GET, &path), MOST_RECEIPT.saturating_mul(2), "the proof").await
    }
}

/// Accounts of the ledger.
impl Client {
    /// The accounts that the caller may see.
    pub async fn ledger_accounts(&self, query: &wire::PageQuery) -> Result<wire::LedgerAccountPage, Error> {
        self.get(&["ledger", "accounts"], query).await
    }

    /// The newest lines of one.
    pub async fn ledger_statement(&self, number: i64) -> Result<wire::LedgerStatement, Error> {
        self.get(&["ledger", "accounts", &number.to_string(), "statement"], &()).await
    }
}
