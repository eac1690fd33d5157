//! What the hub found in a version and decided about it, in the words of ClawHub clients.
//!
//! `pass` is said only of what was admitted and is clean. What was admitted all the same (by an open policy, or because a
//! person approved it) or was withdrawn since asks the user to look; what is held, in quarantine, rejected or signed with a
//! revoked key is blocked.

use std::fmt::Write as _;

use kontor_access::Caller;
use kontor_access::policy::{Action, Reason};
use kontor_db::versions::Version;
use kontor_registry::{Assessment, DecisionOutcome, Found, ReviewState, ScanFinding, Verdict, VersionState};
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::Hub;

/// Most findings that are told.
const MOST: usize = 50;

/// A version with what is known of it.
pub struct Judged {
    state: VersionState,
    /// Why it was withdrawn, if it was.
    withdrawn: Option<String>,
    /// Whether the key that signed it was revoked.
    distrusted: bool,
    assessment: Assessment,
    /// The policies that forbid its asker to install it, though it was admitted.
    forbidden: Option<Vec<Reason>>,
}

/// What a client shall do with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Install it.
    Pass,
    /// Ask the user.
    Review,
    /// Leave it.
    Blocked,
}

impl Advice {
    /// The word in verdicts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Blocked => "blocked",
        }
    }
}

impl Judged {
    /// Reads what is known of a version.
    pub async fn read(hub: &Hub, version: &Version) -> Result<Self, Refusal> {
        let assessment = hub.app.registry.assessment(version).await.map_err(|error| Refusal::of(hub, error))?;
        let withdrawn = version.yanked_at.map(|_| version.yank_reason.clone().unwrap_or_default());
        let distrusted = version.signature().is_some_and(|signature| !signature.counts());
        Ok(Self { state: version.state, withdrawn, distrusted, assessment, forbidden: None })
    }

    /// The same for somebody who would install it.
    pub async fn read_for(hub: &Hub, caller: &Caller, found: &Found) -> Result<Self, Refusal> {
        let mut judged = Self::read(hub, &found.version).await?;
        if judged.state == VersionState::Visible {
            let asked = hub.app.registry.permission(caller, Action::Install, found).await;
            judged.forbidden = asked.map_err(|error| Refusal::of(hub, error))?.err();
        }
        Ok(judged)
    }

    fn verdict(&self) -> Option<Verdict> {
        self.assessment.scan.as_ref().map(|scan| scan.verdict)
    }

    /// Whether the policy forbids whoever asked to install it.
    pub const fn is_forbidden(&self) -> bool {
        self.forbidden.is_some()
    }

    fn was_approved(&self) -> bool {
        self.assessment.review == Some(ReviewState::Approved)
    }

    /// What a client shall do.
    pub fn advice(&self) -> Advice {
        match (self.state, self.verdict()) {
            _ if self.forbidden.is_some() || self.distrusted => Advice::Blocked,
            (VersionState::Visible, Some(Verdict::Clean)) if self.withdrawn.is_none() => Advice::Pass,
            (VersionState::Visible, _) => Advice::Review,
            _ => Advice::Blocked,
        }
    }

