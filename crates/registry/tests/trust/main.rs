//! Nothing is seen, found, installed or run before it was scanned and decided, on both databases.
#![expect(clippy::unwrap_used, reason = "a broken test set-up should stop the test")]

#[path = "../verbs/hub.rs"]
#[expect(dead_code, reason = "shared with the tests of the verbs, which use the rest")]
mod hub;

mod alike;
mod chain;
mod detonation;
mod evidence;
mod failing;
mod gate;
mod outcomes;
mod policies;
mod reviews;
mod samples;
mod sbom;
mod secrets;
mod signatures;
#[path = "sbom_verifiers.rs"]
mod verifiers;
