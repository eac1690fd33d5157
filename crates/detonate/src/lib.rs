//! Detonation: a skill's scripts are run where they can harm nothing, and what they reach for becomes findings.
//!
//! A [`Detonator`] gives each script the home of a person who is not there, with keys, tokens and settings that were made up
//! for this one run, and a network in which every name and every address answers, all of it inside a sandbox without a way
//! out. Each call by which a script opens files, starts programs, connects or reaches for the kernel is seen; what is made up
//! is looked for in everything that it says and sends. Reading a script tells what it says; this tells what it does.

mod budget;
mod canary;
mod error;
mod home;
mod judge;
mod later;
mod net;
mod plan;
mod report;
mod rules;
mod trial;
mod witness;

pub use budget::Budget;
pub use error::Error;
pub use report::Detonator;
pub use rules::rules;
