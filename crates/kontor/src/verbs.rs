//! One module a verb: its arguments and what it does.

pub mod ask;
pub mod audit;
pub mod budget;
pub mod check;
pub mod checkout;
pub mod completions;
pub mod config;
pub mod connect;
pub mod consent;
mod decided;
pub mod demo;
pub mod detonate_worker;
pub mod doctor;
pub mod errand;
pub mod evidence;
pub mod import;
pub mod info;
pub mod install;
pub mod installed;
pub mod key;
pub mod ledger;
pub mod log;
pub mod login;
pub mod maintenance;
pub mod manage;
pub mod mandate;
pub mod mcp;
pub mod merchant;
pub mod new;
pub mod pack;
pub mod policy;
pub mod proof;
pub mod publish;
pub mod publisher;
pub mod purse;
pub mod receipt;
pub mod reference;
pub mod review;
pub mod run;
pub mod runs;
pub mod sandbox;
pub mod sbom;
pub mod scan;
pub mod scan_worker;
pub mod search;
pub mod secret;
pub mod token;
pub mod up;
pub mod usage;
pub mod worker;
pub mod workflows;

use std::path::Path;

use anyhow::Context as _;
use kontor_types::{Cursor, Handle, SkillRef, Slug, Version, VersionSelector};
use kontor_wire::{Finding, PageQuery};

use crate::exit::UsageError;
use crate::session::Session;
use crate::terminal::{plain, write_data};

/// Reads an id from the command line.
pub fn id<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "an id is 32 hexadecimal digits in five groups; copy it from the list".to_owned())
}

/// A finding in one line: place, message, remedy.
pub fn show_finding(finding: &Finding) -> String {
    let place = match (finding.file.as_str(), finding.line) {
        ("", _) => String::new(),
        (file, 0) => format!("{}: ", plain(file)),
        (file, line) => format!("{}:{line}: ", plain(file)),
    };
    let remedy = if finding.remedy.is_empty() { String::new() } else { format!("; {}", plain(&finding.remedy)) };
    format!("{place}{} ({}){remedy}", plain(&finding.message), plain(&finding.code))
}

/// The exact version that a reference names.
pub fn exact_version(reference: &SkillRef) -> Result<Version, UsageError> {
    match &reference.version {
        Some(VersionSelector::Exact(version)) => Ok(version.clone()),
        _ => Err(UsageError(format!("name the version: @publisher/skill@1.2.3, not `{reference}`"))),
    }
}

/// The full name of a skill, asking the hub when only its last part was given.
pub async fn full_name(client: &kontor_client::Client, reference: &SkillRef) -> anyhow::Result<(Handle, Slug)> {
    Ok(client.full_name(reference).await?)
}

/// The full name of a skill and the version that is meant; the newest when none is named.
pub async fn newest_or(
    client: &kontor_client::Client,
    reference: &SkillRef,
) -> anyhow::Result<(Handle, Slug, Version)> {
    let (publisher, slug) = full_name(client, reference).await?;
    let selector = reference.version.as_ref().map_or_else(|| "latest".to_owned(), ToString::to_string);
    let version = client.version(&kontor_client::Name(&publisher, &slug), &selector).await?.summary.version;
    Ok((publisher, slug, version))
}

/// All items of a list, page by page.
pub async fn every_page<T>(
    ask: impl AsyncFn(&PageQuery) -> Result<(Vec<T>, Option<Cursor>), kontor_client::Error>,
) -> Result<Vec<T>, kontor_client::Error> {
    let mut query = PageQuery { cursor: None, limit: Some(200) };
    let mut all = Vec::new();
    loop {
        let (items, next) = ask(&query).await?;
        all.extend(items);
        if next.is_none() {
            return Ok(all);
        }
        query.cursor = next;
    }
}

/// Writes what was asked for to a file, or to standard output in place of `-`; says whether it was the latter.
pub fn write_out(path: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    if path == Path::new("-") {
        write_data(bytes);
        return Ok(true);
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(false)
}

/// Makes sure that somebody wants what cannot easily be undone.
pub fn confirm(session: &Session, yes: bool, question: &str) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    let answer = session.terminal.ask(question);
    answer.ok_or_else(|| UsageError(format!("{question} Nobody can answer here; say --yes to go on")).into())
}
