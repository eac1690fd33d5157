//! Both sides of a contradiction in a file, for whoever is to be shown it.

use std::path::PathBuf;

use anyhow::Context as _;
use kontor_client::Distrust;
use kontor_types::{Clock as _, Digest, SystemClock};
use serde_json::json;

use crate::session::{HubKeys, settings_folder};

/// Writes what a hub has shown before and after, both signed by it, and its keys; the same contradiction once.
pub fn keep(registry: &str, why: Distrust, before: &str, after: &str, keys: &HubKeys) -> anyhow::Result<PathBuf> {
    let folder = settings_folder()?.join("evidence");
    let name = Digest::of(format!("{registry}\n{}\n{before}\n{after}", why.as_str()).as_bytes());
    let path = folder.join(format!("{}-{}.json", why.as_str(), name.short(12)));
    if path.exists() {
        return Ok(path);
    }
    let evidence = json!({
        "registry": registry,
        "contradiction": why.as_str(),
        "found_at": SystemClock.now(),
        "before": before,
        "after": after,
        "keys": keys,
    });
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    std::fs::write(&path, serde_json::to_vec_pretty(&evidence)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
