//! What the registry says of versions in the transparency log.

use kontor_access::Caller;
use kontor_crypto::{Envelope, Statement};
use kontor_db::assessments::Subject;
use kontor_db::decisions::Decision;
use kontor_db::publisher_keys::PublisherKey;
use kontor_db::reviews::{NoteKind, Review};
use kontor_db::scan_reports::ScanReport;
use kontor_db::skills::Skill;
use kontor_db::{Tx, versions};
use kontor_translog::{Notary, Said, json_digest};
use kontor_types::{Digest, Handle, ReviewNoteId, Timestamp};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::lookup::Found;
use crate::release::{Published, Release, full_name};

/// The predicate that others read too: how the bytes came about.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// The kind of statements about scans.
pub(crate) const SCAN: &str = "scan";
/// Most findings, and most files that were not examined, that a statement lists; the report's digest covers all.
const LISTED: usize = 200;
/// How a hub makes the bytes: it packs the files that it was given into their canonical form.
const BUILD: &str = "urn:kontor:build:canonical-archive:v1";

/// That a version was published, by whom, and where its bytes came from.
pub(crate) fn published(release: &Release, published: &Published, key: Option<&str>) -> Said {
    let mut parameters = Map::new();
    parameters.insert("publisher".to_owned(), json!(published.publisher));
    parameters.insert("skill".to_owned(), json!(published.slug));
    parameters.insert("version".to_owned(), json!(published.number));
    parameters.insert("by".to_owned(), by(&release.caller));
    if let Some(key) = key {
        parameters.insert("signed_with".to_owned(), json!(key));
    }
    if let Some(source) = &release.origin {
        parameters.insert("source".to_owned(), source.clone());
    }
    let predicate = json!({
        "buildDefinition": {
            "buildType": BUILD,
            "externalParameters": parameters,
            "resolvedDependencies": dependencies(release.origin.as_ref()),
        },
        "runDetails": {
            "builder": { "id": format!("urn:kontor:hub:{}", release.notary.hub()) },
            "metadata": { "finishedOn": release.now },
        },
    });
    let name = published.reference().to_string();
    Said::of_version("publish", name, published.digest, published.version_id, predicate).as_type(PROVENANCE)
}

/// That a version was published before the log existed, as the hub's records have it.
pub(crate) fn published_before(subject: &Subject, hub: &str, now: Timestamp) -> Said {
    let mut parameters = Map::new();
    parameters.insert("publisher".to_owned(), json!(subject.publisher));
    parameters.insert("skill".to_owned(), json!(subject.slug));
    parameters.insert("version".to_owned(), json!(subject.number));
    parameters.insert("by".to_owned(), json!(subject.author_handle));
    if let Some(source) = &subject.origin {
        parameters.insert("source".to_owned(), source.clone());
    }
    let predicate = json!({
        "buildDefinition": {
            "buildType": BUILD,
            "externalParameters": parameters,
            "internalParameters": { "backfilled": now },
            "resolvedDependencies": dependencies(subject.origin.as_ref()),
        },
        "runDetails": {
            "builder": { "id": format!("urn:kontor:hub:{hub}") },
            "metadata": { "finishedOn": subject.created_at },
        },
    });
    let name = full_name(&subject.publisher, &subject.slug, &subject.number).to_string();
    Said::of_version("publish", name, subject.digest, subject.id, predicate).as_type(PROVENANCE)
}

/// That a version was withdrawn or hidden before the log could say it.
pub(crate) fn withdrawn(kind: &str, reason: Option<&str>, subject: &Subject, at: Timestamp) -> Said {
    let reason = reason.filter(|reason| !reason.is_empty());
    let predicate = json!({ "action": kind, "reason": reason, "at": at });
    let name = full_name(&subject.publisher, &subject.slug, &subject.number).to_string();
    Said::of_version(kind, name, subject.digest, subject.id, predicate)
}

