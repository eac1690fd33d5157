//! Writing a decision with everything that follows from it: every decision about a version passes [`Judge::decide`], and
//! each is a statement in the log.

use std::sync::Arc;

use kontor_access::policy::{Action, Decided, Policy, Reason};
use kontor_db::assessments::{self, Subject};
use kontor_db::decisions::{self, Decision, Outcome};
use kontor_db::notices::{Audience, Message, NoticeKind};
use kontor_db::reviews::{self, ReviewState};
use kontor_db::scan_reports::{self, ScanReport};
use kontor_db::versions::{self, VersionState};
use kontor_db::{Tx, log_entries, members, notices, policies, skills, tags};
use kontor_translog::Notary;
use kontor_types::{DecisionId, Digest, PersonId, SkillId, Timestamp};
use serde_json::json;

use super::alike::{self, Kin};
use super::{Examined, facts};
use crate::registry::announce;
use crate::release::{full_name, settle_latest};
use crate::webhooks::{self, EventKind};
use crate::{Error, statements};

/// What led to a decision.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub word: &'static str,
    pub person: Option<PersonId>,
    /// What that person gave as the reason.
    pub text: String,
}

impl Cause {
    /// A version was published.
    pub const fn publish() -> Self {
        Self { word: "publish", person: None, text: String::new() }
    }

    /// The rules or the policy changed.
    pub const fn catalogue() -> Self {
        Self { word: "catalogue", person: None, text: String::new() }
    }

    /// Somebody said something in a review.
    pub fn review(person: Option<PersonId>, text: &str) -> Self {
        Self { word: "review", person, text: text.to_owned() }
    }

    /// Whether somebody decided it by hand.
    fn is_review(&self) -> bool {
        self.word == "review" && self.person.is_some()
    }

    /// The skill was opened to more people.
    pub const fn visibility() -> Self {
        Self { word: "visibility", person: None, text: String::new() }
    }

    /// A key that signed it was revoked.
    pub const fn key() -> Self {
        Self { word: "key", person: None, text: String::new() }
    }

    /// The publisher asked for another look.
    pub const fn appeal(person: Option<PersonId>) -> Self {
        Self { word: "appeal", person, text: String::new() }
    }
}

/// What a look at a version changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    Nothing,
    /// Only what is known of it, which other questions to the policy may be about.
    Facts,
    /// It was decided.
    Decided,
}

/// Decides by one policy at one moment.
#[derive(Clone)]
pub(crate) struct Judge {
    pub policy: Arc<Policy>,
    pub notary: Notary,
    pub cause: Cause,
    pub now: Timestamp,
}

/// Raised when decisions know more of versions than before: then the catalogue is judged again.
const KNOWLEDGE: u32 = 1;

/// By which knowledge, rules and policy something is judged, as one digest.
pub(crate) fn stamp(rules: &Digest, policy: &Digest) -> Digest {
    Digest::of(format!("{} {} {KNOWLEDGE}", rules.hex(), policy.hex()).as_bytes())
}

impl Judge {
    /// Decides about several versions in one unit of writing.
    pub async fn decide_some(&self, tx: &mut Tx, scanned: &[(Subject, Examined)]) -> Result<(), Error> {
        self.require_in_force(tx).await?;
        let mut changed: Vec<SkillId> = Vec::new();
        // In the order of skills, so that units that meet do not wait for each other in a circle.
        let mut ordered: Vec<_> = scanned.iter().collect();
        ordered.sort_by_key(|(subject, _)| (subject.skill_id, subject.id));
        let alone = alike::keep(tx, scanned.iter().filter_map(|(_, examined)| examined.likeness.as_ref())).await?;
        for (subject, examined) in ordered {
            let kin = if alone.contains(&subject.digest) { Kin::None } else { Kin::Unknown };
            if self.decide(tx, subject, &examined.scan, kin).await? != Change::Nothing {
                changed.push(subject.skill_id);
            }
        }
        changed.dedup();
        for skill in changed {
            announce(tx, skill, self.now).await?;
        }
        Ok(())
    }

    /// Passes while the policy that decides is the one in force: another may have been set since it was read.
    pub async fn require_in_force(&self, tx: &mut Tx) -> Result<(), Error> {
        match policies::newest_digest(tx).await? {
            Some(newest) if newest != self.policy.digest() => Err(Error::PolicyChanged),
            _ => Ok(()),
        }
    }

    /// Decides anew about the versions of a skill that was opened to more people. What was approved for fewer is reviewed
    /// again where the policy wants a review.
    pub async fn decide_opened(&self, tx: &mut Tx, skill: SkillId) -> Result<(), Error> {
        self.require_in_force(tx).await?;
        for subject in assessments::of_skill(tx, skill).await? {
            let Some(report) = scan_reports::newest(tx, &[subject.digest]).await?.pop() else { continue };
            if subject.review == Some(ReviewState::Approved) {
                reviews::open(tx, subject.id, Outcome::Review, report.severity, self.now).await?;
            }
            self.decide(tx, &subject, &report, Kin::Unknown).await?;
        }
        Ok(())
    }

