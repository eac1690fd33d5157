//! Fail points, for the tests of crashes only: the process dies at a step that the environment names.

use std::sync::atomic::{AtomicU64, Ordering};

/// `KONTOR_TEST_ABORT=registry::committed=3`: the process aborts when it comes by that step for the third time.
const VARIABLE: &str = "KONTOR_TEST_ABORT";

/// Reads the environment. What cannot be read arms nothing, which the test notices because nobody dies.
pub fn arm() {
    let Ok(text) = std::env::var(VARIABLE) else { return };
    let Some((point, times)) = text.split_once('=') else { return };
    let Ok(times) = times.parse::<u64>() else { return };
    let passed = AtomicU64::new(0);
    let step = move || {
        if passed.fetch_add(1, Ordering::SeqCst) + 1 >= times {
            std::process::abort();
        }
    };
    if let Err(error) = fail::cfg_callback(point, step) {
        tracing::error!(error, "the fail point cannot be armed");
    }
}