/// What the bytes were made from, as far as the source says it; a commit is its digest.
fn dependencies(origin: Option<&Value>) -> Vec<Value> {
    let text = |key: &str| origin.and_then(|origin| origin.get(key)).and_then(Value::as_str);
    let Some(url) = text("url") else { return Vec::new() };
    let mut dependency = json!({ "uri": url });
    if let Some(commit) = text("commit") {
        dependency["digest"] = json!({ "gitCommit": commit });
    }
    vec![dependency]
}

/// Who does something; nobody stands for the hub itself.
fn by(caller: &Caller) -> Value {
    json!(caller.person.as_ref().map(|(_, handle)| handle))
}

/// A scan's report as it is told: without the name under which the content was scanned first, which may be another's.
pub(crate) fn report(scan: &ScanReport) -> Value {
    let mut report = scan.report.clone();
    if let Some(entries) = report.as_object_mut() {
        entries.shift_remove("path");
    }
    report
}

/// What a scan found in a version.
pub(crate) fn scanned(subject: &Subject, scan: &ScanReport) -> Said {
    let report = report(scan);
    let part = |key: &str| report.get(key).cloned().unwrap_or_default();
    let (findings, more) = listed(&report, "findings", &["rule", "severity", "file", "line", "message"]);
    let (unexamined, more_unexamined) = listed(&report, "unexamined", &["file", "reason"]);
    let predicate = json!({
        "verdict": scan.verdict.as_str(),
        "severity": scan.severity.as_str(),
        "complete": part("complete"),
        "rules": scan.rules,
        "report": json_digest(&report),
        "files": part("files"),
        "findings": findings,
        "more_findings": more,
        "unexamined": unexamined,
        "more_unexamined": more_unexamined,
        "capabilities": part("capabilities"),
        "at": scan.scanned_at,
    });
    let name = full_name(&subject.publisher, &subject.slug, &subject.number).to_string();
    Said::of_version(SCAN, name, subject.digest, subject.id, predicate)
}

/// The first entries of a list in a report with these keys of each, and how many more there are.
fn listed(report: &Value, list: &str, keys: &[&str]) -> (Vec<Value>, usize) {
    let items = report.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let chosen = |item: &Value| {
        let entries = keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(*key)?.clone())));
        Value::Object(entries.collect())
    };
    (items.iter().take(LISTED).map(chosen).collect(), items.len().saturating_sub(LISTED))
}

/// Whether a statement about a scan is about this very report.
pub(crate) fn is_of_report(statement: &[u8], scan: &ScanReport) -> bool {
    let said = Envelope::parse(statement).and_then(|envelope| Statement::parse(&envelope.payload()?));
    let Ok(said) = said else { return false };
    let told = said.predicate.get("report").and_then(Value::as_str);
    told == Some(json_digest(&report(scan)).to_string().as_str())
}

/// A deed in a review.
pub(crate) struct ReviewDeed<'a> {
    pub note: ReviewNoteId,
    pub kind: NoteKind,
    pub text: &'a str,
    pub by: Option<&'a Handle>,
    /// Whether they acted as an administrator, where that is known.
    pub administrator: Option<bool>,
    pub at: Timestamp,
}

/// What a person decided in a review, or that the publisher appealed; other deeds in a review decide nothing.
///
/// What was said with it is there as a digest over the note's id, which nobody can guess, and the words.
pub(crate) fn reviewed(review: &Review, deed: &ReviewDeed<'_>) -> Option<Said> {
    if !matches!(deed.kind, NoteKind::Approve | NoteKind::Reject | NoteKind::Changes | NoteKind::Appeal) {
        return None;
    }
    let predicate = json!({
        "decision": deed.kind.as_str(),
        "by": deed.by,
        "administrator": deed.administrator,
        "comment": (!deed.text.is_empty()).then(|| comment(deed.note, deed.text)),
        "review": review.id,
        "severity": review.severity.as_str(),
        "at": deed.at,
    });
    let name = full_name(&review.publisher, &review.slug, &review.number).to_string();
    Some(Said::of_version("review", name, review.digest, review.version_id, predicate))
}

