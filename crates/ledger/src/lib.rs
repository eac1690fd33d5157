//! Money as double entries: accounts, and transfers between them that are recorded once, together or not at all.
//!
//! A leg takes one amount from one account to another, so nothing can be out of balance. A [`Ledger`] takes transfers from
//! many callers and records them in large commits; [`record`] does the same within somebody else's transaction. Everything
//! that was recorded stays; [`Ledger::check`] adds it all up again.

mod audit;
mod book;
mod check;
mod export;
mod ledger;
mod record;
mod recorded;
mod refusal;
mod request;
mod sequencer;
mod share;

pub use check::{Findings, Head};
pub use export::Format;
pub use kontor_db::ledger_accounts::{Account, Side};
pub use kontor_db::ledger_transfers::{Kind, Leg as LegRow, Transfer};
pub use ledger::{Ledger, Line, NewAccount, close_account, open_accounts};
pub use record::record;
pub use recorded::{Recorded, State};
pub use refusal::{Error, Refusal};
pub use request::{Amounts, Key, Leg, Order, Request};
pub use share::{PLATFORM_SHARE, WHOLE, portion, split};
