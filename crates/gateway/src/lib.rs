//! Calls of models, for everybody on the hub by one door: which provider answers, what is tried when it does not, what was
//! used, and whether a budget has room for it.
//!
//! A [`Gateway`] takes requests in the form of OpenAI's chat completions, as bytes that it passes on almost unchanged
//! ([`Gateway::forward`]), or from programs of ours ([`Gateway::chat`]).

mod answer;
mod budget;
mod circuit;
mod class;
mod dispatch;
mod event_stream;
mod gateway;
mod lease;
mod link;
mod meter;
mod permission;
mod price;
mod provider;
mod purse;
mod refusal;
mod request;
mod settings;
mod table;
mod usage;

pub use answer::{ChatAnswer, ToolCall, Usage};
pub use budget::{Budget, BudgetOwner};
pub use dispatch::Forwarded;
pub use event_stream::EventStream;
pub use gateway::{Gateway, Parts, Purpose};
pub use kontor_db::model_usage::By;
pub use price::{Cost, PriceError};
pub use provider::Vault;
pub use refusal::Error;
pub use request::ChatRequest;
pub use settings::{Model, Price, Provider, Route, Settings};
pub use table::{ConfigError, ModelCard};
pub use usage::{UsageLine, UsageQuery};
