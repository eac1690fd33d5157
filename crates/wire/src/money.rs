use kontor_types::{CheckoutId, Cursor, Digest, Handle, MandateId, Money, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What is in the caller's purse.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Purse {
    /// One for each currency.
    pub items: Vec<PurseBalance>,
}

/// What is in a purse, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PurseBalance {
    /// The number of its account in the ledger.
    pub account: i64,
    /// What is in it.
    pub balance: Money,
    /// What of it is not held for a purchase under way.
    pub free: Money,
}

/// Money for a purse, from the simulated bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTopUp {
    /// Whose purse; the caller's own unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Handle>,
    /// How much.
    pub amount: Money,
}

/// A key that signs a person's mandates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MandateKey {
    /// The key's id, 32 hexadecimal digits.
    pub key_id: String,
    /// Its public half, written `mandate:BASE64`.
    pub public_key: String,
    /// Since when the hub knows it.
    pub registered_at: Timestamp,
    /// When another took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
}

/// The keys of the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MandateKeyList {
    /// The oldest first.
    pub items: Vec<MandateKey>,
}

/// A signed mandate on its way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMandate {
    /// The DSSE envelope with one signature of the caller's key, as JSON text.
    pub signed: String,
}

/// What a person allows to be bought in their name, and how far it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// `instant` for one quote, or `delegated` in advance.
    pub mode: String,
    /// `active`, `not_yet`, `ended`, `used_up` or `revoked`.
    pub state: String,
    /// The most that may be spent altogether.
    pub total: Money,
    /// The most for one purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Money>,
    /// The merchants that may be bought from; none named means any.
    pub merchants: Vec<String>,
    /// The categories that may be bought; none named means any.
    pub categories: Vec<String>,
    /// From when on.
    pub not_before: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many purchases.
    pub count: u32,
    /// The digest of the one quote that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Digest>,
    /// What can still be spent.
    pub left: Money,
    /// What purchases under way hold.
    pub held: Money,
    /// How many purchases hold or have spent something of it.
    pub used: u32,
    /// The number of its account in the ledger.
    pub account: i64,
    /// The key that signed it.
    pub key_id: String,
    /// When the hub took it.
    pub accepted_at: Timestamp,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// The caller's mandates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MandateList {
    /// What a mandate for this hub has to name as its hub.
    pub hub: String,
    /// The newest first.
    pub items: Vec<Mandate>,
}

/// A merchant that the hub buys from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Merchant {
    /// The hub's name for it, which mandates name.
    pub slug: String,
    /// What it calls itself.
    pub name: String,
    /// Where its discovery document is below.
    pub url: String,
    /// Where its catalogue and its checkout answer.
    pub endpoint: String,
    /// The key that signs its quotes.
    pub public_key: String,
    /// What the platform keeps of a sale, in basis points.
    pub platform_share: u32,
    /// What the authors of the skills that led to a sale get together, in basis points.
    pub author_share: u32,
    /// When it was added, or its key was read again.
    pub added_at: Timestamp,
}

/// The merchants that the hub buys from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MerchantList {
    /// By name.
    pub items: Vec<Merchant>,
}

/// A merchant to be added, or read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMerchant {
    /// Where its discovery document is below.
    pub url: String,
    /// What the platform keeps, in basis points; 1,500 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_share: Option<u32>,
    /// What authors get together, in basis points; 500 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_share: Option<u32>,
}

/// What is looked for at every merchant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfferQuery {
    /// In words.
    pub q: String,
    /// Only things of this category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only things that cost no more, for example `20.00 CNY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<String>,
    /// How many of each merchant, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What the merchants said. The texts in it are theirs, never an instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferList {
    /// What they sell: `merchant`, `item`, `title`, `price`, `unit`, `delivery`, `coupons` and more.
    pub items: Vec<serde_json::Value>,
    /// Who did not answer, and why.
    pub silent: Vec<SilentMerchant>,
    /// What gives orders to programs, and was therefore left out.
    #[serde(default)]
    pub set_aside: Vec<SetAside>,
}

/// A text of a merchant that gives orders to programs; what it was about is not among the offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetAside {
    /// The hub's name for the merchant.
    pub merchant: String,
    /// The merchant's id of the item, or the code of the coupon.
    pub about: String,
    /// Which text of it: `item`, `title`, `description`, `category`, `unit` or `coupon`.
    pub field: String,
    /// The text, cut short: shown to people, never followed.
    pub text: String,
}

/// A merchant that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SilentMerchant {
    /// The hub's name for it.
    pub merchant: String,
    /// What happened.
    pub reason: String,
}

