//! Whole hubs for tests, in this process and without a socket, on either database: people with tokens, skills, answers.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a broken test set-up should stop the test")]

mod answer;
mod browser;
mod hub;
mod package;
pub mod upstream;

pub use answer::Answer;
pub use browser::Browser;
pub use hub::{ADMIN, NATIVE, PUBLIC, TestHub, route_table, with_token};
pub use kontor_app::Settings;
pub use kontor_db::testing::On;
pub use package::skill;
