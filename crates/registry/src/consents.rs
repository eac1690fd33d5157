//! Consents: a person lets a version have something whenever their agents run it. Only a person's answer gives one: to a
//! question that this hub has put about exactly one call, or by a verb of their own.

use std::time::Duration;

use kontor_access::{Caller, audit};
use kontor_db::consents::{self, Consent, Question};
use kontor_types::{ConsentId, Digest, Scope};
use serde_json::json;

use crate::registry::event;
use crate::{Error, Found, Registry};

/// How long a question may be answered.
const PATIENCE: Duration = Duration::from_mins(15);
/// How long a consent for a session holds: there are none, so it is a working day of one token.
const SESSION: Duration = Duration::from_hours(8);
/// Questions to one person that wait for an answer.
const OPEN: u32 = 50;

/// For how long something is consented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// With the token that asks, for eight hours.
    Session,
    /// For this version, until it is taken back.
    Always,
}

impl Registry {
    /// Whether the caller lets a version have exactly this.
    pub async fn has_consent(&self, caller: &Caller, found: &Found, asked: &str) -> Result<bool, Error> {
        let Some(person) = caller.person_id() else { return Ok(false) };
        let (mut conn, now) = (self.read().await?, self.now());
        Ok(consents::holds(&mut conn, person, found.version.id, asked, caller.token, now).await?)
    }

    /// Puts a question about one call; what comes back must come with the answer, and is nobody's to guess.
    pub async fn ask_consent(&self, caller: &Caller, about: Digest) -> Result<String, Error> {
        let person = caller.require_person()?;
        let secret = hex::encode(rand::random::<[u8; 32]>());
        let now = self.now();
        let question = Question { id: Digest::of(secret.as_bytes()), person, about, expires_at: now.after(PATIENCE) };
        self.write(move |tx| Box::pin(async move { Ok(consents::ask(tx, &question, OPEN, now).await?) })).await?;
        Ok(secret)
    }

    /// Whether this answers a question that was put to the caller about this very call. Each is answered once.
    pub async fn answers_consent(&self, caller: &Caller, state: &str, about: Digest) -> Result<bool, Error> {
        let person = caller.require_person()?;
        let (id, now) = (Digest::of(state.as_bytes()), self.now());
        self.write(move |tx| Box::pin(async move { Ok(consents::answer(tx, &id, person, &about, now).await?) })).await
    }

    /// Writes down that the caller lets a version have this.
    pub async fn consent(&self, caller: &Caller, found: &Found, asked: &str, keep: Keep) -> Result<Consent, Error> {
        caller.require(Scope::Run)?;
        let person = caller.require_person()?;
        self.may_run(caller, found).await?;
        let now = self.now();
        let (token_id, expires_at) = match keep {
            Keep::Session => (caller.token, Some(now.after(SESSION))),
            Keep::Always => (None, None),
        };
        let consent = Consent {
            id: ConsentId::new(now),
            version_id: found.version.id,
            skill: found.reference().to_string(),
            asked: asked.to_owned(),
            token_id,
            created_at: now,
            expires_at,
        };
        let (writer, chosen, given) = (caller.clone(), found.clone(), consent.clone());
        self.write(move |tx| {
            let (caller, found, consent) = (writer.clone(), chosen.clone(), given.clone());
            Box::pin(async move {
                consents::put(tx, person, &consent).await?;
                let detail = json!({ "consent": consent.id, "asked": consent.asked, "until": consent.expires_at });
                let event = event("consent.give", found.skill.publisher_id, &found.reference(), detail);
                audit::record(tx, &caller, event, now).await?;
                Ok(())
            })
        })
        .await?;
        Ok(consent)
    }

    /// What the caller has consented to, the newest first.
    pub async fn consents(&self, caller: &Caller) -> Result<Vec<Consent>, Error> {
        let person = caller.require_person()?;
        Ok(consents::of(&mut self.read().await?, person, self.now()).await?)
    }

    /// Takes a consent back.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the caller has given none of this id.
    pub async fn revoke_consent(&self, caller: &Caller, id: ConsentId) -> Result<(), Error> {
        let person = caller.require_person()?;
        let (writer, now) = (caller.clone(), self.now());
        self.write(move |tx| {
            let caller = writer.clone();
            Box::pin(async move {
                if !consents::remove(tx, person, id).await? {
                    return Err(Error::NotFound { what: "consent" });
                }
                let event = audit::Event::new("consent.revoke", id.to_string());
                audit::record(tx, &caller, event, now).await?;
                Ok(())
            })
        })
        .await
    }
}