    /// Decides about one version as it is now; nothing changes when it is gone or was decided meanwhile.
    pub async fn decide(&self, tx: &mut Tx, read: &Subject, scan: &ScanReport, kin: Kin) -> Result<Change, Error> {
        skills::lock(tx, read.skill_id).await?;
        let Some(mut subject) = assessments::standing(tx, read.id).await? else { return Ok(Change::Nothing) };
        if subject.state != read.state {
            return Ok(Change::Nothing);
        }
        scan_reports::put(tx, scan).await?;
        self.attest(tx, &subject, scan).await?;
        alike::look(tx, &mut subject, scan, kin).await?;
        let facts = facts::version(&subject, scan, self.now);
        let decided = held_to_people(self.policy.admit(&facts::author(&subject), &facts), &subject, &facts.review);
        assessments::set_judged(tx, subject.id, &stamp(&scan.rules, &self.policy.digest())).await?;
        assessments::end(tx, subject.id).await?;
        self.keep_review_true(tx, &subject, scan, decided.outcome).await?;
        let before = decisions::newest(tx, &[subject.id]).await?.into_iter().next();
        let same = before.as_ref().filter(|before| before.outcome == decided.outcome);
        if let Some(before) = same.filter(|_| self.cause.person.is_none() && subject.state == state(decided.outcome)) {
            return Ok(if facts::tell_otherwise(&before.facts, &facts) { Change::Facts } else { Change::Nothing });
        }
        let decision = Decision {
            id: DecisionId::new(self.now),
            version_id: subject.id,
            outcome: decided.outcome,
            reasons: serde_json::to_value(&decided.reasons).unwrap_or_default(),
            facts: serde_json::to_value(&facts).unwrap_or_default(),
            policy: self.policy.digest(),
            rules: scan.rules,
            cause: self.cause.word.to_owned(),
            person_id: self.cause.person,
            created_at: self.now,
        };
        decisions::insert(tx, &decision).await?;
        self.notary.append(tx, statements::decided(&subject, scan, &decision), self.now).await?;
        let approved = self.cause.word == "review" || facts.review == "approved";
        self.follow(tx, &subject, (scan, &decided), approved).await?;
        Ok(Change::Decided)
    }

    /// An open review is about what is known now: when worse was found since, approvals begin anew.
    async fn keep_review_true(
        &self,
        tx: &mut Tx,
        subject: &Subject,
        scan: &ScanReport,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let held = matches!(outcome, Outcome::Review | Outcome::Quarantine);
        let stale = subject.reviewed_severity.is_some_and(|before| before < scan.severity);
        if held && stale && subject.review == Some(ReviewState::Open) {
            reviews::open(tx, subject.id, outcome, scan.severity, self.now).await?;
        }
        Ok(())
    }

    /// Says in the log what the scan found, once for each report about a version: also when nothing else follows from it.
    async fn attest(&self, tx: &mut Tx, subject: &Subject, scan: &ScanReport) -> Result<(), Error> {
        let newest = log_entries::newest_of_kind(tx, &subject.digest, subject.id, statements::SCAN).await?;
        if !newest.is_some_and(|entry| statements::is_of_report(&entry.statement, scan)) {
            self.notary.append(tx, statements::scanned(subject, scan), self.now).await?;
        }
        Ok(())
    }

    /// Everything that follows from a decision; `approved` where people's approval led to it.
    async fn follow(
        &self,
        tx: &mut Tx,
        subject: &Subject,
        (scan, decided): (&ScanReport, &Decided),
        approved: bool,
    ) -> Result<(), Error> {
        let (id, skill) = (subject.id, subject.skill_id);
        let next = state(decided.outcome);
        if next != subject.state {
            versions::set_state(tx, id, next).await?;
            if next == VersionState::Visible {
                for tag in assessments::wishes(tx, id).await? {
                    tags::put(tx, skill, &tag, id, self.now).await?;
                }
            }
            skills::touch(tx, skill, self.now).await?;
            settle_latest(tx, skill, self.now).await?;
        }
        match decided.outcome {
            Outcome::Admit => {
                let reached = if approved { ReviewState::Approved } else { ReviewState::Settled };
                reviews::close(tx, id, reached, self.now).await?;
            }
            Outcome::Review | Outcome::Quarantine => {
                let waits = matches!(subject.review, Some(ReviewState::Open | ReviewState::Changes));
                if !waits || self.cause.word == "appeal" {
                    reviews::open(tx, id, decided.outcome, scan.severity, self.now).await?;
                    self.call_reviewers(tx, subject, scan, decided).await?;
                }
            }
            // A person's refusal has closed the review before; what the policy refuses by itself leaves nothing to decide.
            Outcome::Reject => {
                reviews::close(tx, id, ReviewState::Settled, self.now).await?;
            }
        }
        if self.cause.word == "catalogue" && next == subject.state {
            return Ok(());
        }
        self.tell(tx, subject, scan, decided).await
    }

