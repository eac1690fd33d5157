//! `kontor review fetch | diff`: the bytes of what was not admitted, to be looked at.

use std::path::PathBuf;

use anyhow::Context as _;
use kontor_client::{Client, ErrorKind, Name};
use kontor_package::{Content, Limits, human_bytes};
use kontor_types::{Digest, SkillRef};
use kontor_wire::VersionState;
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::terminal::{Style, Terminal, plain};
use crate::verbs::{exact_version, full_name, pack};

/// Most bytes of an archive.
const MOST: u64 = 1 << 30;

#[derive(Debug, clap::Args)]
pub struct Fetch {
    /// The version: `@publisher/skill@1.2.0`
    version: SkillRef,
    /// Where to write the archive; NAME-VERSION.held.zip in the present folder unless told
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the files into this folder, which must not exist, in place of an archive
    #[arg(long, value_name = "FOLDER", conflicts_with = "output")]
    unpack: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct Diff {
    /// The version: `@publisher/skill@1.2.0`
    version: SkillRef,
}

/// Fetches a version that somebody reviews, or that its own publisher looks at. It is not installed, and no lock file
/// knows of it.
pub async fn fetch(client: &Client, asked: Fetch, session: &Session) -> anyhow::Result<Exit> {
    let number = exact_version(&asked.version)?;
    if let Some(folder) = asked.unpack.as_ref().filter(|folder| folder.exists()) {
        let text = format!("{} exists: name a folder that does not exist", folder.display());
        return Err(UsageError(text).into());
    }
    let (bytes, digest) = bytes(client, &asked.version).await?;
    let terminal = &session.terminal;
    let place = if let Some(folder) = &asked.unpack {
        unpack(&bytes, folder)?;
        folder.clone()
    } else {
        let named = PathBuf::from(format!("{}-{number}.held.zip", asked.version.slug));
        let file = asked.output.unwrap_or(named);
        pack::write(&file, &bytes, false)?;
        file
    };
    if terminal.json {
        terminal.json(&json!({ "digest": digest, "path": place, "size": bytes.len() }));
        return Ok(Exit::Done);
    }
    terminal.data(&place.display().to_string());
    terminal.note(&format!("{digest} ({}); look at it, do not install it", human_bytes(bytes.len() as u64)));
    Ok(Exit::Done)
}

/// The archive: by its review for those who may take part in it, else as one of those who maintain the skill.
async fn bytes(client: &Client, version: &SkillRef) -> anyhow::Result<(Vec<u8>, Digest)> {
    match super::review_of(client, version).await {
        Ok(id) => {
            let digest = client.review(&id).await?.review.digest;
            return Ok((client.review_archive(&id, &digest, MOST).await?, digest));
        }
        Err(error) => {
            let hub = error.chain().find_map(|cause| cause.downcast_ref::<kontor_client::Error>());
            let is_ours = hub.is_none_or(|cause| matches!(cause.kind(), ErrorKind::Denied | ErrorKind::NotFound));
            if !is_ours {
                return Err(error);
            }
        }
    }
    let number = exact_version(version)?;
    let (publisher, slug) = full_name(client, version).await?;
    let name = Name(&publisher, &slug);
    let detail = client.version(&name, &number.to_string()).await?;
    if detail.summary.state == VersionState::Visible {
        let text = format!("{version} is admitted and was never reviewed: `kontor install` installs it");
        return Err(UsageError(text).into());
    }
    let digest = detail.summary.digest;
    Ok((client.held_archive(&name, &detail.summary).await?, digest))
}

fn unpack(bytes: &[u8], folder: &std::path::Path) -> anyhow::Result<()> {
    let content = Content::from_canonical(bytes, &Limits::CEILING).context("the archive cannot be read")?;
    std::fs::create_dir(folder).map_err(|error| {
        UsageError(format!("cannot make {}: {error}; name a folder that does not exist", folder.display()))
    })?;
    for (path, bytes) in content.files() {
        let file = folder.join(path);
        let above = file.parent().unwrap_or(folder);
        std::fs::create_dir_all(above).map_err(|error| kontor_client::Error::io("make", above, error))?;
        std::fs::write(&file, bytes).map_err(|error| kontor_client::Error::io("write", &file, error))?;
    }
    Ok(())
}

/// Shows what differs from the version that was admitted last before.
pub async fn diff(client: &Client, asked: Diff, session: &Session) -> anyhow::Result<Exit> {
    let id = super::review_of(client, &asked.version).await?;
    let told = client.review_difference(&id).await?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&told);
        return Ok(Exit::Done);
    }
    match &told.base {
        Some(base) => terminal.note(&format!("compared with {base}")),
        None => terminal.note("no version was admitted before it: everything is new"),
    }
    for file in &told.files {
        let size = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), human_bytes);
        let what = match (file.before, file.after) {
            (None, _) => "new",
            (_, None) => "removed",
            _ => "changed",
        };
        let title = format!("{what} {} ({} -> {})", plain(&file.path), size(file.before), size(file.after));
        terminal.data(&terminal.paint(Style::Bold, &title));
        match &file.lines {
            Some(lines) => show(lines, terminal),
            None => terminal.data("  no text, or too long: look at it with `kontor review fetch`"),
        }
    }
    Ok(Exit::Done)
}

/// Lines of a foreign text, without what a terminal would act on.
fn show(lines: &str, terminal: &Terminal) {
    for line in lines.lines() {
        let line = plain(line);
        let shown = match line.as_bytes().first() {
            Some(b'+') => terminal.paint(Style::Green, &line),
            Some(b'-') => terminal.paint(Style::Red, &line),
            Some(b'@') => terminal.paint(Style::Cyan, &line),
            _ => line,
        };
        terminal.data(&shown);
    }
}
