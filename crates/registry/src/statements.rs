//! What the registry says of versions in the transparency log.

use kontor_db::assessments::Subject;
use kontor_db::decisions::Decision;
use kontor_db::scan_reports::ScanReport;
use kontor_translog::Said;
use kontor_types::{Digest, Timestamp};
use serde_json::{Map, Value, json};

use crate::lookup::Found;
use crate::release::{Published, Release, full_name};

/// The predicate that others read too: how the bytes came about.
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// How a hub makes the bytes: it packs the files that it was given into their canonical form.
const BUILD: &str = "urn:kontor:build:canonical-archive:v1";

/// That a version was published, by whom, and where its bytes came from.
pub(crate) fn published(release: &Release, published: &Published) -> Said {
    let mut parameters = Map::new();
    parameters.insert("publisher".to_owned(), json!(published.publisher));
    parameters.insert("skill".to_owned(), json!(published.slug));
    parameters.insert("version".to_owned(), json!(published.number));
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

/// What was found in a version and decided about it, by which rules and which policy.
pub(crate) fn decided(subject: &Subject, scan: &ScanReport, decision: &Decision) -> Said {
    let predicate = json!({
        "outcome": decision.outcome.as_str(),
        "reasons": decision.reasons,
        "cause": decision.cause,
        "policy": decision.policy,
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
pub(crate) fn changed(action: &str, reason: Option<&str>, found: &Found, now: Timestamp) -> Said {
    let kind = action.strip_prefix("version.").unwrap_or(action);
    let reason = reason.filter(|reason| !reason.is_empty());
    let predicate = json!({ "action": kind, "reason": reason, "at": now });
    Said::of_version(kind, found.reference().to_string(), found.version.digest, found.version.id, predicate)
}
