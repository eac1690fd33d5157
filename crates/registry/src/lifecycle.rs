//! Who may see a skill, and hiding, deleting and bringing it back.

use std::time::Duration;

use kontor_access::{Caller, audit};
use kontor_db::notices::{self, Audience, Message, NoticeKind};
use kontor_db::skills::{self, Deprecation, Skill};
use kontor_db::{Tx, purge, skill_names, transfers};
use kontor_types::{PersonId, Role, SkillRef, Timestamp, Viewer, Visibility};
use serde_json::{Value, json};

use crate::assess::{Cause, Judge};
use crate::lookup::unversioned;
use crate::registry::{announce, event, name_of};
use crate::statements::{self, Deed};
use crate::versions::checked;
use crate::{Error, Registry};

/// How long a deleted skill can be brought back and its name stays its own.
pub const RESERVATION: Duration = Duration::from_hours(30 * 24);

/// Skills looked up at a time when old deletions are purged.
const PURGED: u32 = 100;

/// What is done to a whole skill.
#[derive(Debug, Clone)]
enum Step {
    Visibility(Visibility),
    Hide(String),
    Show,
    Delete { until: Timestamp, reason: String },
    Undelete,
    Deprecate(Option<Deprecation>),
}

impl Step {
    const fn action(&self) -> &'static str {
        match self {
            Self::Visibility(_) => "skill.visibility",
            Self::Hide(_) => "skill.hide",
            Self::Show => "skill.restore",
            Self::Delete { .. } => "skill.delete",
            Self::Undelete => "skill.undelete",
            Self::Deprecate(Some(_)) => "skill.deprecate",
            Self::Deprecate(None) => "skill.undeprecate",
        }
    }

    /// Whether more people see the skill afterwards than its publisher's own.
    const fn opens(&self, skill: &Skill) -> bool {
        let within = matches!(skill.visibility, Visibility::Organisation | Visibility::Private);
        within && matches!(self, Self::Visibility(Visibility::Public | Visibility::Unlisted))
    }

    fn detail(&self) -> Value {
        match self {
            Self::Visibility(visibility) => json!({"visibility": visibility}),
            Self::Hide(reason) => json!({"reason": reason}),
            Self::Delete { until, reason } => json!({"reserved_until": until, "reason": reason}),
            Self::Deprecate(Some(notice)) => json!({"message": notice.message, "successor": notice.successor}),
            Self::Show | Self::Undelete | Self::Deprecate(None) => json!({}),
        }
    }
}

/// What is changed about a skill, all together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    /// Who may see it from now on.
    pub visibility: Option<Visibility>,
    /// Whether it should still be used.
    pub deprecation: Option<Advice<'a>>,
}

/// What users of a skill are told.
#[derive(Debug, Clone, Copy)]
pub enum Advice<'a> {
    /// No longer to be used.
    Deprecated {
        /// Why.
        message: &'a str,
        /// What to use in its place.
        successor: Option<&'a SkillRef>,
    },
    /// To be used again.
    InUse,
}

/// A skill that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The full name it had.
    pub name: SkillRef,
    /// Until when it can be brought back and its name stays its own.
    pub reserved_until: Timestamp,
}

impl Registry {
    /// Sets who may see a skill.
    pub async fn set_visibility(
        &self,
        caller: &Caller,
        reference: &SkillRef,
        visibility: Visibility,
    ) -> Result<Skill, Error> {
        let change = Change { visibility: Some(visibility), ..Change::default() };
        self.change(caller, reference, &change).await
    }

    /// Changes several things about a skill: all of them or, when one cannot be, none.
    pub async fn change(&self, caller: &Caller, reference: &SkillRef, change: &Change<'_>) -> Result<Skill, Error> {
        let skill = self.own_skill(caller, reference, Role::Maintainer).await?;
        let mut steps = Vec::new();
        match change.deprecation {
            Some(Advice::Deprecated { message, successor }) => {
                let notice = self.notice(caller, &skill, message, successor).await?;
                // Said once more in the same words, it would only be told to everybody once more.
                let is_said = skill.deprecated_at.is_some()
                    && skill.deprecation_message.as_ref() == Some(&notice.message)
                    && skill.successor == notice.successor;
                if !is_said {
                    steps.push(Step::Deprecate(Some(notice)));
                }
            }
            Some(Advice::InUse) => steps.push(Step::Deprecate(None)),
            None => {}
        }
        if let Some(visibility) = change.visibility.filter(|visibility| *visibility != skill.visibility) {
            steps.push(Step::Visibility(visibility));
        }
        if steps.is_empty() { Ok(skill) } else { self.take_steps(caller, skill, steps).await }
    }