    /// The verdict about the bytes in one word.
    pub fn status(&self) -> &'static str {
        match (self.state, self.verdict()) {
            (VersionState::Pending, _) | (_, None) => "pending",
            (VersionState::Visible, Some(Verdict::Suspicious | Verdict::Malicious)) if self.was_approved() => {
                "reviewed"
            }
            (_, Some(verdict)) => verdict.as_str(),
        }
    }

    /// Why it does not pass, as codes; none when it does.
    pub fn reasons(&self) -> Vec<String> {
        if self.advice() == Advice::Pass {
            return Vec::new();
        }
        let mut reasons = vec![format!("scan.{}", self.status())];
        if self.withdrawn.is_some() {
            reasons.push("version.withdrawn".to_owned());
        }
        if self.distrusted {
            reasons.push("signer.revoked.blocked".to_owned());
        }
        match self.state {
            VersionState::Pending => reasons.push("decision.pending.blocked".to_owned()),
            VersionState::Held | VersionState::Rejected => {
                let outcome = self.assessment.decision.as_ref().map_or("held", |decision| decision.outcome.as_str());
                reasons.push(format!("decision.{outcome}.blocked"));
            }
            VersionState::Visible if self.was_approved() => reasons.push("review.approved".to_owned()),
            VersionState::Visible => {}
        }
        if let Some(forbidden) = &self.forbidden {
            reasons.push("policy.install.blocked".to_owned());
            reasons.extend(forbidden.iter().map(|reason| format!("policy.{}", reason.policy)));
        }
        reasons.extend(self.findings().take(5).map(|finding| finding.rule.clone()));
        reasons
    }

    /// Findings that somebody should know, worst first.
    fn findings(&self) -> impl Iterator<Item = &ScanFinding> {
        let report = self.assessment.report.iter();
        let findings = report.flat_map(|report| report.findings.iter()).filter(|finding| finding.waived.is_none());
        findings.filter(|finding| !["none", "info", "low"].contains(&finding.severity.word()))
    }

    /// What people read.
    pub fn overview(&self) -> String {
        if let Some(failed) = self.failure() {
            return format!("This version could not be scanned and was not decided: {failed}.");
        }
        let said = match self.verdict() {
            None => return "This version waits to be scanned; nobody has judged its bytes yet.".to_owned(),
            Some(Verdict::Clean) => "The scanner of this hub examined every file and found no harm.",
            Some(Verdict::Incomplete) => "The scanner of this hub could not examine all of it.",
            Some(Verdict::Suspicious) => "The scanner of this hub found something that a person should look at.",
            Some(Verdict::Malicious) => "The scanner of this hub found harm.",
        };
        let mut text = said.to_owned();
        for finding in self.findings().take(3) {
            let _ = write!(text, " {}:{}: {}.", finding.file, finding.line, finding.message);
        }
        let decided = match (self.state, self.assessment.decision.as_ref().map(|decision| decision.outcome)) {
            (VersionState::Visible, _) if self.was_approved() => " A reviewer of this hub approved it.",
            (VersionState::Held, Some(DecisionOutcome::Quarantine)) => " It is in quarantine.",
            (VersionState::Held, _) => " It waits for a reviewer.",
            (VersionState::Rejected, _) => " It was rejected.",
            _ => "",
        };
        text.push_str(decided);
        if let Some(forbidden) = &self.forbidden {
            text.push_str(" The policy of this hub does not permit you to install it");
            for reason in forbidden {
                let _ = write!(text, ": {}", reason.text);
            }
            text.push('.');
        }
        if self.distrusted {
            text.push_str(" The key that signed it was revoked.");
        }
        match self.withdrawn.as_deref() {
            Some("") => text.push_str(" Its publisher has withdrawn it."),
            Some(reason) => {
                let _ = write!(text, " Its publisher has withdrawn it: {reason}.");
            }
            None => {}
        }
        text
    }

    /// Why its bytes could not be scanned.
    pub fn failure(&self) -> Option<&str> {
        self.assessment.failed.as_ref().and_then(|failed| failed.error.as_deref())
    }

    /// When its bytes were scanned, in milliseconds.
    pub fn checked_at(&self) -> Option<i64> {
        self.assessment.scan.as_ref().map(|scan| scan.scanned_at.millis())
    }

    /// The verdict about the bytes.
    pub fn security(&self) -> Value {
        let scan = self.assessment.scan.as_ref();
        json!({
            "status": self.status(),
            "passed": self.advice() == Advice::Pass,
            "hasScanResult": scan.is_some(),
            "checkedAt": self.checked_at(),
            "signals": {
                "staticScan": self.static_analysis(),
                "virusTotal": null,
                "skillSpector": null,
                "dependencyRegistry": null,
            },
        })
    }

    /// What the scanner found.
    pub fn static_analysis(&self) -> Value {
        let Some(scan) = &self.assessment.scan else { return Value::Null };
        json!({
            "status": scan.verdict.as_str(),
            "severity": scan.severity.as_str(),
            "reasonCodes": self.findings().map(|finding| finding.rule.as_str()).take(MOST).collect::<Vec<_>>(),
            "summary": self.overview(),
            "engineVersion": self.engine(),
            "checkedAt": scan.scanned_at.millis(),
            "findings": self.findings().take(MOST).map(|finding| json!({
                "code": finding.rule,
                "severity": finding.severity,
                "file": finding.file,
                "line": finding.line,
                "message": finding.message,
                "remediation": finding.remedy,
            })).collect::<Vec<_>>(),
        })
    }

    fn engine(&self) -> Option<String> {
        self.assessment.scan.as_ref().map(|scan| format!("kontor-scan {}", scan.rules.short(12)))
    }

    /// What `inspect` shows, and what an install asks first; nothing while nothing is known.
    pub fn moderation(&self) -> Value {
        let (Some(scan), advice) = (&self.assessment.scan, self.advice()) else { return Value::Null };
        let approved = advice == Advice::Review && self.was_approved();
        let evidence = self.findings().take(MOST).map(|finding| {
            let level = match finding.severity.word() {
                "critical" | "high" => "critical",
                "medium" => "warn",
                _ => "info",
            };
            json!({
                "code": finding.rule,
                "severity": level,
                "file": finding.file,
                "line": finding.line,
                "message": finding.message,
                "evidence": finding.excerpt,
            })
        });
        json!({
            "isSuspicious": advice == Advice::Review && !approved,
            "isMalwareBlocked": advice == Advice::Blocked && scan.verdict == Verdict::Malicious,
            "verdict": match scan.verdict {
                Verdict::Clean => "clean",
                Verdict::Incomplete | Verdict::Suspicious => "suspicious",
                Verdict::Malicious => "malicious",
            },
            "reasonCodes": self.reasons(),
            "updatedAt": scan.scanned_at.millis(),
            "engineVersion": self.engine(),
            "summary": self.overview(),
            "legacyReason": null,
            "evidence": evidence.collect::<Vec<_>>(),
        })
    }
}
