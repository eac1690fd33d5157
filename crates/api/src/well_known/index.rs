//! Version 0.2 of the discovery document: one artifact and its digest a skill.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use kontor_registry::Found;
use kontor_types::Digest;
use serde_json::{Value, json};

use super::scope::{Scope, is_one_file, keeping};
use crate::foreign::document;
use crate::{Asker, Failure, Hub};

const SCHEMA: &str = "https://schemas.agentskills.io/discovery/0.2.0/schema.json";
/// Clients count UTF-16 units and drop an entry with more.
const MOST_DESCRIPTION: usize = 1024;

/// `GET /.well-known/agent-skills/index.json`, also below `/@{publisher}` and `/@{publisher}/{skill}`
pub async fn index(
    State(hub): State<Hub>,
    Asker(caller): Asker,
    scope: Scope,
    request: HeaderMap,
) -> Result<Response, Failure> {
    let entries = scope.entries(&hub, &caller).await?;
    let single: Vec<_> =
        entries.iter().filter(|found| is_one_file(&found.version)).map(|found| found.version.id).collect();
    let digests = hub.app.registry.only_files(caller.viewer(), &single).await?;
    let skills: Vec<_> =
        entries.iter().map(|found| entry(&hub, found, digests.get(&found.version.id).copied())).collect();
    let body = json!({ "$schema": SCHEMA, "skills": skills });
    Ok(document(&request, "application/json", body.to_string().into_bytes(), keeping(&caller)))
}

fn entry(hub: &Hub, found: &Found, only_file: Option<Digest>) -> Value {
    let (skill, version) = (&found.skill, &found.version);
    let (kind, artifact, digest) = match only_file {
        Some(digest) => ("skill-md", "SKILL.md".to_owned(), digest),
        None => ("archive", format!("{}.zip", skill.slug), version.digest),
    };
    let folder = format!("/@{}/{}@{}/.well-known/agent-skills", skill.publisher, skill.slug, version.number);
    json!({
        "name": skill.slug,
        "type": kind,
        "description": described(&version.description, skill.slug.as_str()),
        "url": hub.absolute(&format!("{folder}/{artifact}")),
        "digest": format!("sha256:{}", digest.hex()),
        "version": version.number,
        "publisher": skill.publisher,
        "license": version.license,
        "updatedAt": version.created_at,
    })
}

/// A description that every client accepts: not empty, not too long.
pub fn described(text: &str, name: &str) -> String {
    let (mut units, mut shown) = (0, String::new());
    for char in text.trim().chars() {
        units += char.len_utf16();
        if units > MOST_DESCRIPTION {
            break;
        }
        shown.push(char);
    }
    if shown.is_empty() { name.to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::short(" Does it. ".to_owned(), 8)]
    #[case::nothing("  ".to_owned(), 4)]
    #[case::long("a".repeat(3000), 1024)]
    #[case::wide("🦞".repeat(3000), 1024)]
    fn a_description_fits_every_client(#[case] text: String, #[case] units: usize) {
        assert_eq!(described(&text, "name").encode_utf16().count(), units);
    }
}