    /// Hides a skill from everybody but its maintainers, for as long as it takes.
    pub async fn hide(&self, caller: &Caller, reference: &SkillRef, reason: &str) -> Result<Skill, Error> {
        let skill = self.own_skill(caller, reference, Role::Maintainer).await?;
        if skill.hidden_at.is_some() {
            return Ok(skill);
        }
        self.change_skill(caller, skill, Step::Hide(checked(reason)?)).await
    }

    /// Shows a hidden skill again.
    pub async fn unhide(&self, caller: &Caller, reference: &SkillRef) -> Result<Skill, Error> {
        let skill = self.own_skill(caller, reference, Role::Maintainer).await?;
        if skill.hidden_at.is_none() {
            return Ok(skill);
        }
        self.change_skill(caller, skill, Step::Show).await
    }

    /// Deletes a skill: it is gone for everybody, can be brought back for 30 days, and its name stays its own as long.
    pub async fn delete(&self, caller: &Caller, reference: &SkillRef, reason: &str) -> Result<Deleted, Error> {
        let skill = self.own_skill(caller, reference, Role::Maintainer).await?;
        let reserved_until = self.now().after(RESERVATION);
        let name = name_of(&skill);
        self.change_skill(caller, skill, Step::Delete { until: reserved_until, reason: checked(reason)? }).await?;
        Ok(Deleted { name, reserved_until })
    }

    /// Brings a deleted skill back, with its versions and names; a hidden one is only shown again.
    pub async fn undelete(&self, caller: &Caller, reference: &SkillRef) -> Result<Skill, Error> {
        let missing = || Error::SkillNotFound { reference: unversioned(reference).into() };
        let mut conn = self.read().await?;
        let deleted = match &reference.publisher {
            Some(publisher) => {
                let viewer = caller.viewer();
                skill_names::resolve_reserved(&mut conn, viewer, publisher, &reference.slug).await?
            }
            None => self.only_deleted(&mut conn, caller, reference).await?,
        };
        let Some(id) = deleted else {
            drop(conn);
            return self.unhide(caller, reference).await;
        };
        let found = skills::find_maintained(&mut conn, caller.viewer(), id).await?;
        let skill = found.filter(|skill| skill.deleted_at.is_some()).ok_or_else(missing)?;
        caller.require_role(skill.publisher_id, Role::Maintainer, kontor_types::Scope::Publish)?;
        self.change_skill(caller, skill, Step::Undelete).await
    }

    /// The one deleted skill of this slug that the caller maintains.
    async fn only_deleted(
        &self,
        conn: &mut kontor_db::Conn,
        caller: &Caller,
        reference: &SkillRef,
    ) -> Result<Option<kontor_types::SkillId>, Error> {
        let filter = skills::Filter {
            shelf: skills::Shelf::Deleted,
            prefix: Some(reference.slug.to_string()),
            ..skills::Filter::default()
        };
        let (sort, size) = (skills::Sort::Name, kontor_types::PageSize::clamped(200));
        let page = skills::list(conn, caller.viewer(), &filter, sort, size, None).await?.unwrap_or_default();
        let mut named = page.items.into_iter().filter(|skill| skill.slug == reference.slug);
        match (named.next(), named.next()) {
            (Some(only), None) => Ok(Some(only.id)),
            (Some(first), Some(second)) => Err(Error::AmbiguousSlug {
                slug: reference.slug.clone(),
                matches: vec![name_of(&first), name_of(&second)],
            }),
            (None, _) => Ok(None),
        }
    }

    /// Says that a skill should no longer be used, and what to use in its place.
    pub async fn deprecate(
        &self,
        caller: &Caller,
        reference: &SkillRef,
        message: &str,
        successor: Option<&SkillRef>,
    ) -> Result<Skill, Error> {
        let change = Change { deprecation: Some(Advice::Deprecated { message, successor }), ..Change::default() };
        self.change(caller, reference, &change).await
    }

    /// Takes a deprecation back.
    pub async fn undeprecate(&self, caller: &Caller, reference: &SkillRef) -> Result<Skill, Error> {
        self.change(caller, reference, &Change { deprecation: Some(Advice::InUse), ..Change::default() }).await
    }

    async fn notice(
        &self,
        caller: &Caller,
        skill: &Skill,
        message: &str,
        successor: Option<&SkillRef>,
    ) -> Result<Deprecation, Error> {
        let message = checked(message)?;
        let successor = match successor {
            Some(successor) => Some(name_of(&self.skill(caller.viewer(), successor).await?)),
            None => None,
        };
        if successor.as_ref() == Some(&name_of(skill)) {
            return Err(Error::invalid("a skill cannot be its own successor: name another"));
        }
        Ok(Deprecation { at: self.now(), message, successor: successor.map(|successor| successor.to_string()) })
    }

