//! `kontor receipt` and `kontor explain`: what is said of a run, and whether that holds.

mod order;
mod verdict;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kontor_client::Error;
use kontor_crypto::{Envelope, KeyId, Purpose, VerifyingKey};
use kontor_package::pack;
use kontor_runs::{Evidence, Receipt, Salts, explain, verify};
use kontor_translog::{ProofFile, Report};
use kontor_types::{Clock as _, Digest, RunId, SystemClock, WorkflowId};
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::local;
use crate::session::{HubKeys, KnownHubs, Session};
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::proof::{keepers, keys_in, trust_in};
use crate::verbs::run::Places;
use crate::verbs::{id, write_out};
use verdict::Verdict;

/// Stands for the run that began last.
const LAST: &str = "last";
/// The largest receipt or file that is read.
const LARGEST: u64 = 1 << 30;

/// Show and check the receipts of runs
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the receipts that were kept, newest first
    List,
    /// Show what a receipt says
    Show(ShowArgs),
    /// Check a receipt, or the proof that one is in a hub's log, without a network
    Verify(VerifyArgs),
    /// Write the proof that the receipt of a run on the hub is in its log; `kontor receipt verify` checks it
    Proof(ProofArgs),
    /// Fetch the receipt of an order from the hub, or the proof that it is in the hub's log
    Order(order::Args),
    /// Print the public key that signs your receipts, for those who check them
    Key,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// A receipt's file, the beginning of a run's id, or `last`
    receipt: String,
    /// The runner's public key, got from them by another way; your own is known
    #[arg(long, value_name = "KEY")]
    key: Vec<VerifyingKey>,
}

#[derive(Debug, clap::Args)]
struct ProofArgs {
    /// The run's id
    #[arg(value_parser = id::<RunId>)]
    run: RunId,
    /// The file to write; `-` for standard output [default: RUN.proof.json]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// A receipt's file, the proof file of a run on a hub, the beginning of a run's id, or `last`
    receipt: String,
    /// The hub's keys, as `/log/keys` of the hub shows them, for a proof file; those of hubs that you installed from are known
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The runner's public key, got from them by another way, as `kontor receipt key` prints it; your own is known
    #[arg(long, value_name = "KEY")]
    key: Vec<VerifyingKey>,
    /// The skill's folder or archive, to compare its bytes
    #[arg(long, value_name = "PATH")]
    skill: Option<PathBuf>,
    /// A file that went in or came out
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// What opens the salted digests; of your own runs it is known
    #[arg(long, value_name = "FILE")]
    salts: Option<PathBuf>,
}

/// Tell in plain words what happened in a run, an errand or an order
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The beginning of a run's id, `last`, the id of an order or an errand on the hub, or a receipt's file
    run: String,
    /// The runner's public key, got from them by another way; your own is known
    #[arg(long, value_name = "KEY")]
    key: Vec<VerifyingKey>,
}

/// Does what the sub-verb says.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::List => list(session),
        Verb::Show(args) => show(args, session),
        Verb::Verify(args) => check(args, session),
        Verb::Proof(args) => prove(args, session).await,
        Verb::Order(args) => order::fetch(args, session).await,
        Verb::Key => key(session),
    }
}

/// Asks the hub for the proof of a run's receipt, and writes it down.
async fn prove(args: &ProofArgs, session: &Session) -> anyhow::Result<Exit> {
    let bytes = session.client()?.run_proof(args.run).await?;
    ProofFile::parse(&bytes)?;
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.proof.json", args.run)));
    if write_out(&path, &bytes)? {
        return Ok(Exit::Done);
    }
    let shown = plain(&path.display().to_string());
    if session.terminal.json {
        session.terminal.json(&json!({ "run": args.run, "file": path }));
    } else {
        session.terminal.data(&format!("{shown}: the receipt of the run and its place in the log of the hub"));
        session.terminal.note(&format!("check it with: kontor receipt verify {shown}"));
    }
    Ok(Exit::Done)
}

/// Tells what happened.
pub async fn explain(args: &ExplainArgs, session: &Session) -> anyhow::Result<Exit> {
    if let Some(found) = order::find(&args.run, session).await? {
        return order::explain(&found, &args.key, session);
    }
    let found = match (find(&args.run), args.run.parse::<WorkflowId>()) {
        (Err(error), Ok(id)) => match session.client()?.errand(id).await {
            Ok(errand) => {
                super::errand::tell(&errand, session);
                return Ok(Exit::Done);
            }
            Err(kontor_client::Error::Problem(_)) => return Err(error),
            Err(failed) => return Err(failed.into()),
        },
        (found, _) => found?,
    };
    let lines = explain::receipt(&found.receipt);
    let (signer, vouched) = vouched(&found, &args.key)?;
    if session.terminal.json {
        session.terminal.json(&json!({ "run": found.receipt.run, "signed_with": signer, "sentences": lines }));
    } else {
        for line in std::iter::once(&vouched).chain(&lines) {
            session.terminal.data(&plain(line));
        }
    }
    Ok(Exit::Done)
}

