use kontor_db::{persons, tokens};
use kontor_types::{Digest, Handle, Scope, Timestamp, TokenId};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::audit::{self, Event};
use crate::people::{NewPerson, insert_person};
use crate::tokens::insert_token;
use crate::{Access, Caller, Error, Person, Token, secret};

/// What the first start prepared.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The administrator.
    pub person: Person,
    /// Whether the administrator is new.
    pub created: bool,
}

const LABEL: &str = "first administrator";
const SHORTEST_PRESET: usize = 8;

impl Access {
    /// Whether the hub has never had an administrator.
    pub async fn needs_administrator(&self) -> Result<bool, Error> {
        Ok(persons::first_administrator(&mut self.db.read().await?).await?.is_none())
    }

    /// Makes sure that there is an administrator and that `token` works as theirs, with every scope and without end.
    ///
    /// To be called at every start with the token that the operator preset, and at the first start with one from
    /// [`secret::token`] that is already safe in a file: so a crash between the two loses nothing. A token that was
    /// revoked stays so.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the preset token is too short or holds spaces.
    pub async fn bootstrap(&self, handle: &Handle, token: &SecretString) -> Result<Bootstrap, Error> {
        let text = token.expose_secret();
        if text.len() < SHORTEST_PRESET || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Invalid {
                reason: format!("the preset token must have {SHORTEST_PRESET} or more visible ASCII characters"),
            });
        }
        if text.len() < 32 && !secret::is_token(text) {
            tracing::warn!("the administrator's preset token is short; use 32 or more random characters");
        }
        let hash = secret::hash(text);
        let outcome = match self.prepare(handle, hash).await {
            // Another node of the same hub starts at this moment and was faster.
            Err(Error::NameTaken { .. } | Error::Database(kontor_db::Error::Duplicate(_))) => {
                self.prepare(handle, hash).await?
            }
            other => other?,
        };
        self.forget_known();
        Ok(outcome)
    }

    async fn prepare(&self, handle: &Handle, hash: Digest) -> Result<Bootstrap, Error> {
        let (handle, now) = (handle.clone(), self.now());
        let unit = self.db.write(move |tx| {
            Box::pin(async move {
                let found = persons::first_administrator(tx).await?;
                let created = found.is_none();
                let person = match found {
                    Some(person) => person,
                    None => insert_person(tx, &Caller::hub(), &administrator(handle), now).await?,
                };
                if tokens::by_hash(tx, &hash).await?.is_none() {
                    insert_token(tx, &everlasting(&person, now), &hash).await?;
                    let event = Event::new("token.create", LABEL).detail(json!({"person": person.handle}));
                    audit::record(tx, &Caller::hub(), event, now).await?;
                }
                Ok(Bootstrap { person, created })
            })
        });
        unit.await
    }
}

fn administrator(handle: Handle) -> NewPerson {
    NewPerson { handle, display_name: "Administrator".to_owned(), administrator: true }
}

fn everlasting(person: &Person, now: Timestamp) -> Token {
    Token {
        id: TokenId::new(now),
        person_id: person.id,
        label: LABEL.to_owned(),
        scopes: Scope::ALL.to_vec(),
        publishers: None,
        created_at: now,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}