    /// Removes for good what was deleted longer ago than [`RESERVATION`]; returns how many skills that were.
    pub async fn purge(&self) -> Result<u64, Error> {
        let now = self.now();
        let mut removed = 0;
        loop {
            let due = purge::due(&mut self.read().await?, now.before(RESERVATION), PURGED).await?;
            for skill in &due {
                let skill = *skill;
                let gone = self.write(move |tx| Box::pin(async move { remove(tx, skill, now).await })).await?;
                removed += u64::from(gone);
            }
            if due.len() < PURGED as usize {
                return Ok(removed);
            }
        }
    }

    async fn change_skill(&self, caller: &Caller, skill: Skill, step: Step) -> Result<Skill, Error> {
        self.take_steps(caller, skill, vec![step]).await
    }

    /// Takes the steps in one transaction, each with its own line in the trail.
    async fn take_steps(&self, caller: &Caller, skill: Skill, steps: Vec<Step>) -> Result<Skill, Error> {
        let (caller, notary, now) = (caller.clone(), self.log().clone(), self.now());
        let judge = Judge { policy: self.policy().await?, notary: notary.clone(), cause: Cause::visibility(), now };
        self.write(move |tx| {
            let (caller, notary, steps, skill) = (caller.clone(), notary.clone(), steps.clone(), skill.clone());
            let judge = judge.clone();
            Box::pin(async move {
                skills::lock(tx, skill.id).await?;
                for step in &steps {
                    apply(tx, &caller, &skill, step, now).await?;
                    if let Step::Deprecate(Some(advice)) = step {
                        tell_holders(tx, &caller, &skill, advice, now).await?;
                    }
                    let event = event(step.action(), skill.publisher_id, &name_of(&skill), step.detail());
                    audit::record(tx, &caller, event, now).await?;
                    let deed = Deed { action: step.action(), detail: step.detail(), caller: &caller };
                    statements::of_skill(tx, &notary, &skill, &deed, now).await?;
                }
                if steps.iter().any(|step| step.opens(&skill)) {
                    judge.decide_opened(tx, skill.id).await?;
                }
                announce(tx, skill.id, now).await?;
                let changed = skills::find_maintained(tx, &Viewer::hub(), skill.id).await?;
                Ok(changed.unwrap_or(skill))
            })
        })
        .await
    }
}

async fn remove(tx: &mut Tx, skill: kontor_types::SkillId, now: Timestamp) -> Result<bool, Error> {
    let Some(row) = skills::find_maintained(tx, &Viewer::hub(), skill).await? else { return Ok(false) };
    if !purge::remove(tx, skill).await? {
        return Ok(false);
    }
    let event = event("skill.purge", row.publisher_id, &name_of(&row), json!({}));
    audit::record(tx, &Caller::hub(), event, now).await?;
    announce(tx, skill, now).await?;
    Ok(true)
}

/// Tells those who have the skill active that they should use it no longer.
async fn tell_holders(
    tx: &mut Tx,
    caller: &Caller,
    skill: &Skill,
    advice: &Deprecation,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(latest) = skill.latest_version_id else { return Ok(()) };
    let instead = advice.successor.as_ref().map(|successor| format!("; use {successor} in its place"));
    let instead = instead.unwrap_or_default();
    let text =
        format!("{}, which you have active, should no longer be used: {}{instead}", name_of(skill), advice.message);
    let reason = format!("{}{instead}", advice.message);
    let message = Message { kind: NoticeKind::Deprecated, reason: &reason, text: &text };
    let know: Vec<PersonId> = caller.person_id().into_iter().collect();
    let audience = Audience { except: &know, ..Audience::default() };
    notices::tell_holders(tx, (skill.id, latest), &audience, &message, now).await?;
    Ok(())
}

async fn apply(tx: &mut Tx, caller: &Caller, skill: &Skill, step: &Step, now: Timestamp) -> Result<(), Error> {
    match step {
        Step::Visibility(visibility) => skills::set_visibility(tx, skill.id, *visibility).await?,
        Step::Hide(reason) => skills::set_hidden(tx, skill.id, Some((now, reason))).await?,
        Step::Show => skills::set_hidden(tx, skill.id, None).await?,
        Step::Delete { until, .. } => {
            skills::set_deleted(tx, skill.id, Some(now)).await?;
            skill_names::reserve_all(tx, skill.id, *until).await?;
            transfers::cancel_all(tx, skill.id, caller.person_id(), now).await?;
        }
        Step::Undelete => {
            skills::set_deleted(tx, skill.id, None).await?;
            skill_names::restore_all(tx, skill.id).await?;
        }
        Step::Deprecate(notice) => skills::set_deprecation(tx, skill.id, notice.as_ref()).await?,
    }
    Ok(())
}