/// The believed key that signed a receipt, and a sentence about who vouches for what it says.
fn vouched(found: &Found, keys: &[VerifyingKey]) -> anyhow::Result<(Option<KeyId>, String)> {
    let own = Places::own()?.keys()?.trusted(Purpose::Receipt);
    let hubs: Vec<VerifyingKey> = KnownHubs::read()?.all().flat_map(HubKeys::receipt_keys).collect();
    let by = |keys: &[VerifyingKey]| Receipt::signer(&found.envelope, keys).ok();
    Ok(match (by(&own), by(keys), by(&hubs)) {
        (Some(id), ..) => (Some(id), format!("Signed with your own key {id}.")),
        (None, Some(id), _) => (Some(id), format!("Signed with the key {id}, which you named with --key.")),
        (None, None, Some(id)) => (Some(id), format!("Signed with the key {id} of a hub that you know.")),
        (None, None, None) => {
            let text = "Nobody who is known here vouches for this: no key of yours and none that you named with --key has signed it, \
                        so it may say anything.";
            (None, text.to_owned())
        }
    })
}

struct Found {
    /// The proof that it is in a hub's log, where that was given.
    proof: Option<ProofFile>,
    receipt: Receipt,
    envelope: Envelope,
    salts: Option<Salts>,
}

/// A receipt in a file, or one that was kept.
fn find(named: &str) -> anyhow::Result<Found> {
    let path = Path::new(named);
    if path.is_file() {
        let bytes = read(path)?;
        let proof = ProofFile::parse(&bytes).ok();
        let within = match &proof {
            Some(proof) => only_statement(proof)?,
            None => bytes.as_slice(),
        };
        let (receipt, envelope) = Receipt::read(within)?;
        let salts = Places::own()?.runs()?.read(&format!("{}.salts.json", receipt.run))?;
        let salts = salts.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        return Ok(Found { proof, receipt, envelope, salts });
    }
    let runs = Places::own()?.runs()?;
    let newest = runs.names()?.into_iter().rev().find_map(|name| Some(name.strip_suffix(".receipt.json")?.to_owned()));
    let named = if named == LAST { newest.as_deref().unwrap_or(named) } else { named };
    let is_id = named.len() >= 4 && named.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let every = runs.names()?;
    let kept: Vec<&String> =
        every.iter().filter(|name| name.ends_with(".receipt.json") && name.starts_with(named)).collect();
    let name = match kept.as_slice() {
        [one] if is_id => *one,
        [] => {
            let message = format!("there is no file and no run `{}`", plain(named));
            return Err(Error::refused(message, "`kontor receipt list` shows the runs that were kept").into());
        }
        _ => {
            return Err(UsageError(format!(
                "`{}` may be one of {} runs; give more of its id",
                plain(named),
                kept.len()
            ))
            .into());
        }
    };
    let (receipt, envelope) = Receipt::read(&runs.read(name)?.context("the receipt is gone")?)?;
    let salts = runs.read(&name.replace(".receipt.json", ".salts.json"))?;
    let salts = salts.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(Found { proof: None, receipt, envelope, salts })
}

/// A proof file of a run is about its receipt alone, so that nothing else in it can pass for what was checked.
fn only_statement(proof: &ProofFile) -> anyhow::Result<&[u8]> {
    match proof.statements.as_slice() {
        [one] => Ok(one.statement.as_bytes()),
        _ => Err(UsageError("this proof file is not about one run; `kontor verify` checks it".to_owned()).into()),
    }
}

/// Checks that a receipt is in a hub's log, by keys of the hub that are known or were given.
fn check_proof(proof: &ProofFile, given: Option<&Path>) -> anyhow::Result<(Report, Vec<VerifyingKey>)> {
    let hubs = match given {
        Some(path) => vec![keys_in(path)?],
        None => keepers(proof)?,
    };
    let mut trust = trust_in(&hubs, None)?;
    trust.statement_keys = hubs.iter().flat_map(HubKeys::receipt_keys).collect();
    let keys = trust.statement_keys.clone();
    Ok((kontor_translog::verify(proof, &trust), keys))
}

