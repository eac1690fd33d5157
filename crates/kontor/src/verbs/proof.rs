//! `kontor proof` and `kontor verify`: evidence about a version, and checking it without a hub.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kontor_client::Name;
use kontor_crypto::{KeyId, SignedVersion, VerifyingKey};
use kontor_package::{Content, pack};
use kontor_translog::{ProofFile, Report, Trust};
use kontor_types::{Digest, Outcome, SkillRef};
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::local;
use crate::session::{HubKeys, KnownHubs, Session, publisher_keys};
use crate::table::Table;
use crate::terminal::{Style, plain};
use crate::verbs::{evidence, newest_or, write_out};

/// The largest proof or evidence file that is read.
const LARGEST: u64 = 768 << 20;
/// How an evidence file begins: it is a ZIP archive.
const ARCHIVE: &[u8] = b"PK";

/// Write a version's proof file
///
/// It holds what the hub said of the version, signed, and the proofs that this is in the hub's transparency log. Anybody can
/// check it with `kontor verify`, without the hub.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which version: `@publisher/skill@1.2.0`; the newest when no version is named
    #[arg(value_name = "REF")]
    reference: SkillRef,
    /// The file to write; `-` for standard output [default: SKILL-VERSION.proof.json]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Check a proof or an evidence file, without a network
///
/// Tells what the statements in it say, and whether they hold. Ends with code 1 when something does not hold. What could not be checked is said: without the hub's keys from elsewhere,
/// for example, the file is only consistent in itself.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The proof or evidence file
    file: PathBuf,
    /// The bytes at hand: the skill's folder or archive
    #[arg(long, value_name = "PATH")]
    bytes: Option<PathBuf>,
    /// The hub's keys, as `/log/keys` of the hub shows them; those of hubs that you installed from are known
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The publisher's public key, got from them by another way, as `kontor key show` prints it; your own keys are known
    #[arg(long, value_name = "KEY")]
    publisher_key: Vec<VerifyingKey>,
}

/// Asks the hub and writes the file.
pub async fn proof(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let (publisher, slug, version) = newest_or(&client, &args.reference).await?;
    let bytes = client.proof(&Name(&publisher, &slug), &version).await?;
    let file = ProofFile::parse(&bytes)?;
    let path = args.output.unwrap_or_else(|| PathBuf::from(format!("{slug}-{version}.proof.json")));
    if write_out(&path, &bytes)? {
        return Ok(Exit::Done);
    }
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "file": path, "statements": file.statements.len() }));
    } else {
        let shown = plain(&path.display().to_string());
        terminal.data(&format!("{shown}: {} about @{publisher}/{slug}@{version}", statements(&file)));
        terminal.note(&format!("check it with: kontor verify {shown}"));
    }
    Ok(Exit::Done)
}

fn statements(file: &ProofFile) -> String {
    crate::amounts::count(file.statements.len() as u64, "statement")
}

/// Checks a file.
pub fn verify(args: &VerifyArgs, session: &Session) -> anyhow::Result<Exit> {
    let bytes = read(&args.file)?;
    let digest = args.bytes.as_deref().map(digest_of).transpose()?;
    let keys = args.keys.as_deref().map(keys_in).transpose()?;
    if bytes.starts_with(ARCHIVE) {
        return evidence::verify(&bytes, keys, &args.publisher_key, digest, session);
    }
    let unfit = |error: kontor_translog::Error| UsageError(format!("{}: {error}", args.file.display()));
    let file = ProofFile::parse(&bytes).map_err(unfit)?;
    let mut trust = match keys {
        Some(keys) => trust_in(&[keys], digest)?,
        None => known_trust(&file, digest)?,
    };
    trust.publisher_keys = known_publisher(&args.publisher_key, &file)?;
    let report = kontor_translog::verify(&file, &trust);
    show(&report, &file, session);
    Ok(if report.holds() { Exit::Done } else { Exit::Failed })
}

/// A hub's keys in a file. A wrong file disproves nothing: the command line is wrong.
pub fn keys_in(path: &Path) -> anyhow::Result<HubKeys> {
    let unfit = |error: anyhow::Error| UsageError(format!("{}: {error:#}", path.display()));
    Ok(HubKeys::parse(&read(path)?).map_err(unfit)?)
}

