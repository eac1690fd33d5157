//! Errands: what a person asks for in a sentence is understood, skills are found, judged and chained, and something is bought.
//!
//! A model reads the request and picks among offers. It decides neither what may run nor what may be paid: schemas, policy,
//! permissions and mandates do, and each text of a skill, a product or a program is data.

mod agents;
mod errand;
mod error;
mod judge;
mod language;
pub mod offers;
mod order;
mod role;
pub mod rules;
mod said;
mod verbs;
mod wish;
mod words;

pub use agents::{Agents, KIND, Parts, Settings};
pub use error::Error;
pub use judge::{Facts, Ground, Judged, Marks, Misfit, Scanned, Unfit, choose, judge};
pub use language::{Language, UnknownLanguage};
pub use order::Bought;
pub use role::Role;
pub use said::Said;
pub use verbs::{Errand, NewErrand, Told};
pub use wish::{NotTaken, Unusable, Wish};
pub use words::DETAIL;
