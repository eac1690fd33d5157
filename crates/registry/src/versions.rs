//! Yanking and hiding single versions.

use std::sync::Arc;

use kontor_access::{Caller, audit};
use kontor_db::Tx;
use kontor_db::notices::{self, Audience, Message, NoticeKind};
use kontor_db::versions::{self, Version};
use kontor_types::{PersonId, Role, Scope, SkillRef, Timestamp, Viewer};
use serde_json::json;

use crate::lookup::Found;
use crate::registry::{announce, event};
use crate::release::settle_latest;
use crate::webhooks::{self, EventKind};
use crate::{Error, Registry, statements};

/// Most bytes of a reason.
const REASON_LIMIT: usize = 2_000;

/// What is done to one version.
#[derive(Debug, Clone)]
enum Step {
    Yank(String),
    Unyank,
    Hide(String),
    Show,
}

impl Step {
    const fn action(&self) -> &'static str {
        match self {
            Self::Yank(_) => "version.yank",
            Self::Unyank => "version.unyank",
            Self::Hide(_) => "version.hide",
            Self::Show => "version.restore",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Yank(reason) | Self::Hide(reason) => Some(reason),
            Self::Unyank | Self::Show => None,
        }
    }

    /// Whether the version is as this step would leave it.
    fn is_done(&self, version: &Version) -> bool {
        match self {
            Self::Yank(_) => version.yanked_at.is_some(),
            Self::Unyank => version.yanked_at.is_none(),
            Self::Hide(_) => version.hidden_at.is_some(),
            Self::Show => version.hidden_at.is_none(),
        }
    }
}

impl Step {
    /// Tells those who have the version active that it was withdrawn, or no longer is.
    async fn tell_holders(&self, tx: &mut Tx, found: &Found, caller: &Caller, now: Timestamp) -> Result<(), Error> {
        let name = found.reference();
        let (kind, reason, text) = match self {
            Self::Yank(reason) if reason.is_empty() => {
                (NoticeKind::Yanked, "", format!("{name}, which you have active, was withdrawn"))
            }
            Self::Yank(reason) => {
                (NoticeKind::Yanked, reason.as_str(), format!("{name}, which you have active, was withdrawn: {reason}"))
            }
            Self::Unyank => {
                (NoticeKind::Unyanked, "", format!("{name}, which you have active, is no longer withdrawn"))
            }
            Self::Hide(_) | Self::Show => return Ok(()),
        };
        let know: Vec<PersonId> = caller.person_id().into_iter().collect();
        let audience = Audience { version: Some(found.version.id), except: &know };
        let message = Message { kind, reason, text: &text };
        notices::tell_holders(tx, (found.skill.id, found.version.id), &audience, &message, now).await?;
        Ok(())
    }
}

impl Registry {
    /// Withdraws a version from resolution: `latest`, ranges and searches pass it over, who names it exactly still gets it.
    pub async fn yank(&self, caller: &Caller, reference: &SkillRef, reason: &str) -> Result<Found, Error> {
        self.change_version(caller, reference, Step::Yank(checked(reason)?)).await
    }

    /// Takes a withdrawal back.
    pub async fn unyank(&self, caller: &Caller, reference: &SkillRef) -> Result<Found, Error> {
        self.change_version(caller, reference, Step::Unyank).await
    }

    /// Hides a version from everybody but the publisher's maintainers; its number stays taken.
    pub async fn hide_version(&self, caller: &Caller, reference: &SkillRef, reason: &str) -> Result<Found, Error> {
        self.change_version(caller, reference, Step::Hide(checked(reason)?)).await
    }

    /// Shows a hidden version again.
    pub async fn restore_version(&self, caller: &Caller, reference: &SkillRef) -> Result<Found, Error> {
        self.change_version(caller, reference, Step::Show).await
    }

    async fn change_version(&self, caller: &Caller, reference: &SkillRef, step: Step) -> Result<Found, Error> {
        if reference.version.is_none() {
            return Err(Error::invalid(format!("name the version: {reference}@1.2.3")));
        }
        let found = self.version(caller.viewer(), reference).await?;
        caller.require_role(found.skill.publisher_id, Role::Maintainer, Scope::Publish)?;
        if step.is_done(&found.version) {
            return Ok(found);
        }
        let (caller, notary, now) = (caller.clone(), self.log().clone(), self.now());
        self.write(move |tx| {
            let (caller, notary, step, found) = (caller.clone(), notary.clone(), step.clone(), found.clone());
            Box::pin(async move {
                let (skill, version) = (found.skill.id, found.version.id);
                kontor_db::skills::lock(tx, skill).await?;
                // Asked twice at once, it is done, written down and told once.
                if versions::find(tx, &Viewer::hub(), version).await?.is_none_or(|now| step.is_done(&now)) {
                    return reread(tx, found).await;
                }
                match &step {
                    Step::Yank(reason) => versions::set_yanked(tx, version, Some((now, reason))).await?,
                    Step::Unyank => versions::set_yanked(tx, version, None).await?,
                    Step::Hide(reason) => versions::set_hidden(tx, version, Some((now, reason))).await?,
                    Step::Show => versions::set_hidden(tx, version, None).await?,
                }
                settle_latest(tx, skill, now).await?;
                let detail = json!({"reason": step.reason(), "digest": found.version.digest});
                if matches!(step, Step::Yank(_) | Step::Unyank) {
                    let (publisher, subject) = (found.skill.publisher_id, found.reference());
                    let mut detail = detail.clone();
                    detail["yanked"] = json!(matches!(step, Step::Yank(_)));
                    let told = webhooks::Event { kind: EventKind::Yank, publisher, subject, detail };
                    webhooks::announce(tx, &told, now).await?;
                }
                step.tell_holders(tx, &found, &caller, now).await?;
                let event = event(step.action(), found.skill.publisher_id, &found.reference(), detail);
                audit::record(tx, &caller, event, now).await?;
                notary.append(tx, statements::changed(step.action(), step.reason(), &found, &caller, now), now).await?;
                announce(tx, skill, now).await?;
                reread(tx, found).await
            })
        })
        .await
    }
}

/// The same version as it is now.
async fn reread(tx: &mut Tx, found: Found) -> Result<Found, Error> {
    let skill = kontor_db::skills::find(tx, &Viewer::hub(), found.skill.id).await?.map_or(found.skill, Arc::new);
    let version = versions::find(tx, &Viewer::hub(), found.version.id).await?.map_or(found.version, Arc::new);
    Ok(Found { skill, version })
}

/// A reason fit to be stored and shown.
pub(crate) fn checked(reason: &str) -> Result<String, Error> {
    if reason.len() > REASON_LIMIT {
        return Err(Error::invalid(format!("the reason is longer than {REASON_LIMIT} bytes: shorten it")));
    }
    // What is signed is what is kept: the database keeps no NUL, and a terminal obeys the others.
    let shown = |char: char| if char.is_control() && !matches!(char, '\n' | '\t') { '\u{fffd}' } else { char };
    Ok(reason.trim().replace("\r\n", "\n").chars().map(shown).collect())
}
