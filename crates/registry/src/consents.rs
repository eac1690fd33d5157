//! Consents: a person lets a version have something whenever their agents run it. Only a person's answer gives one: to a
//! question that this hub has put about exactly one call, or by a verb of their own.

use std::time::Duration;

use kontor_access::{Caller, audit};
use kontor_db::Tx;
use kontor_db::consents::{self, Consent, Question};
use kontor_types::{ConsentId, Digest, Scope, Timestamp};
use serde::{Deserialize, Serialize};
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

/// Hosts, secrets and packages that somebody lets a version have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allowance {
    /// Hosts and ports.
    pub network: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Packages that only imports speak of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}

/// How runs that somebody starts themselves spell what they let a version have beyond what it declares; no list that an
/// agent asks for is spelled so.
#[derive(Serialize, Deserialize)]
struct Beyond {
    beyond: Allowance,
}

impl Allowance {
    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.network.is_empty() && self.secrets.is_empty() && self.packages.is_empty()
    }

    /// What a consent lets a version have, and whether beyond what is declared, in runs that somebody starts themselves.
    pub fn of(consent: &Consent) -> (Self, bool) {
        match serde_json::from_str::<Beyond>(&consent.asked) {
            Ok(beyond) => (beyond.beyond, true),
            Err(_) => (serde_json::from_str(&consent.asked).unwrap_or_default(), false),
        }
    }

    /// In one spelling.
    fn beyond(mut self) -> String {
        for list in [&mut self.network, &mut self.secrets, &mut self.packages] {
            list.sort();
            list.dedup();
        }
        serde_json::to_string(&Beyond { beyond: self }).unwrap_or_default()
    }
}

impl Registry {
    /// Everything that the caller lets this version have beyond what is declared, in the runs that they start.
    pub async fn remembered(&self, caller: &Caller, found: &Found) -> Result<Allowance, Error> {
        let Some(person) = caller.person_id() else { return Ok(Allowance::default()) };
        let (mut conn, now) = (self.read().await?, self.now());
        let mut all = Allowance::default();
        for consent in consents::in_force(&mut conn, person, found.version.id, caller.token, now).await? {
            if let (one, true) = Allowance::of(&consent) {
                all.network.extend(one.network);
                all.secrets.extend(one.secrets);
                all.packages.extend(one.packages);
            }
        }
        Ok(all)
    }

    /// Writes down within the transaction that accepts a run what its version may have beyond what is declared. Who may run
    /// it was asked before.
    pub async fn remember(
        tx: &mut Tx,
        caller: &Caller,
        found: &Found,
        beyond: Allowance,
        keep: Keep,
        now: Timestamp,
    ) -> Result<Consent, Error> {
        give(tx, caller, found, &beyond.beyond(), keep, now).await
    }

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
        caller.require_person()?;
        self.may_run(caller, found).await?;
        let now = self.now();
        let (caller, found, asked) = (caller.clone(), found.clone(), asked.to_owned());
        self.write(move |tx| {
            let (caller, found, asked) = (caller.clone(), found.clone(), asked.clone());
            Box::pin(async move { give(tx, &caller, &found, &asked, keep, now).await })
        })
        .await
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

async fn give(
    tx: &mut Tx,
    caller: &Caller,
    found: &Found,
    asked: &str,
    keep: Keep,
    now: Timestamp,
) -> Result<Consent, Error> {
    let person = caller.require_person()?;
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
    consents::put(tx, person, &consent).await?;
    let detail = json!({ "consent": consent.id, "asked": consent.asked, "until": consent.expires_at });
    let event = event("consent.give", found.skill.publisher_id, &found.reference(), detail);
    audit::record(tx, caller, event, now).await?;
    Ok(consent)
}