/// What stands in the log for words that not everybody may read.
pub(crate) fn comment(note: ReviewNoteId, text: &str) -> Digest {
    Digest::of(format!("{note}\n{text}").as_bytes())
}

/// Something done to a whole skill.
pub(crate) struct Deed<'a> {
    /// As the trail names it: `skill.delete`.
    pub action: &'a str,
    pub detail: Value,
    pub caller: &'a Caller,
}

/// Says of every version of a skill what was done to the skill, under the name that it had before.
///
/// Each version has a statement of its own, so that who may see one version learns nothing of another.
pub(crate) async fn of_skill(
    tx: &mut Tx,
    notary: &Notary,
    skill: &Skill,
    deed: &Deed<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    let action = deed.action.strip_prefix("skill.").unwrap_or(deed.action);
    let predicate = json!({ "action": action, "detail": deed.detail, "by": by(deed.caller), "at": now });
    for version in versions::all(tx, skill.id).await? {
        let name = full_name(&skill.publisher, &skill.slug, &version.number).to_string();
        let said = Said::of_version("skill", name, version.digest, version.id, predicate.clone());
        notary.append(tx, said, now).await?;
    }
    Ok(())
}

/// What was found in a version and decided about it, by which rules, which policy and which facts.
pub(crate) fn decided(subject: &Subject, scan: &ScanReport, decision: &Decision) -> Said {
    let predicate = json!({
        "outcome": decision.outcome.as_str(),
        "reasons": decision.reasons,
        "cause": decision.cause,
        "policy": decision.policy,
        "facts": decision.facts,
        "scan": {
            "verdict": scan.verdict.as_str(),
            "severity": scan.severity.as_str(),
            "rules": scan.rules,
            "at": scan.scanned_at,
        },
        "at": decision.created_at,
    });
    let name = full_name(&subject.publisher, &subject.slug, &subject.number).to_string();
    Said::of_version("decision", name, subject.digest, subject.id, predicate)
}

/// That another policy is in force.
pub(crate) fn policy(name: &str, digest: Digest, before: Digest, now: Timestamp) -> Said {
    Said::of_bytes("policy", name, digest, json!({ "policy": digest, "before": before, "at": now }))
}

/// That a version was withdrawn, hidden, or brought back.
pub(crate) fn changed(action: &str, reason: Option<&str>, found: &Found, caller: &Caller, now: Timestamp) -> Said {
    let kind = action.strip_prefix("version.").unwrap_or(action);
    let reason = reason.filter(|reason| !reason.is_empty());
    let predicate = json!({ "action": kind, "reason": reason, "by": by(caller), "at": now });
    Said::of_version(kind, found.reference().to_string(), found.version.digest, found.version.id, predicate)
}

/// That a publisher holds a key from now on, and which key vouches for it.
pub(crate) fn key(publisher: &Handle, key: &PublisherKey, now: Timestamp) -> Said {
    let predicate = json!({
        "publisher": publisher,
        "key": key.key_id,
        "public_key": key.public_key,
        "created_at": key.created_at,
        "endorsed_by": key.endorsed_by,
        "endorsement": key.endorsement,
        "at": now,
    });
    Said::of_bytes("key", format!("@{publisher}"), key_digest(&key.public_key), predicate)
}

/// From when on nothing is to be believed that a key signed.
pub(crate) fn key_revoked(publisher: &Handle, key: &PublisherKey, now: Timestamp) -> Said {
    let predicate = json!({
        "publisher": publisher,
        "key": key.key_id,
        "public_key": key.public_key,
        "from": key.revoked_from,
        "reason": key.revoke_reason,
        "at": now,
    });
    Said::of_bytes("key_revoke", format!("@{publisher}"), key_digest(&key.public_key), predicate)
}

/// What statements about a key are about: its public half as it is written.
pub(crate) fn key_digest(public_key: &str) -> Digest {
    Digest::of(public_key.as_bytes())
}
