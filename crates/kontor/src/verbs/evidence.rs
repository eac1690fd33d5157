//! `kontor evidence`: one file for an auditor, and checking it.

use std::path::PathBuf;

use kontor_client::Name;
use kontor_crypto::VerifyingKey;
use kontor_registry::{Checked, check_evidence};
use kontor_translog::{Told, Trust};
use kontor_types::{Digest, Outcome, SkillRef};
use serde_json::json;

use crate::exit::Exit;
use crate::session::{HubKeys, KnownHubs, Session};
use crate::terminal::{Style, plain};
use crate::verbs::proof::{keys_known, show_checks, trust_in};
use crate::verbs::{newest_or, write_out};

/// Write one file about a version for an auditor
///
/// A ZIP archive: a page in plain words, the bytes, where they came from, what the scanner found, the decisions with their
/// reasons and the policy's text, who reviewed it and what they said, signatures, proofs, keys and a bill of materials, as
/// far as you may see them. It is checked before it is written; anybody can check it again with `kontor verify`, without the
/// hub.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which version: `@publisher/skill@1.2.0`; the newest when no version is named
    #[arg(value_name = "REF")]
    reference: SkillRef,
    /// The file to write; `-` for standard output [default: SKILL-VERSION.evidence.zip]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Asks the hub, checks the answer and writes the file.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let (publisher, slug, version) = newest_or(&client, &args.reference).await?;
    let bytes = client.evidence(&Name(&publisher, &slug), &version).await?;
    let checked = check_known(&bytes, None, &[])?;
    let path = args.output.unwrap_or_else(|| PathBuf::from(format!("{slug}-{version}.evidence.zip")));
    let holds = checked.report.holds();
    let terminal = &session.terminal;
    for check in checked.report.with(Outcome::Failed) {
        terminal.warn(&format!("{}: {}", check.name.replace('_', " "), plain(&check.detail)));
    }
    let exit = if holds { Exit::Done } else { Exit::Failed };
    if write_out(&path, &bytes)? {
        return Ok(exit);
    }
    let shown = plain(&path.display().to_string());
    let statements = checked.stories.len() as u64;
    if terminal.json {
        terminal.json(&json!({ "file": path, "holds": holds, "statements": statements, "bytes": bytes.len() }));
    } else {
        let counted = crate::amounts::count(statements, "statement");
        terminal.data(&format!("{shown}: {counted} about @{publisher}/{slug}@{version}"));
        terminal.note(&format!("read README.md in it; check it with: kontor verify {shown}"));
    }
    Ok(exit)
}

/// Checks with the keys of the hubs that are known, if one of them keeps the log that the file is of.
fn check_known(bytes: &[u8], digest: Option<Digest>, publisher: &[VerifyingKey]) -> anyhow::Result<Checked> {
    let trust = |hubs: &[HubKeys]| -> anyhow::Result<Trust> {
        Ok(Trust { publisher_keys: publisher.to_vec(), ..trust_in(hubs, digest)? })
    };
    let unknown = check_evidence(bytes, &trust(&[])?);
    let Some(evidence) = &unknown.evidence else { return Ok(unknown) };
    let known = KnownHubs::read()?;
    let keeps = |hub: &&HubKeys| hub.log_keys().is_ok_and(|keys| keys.iter().any(|key| key.name() == evidence.hub));
    let hubs: Vec<HubKeys> = known.all().filter(keeps).cloned().collect();
    if hubs.is_empty() { Ok(unknown) } else { Ok(check_evidence(bytes, &trust(&hubs)?)) }
}

/// Checks an evidence file and says how that went.
pub fn verify(
    bytes: &[u8],
    keys: Option<HubKeys>,
    publisher: &[VerifyingKey],
    digest: Option<Digest>,
    session: &Session,
) -> anyhow::Result<Exit> {
    let checked = match keys {
        Some(keys) => {
            let trust = Trust { publisher_keys: publisher.to_vec(), ..trust_in(&[keys], digest)? };
            check_evidence(bytes, &trust)
        }
        None => check_known(bytes, digest, publisher)?,
    };
    let terminal = &session.terminal;
    let holds = checked.report.holds();
    if terminal.json {
        let about = checked.evidence.as_ref().map(|evidence| &evidence.version.reference);
        let subject = checked.evidence.as_ref().map(|evidence| evidence.version.digest);
        terminal.json(&json!({
            "holds": holds, "keys_known": keys_known(&checked.report), "about": about, "subject": subject, "statements": checked.stories,
            "checks": checked.report.checks,
        }));
    } else {
        if let Some(evidence) = &checked.evidence {
            let viewer = evidence.viewer.as_ref().map_or_else(|| "anybody".to_owned(), |viewer| format!("@{viewer}"));
            let about = plain(&evidence.version.reference);
            terminal.data(&format!("Evidence about {about}, made at {} for {}\n", evidence.made_at, plain(&viewer)));
        }
        tell(&checked.stories, session);
        show_checks(&checked.report, checked.stories.len(), session);
    }
    Ok(if holds { Exit::Done } else { Exit::Failed })
}

/// Tells statements in plain words.
pub fn tell(stories: &[Told], session: &Session) {
    let terminal = &session.terminal;
    for (number, story) in (1..).zip(stories) {
        let at = story.at.as_deref().map(plain).unwrap_or_default();
        let late = if story.backfilled { " (said later, from the hub's own records)" } else { "" };
        terminal.data(&format!("{number:>3}. {} {}{late}", terminal.paint(Style::Dim, &at), plain(&story.text)));
        for detail in &story.details {
            terminal.data(&format!("       {}", plain(detail)));
        }
    }
    terminal.data("");
}