fn list(session: &Session) -> anyhow::Result<Exit> {
    let runs = Places::own()?.runs()?;
    let mut receipts = Vec::new();
    for name in runs.names()?.iter().rev().filter(|name| name.ends_with(".receipt.json")).take(500) {
        // One that is damaged is shown by `show`, which says what is wrong with it.
        if let Some(Ok((receipt, _))) = runs.read(name)?.map(|bytes| Receipt::read(&bytes)) {
            receipts.push(receipt);
        }
    }
    let terminal = &session.terminal;
    if terminal.json {
        let items: Vec<_> = receipts
            .iter()
            .map(|one| json!({"run": one.run, "skill": one.skill, "entry": one.entry.name, "started_at": one.started_at, "exit": one.exit}))
            .collect();
        terminal.json(&json!({ "items": items }));
        return Ok(Exit::Done);
    }
    if receipts.is_empty() {
        terminal.note("no run was kept yet; `kontor run` keeps each");
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["run", "skill", "entry", "when", "ended"]);
    for one in &receipts {
        table.row([
            one.run.to_string(),
            plain(&one.skill.name),
            plain(&one.entry.name),
            one.started_at.to_string(),
            plain(&one.exit.outcome),
        ]);
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

fn show(args: &ShowArgs, session: &Session) -> anyhow::Result<Exit> {
    let found = find(&args.receipt)?;
    if let (None, warning) = vouched(&found, &args.key)? {
        session.terminal.warn(&warning);
    }
    if session.terminal.json {
        session.terminal.json(&found.receipt);
    } else {
        session.terminal.data(&serde_json::to_string_pretty(&found.receipt)?);
    }
    Ok(Exit::Done)
}

fn key(session: &Session) -> anyhow::Result<Exit> {
    let key = Places::own()?.keys()?.receipts()?.verifying_key();
    if session.terminal.json {
        session.terminal.json(&json!({ "id": key.id(), "public_key": key }));
    } else {
        session.terminal.data(&key.to_string());
    }
    Ok(Exit::Done)
}

fn check(args: &VerifyArgs, session: &Session) -> anyhow::Result<Exit> {
    if let Some(found) = order::in_file(Path::new(&args.receipt))? {
        return order::check(&found, args, session);
    }
    let found = find(&args.receipt)?;
    let places = Places::own()?;
    let own = places.keys()?;
    let logged = found.proof.as_ref().map(|proof| check_proof(proof, args.keys.as_deref())).transpose()?;
    let mut keys = args.key.clone();
    match &logged {
        // Nobody vouches for the keys of a hub that is not known; the checks of the log say so.
        Some((_, hubs)) if hubs.is_empty() => {
            keys.extend(found.proof.iter().flat_map(|proof| proof.statement_keys.iter().copied()));
        }
        Some((_, hubs)) => keys.extend(hubs.iter().copied()),
        None if keys.is_empty() => {
            keys = own.trusted(Purpose::Receipt);
            keys.extend(KnownHubs::read()?.all().flat_map(HubKeys::receipt_keys));
        }
        None => {}
    }
    // By its digest: whoever runs the same skill has a chain of their own, and one that was forgotten begins anew.
    let overlays = places.overlays().versions(&found.receipt.skill.digest, &own).unwrap_or_default();
    let named = found.receipt.overlay.as_ref().map(|overlay| (overlay.digest, overlay.number));
    let overlay = overlays.into_iter().find(|stored| Some((stored.digest, stored.overlay.number)) == named);
    let salts = match &args.salts {
        Some(path) => Some(
            serde_json::from_slice(&read(path)?)
                .map_err(|_| UsageError(format!("{} holds no salts", path.display())))?,
        ),
        None => found.salts,
    };
    let given = |path: &PathBuf| -> anyhow::Result<(String, Digest)> {
        Ok((path.display().to_string(), Digest::of(&read(path)?)))
    };
    let evidence = Evidence {
        keys,
        skill: args.skill.as_deref().map(digest_of).transpose()?,
        overlay: overlay.map(|stored| stored.digest),
        files: args.with.iter().map(given).collect::<anyhow::Result<_>>()?,
        salts,
        now: Some(SystemClock.now()),
    };
    let checks = verify(&found.receipt, &found.envelope, &evidence);
    let verdict = Verdict { checks: &checks, logged: logged.as_ref().map(|(report, _)| report) };
    let about = json!({ "run": found.receipt.run, "skill": found.receipt.skill });
    verdict.tell(about, "that the run was as it says is the word of whoever signed it", session);
    Ok(if verdict.holds() { Exit::Done } else { Exit::Failed })
}

fn digest_of(path: &Path) -> anyhow::Result<Digest> {
    let skill = local::skill_at(path)?;
    let what = skill.path.clone();
    let content = skill.content.map_err(|source| Error::Package { what, source })?;
    Ok(pack(&content).digest)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let failed = |error| Error::io("read", path, error);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(UsageError(format!("{} is larger than 1 GiB, which no run gives or takes", path.display())).into());
    }
    Ok(bytes)
}
