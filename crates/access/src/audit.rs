//! The audit trail: one event for every write, in the transaction of the write.

use kontor_db::audit_events::{self, NewEvent};
use kontor_db::{Error, Tx};
use kontor_types::{AuditId, PublisherId, Timestamp};
use serde_json::{Value, json};

use crate::Caller;

/// What was done; who did it comes from the [`Caller`].
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `noun.verb`, for example `version.publish`.
    pub action: &'static str,
    /// The publisher it concerns, whose owners and admins may read the event.
    pub publisher: Option<PublisherId>,
    /// What it was done to, as people write it: `@acme/pdf@1.2.0`.
    pub subject: String,
    /// More facts as a JSON object; never a secret.
    pub detail: Value,
}

impl Event {
    /// An event that concerns no publisher and needs no more facts.
    pub fn new(action: &'static str, subject: impl Into<String>) -> Self {
        Self { action, publisher: None, subject: subject.into(), detail: json!({}) }
    }

    /// Says which publisher it concerns.
    #[must_use]
    pub fn publisher(mut self, publisher: PublisherId) -> Self {
        self.publisher = Some(publisher);
        self
    }

    /// Adds facts, as a JSON object.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }
}

/// Writes the event of a write into the same transaction: both are kept or neither is.
pub async fn record(tx: &mut Tx, caller: &Caller, event: Event, now: Timestamp) -> Result<(), Error> {
    let row = NewEvent {
        id: AuditId::new(now),
        at: now,
        person: caller.person_id(),
        token: caller.token,
        action: event.action.to_owned(),
        publisher: event.publisher,
        subject: event.subject,
        detail: event.detail,
        address: caller.address.map(|address| address.to_string()),
        request_id: caller.request_id.clone(),
    };
    audit_events::insert(tx, &row).await
}
