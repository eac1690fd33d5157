//! Receipts of orders: fetched from the hub, checked without a network, told in plain words.

use std::path::{Path, PathBuf};

use kontor_commerce::{Evidence, OrderReceipt, sentences, verify};
use kontor_crypto::{Envelope, Purpose, VerifyingKey};
use kontor_translog::ProofFile;
use kontor_types::{Check, CheckoutId, Digest, Outcome};
use serde_json::json;

use super::verdict::Verdict;
use super::{VerifyArgs, check_proof, only_statement, read};
use crate::exit::{Exit, UsageError};
use crate::session::{HubKeys, KnownHubs, Session, mandate_keys};
use crate::terminal::plain;
use crate::verbs::run::Places;
use crate::verbs::{id, write_out};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The order's id on the hub
    #[arg(value_parser = id::<CheckoutId>)]
    order: CheckoutId,
    /// The proof that the receipt is in the hub's log, with the receipt in it
    #[arg(long)]
    proof: bool,
    /// The file to write; `-` for standard output [default: ORDER.receipt.json]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A receipt of an order, and the proof that it is in a log where that was given.
pub struct Found {
    receipt: OrderReceipt,
    envelope: Envelope,
    proof: Option<ProofFile>,
}

/// Fetches it.
pub async fn fetch(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    // Whoever checks it later needs the hub's keys.
    crate::watch::meet(&client, session).await?;
    let bytes =
        if args.proof { client.order_proof(args.order).await? } else { client.order_receipt(args.order).await? };
    let kind = if args.proof { "proof" } else { "receipt" };
    let path = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.{kind}.json", args.order)));
    if write_out(&path, &bytes)? {
        return Ok(Exit::Done);
    }
    let shown = plain(&path.display().to_string());
    if session.terminal.json {
        session.terminal.json(&json!({ "order": args.order, "file": path }));
    } else {
        session.terminal.data(&format!("{shown}: the {kind} of the order"));
        session.terminal.note(&format!("check it with: kontor receipt verify {shown}"));
    }
    Ok(Exit::Done)
}

/// The receipt of an order in a file, if it holds one.
pub fn in_file(path: &Path) -> anyhow::Result<Option<Found>> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read(path)?;
    let proof = ProofFile::parse(&bytes).ok();
    let within = match &proof {
        Some(proof) => only_statement(proof).unwrap_or_default(),
        None => bytes.as_slice(),
    };
    if !OrderReceipt::is_one(within) {
        return Ok(None);
    }
    let (receipt, envelope) = OrderReceipt::read(within)?;
    Ok(Some(Found { receipt, envelope, proof }))
}

/// The receipt of an order in a file, or of an order on the hub; nothing when it names neither.
pub async fn find(named: &str, session: &Session) -> anyhow::Result<Option<Found>> {
    if let Some(found) = in_file(Path::new(named))? {
        return Ok(Some(found));
    }
    let kept = Places::own()?.runs()?.names()?.iter().any(|name| name.starts_with(named));
    let Ok(order) = named.parse::<CheckoutId>() else { return Ok(None) };
    if kept || Path::new(named).is_file() {
        return Ok(None);
    }
    let client = session.client()?;
    let bytes = match client.order_receipt(order).await {
        Ok(bytes) => bytes,
        // The id may be that of something else.
        Err(kontor_client::Error::Problem(problem)) if problem.status == 404 => return Ok(None),
        Err(failed) => return Err(failed.into()),
    };
    crate::watch::meet(&client, session).await?;
    let (receipt, envelope) = OrderReceipt::read(&bytes)?;
    Ok(Some(Found { receipt, envelope, proof: None }))
}

/// Tells how the order came about.
pub fn explain(found: &Found, keys: &[VerifyingKey], session: &Session) -> anyhow::Result<Exit> {
    let mut keys = keys.to_vec();
    keys.extend(KnownHubs::read()?.all().flat_map(HubKeys::receipt_keys));
    let checks = verify(&found.receipt, &found.envelope, &Evidence { keys, ..Evidence::default() });
    let lines = sentences(&found.receipt);
    let terminal = &session.terminal;
    if terminal.json {
        terminal
            .json(&json!({ "order": found.receipt.checkout, "holds": Check::all_hold(&checks), "sentences": lines }));
        return Ok(Exit::Done);
    }
    for line in lines {
        terminal.data(&plain(&line));
    }
    for check in checks.iter().filter(|check| check.outcome == Outcome::Failed) {
        terminal.warn(&format!("{} does not hold: {}", check.name, plain(&check.detail)));
    }
    if !Check::all_hold(&checks) {
        terminal
            .note("nobody whose key is known here vouches for all of this; `kontor receipt verify` says what holds");
    }
    Ok(Exit::Done)
}

/// Checks it and all that it ties together.
pub fn check(found: &Found, args: &VerifyArgs, session: &Session) -> anyhow::Result<Exit> {
    if args.skill.is_some() || args.salts.is_some() {
        return Err(UsageError(
            "this is the receipt of an order: --skill and --salts are for receipts of runs".to_owned(),
        )
        .into());
    }
    let logged = found.proof.as_ref().map(|proof| check_proof(proof, args.keys.as_deref())).transpose()?;
    let mut keys = args.key.clone();
    match &logged {
        Some((_, hubs)) => keys.extend(hubs.iter().copied()),
        None => keys.extend(hub_keys(args)?),
    }
    let digest = |path: &PathBuf| -> anyhow::Result<(String, Digest)> {
        Ok((path.display().to_string(), Digest::of(&read(path)?)))
    };
    // A key of one's own is only held against a receipt of one's own.
    let own = mandate_keys::own()?;
    let evidence = Evidence {
        own: if own.contains(&found.receipt.mandate.key) { own } else { Vec::new() },
        merchant: args.key.iter().find(|key| key.purpose() == Purpose::Merchant).copied(),
        files: args.with.iter().map(digest).collect::<anyhow::Result<_>>()?,
        keys,
    };
    let checks = verify(&found.receipt, &found.envelope, &evidence);
    let verdict = Verdict { checks: &checks, logged: logged.as_ref().map(|(report, _)| report) };
    let about = json!({ "order": found.receipt.checkout, "total": found.receipt.total });
    verdict.tell(about, "that the purchase was as it says is the word of the hub that signed it", session);
    Ok(if verdict.holds() { Exit::Done } else { Exit::Failed })
}

/// The keys that a hub shows in a file, or those of hubs that are known here.
fn hub_keys(args: &VerifyArgs) -> anyhow::Result<Vec<VerifyingKey>> {
    match &args.keys {
        Some(path) => Ok(HubKeys::parse(&read(path)?)?.receipt_keys()),
        None => Ok(KnownHubs::read()?.all().flat_map(HubKeys::receipt_keys).collect()),
    }
}
