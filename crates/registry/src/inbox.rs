//! What people are told about skills that concern them, and who of those that have a skill active knows of a decision.

use kontor_access::Caller;
use kontor_db::activations::{self, HeldVersion, Holder, Known};
use kontor_db::notices::{self, Notice};
use kontor_types::{NoticeId, ReviewId, Scope};

use crate::{Error, Registry};

/// Notices on one page of an inbox.
const PAGE: u32 = 50;
/// Most people whose names are shown.
const NAMED: u32 = 200;

/// A page of what somebody was told.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// The newest first.
    pub notices: Vec<Notice>,
    /// Before which the next page begins, when there is one.
    pub next: Option<NoticeId>,
}

/// Who has a skill active whose version is reviewed.
#[derive(Debug, Clone)]
pub struct Holders {
    /// How many people have each version.
    pub versions: Vec<HeldVersion>,
    /// How many of them know of the decision.
    pub known: Known,
    /// Those whom the reviewer may know, by name.
    pub named: Vec<Holder>,
}

impl Holders {
    /// How many people have the skill active.
    pub fn people(&self) -> u64 {
        self.versions.iter().map(|version| version.people).sum()
    }
}

impl Registry {
    /// What the caller was told, the newest first; looking changes nothing.
    pub async fn inbox(&self, caller: &Caller, before: Option<NoticeId>) -> Result<Inbox, Error> {
        let person = caller.require_person()?;
        let mut notices = notices::of_person(&mut self.read().await?, person, before, PAGE + 1).await?;
        let more = notices.len() > PAGE as usize;
        notices.truncate(PAGE as usize);
        let next = notices.last().filter(|_| more).map(|last| last.id);
        Ok(Inbox { notices, next })
    }

    /// How many notices the caller has not read; none for who is not signed in.
    pub async fn unread(&self, caller: &Caller) -> Result<u64, Error> {
        let Some(person) = caller.person_id() else { return Ok(0) };
        Ok(notices::unread(&mut self.read().await?, person).await?)
    }

    /// Notes that the caller has read one notice, or everything up to it.
    pub async fn read_notice(&self, caller: &Caller, id: NoticeId, and_older: bool) -> Result<(), Error> {
        let (person, now) = (caller.require_person()?, self.now());
        let unit = self.parts.db.write(move |tx| {
            Box::pin(async move {
                if and_older {
                    notices::read_up_to(tx, person, id, now).await
                } else {
                    notices::read(tx, person, &[id], now).await
                }
            })
        });
        unit.await.map_err(|error: kontor_db::Error| Error::from(error))?;
        Ok(())
    }

    /// Who has the skill active whose version a review is about, for those who may take part in it.
    pub async fn holders(&self, caller: &Caller, id: ReviewId) -> Result<Holders, Error> {
        caller.require(Scope::Review)?;
        let review = self.review(caller, id).await?.review;
        let mut conn = self.read().await?;
        let about = (review.skill_id, review.version_id);
        Ok(Holders {
            versions: activations::held_versions(&mut conn, review.skill_id).await?,
            known: activations::known(&mut conn, review.skill_id, review.version_id).await?,
            named: activations::holders(&mut conn, caller.viewer(), about, NAMED).await?,
        })
    }
}
