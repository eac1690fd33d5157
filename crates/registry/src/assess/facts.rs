//! From rows and reports to the facts that a policy asks about.

use std::collections::BTreeSet;

use kontor_access::policy::{Actor, VersionFacts};
use kontor_db::assessments::Subject;
use kontor_db::members::Candidate;
use kontor_db::reviews::ReviewState;
use kontor_db::scan_reports::{ScanReport, Severity, Verdict};
use kontor_scan::Report;
use kontor_types::{Digest, Handle, Timestamp};

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// A report as it is kept.
pub(super) fn stored(report: &Report, digest: Digest, now: Timestamp) -> Option<ScanReport> {
    Some(ScanReport {
        digest,
        rules: Digest::from_hex(&report.rules).ok()?,
        verdict: verdict(report.verdict),
        severity: severity(report.severity),
        report: serde_json::to_value(report).ok()?,
        scanned_at: now,
    })
}

const fn verdict(verdict: kontor_scan::Verdict) -> Verdict {
    match verdict {
        kontor_scan::Verdict::Clean => Verdict::Clean,
        kontor_scan::Verdict::Incomplete => Verdict::Incomplete,
        kontor_scan::Verdict::Suspicious => Verdict::Suspicious,
        kontor_scan::Verdict::Malicious => Verdict::Malicious,
    }
}

const fn severity(severity: kontor_scan::Severity) -> Severity {
    match severity {
        kontor_scan::Severity::None => Severity::None,
        kontor_scan::Severity::Info => Severity::Info,
        kontor_scan::Severity::Low => Severity::Low,
        kontor_scan::Severity::Medium => Severity::Medium,
        kontor_scan::Severity::High => Severity::High,
        kontor_scan::Severity::Critical => Severity::Critical,
    }
}

/// The report as the scanner wrote it; a kept one that a newer program wrote otherwise says as little as it can.
pub(super) fn report(stored: &ScanReport) -> Option<Report> {
    serde_json::from_value(stored.report.clone()).ok()
}

/// Who published a version; the hub, where no person did.
pub(super) fn author(subject: &Subject) -> Actor {
    Actor {
        handle: subject.author_handle.as_ref().map(ToString::to_string).unwrap_or_default(),
        hub: subject.author.is_none(),
        administrator: subject.author_administers,
        organisations: subject.author_role.map(|_| subject.publisher.to_string()).into_iter().collect(),
        role: subject.author_role.map_or("none", kontor_types::Role::as_str).to_owned(),
        author: true,
    }
}

/// Somebody who may be asked to decide about a version.
pub(super) fn reviewer(subject: &Subject, person: &Candidate) -> Actor {
    Actor {
        handle: person.handle.to_string(),
        administrator: person.administrator,
        organisations: person.role.map(|_| subject.publisher.to_string()).into_iter().collect(),
        role: person.role.map_or("none", kontor_types::Role::as_str).to_owned(),
        ..Actor::default()
    }
}

