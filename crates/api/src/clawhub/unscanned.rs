//! What is said of versions that nobody has looked at: no scanner exists yet, so that is every version.

use serde_json::{Value, json};

/// The reason why nothing passes.
pub const REASON: &str = "scan.not_performed";

/// What people read.
pub const OVERVIEW: &str = "This version has not been scanned: this hub has no scanner yet. Nobody has judged these bytes. \
    Read the skill before you let an agent use it.";

/// The verdict about the bytes: none.
pub fn security() -> Value {
    json!({
        "status": "unscanned",
        "passed": false,
        "hasScanResult": false,
        "checkedAt": null,
        "signals": { "staticScan": null, "virusTotal": null, "skillSpector": null, "dependencyRegistry": null },
    })
}
