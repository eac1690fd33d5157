//! The errand: what is done in which order, and what is asked of whom.

mod ask;
mod buy;
mod discover;
mod flow;
mod models;
mod run;

pub(crate) use ask::Purchase;
pub(crate) use flow::errand;