/// What is known of a version at this moment.
pub(super) fn version(subject: &Subject, scan: &ScanReport, now: Timestamp) -> VersionFacts {
    let report = report(scan);
    let days = |since: Timestamp| i64::try_from(now.since(since).as_secs() / DAY).unwrap_or(i64::MAX);
    let of_origin = |key: &str| {
        let origin = subject.origin.as_ref()?;
        origin.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (review, approvals) = review(subject, scan.severity);
    let capabilities = report.as_ref().map(|report| report.capabilities.clone()).unwrap_or_default();
    let serious = |report: &Report| {
        let findings = report.findings.iter().filter(|one| one.waived.is_none());
        findings.filter(|one| one.severity >= kontor_scan::Severity::Medium).map(|one| one.rule.clone()).collect()
    };
    VersionFacts {
        publisher: subject.publisher.to_string(),
        publisher_kind: subject.publisher_kind.to_string(),
        publisher_age_days: days(subject.publisher_since),
        skill: subject.slug.to_string(),
        number: subject.number.to_string(),
        visibility: subject.visibility.to_string(),
        verdict: scan.verdict.to_string(),
        severity: scan.severity as i64,
        // A report that cannot be read tells nothing of what was examined.
        complete: report.as_ref().is_some_and(Report::read_completely),
        rules: report.as_ref().map(serious).unwrap_or_default(),
        detonated: report.as_ref().map_or("no", detonated).to_owned(),
        run_findings: report.as_ref().map(run_findings).unwrap_or_default(),
        network: capabilities.network,
        exec: capabilities.exec,
        writes: capabilities.writes,
        secrets: capabilities.secrets,
        agent_configuration: capabilities.agent_configuration,
        downloads: capabilities.downloads,
        license: subject.license.clone().unwrap_or_default(),
        manifest: subject.has_manifest,
        signer: signer(subject).map(ToString::to_string).unwrap_or_default(),
        signature: signature(subject).to_owned(),
        origin: of_origin("kind").unwrap_or_else(|| "publish".to_owned()),
        source: of_origin("url").unwrap_or_default(),
        age_days: days(subject.created_at),
        review: review.to_owned(),
        approvals,
        copy_of: subject.copy_of.clone().unwrap_or_default(),
        likeness: subject
            .copy_of
            .as_ref()
            .and(subject.likeness)
            .and_then(|share| i64::try_from(share).ok())
            .unwrap_or(0),
        payload_changed: subject.copy_of.as_ref().and(subject.gained.clone()).unwrap_or_default().into_iter().collect(),
        looks_like: subject.looks_like.clone().unwrap_or_default(),
    }
}

/// Whether it was run: no, complete, partly, failed.
fn detonated(report: &Report) -> &'static str {
    match &report.detonation {
        None => "no",
        Some(ran) if ran.failed.is_some() => "failed",
        Some(ran) if ran.not_run.is_empty() => "complete",
        Some(_) => "partly",
    }
}

/// The rules of running it that found something of medium or worse.
fn run_findings(report: &Report) -> BTreeSet<String> {
    let findings = report.findings.iter().filter(|one| one.waived.is_none() && one.rule.starts_with("run."));
    findings.filter(|one| one.severity >= kontor_scan::Severity::Medium).map(|one| one.rule.clone()).collect()
}

/// Whether what was found in the bytes differs from what was kept with a decision.
pub(super) fn tell_otherwise(kept: &serde_json::Value, now: &VersionFacts) -> bool {
    let Ok(kept) = serde_json::from_value::<VersionFacts>(kept.clone()) else { return true };
    let found = |facts: &VersionFacts| VersionFacts {
        publisher_age_days: 0,
        age_days: 0,
        review: String::new(),
        approvals: 0,
        ..facts.clone()
    };
    found(&kept) != found(now)
}

/// Whether its signature counts: none, valid, revoked. A key is revoked from a moment on, and the hub's own clock says what
/// it took before.
fn signature(subject: &Subject) -> &'static str {
    match (subject.signed_at, subject.signer_revoked_from) {
        (None, _) => "none",
        (Some(taken), Some(from)) if taken >= from => "revoked",
        (Some(_), _) => "valid",
    }
}

/// Whose key signed it, if the signature counts.
fn signer(subject: &Subject) -> Option<&Handle> {
    subject.signer.as_ref().filter(|_| signature(subject) == "valid")
}

/// What people said, as far as it covers what was found since.
fn review(subject: &Subject, severity: Severity) -> (&'static str, i64) {
    // Who approved it before its key was revoked did so in the belief that the publisher had signed it.
    let still = signature(subject) != "revoked" || subject.approvals > 0;
    let covers = still && subject.reviewed_severity.is_some_and(|accepted| accepted >= severity);
    match subject.review {
        Some(ReviewState::Approved) if covers => ("approved", subject.approvals),
        Some(ReviewState::Open) if covers && subject.approvals > 0 => ("approved", subject.approvals),
        Some(ReviewState::Open) => ("open", 0),
        Some(ReviewState::Changes) => ("changes", 0),
        Some(ReviewState::Rejected) => ("rejected", 0),
        Some(ReviewState::Approved | ReviewState::Settled) | None => ("none", 0),
    }
}
