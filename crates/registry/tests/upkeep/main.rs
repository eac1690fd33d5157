//! What keeps a hub in order: backups, checks, collection, uploads and webhooks, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

#[path = "../verbs/hub.rs"]
#[expect(dead_code, reason = "shared with the tests of the verbs, which use the rest")]
mod hub;

mod backup;
mod fsck;
mod uploads;
mod webhooks;
