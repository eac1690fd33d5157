//! The audit trail: who wrote what, when, from where; rows are only ever added.

use kontor_types::{AuditId, PersonId, PublisherId, Timestamp, TokenId};
use serde_json::Value;
use sqlx::types::Json;

use crate::{Error, Tx};

/// One line of the trail, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Its id.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it; `None` for the hub itself.
    pub person: Option<PersonId>,
    /// With which token; `None` for a browser session or the hub.
    pub token: Option<TokenId>,
    /// What was done, as `noun.verb`.
    pub action: String,
    /// The publisher it concerns.
    pub publisher: Option<PublisherId>,
    /// What it was done to, as people write it.
    pub subject: String,
    /// More facts; never a secret.
    pub detail: Value,
    /// The address the request came from.
    pub address: Option<String>,
    /// The request's id, as in errors and logs.
    pub request_id: Option<String>,
}

/// Adds a line.
pub async fn insert(tx: &mut Tx, event: &NewEvent) -> Result<(), Error> {
    const SQL: &str = "insert into audit_event
            (id, at, person_id, token_id, action, publisher_id, subject, detail, address, request_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    execute!(
        tx,
        sqlx::query(SQL)
            .bind(event.id.uuid())
            .bind(event.at.micros())
            .bind(event.person.map(PersonId::uuid))
            .bind(event.token.map(TokenId::uuid))
            .bind(&event.action)
            .bind(event.publisher.map(PublisherId::uuid))
            .bind(&event.subject)
            .bind(Json(&event.detail))
            .bind(event.address.as_deref())
            .bind(event.request_id.as_deref())
    )?;
    Ok(())
}