/// The keys that were named; else your own, if one of them signed.
fn known_publisher(named: &[VerifyingKey], file: &ProofFile) -> anyhow::Result<Vec<VerifyingKey>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let signers: Vec<KeyId> = file
        .statements
        .iter()
        .filter_map(|proven| SignedVersion::read(proven.statement.as_bytes()).ok())
        .map(|(_, signer)| signer)
        .collect();
    let own = publisher_keys::own()?;
    Ok(own.into_iter().filter(|key| signers.contains(&key.id())).collect())
}

/// The keys of the hubs that are known, if one of them keeps the log that the file is of.
fn known_trust(file: &ProofFile, digest: Option<Digest>) -> anyhow::Result<Trust> {
    trust_in(&keepers(file)?, digest)
}

/// The hubs that are known and keep the log that the file is of.
pub fn keepers(file: &ProofFile) -> anyhow::Result<Vec<HubKeys>> {
    let names: Vec<&str> = file.log_keys.iter().map(kontor_crypto::NoteVerifier::name).collect();
    let known = KnownHubs::read()?;
    let keeps = |hub: &&HubKeys| hub.log_keys().is_ok_and(|keys| keys.iter().any(|key| names.contains(&key.name())));
    Ok(known.all().filter(keeps).cloned().collect())
}

/// Trust in these hubs.
pub fn trust_in(hubs: &[HubKeys], digest: Option<Digest>) -> anyhow::Result<Trust> {
    let mut trust = Trust { digest, ..Trust::default() };
    for hub in hubs {
        trust.log_keys.extend(hub.log_keys()?);
        trust.statement_keys.extend(hub.statement_keys());
        trust.receipt_keys.extend(hub.receipt_keys());
    }
    Ok(trust)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let unread = |error: std::io::Error| UsageError(format!("{}: {error}", failed()));
    File::open(path).map_err(unread)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > LARGEST {
        return Err(UsageError(format!("{} is larger than any proof or evidence file", path.display())).into());
    }
    Ok(bytes)
}

/// The digest of the canonical form of a skill on this machine.
fn digest_of(path: &Path) -> anyhow::Result<Digest> {
    if !path.exists() {
        return Err(UsageError(format!("there is nothing at {}", path.display())).into());
    }
    let content: Content = local::skill_at(path)?.content.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(pack(&content).digest)
}

fn show(report: &Report, file: &ProofFile, session: &Session) {
    let terminal = &session.terminal;
    let stories: Vec<_> = file.said().iter().flatten().map(kontor_translog::told).collect();
    if terminal.json {
        terminal.json(&json!({
            "holds": report.holds(), "keys_known": keys_known(report), "subject": file.subject, "statements": stories,
            "checks": report.checks,
        }));
        return;
    }
    evidence::tell(&stories, session);
    show_checks(report, file.statements.len(), session);
}

/// Whether the hub's keys were known from elsewhere than the file.
pub fn keys_known(report: &Report) -> bool {
    !report.with(Outcome::NotChecked).any(|check| matches!(check.name, "log_key" | "statement_key"))
}

/// How an outcome looks on the terminal.
pub const fn outcome(outcome: Outcome) -> (Style, &'static str) {
    match outcome {
        Outcome::Passed => (Style::Green, "holds"),
        Outcome::Failed => (Style::Red, "FAILS"),
        Outcome::NotChecked => (Style::Yellow, "not checked"),
    }
}

/// Shows each check and what came of all.
pub fn show_checks(report: &Report, count: usize, session: &Session) {
    let terminal = &session.terminal;
    let mut table = Table::titled(&["", "what", "statement", "result"]);
    for check in &report.checks {
        let (style, word) = outcome(check.outcome);
        let number = check.statement.map(|number| (number + 1).to_string()).unwrap_or_default();
        table.row([terminal.paint(style, word), check.name.replace('_', " "), number, plain(&check.detail)]);
    }
    terminal.data(&table.render(terminal));
    let unchecked = report.with(Outcome::NotChecked).count() as u64;
    let failed = report.with(Outcome::Failed).count() as u64;
    let verdict = if report.holds() && !keys_known(report) {
        let text = format!(
            "{} consistent in itself; nobody vouches for the keys: get the hub's by another way and give them with --keys",
            crate::amounts::count(count as u64, "statement")
        );
        terminal.paint(Style::Yellow, &text)
    } else if report.holds() {
        terminal.paint(Style::Green, &format!("{} proven", crate::amounts::count(count as u64, "statement")))
    } else {
        terminal.paint(Style::Red, &format!("{} failed: this proves nothing", crate::amounts::count(failed, "check")))
    };
    terminal.data(&format!("{verdict}; {} not made", crate::amounts::count(unchecked, "check")));
}