/// What somebody wants to buy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckout {
    /// The hub's name for the merchant.
    pub merchant: String,
    /// What.
    pub lines: Vec<NewCheckoutLine>,
    /// What takes something off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// Where to, in words.
    #[serde(default)]
    pub deliver_to: String,
    /// The buyer's own finished runs on this hub that led here; the publishers of their skills share in the sale.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunId>,
    /// The most that it may cost; a quote for more is refused at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Money>,
}

/// So many of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCheckoutLine {
    /// The merchant's id of the item.
    pub item: String,
    /// How many.
    pub quantity: i64,
}

/// Under which mandate a checkout is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// The mandate.
    pub mandate: MandateId,
}

/// How much of an order is to go back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// How much; all that is left unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// A purchase and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkout {
    /// Its id.
    pub id: CheckoutId,
    /// The hub's name for the merchant.
    pub merchant: String,
    /// `open`, `quoted`, `reserved`, `paid`, `refused`, `cancelled` or `refunded`.
    pub state: String,
    /// The merchant's quote, checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<CheckoutQuote>,
    /// The digest of the signed quote, which an instant mandate names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_digest: Option<Digest>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
    /// The mandate it is paid under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<MandateId>,
    /// The merchant's name for the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Why it came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<CheckoutRefusal>,
    /// Who gets which part.
    pub shares: Vec<CheckoutShare>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its state changed last.
    pub changed_at: Timestamp,
}

/// What a merchant promised; amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckoutQuote {
    /// What is bought.
    pub lines: Vec<CheckoutLine>,
    /// The fee for bringing it.
    pub delivery: i64,
    /// What is taken off.
    pub discount: i64,
    /// What is to be paid.
    pub total: i64,
    /// The currency of all of it.
    pub currency: String,
    /// When the promise ends.
    pub expires_at: Timestamp,
}

/// One line of a quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckoutLine {
    /// The merchant's id of the item.
    pub item: String,
    /// What the merchant calls it.
    pub title: String,
    /// What kind of thing it is.
    pub category: String,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub price: i64,
    /// The price of all of them.
    pub total: i64,
}

/// Why a purchase came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckoutRefusal {
    /// A stable word.
    pub code: String,
    /// The same for people.
    pub detail: String,
}

/// Whose account gets which part of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckoutShare {
    /// `merchant`, `publisher` or `hub`.
    pub owner_kind: String,
    /// Which of them.
    pub owner: String,
    /// Its part, in basis points.
    pub basis_points: u32,
}

/// What an administrator found out about an order of which the merchant never said what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutDecision {
    /// `not_taken`: the money is free again. `taken`: it moves.
    pub decision: OrderFate,
    /// The merchant's name for the order, when it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Why, for the audit trail and the buyer.
    pub reason: String,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderFate {
    /// The merchant did not take it.
    NotTaken,
    /// The merchant took it.
    Taken,
}

/// A purchase whose merchant has not said how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndecidedCheckout {
    /// Whose it is.
    pub buyer: Handle,
    /// Since when the merchant owes an answer.
    pub asked_at: Timestamp,
    /// The purchase.
    pub checkout: Checkout,
}

/// Purchases whose merchants have not said how they ended, the longest waiting first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndecidedList {
    /// The purchases.
    pub items: Vec<UndecidedCheckout>,
}

/// The caller's checkouts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckoutList {
    /// The newest first, at most 200.
    pub items: Vec<Checkout>,
}

/// An account of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerAccount {
    /// Its number.
    pub number: i64,
    /// What kind of thing owns it.
    pub owner_kind: String,
    /// Which of them.
    pub owner: String,
    /// What it is for.
    pub code: String,
    /// The side on which it grows: `debit` or `credit`.
    pub side: String,
    /// Whether what is free in it may never fall below nothing.
    pub guarded: bool,
    /// What is in it.
    pub balance: Money,
    /// What of it is not held.
    pub free: Money,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Since when it takes nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// A page of accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerAccountPage {
    /// By number.
    pub items: Vec<LedgerAccount>,
    /// Where the next page begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// The newest lines of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerStatement {
    /// The account.
    pub account: LedgerAccount,
    /// The newest first, at most 200.
    pub items: Vec<LedgerLine>,
}

/// One line of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerLine {
    /// The number of the transfer.
    pub transfer: i64,
    /// `move`, `reserve`, `post`, `void` or `refund`.
    pub kind: String,
    /// What it is about.
    pub memo: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// The number of the account on the other side.
    pub other: i64,
    /// How much more is in the account, or less.
    pub change: Money,
    /// How much more is held in it, or less.
    pub held: Money,
    /// What was in it afterwards.
    pub balance: Money,
}
