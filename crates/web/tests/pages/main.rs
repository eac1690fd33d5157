//! The pages over HTTP: whole without a script, harmless, in the language of their reader.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

mod account;
mod console;
mod home;
mod manage;
mod publish;
mod reading;
mod reviews;
mod runs;
mod sign_in;
mod skill;
mod trial;
