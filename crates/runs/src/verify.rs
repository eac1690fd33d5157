//! What can be checked about a receipt without asking anybody.

use kontor_crypto::{Envelope, VerifyingKey};
use kontor_types::{Check, Digest, Outcome, Timestamp};

use crate::receipt::{Receipt, Salts, Sealed};

/// What a receipt is held against.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Keys for receipts that are believed.
    pub keys: Vec<VerifyingKey>,
    /// The digest of the skill's bytes, where somebody has them.
    pub skill: Option<Digest>,
    /// The digest of the overlay of that number, where somebody has the chain.
    pub overlay: Option<Digest>,
    /// Files that may have gone in or come out, by name.
    pub files: Vec<(String, Digest)>,
    /// The salts of the run.
    pub salts: Option<Salts>,
    /// What time it is.
    pub now: Option<Timestamp>,
}

/// Checks a receipt against what is at hand. Whether the runner tells the truth is beyond any check: a signature says who
/// vouches for it.
pub fn verify(receipt: &Receipt, envelope: &Envelope, evidence: &Evidence) -> Vec<Check> {
    let mut checks = vec![signature(envelope, evidence), times(receipt, evidence), granted(receipt)];
    checks.push(bytes(receipt, evidence));
    checks.push(overlay(receipt, evidence));
    checks.extend(files(receipt, evidence));
    checks
}

fn signature(envelope: &Envelope, evidence: &Evidence) -> Check {
    let named: Vec<&str> = envelope.signatures.iter().map(|signature| signature.keyid.as_str()).collect();
    if evidence.keys.is_empty() {
        return Check::new(
            "signature",
            Outcome::NotChecked,
            format!("no key is known here; it names {}", named.join(", ")),
        );
    }
    match Receipt::signer(envelope, &evidence.keys) {
        Ok(id) => Check::new("signature", Outcome::Passed, format!("signed with the key {id}, which is believed here")),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Check::new("signature", Outcome::Failed, format!("{error}{cause}"))
        }
    }
}

fn times(receipt: &Receipt, evidence: &Evidence) -> Check {
    let (from, until) = (receipt.started_at, receipt.ended_at);
    let took = until.since(from).as_millis();
    let claimed = u128::from(receipt.resources.wall_ms);
    if until < from || claimed > took.saturating_add(1_000) {
        return Check::new("times", Outcome::Failed, "it ended before it began, or took longer than the time between");
    }
    if evidence.now.is_some_and(|now| from > now.after(std::time::Duration::from_mins(5))) {
        return Check::new("times", Outcome::Failed, "it began in the future");
    }
    Check::new("times", Outcome::Passed, format!("from {from} to {until}"))
}

/// What was used was granted.
fn granted(receipt: &Receipt) -> Check {
    let granted = &receipt.permissions.granted;
    if receipt.exit.outcome == "lost" {
        return Check::new("permissions", Outcome::NotChecked, "what it used is not known, as what held it was lost");
    }
    let mut used = Vec::new();
    for connection in receipt.connections.iter().filter(|connection| connection.decision == "granted") {
        if !granted.allows(&connection.host, connection.port) {
            let detail = format!("it connected to {}:{}, which was not granted", connection.host, connection.port);
            return Check::new("permissions", Outcome::Failed, detail);
        }
        let name = format!("{}:{}", connection.host, connection.port);
        if !used.contains(&name) {
            used.push(name);
        }
    }
    for total in receipt.connection_totals.iter().filter(|total| total.decision == "granted") {
        let place = total.destination.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        if !place.is_some_and(|(host, port)| granted.allows(host, port)) {
            let detail = format!("it connected to {}, which was not granted", total.destination);
            return Check::new("permissions", Outcome::Failed, detail);
        }
        if !used.contains(&total.destination) {
            used.push(total.destination.clone());
        }
    }
    let mut told = receipt.permissions.network_used.clone();
    told.sort();
    used.sort();
    if told != used {
        return Check::new(
            "permissions",
            Outcome::Failed,
            "what it says of used permissions is not what its connections say",
        );
    }
    if receipt.resources.wall_ms > granted.wall_ms.saturating_add(5_000) && receipt.exit.outcome != "time_limit" {
        return Check::new("permissions", Outcome::Failed, "it took longer than was granted");
    }
    Check::new("permissions", Outcome::Passed, "nothing was used that was not granted")
}

fn bytes(receipt: &Receipt, evidence: &Evidence) -> Check {
    match evidence.skill {
        None => Check::new("skill", Outcome::NotChecked, format!("the bytes of {} were not given", receipt.skill.name)),
        Some(digest) if digest == receipt.skill.digest => {
            Check::new("skill", Outcome::Passed, "these are the bytes that ran")
        }
        Some(digest) => Check::new(
            "skill",
            Outcome::Failed,
            format!("the bytes given are {digest}, it ran {}", receipt.skill.digest),
        ),
    }
}

fn overlay(receipt: &Receipt, evidence: &Evidence) -> Check {
    match (&receipt.overlay, evidence.overlay) {
        (None, _) => Check::new("overlay", Outcome::Passed, "no overlay was in force"),
        (Some(overlay), None) => {
            Check::new("overlay", Outcome::NotChecked, format!("version {} of the overlay is not here", overlay.number))
        }
        (Some(overlay), Some(digest)) if overlay.digest == digest => {
            Check::new("overlay", Outcome::Passed, format!("version {} of the operator's overlay", overlay.number))
        }
        (Some(overlay), Some(_)) => Check::new(
            "overlay",
            Outcome::NotChecked,
            format!("the overlay here is another one than version {}", overlay.number),
        ),
    }
}

/// Each given file is one that went in or came out; what was not given is named.
fn files(receipt: &Receipt, evidence: &Evidence) -> Vec<Check> {
    let sides = [("in", &receipt.inputs), ("out", &receipt.outputs)];
    let sealed: Vec<(&str, &Sealed)> =
        sides.iter().flat_map(|(side, list)| list.iter().map(move |one| (*side, one))).collect();
    let Some(salts) = &evidence.salts else {
        let detail = format!("{} inputs and outputs are sealed, and their salts are not here", sealed.len());
        return vec![Check::new("files", Outcome::NotChecked, detail)];
    };
    let mut checks = Vec::new();
    for (name, digest) in &evidence.files {
        let last = name.rsplit('/').next().unwrap_or(name);
        let fits = |(side, one): &&(&str, &Sealed)| salts.opens(side, one, digest) == Some(true);
        checks.push(match sealed.iter().find(fits) {
            Some((side, one)) => {
                let way = if *side == "in" { "went in" } else { "came out" };
                Check::new("files", Outcome::Passed, format!("{last} {way} as `{}`", one.name))
            }
            None => Check::new("files", Outcome::Failed, format!("{last} neither went in nor came out")),
        });
    }
    if evidence.files.is_empty() {
        let detail = format!("none of {} inputs and outputs was given", sealed.len());
        checks.push(Check::new("files", Outcome::NotChecked, detail));
    }
    checks
}
