//! Whether a proof file says of bytes that they were published under a name and admitted.

use kontor_crypto::{Envelope, Statement, VerifyingKey};
use kontor_types::{Digest, Handle, SkillRef};
use serde_json::Value;

use crate::ProofFile;
use crate::signatures::{PROVENANCE, is_publishers};

const DECISION: &str = "urn:kontor:statement:decision:v1";
const DEED: &str = "urn:kontor:statement:skill:v1";

/// Requires that the hub has said of these bytes that they were published as `name`, or under a name that a logged rename or
/// transfer leads to it, that whoever signed them signed them under such a name, and that the last decision admitted them.
///
/// `name` is a full name with an exact version. `hub` are the hub's keys; `histories` are the names of its log's histories, the
/// oldest first. It is to be asked after [`crate::verify`], which checks that the statements were signed and logged.
///
/// # Errors
/// What is missing, for people.
pub fn require_admitted(
    file: &ProofFile,
    (name, digest): (&SkillRef, &Digest),
    hub: &[VerifyingKey],
    histories: &[String],
) -> Result<(), String> {
    let said = in_order(file, digest, hub, histories);
    let published = said.iter().filter(|said| said.predicate_type == PROVENANCE).filter_map(name_of);
    let mut lines: Vec<Vec<SkillRef>> = published.map(|first| names_from(first, &said)).collect();
    let Some(names) = lines.iter().position(|names| names.contains(name)).map(|place| lines.swap_remove(place)) else {
        let other = lines.first().and_then(|names| names.last());
        let other = other.map(|other| format!(", but as {other}")).unwrap_or_default();
        return Err(format!("the log does not say that these bytes were published as {name}{other}"));
    };
    for proven in file.statements.iter().filter(|proven| is_publishers(proven)) {
        let signed = opened(&proven.statement, None).and_then(|said| name_of(&said));
        if signed.as_ref().is_none_or(|signed| !names.contains(signed)) {
            let signed = signed.map_or_else(|| "something else".to_owned(), |signed| signed.to_string());
            return Err(format!("its publisher has signed {signed}, not {name}"));
        }
    }
    let mut decisions = said.iter().rev().filter(|said| said.predicate_type == DECISION);
    let last = decisions.find(|said| name_of(said).is_some_and(|about| names.contains(&about)));
    match last.and_then(|said| said.predicate.get("outcome")).and_then(Value::as_str) {
        Some("admit") => Ok(()),
        Some("reject" | "quarantine" | "review") => {
            Err("the last decision that the log has of it did not admit it".to_owned())
        }
        Some(_) => Err("the last decision that the log has of it is of an unknown kind".to_owned()),
        None => Err("the log has no decision that admitted it".to_owned()),
    }
}

/// The hub's statements about the bytes, in the order of the log.
fn in_order(file: &ProofFile, digest: &Digest, hub: &[VerifyingKey], histories: &[String]) -> Vec<Statement> {
    let mut placed: Vec<((usize, u64), Statement)> = Vec::new();
    for proven in &file.statements {
        let origin = proven.proof.checkpoint.lines().next().unwrap_or_default();
        let history = histories.iter().position(|history| history == origin);
        let said = opened(&proven.statement, Some(hub)).filter(|said| said.is_about(digest));
        placed.extend(history.zip(said).map(|(history, said)| ((history, proven.proof.index), said)));
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, said)| said).collect()
}

/// A statement; only one that a key of the hub has signed, when those are given.
fn opened(statement: &str, hub: Option<&[VerifyingKey]>) -> Option<Statement> {
    let envelope = Envelope::parse(statement.as_bytes()).ok()?;
    let payload = match hub {
        Some(keys) => envelope.verify(keys).ok()?.payload,
        None => envelope.payload().ok()?,
    };
    Statement::parse(&payload).ok()
}

fn name_of(said: &Statement) -> Option<SkillRef> {
    said.subject.first()?.name.parse().ok()
}

/// The name under which a version was published, and every one that it was given later, in this order.
fn names_from(first: SkillRef, said: &[Statement]) -> Vec<SkillRef> {
    let mut names = vec![first];
    for deed in said.iter().filter(|said| said.predicate_type == DEED) {
        let Some(now) = names.last().filter(|now| name_of(deed).as_ref() == Some(*now)) else { continue };
        let part = |pointer: &str| deed.predicate.pointer(pointer).and_then(Value::as_str);
        let next = match (part("/action"), part("/detail/to")) {
            (Some("rename"), Some(to)) => {
                to.parse().ok().map(|to: SkillRef| SkillRef { version: now.version.clone(), ..to })
            }
            (Some("transfer"), Some(to)) => {
                to.parse().ok().map(|to: Handle| SkillRef { publisher: Some(to), ..now.clone() })
            }
            _ => None,
        };
        names.extend(next);
    }
    names
}
