//! Scans, decisions and reviews as the native API shows them.

use kontor_registry::{Assessment, DecisionOutcome, Found, NoteKind, Review, ReviewNote, ReviewState, Verdict};
use kontor_types::{SkillRef, VersionSelector};
use kontor_wire as wire;

use super::skill_shapes as shapes;

/// Most findings that are told of one version.
const MOST_FINDINGS: usize = 200;

pub(super) const fn outcome(outcome: DecisionOutcome) -> wire::Outcome {
    match outcome {
        DecisionOutcome::Admit => wire::Outcome::Admit,
        DecisionOutcome::Review => wire::Outcome::Review,
        DecisionOutcome::Quarantine => wire::Outcome::Quarantine,
        DecisionOutcome::Reject => wire::Outcome::Reject,
    }
}

pub(super) const fn verdict(verdict: Verdict) -> wire::Verdict {
    match verdict {
        Verdict::Clean => wire::Verdict::Clean,
        Verdict::Incomplete => wire::Verdict::Incomplete,
        Verdict::Suspicious => wire::Verdict::Suspicious,
        Verdict::Malicious => wire::Verdict::Malicious,
    }
}

pub(super) const fn review_state(state: ReviewState) -> wire::ReviewState {
    match state {
        ReviewState::Open => wire::ReviewState::Open,
        ReviewState::Approved => wire::ReviewState::Approved,
        ReviewState::Changes => wire::ReviewState::Changes,
        ReviewState::Rejected => wire::ReviewState::Rejected,
        ReviewState::Settled => wire::ReviewState::Settled,
    }
}

pub(super) const fn asked_state(state: wire::ReviewState) -> ReviewState {
    match state {
        wire::ReviewState::Open => ReviewState::Open,
        wire::ReviewState::Approved => ReviewState::Approved,
        wire::ReviewState::Changes => ReviewState::Changes,
        wire::ReviewState::Rejected => ReviewState::Rejected,
        wire::ReviewState::Settled => ReviewState::Settled,
    }
}

const fn deed(kind: NoteKind) -> wire::ReviewDeed {
    match kind {
        NoteKind::Claim => wire::ReviewDeed::Claim,
        NoteKind::Release => wire::ReviewDeed::Release,
        NoteKind::Comment => wire::ReviewDeed::Comment,
        NoteKind::Approve => wire::ReviewDeed::Approve,
        NoteKind::Reject => wire::ReviewDeed::Reject,
        NoteKind::Changes => wire::ReviewDeed::Changes,
        NoteKind::Appeal => wire::ReviewDeed::Appeal,
    }
}

pub(super) const fn asked_deed(deed: wire::ReviewDeed) -> NoteKind {
    match deed {
        wire::ReviewDeed::Claim => NoteKind::Claim,
        wire::ReviewDeed::Release => NoteKind::Release,
        wire::ReviewDeed::Comment => NoteKind::Comment,
        wire::ReviewDeed::Approve => NoteKind::Approve,
        wire::ReviewDeed::Reject => NoteKind::Reject,
        wire::ReviewDeed::Changes => NoteKind::Changes,
        wire::ReviewDeed::Appeal => NoteKind::Appeal,
    }
}

/// The policies that led to a decision, as they were kept.
pub(crate) fn reasons(kept: &serde_json::Value) -> Vec<wire::PolicyReason> {
    serde_json::from_value(kept.clone()).unwrap_or_default()
}

/// The policies that led to a decision of now.
pub(super) fn reasons_now(reasons: Vec<kontor_access::policy::Reason>) -> Vec<wire::PolicyReason> {
    reasons.into_iter().map(|reason| wire::PolicyReason { policy: reason.policy, text: reason.text }).collect()
}

/// What was found in a version and decided about it; `most` findings of it.
pub(super) fn assessment(found: &Found, of: Assessment, most: usize) -> wire::Assessment {
    let scan = of.scan.as_ref();
    let decision = of.decision.as_ref();
    let most = most.min(MOST_FINDINGS);
    let (findings, unexamined, capabilities) = match of.report {
        Some(report) => (
            report.findings.into_iter().filter(|one| one.waived.is_none()).take(most).map(finding).collect(),
            report.unexamined.into_iter().take(most).map(|one| format!("{}: {}", one.file, one.reason)).collect(),
            serde_json::to_value(&report.capabilities).ok(),
        ),
        None => (Vec::new(), Vec::new(), None),
    };
    wire::Assessment {
        reference: shapes::reference(&found.skill),
        version: found.version.number.clone(),
        digest: found.version.digest,
        state: shapes::state(found.version.state),
        verdict: scan.map(|scan| verdict(scan.verdict)),
        severity: scan.map(|scan| scan.severity.to_string()),
        findings,
        unexamined,
        capabilities,
        scanned_at: scan.map(|scan| scan.scanned_at),
        rules: scan.map(|scan| scan.rules),
        outcome: decision.map(|decision| outcome(decision.outcome)),
        reasons: decision.map(|decision| reasons(&decision.reasons)).unwrap_or_default(),
        decided_at: decision.map(|decision| decision.created_at),
        failure: of.failed.and_then(|failed| failed.error),
        review: of.review.map(review_state),
        notes: Vec::new(),
    }
}

fn finding(finding: kontor_registry::ScanFinding) -> wire::ScanFinding {
    wire::ScanFinding {
        rule: finding.rule,
        severity: finding.severity.to_string(),
        file: finding.file,
        line: finding.line,
        column: finding.column,
        message: finding.message,
        excerpt: finding.excerpt,
        why: finding.why,
        remedy: finding.remedy,
    }
}

pub(super) fn review(review: Review) -> wire::Review {
    let mut reference = SkillRef::new(review.publisher, review.slug);
    reference.version = Some(VersionSelector::Exact(review.number));
    wire::Review {
        id: review.id,
        reference,
        digest: review.digest,
        state: review_state(review.state),
        outcome: outcome(review.outcome),
        severity: review.severity.to_string(),
        author: review.author_handle,
        claimed_by: review.claimed_by_handle,
        opened_at: review.opened_at,
        closed_at: review.closed_at,
    }
}

pub(super) fn note(note: ReviewNote) -> wire::ReviewNote {
    wire::ReviewNote { person: note.person, kind: deed(note.kind), text: note.text, at: note.created_at }
}
