//! `kontor sbom`: what a version is made of.

use std::path::PathBuf;

use kontor_client::Name;
use kontor_types::SkillRef;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::session::Session;
use crate::terminal::plain;
use crate::verbs::{newest_or, write_out};

/// Write a version's bill of materials
///
/// CycloneDX 1.6 as JSON: the skill with its digest, licence and publisher, every file with its SHA-256, the skills and
/// packages that it asks for, and where its bytes came from. The same version gives the same bytes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which version: `@publisher/skill@1.2.0`; the newest when no version is named
    #[arg(value_name = "REF")]
    reference: SkillRef,
    /// The file to write; `-` for standard output [default: SKILL-VERSION.cdx.json]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Asks the hub and writes the file.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let (publisher, slug, version) = newest_or(&client, &args.reference).await?;
    let bytes = client.sbom(&Name(&publisher, &slug), &version).await?;
    let path = args.output.unwrap_or_else(|| PathBuf::from(format!("{slug}-{version}.cdx.json")));
    if write_out(&path, &bytes)? {
        return Ok(Exit::Done);
    }
    let bill: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let of_type = |kind: &str| {
        let components = bill.get("components").and_then(Value::as_array).into_iter().flatten();
        components.filter(|component| component.get("type").and_then(Value::as_str) == Some(kind)).count() as u64
    };
    let (files, packages, skills) = (of_type("file"), of_type("library"), of_type("application"));
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "file": path, "files": files, "packages": packages, "skills": skills }));
    } else {
        let shown = plain(&path.display().to_string());
        let counted = [(files, "file"), (packages, "package"), (skills, "other skill")];
        let counted: Vec<String> = counted.iter().map(|(count, what)| crate::amounts::count(*count, what)).collect();
        terminal.data(&format!("{shown}: {} of @{publisher}/{slug}@{version}", counted.join(", ")));
    }
    Ok(Exit::Done)
}
