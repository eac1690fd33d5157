//! One program for all targets; `KONTOR_FUZZ_TARGET` names the one to run.
#![no_main]

#[path = "../../crates/package/tests/fuzzed/mod.rs"]
mod fuzzed;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static CHECK: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("KONTOR_FUZZ_TARGET").expect("cargo xtask fuzz names the target");
    let found = fuzzed::TARGETS.iter().find(|(name, _)| *name == wanted);
    found.expect("the target is one of fuzzed::TARGETS").1
});

fuzz_target!(|bytes: &[u8]| CHECK(bytes));