    /// Tells those who may decide that a version waits for them; its author hears of it as its author.
    async fn call_reviewers(
        &self,
        tx: &mut Tx,
        subject: &Subject,
        scan: &ScanReport,
        decided: &Decided,
    ) -> Result<(), Error> {
        let name = full_name(&subject.publisher, &subject.slug, &subject.number);
        let reason = why(decided);
        let text = format!("{name} waits for a review: {reason}");
        let message = Message { kind: NoticeKind::Waits, reason: &reason, text: &text };
        let facts = facts::version(subject, scan, self.now);
        for person in members::and_administrators(tx, subject.publisher_id).await? {
            let may = self.policy.may(Action::Approve, &facts::reviewer(subject, &person), Some(&facts)).is_ok();
            if may && subject.author != Some(person.id) {
                notices::insert(tx, person.id, subject.id, &message, self.now).await?;
            }
        }
        Ok(())
    }

    /// Tells the publisher and whoever listens.
    async fn tell(&self, tx: &mut Tx, subject: &Subject, scan: &ScanReport, decided: &Decided) -> Result<(), Error> {
        let name = full_name(&subject.publisher, &subject.slug, &subject.number);
        let quiet = decided.outcome == Outcome::Admit && subject.state == VersionState::Pending;
        if let Some(author) = subject.author.filter(|_| !quiet) {
            let reason = why(decided);
            let text = format!("{name}: {}: {reason}", words(decided.outcome));
            let message = Message { kind: kind(decided.outcome), reason: &reason, text: &text };
            notices::insert(tx, author, subject.id, &message, self.now).await?;
        }
        self.tell_holders(tx, subject, decided).await?;
        let told = webhooks::Event {
            kind: EventKind::Decision,
            publisher: subject.publisher_id,
            subject: name,
            detail: json!({
                "outcome": decided.outcome.as_str(),
                "reasons": decided.reasons,
                "verdict": scan.verdict.as_str(),
                "severity": scan.severity.as_str(),
                "cause": self.cause.word,
                "digest": subject.digest,
            }),
        };
        webhooks::announce(tx, &told, self.now).await?;
        Ok(())
    }

    /// Tells those who have the skill active what changes something for them: a newer version that they may have, one that a
    /// person refused, and one that they could have and no longer can.
    async fn tell_holders(&self, tx: &mut Tx, subject: &Subject, decided: &Decided) -> Result<(), Error> {
        let shown = subject.state == VersionState::Visible;
        let concerns = match decided.outcome {
            Outcome::Admit => !shown,
            Outcome::Reject => shown || self.cause.is_review(),
            Outcome::Review | Outcome::Quarantine => shown,
        };
        if !concerns {
            return Ok(());
        }
        let reason = match decided.outcome {
            Outcome::Admit => String::new(),
            _ if !self.cause.text.is_empty() => self.cause.text.clone(),
            _ => why(decided),
        };
        let name = full_name(&subject.publisher, &subject.slug, &subject.number);
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let text = format!("{name}, a version of a skill that you have active: {}{because}", words(decided.outcome));
        let message = Message { kind: kind(decided.outcome), reason: &reason, text: &text };
        let know: Vec<PersonId> = subject.author.into_iter().chain(self.cause.person).collect();
        let audience = Audience { except: &know, ..Audience::default() };
        notices::tell_holders(tx, (subject.skill_id, subject.id), &audience, &message, self.now).await?;
        Ok(())
    }
}

/// What a notice of a decision is about.
const fn kind(outcome: Outcome) -> NoticeKind {
    match outcome {
        Outcome::Admit => NoticeKind::Admitted,
        Outcome::Review => NoticeKind::Held,
        Outcome::Quarantine => NoticeKind::Quarantined,
        Outcome::Reject => NoticeKind::Rejected,
    }
}

/// The reasons of a decision in one line.
fn why(decided: &Decided) -> String {
    decided.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// What a person refused stays refused, whatever a policy of the operator's own forgets to say; after an appeal it is
/// another person who admits it, never the policy alone.
pub(super) fn held_to_people(decided: Decided, subject: &Subject, review: &str) -> Decided {
    let (outcome, text) = match decided.outcome {
        Outcome::Reject => return decided,
        _ if review == "rejected" => (Outcome::Reject, "a reviewer refused it"),
        Outcome::Admit if subject.refused => {
            (Outcome::Review, "a reviewer refused it before; a person looks at it again")
        }
        _ => return decided,
    };
    let reason = Reason { policy: "review".to_owned(), text: text.to_owned() };
    Decided { outcome, reasons: vec![reason] }
}

/// How far a version has come by a decision.
const fn state(outcome: Outcome) -> VersionState {
    match outcome {
        Outcome::Admit => VersionState::Visible,
        Outcome::Review | Outcome::Quarantine => VersionState::Held,
        Outcome::Reject => VersionState::Rejected,
    }
}

/// An outcome as people say it.
const fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Admit => "admitted",
        Outcome::Review => "held for review",
        Outcome::Quarantine => "in quarantine",
        Outcome::Reject => "rejected",
    }
}
