//! `kontor scan --detonate`: what a skill's scripts do when they are run where they can harm nothing.

use std::path::Path;

use anyhow::Context as _;
use kontor_client::{Client, Error};
use kontor_detonate::Detonator;
use kontor_package::{Content, Limits};
use kontor_scan::{Detonation, Report, Scanner};
use kontor_types::SkillRef;
use kontor_wire::ResolveRequest;

use crate::exit::UsageError;
use crate::local;
use crate::session::Session;
use crate::terminal::{Terminal, plain};
use crate::verbs::install::judge;

/// Runs in sandboxes of this machine.
pub fn detonator() -> anyhow::Result<Detonator> {
    Ok(Detonator::new(crate::verbs::sandbox::sandbox())?)
}

/// Reads a unit and runs what it brings.
pub async fn scan(detonator: &Detonator, scanner: &Scanner, path: &Path, session: &Session) -> anyhow::Result<Report> {
    let (mut report, content) = match path.to_str().filter(|text| text.starts_with('@') && !path.exists()) {
        Some(name) => {
            let reference = name.parse::<SkillRef>().map_err(|error| UsageError(error.to_string()))?;
            let content = download(&reference, session).await?;
            (scanner.scan_content(name, &content), content)
        }
        None => (scanner.scan_path(path)?, content(path)?),
    };
    detonator.add_to(&mut report, &content).await.context("it was read, and not run")?;
    Ok(report)
}

fn content(path: &Path) -> anyhow::Result<Content> {
    if path.is_dir() {
        return Content::from_directory(path, &Limits::CEILING)
            .with_context(|| format!("{} cannot be run", path.display()));
    }
    let skill = local::skill_at(path)?;
    skill.content.with_context(|| format!("{} cannot be run", path.display()))
}

async fn download(reference: &SkillRef, session: &Session) -> anyhow::Result<Content> {
    let client: Client = session.client()?;
    let (publisher, slug) = client.full_name(reference).await?;
    let wanted = SkillRef { publisher: Some(publisher), slug, version: reference.version.clone() };
    let plan = client.resolve(&ResolveRequest { requires: vec![wanted.clone()], prefer: Vec::new() }).await?;
    let item = plan.items.into_iter().find(|item| item.direct || item.reference.slug == wanted.slug);
    let item = item.ok_or_else(|| {
        Error::refused(format!("the hub resolves {wanted} to nothing"), "`kontor info` shows its versions")
    })?;
    let judge = judge::of(&client, session).await?;
    Ok(client.content(&item, Some(&*judge)).await?)
}

/// What was run, for people.
pub fn show(terminal: &Terminal, detonation: &Detonation, all: bool) {
    let files: std::collections::BTreeSet<&str> = detonation.runs.iter().map(|run| run.file.as_str()).collect();
    let times = crate::amounts::count(detonation.runs.len() as u64, "start");
    let of = crate::amounts::count(files.len() as u64, "file");
    terminal.data(&format!("  run: {times} of {of}, in a sandbox with made-up secrets and a made-up network"));
    if !all {
        return;
    }
    for run in &detonation.runs {
        let reached =
            if run.reached.is_empty() { String::new() } else { format!(", reached {}", run.reached.join(", ")) };
        let line =
            format!("{}: {} after {} ms, {} deeds seen{reached}", run.command, run.ended, run.wall_ms, run.deeds);
        terminal.data(&format!("    {}", plain(&line)));
    }
}
