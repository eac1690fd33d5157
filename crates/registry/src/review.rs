//! The review queue: people decide what the policy leaves to them, and publishers ask for another look.

use std::collections::BTreeSet;

use kontor_access::policy::Action;
use kontor_access::{Caller, audit};
use kontor_db::assessments::{self, Subject};
use kontor_db::notices::{self, Message, Notice, NoticeKind};
use kontor_db::reviews::{self, NoteKind, Review, ReviewNote, ReviewState};
use kontor_db::scan_reports::{ScanReport, Severity};
use kontor_db::{Tx, decisions};
use kontor_types::{
    Cursor, NoticeId, Page, PageSize, PersonId, ReviewId, Role, Scope, SkillId, SkillRef, Timestamp, VersionId,
    VersionSelector,
};
use serde_json::json;

use crate::assess::{Cause, Judge, Kin, Known};
use crate::registry::{announce, event};
use crate::release::full_name;
use crate::versions::checked;
use crate::{DecisionOutcome, Error, Found, Registry, VersionState, statements};

/// Most notices that are told at once.
const NOTICES: u32 = 100;

/// A review with what was said in it.
#[derive(Debug, Clone)]
pub struct ReviewDetail {
    /// The review.
    pub review: Review,
    /// What was said and done, in its order.
    pub notes: Vec<ReviewNote>,
}

/// Which reviews a list holds.
#[derive(Debug, Clone, Default)]
pub struct ReviewFilter {
    /// In this state; the open ones unless told.
    pub state: Option<ReviewState>,
    /// The review of exactly this version, whatever its state.
    pub of: Option<SkillRef>,
}

impl Registry {
    /// Reviews that the caller may take part in, the oldest first.
    pub async fn reviews(
        &self,
        caller: &Caller,
        filter: &ReviewFilter,
        size: PageSize,
        after: Option<&Cursor>,
    ) -> Result<Page<Review>, Error> {
        caller.require(Scope::Review)?;
        let mut conn = self.read().await?;
        if let Some(of) = &filter.of {
            let (Some(publisher), Some(VersionSelector::Exact(number))) = (&of.publisher, &of.version) else {
                return Err(Error::invalid("name the version in full: @publisher/skill@1.2.3"));
            };
            let found = reviews::named(&mut conn, caller.viewer(), publisher, &of.slug, number).await?;
            return Ok(Page { items: found.into_iter().collect(), next: None });
        }
        let state = filter.state.unwrap_or(ReviewState::Open);
        reviews::list(&mut conn, caller.viewer(), state, size, after).await?.ok_or(Error::Cursor)
    }

    /// One review that the caller may take part in.
    pub async fn review(&self, caller: &Caller, id: ReviewId) -> Result<ReviewDetail, Error> {
        caller.require(Scope::Review)?;
        let mut conn = self.read().await?;
        let found = reviews::find(&mut conn, caller.viewer(), id).await?;
        let review = found.ok_or(Error::NotFound { what: "review" })?;
        let notes = reviews::notes(&mut conn, id).await?;
        Ok(ReviewDetail { review, notes })
    }

    /// The version that a review is about, for those who may take part in it.
    pub async fn reviewed(&self, caller: &Caller, id: ReviewId) -> Result<Found, Error> {
        let review = self.review(caller, id).await?.review;
        let (mut conn, hub) = (self.read().await?, kontor_types::Viewer::hub());
        let skill = kontor_db::skills::find(&mut conn, &hub, review.skill_id).await?;
        let version = kontor_db::versions::find(&mut conn, &hub, review.version_id).await?;
        let found = skill.zip(version).map(|(skill, version)| Found { skill: skill.into(), version: version.into() });
        found.ok_or(Error::NotFound { what: "review" })
    }

