//! Purchases from merchants under mandates.
//!
//! A merchant signs a quote; a person's key signs a mandate that says what may be bought in their name; a purchase holds money in
//! the person's purse and in the mandate by one transfer of the ledger, asks the merchant, and moves the money or frees it. Every
//! verb can be called again after a crash: what was done is not done twice.

mod checkout;
mod commerce;
mod decide;
mod error;
mod explain;
mod keys;
mod mandates;
mod merchant;
mod pay;
mod purse;
mod quote;
mod receipt;
mod refund;
mod search;
mod shares;
mod terms;
mod texts;
mod tie;
mod verify;

pub use checkout::{Checkout, NewCheckout, NewLine, RefusedFor};
pub use commerce::{Commerce, Parts};
pub use decide::{Decision, Undecided};
pub use error::{Error, Refusal, Why};
pub use explain::sentences;
pub use keys::MandateKey;
pub use kontor_db::checkouts::CheckoutState as State;
pub use mandates::{Mandate, MandateState};
pub use merchant::Merchant;
pub use purse::Balance;
pub use quote::{QUOTE_TYPE, Quote, QuoteLine};
pub use receipt::{Choice, ORDER_TYPE, OrderReceipt, Posting, PostingLeg, Tied, TiedMandate, TiedRun, TiedTokens};
pub use search::{CouponOffer, Found, Offer, Search, Silent, Unit};
pub use shares::Share;
pub use terms::{MANDATE_TYPE, Mode, SKEW, Terms};
pub use texts::{SetAside, gives_orders};
pub use verify::{Evidence, verify};