    /// What was said about a version, for its publisher's maintainers.
    pub async fn review_notes(&self, caller: &Caller, found: &Found) -> Result<Vec<ReviewNote>, Error> {
        if caller.require_role(found.skill.publisher_id, Role::Maintainer, Scope::Read).is_err() {
            return Ok(Vec::new());
        }
        let mut conn = self.read().await?;
        match reviews::of_version(&mut conn, found.version.id).await? {
            Some(review) => Ok(reviews::notes(&mut conn, review.id).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Does something in a review: takes it on, leaves it, says something, or decides.
    ///
    /// An approval counts for the policy, which may want a second one or not accept any; what it says then is in the
    /// newest decision.
    pub async fn act_on_review(
        &self,
        caller: &Caller,
        id: ReviewId,
        kind: NoteKind,
        text: &str,
    ) -> Result<ReviewDetail, Error> {
        let text = checked(text)?;
        let person = caller.require_person()?;
        let review = self.review(caller, id).await?.review;
        match kind {
            NoteKind::Comment => {}
            NoteKind::Claim | NoteKind::Release => may_claim(caller, &review, kind)?,
            NoteKind::Appeal => return Err(Error::invalid("only the publisher appeals")),
            NoteKind::Approve | NoteKind::Reject | NoteKind::Changes => {
                self.require_decider(caller, &review).await?;
                if review.state != ReviewState::Open {
                    return Err(self.decided_already(&review).await?);
                }
            }
        }
        if text.is_empty() && matches!(kind, NoteKind::Comment | NoteKind::Reject | NoteKind::Changes) {
            return Err(Error::invalid("say why, so that the publisher knows what to do"));
        }
        let scan = match kind {
            NoteKind::Approve | NoteKind::Reject => Some(self.scan_of(review.version_id).await?.1),
            _ => None,
        };
        let (version, skill) = (review.version_id, review.skill_id);
        let act = Act { kind, text, person, caller: caller.clone(), version, skill, review: Some(review), scan };
        let cause = Cause::review(Some(person), &act.text);
        self.carry_out(act, cause).await?;
        self.review(caller, id).await
    }

    /// The publisher asks for another look at a version that was held or rejected: it is scanned again, decided again, and
    /// a person looks at it unless the policy decides by itself.
    pub async fn appeal(&self, caller: &Caller, reference: &SkillRef, comment: &str) -> Result<Found, Error> {
        let comment = checked(comment)?;
        if comment.is_empty() {
            return Err(Error::invalid("say why it should be looked at again"));
        }
        let person = caller.require_person()?;
        let found = self.version(caller.viewer(), reference).await?;
        caller.require_role(found.skill.publisher_id, Role::Maintainer, Scope::Publish)?;
        if found.version.state == VersionState::Visible {
            return Err(Error::conflict("the version is admitted", "there is nothing to appeal against"));
        }
        if found.version.state == VersionState::Pending {
            return self.scan_anew(caller, found).await;
        }
        self.require_answered(found.version.id).await?;
        let (subject, scan) = self.scan_of(found.version.id).await?;
        let (version, skill, caller_of) = (subject.id, subject.skill_id, caller.clone());
        let (kind, scan, review) = (NoteKind::Appeal, Some(scan), None);
        let act = Act { kind, text: comment, person, caller: caller_of, version, skill, review, scan };
        self.carry_out(act, Cause::appeal(Some(person))).await?;
        self.version(caller.viewer(), reference).await
    }

    /// Passes unless an appeal about the version waits for an answer already.
    async fn require_answered(&self, version: VersionId) -> Result<(), Error> {
        let mut conn = self.read().await?;
        let open = reviews::of_version(&mut conn, version).await?.filter(|review| review.state == ReviewState::Open);
        let Some(review) = open else { return Ok(()) };
        let notes = reviews::notes(&mut conn, review.id).await?;
        if notes
            .iter()
            .rfind(|note| note.person_id != review.author || note.kind == NoteKind::Appeal)
            .is_some_and(|note| note.kind == NoteKind::Appeal)
        {
            return Err(Error::conflict(
                "an appeal about this version waits for an answer already",
                "reviewers were told; `kontor review notices` shows what they say",
            ));
        }
        Ok(())
    }

    /// Lets a version whose scan failed be tried from the beginning.
    async fn scan_anew(&self, caller: &Caller, found: Found) -> Result<Found, Error> {
        let (caller, now, version) = (caller.clone(), self.now(), found.version.id);
        let event = event("version.rescan", found.skill.publisher_id, &found.reference(), json!({}));
        self.write(move |tx| {
            let (caller, event) = (caller.clone(), event.clone());
            Box::pin(async move {
                assessments::end(tx, version).await?;
                Ok(audit::record(tx, &caller, event, now).await?)
            })
        })
        .await?;
        self.trust.waits.notify_waiters();
        Ok(found)
    }

    /// What a person was told, the newest first; what is returned counts as read from now on.
    pub async fn notices(&self, caller: &Caller) -> Result<Vec<Notice>, Error> {
        let person = caller.require_person()?;
        let told = notices::of_person(&mut self.read().await?, person, None, NOTICES).await?;
        let unread: Vec<NoticeId> = told.iter().filter(|one| one.read_at.is_none()).map(|one| one.id).collect();
        if !unread.is_empty() {
            let now = self.now();
            let read = self.parts.db.write(move |tx| {
                let unread = unread.clone();
                Box::pin(async move { notices::read(tx, person, &unread, now).await })
            });
            read.await.map_err(|error: kontor_db::Error| Error::from(error))?;
        }
        Ok(told)
    }

    /// What is said to whoever decides what is decided already: by whom, and how.
    async fn decided_already(&self, review: &Review) -> Result<Error, Error> {
        let notes = reviews::notes(&mut self.read().await?, review.id).await?;
        let deciding =
            |note: &&ReviewNote| matches!(note.kind, NoteKind::Approve | NoteKind::Reject | NoteKind::Changes);
        let who = match notes.iter().rfind(deciding).and_then(|note| note.person.as_ref()) {
            Some(person) => format!("@{person} has decided it already"),
            None => "it is decided already".to_owned(),
        };
        Ok(Error::conflict(who, "look at it again with `kontor review show`"))
    }

    /// Passes for those whom the policy lets decide about the version.
    async fn require_decider(&self, caller: &Caller, review: &Review) -> Result<(), Error> {
        let (subject, scan) = self.scan_of(review.version_id).await?;
        let actor = self.actor(caller, review.publisher_id, review.author).await?;
        let facts = self.facts_of(&subject, &scan);
        let policy = self.policy().await?;
        policy.may(Action::Approve, &actor, Some(&facts)).map_err(|reasons| {
            let forbidden = kontor_access::Error::Forbidden { reasons };
            Error::Access(forbidden)
        })
    }

    /// A version with its scan by the present rules.
    pub(crate) async fn scan_of(&self, version: VersionId) -> Result<(Subject, ScanReport), Error> {
        let subjects = assessments::subjects(&mut self.read().await?, &[version]).await?;
        match self.scan_all(subjects, Known::Report).await?.pop() {
            Some((subject, Ok(examined))) => Ok((subject, examined.scan)),
            Some((_, Err(_))) => {
                Err(Error::conflict("the version cannot be scanned now", "look at `kontor doctor` for the reason"))
            }
            None => Err(Error::NotFound { what: "version" }),
        }
    }

    async fn carry_out(&self, act: Act, cause: Cause) -> Result<(), Error> {
        let judge = Judge { policy: self.policy().await?, notary: self.log().clone(), cause, now: self.now() };
        self.write(move |tx| {
            let (act, judge) = (act.clone(), judge.clone());
            Box::pin(async move { act.write(tx, &judge).await })
        })
        .await
    }
}

/// Passes when a review may be taken on or left: it is open, and nobody else has taken it on. An administrator may leave
/// one in the place of somebody who cannot.
fn may_claim(caller: &Caller, review: &Review, kind: NoteKind) -> Result<(), Error> {
    if kind == NoteKind::Claim && review.state != ReviewState::Open {
        return Err(Error::conflict("the review is not open", "look at it again with `kontor review show`"));
    }
    let own = review.claimed_by.is_none() || review.claimed_by == caller.person_id();
    if own || (kind == NoteKind::Release && caller.viewer().is_administrator()) {
        return Ok(());
    }
    let who = review.claimed_by_handle.as_ref().map_or_else(|| "somebody else".to_owned(), ToString::to_string);
    Err(Error::conflict(
        format!("{who} has taken it on"),
        "ask them or an administrator to leave it with `kontor review release`",
    ))
}

/// Something that a person does in a review.
#[derive(Clone)]
struct Act {
    kind: NoteKind,
    text: String,
    person: PersonId,
    caller: Caller,
    version: VersionId,
    skill: SkillId,
    /// The review as it was seen; an appeal opens it.
    review: Option<Review>,
    /// The scan by which it is decided again, for deeds that lead to a decision.
    scan: Option<ScanReport>,
}

impl Act {
    async fn write(&self, tx: &mut Tx, judge: &Judge) -> Result<(), Error> {
        let now = judge.now;
        kontor_db::skills::lock(tx, self.skill).await?;
        if self.scan.is_some() {
            judge.require_in_force(tx).await?;
        }
        let review = &self.opened(tx, now).await?;
        let note = reviews::note(tx, review.id, Some(self.person), self.kind, &self.text, now).await?;
        let race = || Error::conflict("somebody decided it meanwhile", "look at it again with `kontor review show`");
        match self.kind {
            NoteKind::Claim => {
                // Somebody may have been faster since the review was looked at.
                if let Some(fresh) = reviews::of_version(tx, self.version).await? {
                    may_claim(&self.caller, &fresh, self.kind)?;
                }
                reviews::claim(tx, review.id, Some(self.person), now).await?;
            }
            NoteKind::Release => reviews::claim(tx, review.id, None, now).await?,
            NoteKind::Reject | NoteKind::Changes => {
                let reached = if self.kind == NoteKind::Reject { ReviewState::Rejected } else { ReviewState::Changes };
                if !reviews::close(tx, review.version_id, reached, now).await? {
                    return Err(race());
                }
            }
            NoteKind::Approve | NoteKind::Comment | NoteKind::Appeal => {}
        }
        let deed = statements::ReviewDeed {
            note,
            kind: self.kind,
            text: &self.text,
            by: self.caller.person.as_ref().map(|(_, handle)| handle),
            administrator: Some(self.caller.viewer().is_administrator()),
            at: now,
        };
        if let Some(said) = statements::reviewed(review, &deed) {
            judge.notary.append(tx, said, now).await?;
        }
        if let Some(scan) = &self.scan {
            let subject = assessments::standing(tx, review.version_id).await?.ok_or_else(race)?;
            if self.kind == NoteKind::Approve && subject.review != Some(ReviewState::Open) {
                return Err(race());
            }
            judge.decide(tx, &subject, scan, Kin::Unknown).await?;
        }
        self.tell(tx, review, now).await?;
        let name = full_name(&review.publisher, &review.slug, &review.number);
        let action = match self.kind {
            NoteKind::Claim => "review.claim",
            NoteKind::Release => "review.release",
            NoteKind::Comment => "review.comment",
            NoteKind::Approve => "review.approve",
            NoteKind::Reject => "review.reject",
            NoteKind::Changes => "review.changes",
            NoteKind::Appeal => "review.appeal",
        };
        let detail = json!({"review": review.id, "digest": review.digest, "text": self.text});
        audit::record(tx, &self.caller, event(action, review.publisher_id, &name, detail), now).await?;
        announce(tx, review.skill_id, now).await
    }

    /// The review that this is about; an appeal opens it, again when it was closed.
    async fn opened(&self, tx: &mut Tx, now: Timestamp) -> Result<Review, Error> {
        if let Some(review) = &self.review {
            return Ok(review.clone());
        }
        let severity = self.scan.as_ref().map_or(Severity::None, |scan| scan.severity);
        reviews::open(tx, self.version, DecisionOutcome::Review, severity, now).await?;
        reviews::of_version(tx, self.version).await?.ok_or(Error::NotFound { what: "review" })
    }

    /// Tells the other side what was said: the publisher what reviewers say, reviewers what the publisher says.
    async fn tell(&self, tx: &mut Tx, review: &Review, now: Timestamp) -> Result<(), Error> {
        let name = full_name(&review.publisher, &review.slug, &review.number);
        let mut told: BTreeSet<PersonId> = BTreeSet::new();
        let publisher_speaks = review.author == Some(self.person);
        let (kind, text) = match self.kind {
            NoteKind::Comment if publisher_speaks => {
                (NoticeKind::Comment, format!("{name}: the publisher says: {}", self.text))
            }
            NoteKind::Comment => (NoticeKind::Comment, format!("{name}: a reviewer says: {}", self.text)),
            NoteKind::Changes => (NoticeKind::Changes, format!("{name}: changes are asked for: {}", self.text)),
            NoteKind::Reject => (NoticeKind::Rejected, format!("{name}: refused: {}", self.text)),
            NoteKind::Appeal => {
                (NoticeKind::Appeal, format!("{name}: the publisher asks for another look: {}", self.text))
            }
            NoteKind::Approve => (NoticeKind::Approved, format!("{name}: approved")),
            NoteKind::Claim | NoteKind::Release => return Ok(()),
        };
        let message = Message { kind, reason: &self.text, text: &text };
        if self.kind == NoteKind::Appeal || publisher_speaks {
            told.extend(review.claimed_by);
            told.extend(reviews::notes(tx, review.id).await?.into_iter().filter_map(|note| note.person_id));
            told.extend(
                decisions::of_version(tx, review.version_id, 20).await?.into_iter().filter_map(|one| one.person_id),
            );
        } else {
            // The publisher hears of an approval by the decision that it leads to.
            told.extend(review.author.filter(|_| self.kind != NoteKind::Approve));
            told.extend(review.claimed_by);
        }
        told.remove(&self.person);
        for person in told {
            notices::insert(tx, person, review.version_id, &message, now).await?;
        }
        Ok(())
    }
}
