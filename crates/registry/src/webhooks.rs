//! Webhooks: telling other programs what happened, signed and retried.
//!
//! An event is queued as a job in the transaction that makes it true. A delivery carries
//! `Kontor-Signature: t=<seconds>,v1=<hex>`, where the hexadecimal digits are HMAC-SHA-256 (RFC 2104) of
//! `<seconds>.<body>` under the webhook's secret. The receiver recognises a repeated delivery by the event's `id`.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue};
use kontor_access::{Caller, Publisher, audit};
use kontor_db::webhooks::{self, NewWebhook};
use kontor_db::{Db, Tx};
use kontor_jobs::{Claimed, Failure, NewJob, Outcome};
use kontor_outbound::Outbound;
use kontor_types::{Clock, JobId, PublisherId, Role, Scope, SkillRef, Timestamp, WebhookId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use crate::Error;

pub use kontor_db::webhooks::Webhook;

/// The kind of job that delivers one event to one webhook.
pub const DELIVERY: &str = "webhook.deliver";

/// Most webhooks that one publisher has.
const MOST: usize = 20;

/// Most bytes of a webhook's address.
const URL_LIMIT: usize = 2_048;

/// How often a delivery is tried: with doubling waits, for about two days.
const ATTEMPTS: u32 = 40;

const PATIENCE: Duration = Duration::from_secs(10);

/// What of an answer is read; only its status matters.
const ANSWER_LIMIT: u64 = 4_096;

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A version was published.
    Publish,
    /// A version was withdrawn or restored.
    Yank,
    /// A held version was decided on.
    Decision,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Publish, Self::Yank, Self::Decision];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Yank => "yank",
            Self::Decision => "decision",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that happened to a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What kind of thing.
    pub kind: EventKind,
    /// Whose version.
    pub publisher: PublisherId,
    /// The version's full name.
    pub subject: SkillRef,
    /// More facts, as a JSON object.
    pub detail: Value,
}

/// The key from which every webhook's secret is derived; it lives in a file, never in the database.
#[derive(Clone)]
pub struct WebhookKey(Arc<[u8; 32]>);

impl WebhookKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(bytes))
    }

    /// The secret of one webhook, as its owner is shown it once.
    fn secret(&self, id: WebhookId) -> String {
        format!("whsec_{}", hex::encode(mac(&*self.0, &[b"kontor webhook ", id.uuid().as_bytes()])))
    }
}

impl std::fmt::Debug for WebhookKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("WebhookKey(…)")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; an empty key would be the answer to a broken library.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The value of `Kontor-Signature` for a body sent at this second.
pub fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
    let digits = hex::encode(mac(secret.as_bytes(), &[seconds.to_string().as_bytes(), b".", body]));
    format!("t={seconds},v1={digits}")
}

/// Queues an event for every webhook that listens to it; part of the unit that makes the event true.
pub async fn announce(tx: &mut Tx, event: &Event, now: Timestamp) -> Result<(), kontor_db::Error> {
    let listening = webhooks::listening(tx, event.publisher).await?;
    let wanted =
        |webhook: &Webhook| webhook.events.is_empty() || webhook.events.iter().any(|word| word == event.kind.as_str());
    for webhook in listening.iter().filter(|webhook| wanted(webhook)) {
        let body = json!({
            "id": JobId::new(now).to_string(),
            "event": event.kind,
            "at": now,
            "ref": event.subject,
            "detail": event.detail,
        });
        let job = NewJob {
            kind: DELIVERY.to_owned(),
            key: None,
            payload: json!({"webhook": webhook.id, "body": body}),
            run_at: now,
            max_attempts: ATTEMPTS,
        };
        kontor_jobs::enqueue(tx, &job, now).await?;
    }
    Ok(())
}

/// A webhook with its secret, right after it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// The key of its signatures.
    pub secret: String,
}

/// The verbs about webhooks; cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    db: Db,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    key: WebhookKey,
}

impl std::fmt::Debug for Webhooks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Webhooks").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Payload {
    webhook: WebhookId,
    body: Value,
}

impl Webhooks {
    /// The verbs over a database.
    pub fn new(db: Db, outbound: Outbound, clock: Arc<dyn Clock>, key: WebhookKey) -> Self {
        Self { db, outbound, clock, key }
    }

    /// Makes a webhook for a publisher's events; for its owners and admins.
    pub async fn make(
        &self,
        caller: &Caller,
        publisher: &Publisher,
        url: &str,
        events: &[EventKind],
    ) -> Result<MadeWebhook, Error> {
        caller.require_role(publisher.id, Role::Admin, Scope::Publish)?;
        let person = caller.require_person()?;
        let url = address(url)?;
        let now = self.clock.now();
        let new = NewWebhook {
            id: WebhookId::new(now),
            publisher_id: Some(publisher.id),
            url: url.to_string(),
            events: events.iter().map(|kind| kind.as_str().to_owned()).collect(),
            created_by: person,
            now,
        };
        let secret = self.key.secret(new.id);
        let (caller, handle, row) = (caller.clone(), publisher.handle.clone(), new.clone());
        let publisher = publisher.id;
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    if webhooks::list(tx, caller.viewer(), Some(publisher)).await?.len() >= MOST {
                        return Err(Error::conflict(
                            format!("@{handle} has {MOST} webhooks already"),
                            "remove one that is no longer needed",
                        ));
                    }
                    webhooks::insert(tx, &row).await?;
                    let event = audit::Event::new("webhook.create", format!("@{handle}"))
                        .publisher(publisher)
                        .detail(json!({"webhook": row.id, "host": url.host_str()}));
                    audit::record(tx, &caller, event, now).await?;
                    Ok(())
                })
            })
            .await?;
        let webhook = Webhook {
            id: new.id,
            publisher_id: new.publisher_id,
            url: new.url,
            events: new.events,
            created_by: person,
            created_at: now,
            disabled_at: None,
            last_status: None,
            last_at: None,
        };
        Ok(MadeWebhook { webhook, secret })
    }

    /// A publisher's webhooks, oldest first; for its owners and admins.
    pub async fn list(&self, caller: &Caller, publisher: &Publisher) -> Result<Vec<Webhook>, Error> {
        caller.require_role(publisher.id, Role::Admin, Scope::Read)?;
        Ok(webhooks::list(&mut self.db.read().await?, caller.viewer(), Some(publisher.id)).await?)
    }

    /// Removes a publisher's webhook; events under way to it are dropped.
    pub async fn remove(&self, caller: &Caller, publisher: &Publisher, id: WebhookId) -> Result<(), Error> {
        caller.require_role(publisher.id, Role::Admin, Scope::Publish)?;
        let (caller, publisher, handle, now) =
            (caller.clone(), publisher.id, publisher.handle.clone(), self.clock.now());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let found = webhooks::find(tx, caller.viewer(), id).await?;
                    if found.is_none_or(|webhook| webhook.publisher_id != Some(publisher)) {
                        return Err(Error::NotFound { what: "webhook" });
                    }
                    webhooks::remove(tx, id).await?;
                    let event = audit::Event::new("webhook.remove", format!("@{handle}"))
                        .publisher(publisher)
                        .detail(json!({"webhook": id}));
                    audit::record(tx, &caller, event, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The handler of [`DELIVERY`] jobs.
    pub async fn deliver(&self, job: Claimed) -> Outcome {
        let payload: Payload =
            serde_json::from_value(job.payload).map_err(|error| Failure::Permanent(error.to_string()))?;
        let Some(webhook) = self.enabled(payload.webhook).await? else { return Ok(()) };
        let body = payload.body.to_string();
        let status = self.post(&webhook, body).await;
        self.note(webhook.id, status.as_ref().map_or(0, |status| i64::from(*status))).await?;
        match status {
            Ok(200..=299) => Ok(()),
            Ok(status) => Err(Failure::Retry(format!("it answered {status}"))),
            Err(failure) => Err(failure),
        }
    }

    async fn enabled(&self, id: WebhookId) -> Result<Option<Webhook>, Failure> {
        let find = async { webhooks::find(&mut self.db.read().await?, &kontor_types::Viewer::hub(), id).await };
        let found = find.await.map_err(|error| Failure::Retry(error.to_string()))?;
        Ok(found.filter(|webhook| webhook.disabled_at.is_none()))
    }

    async fn post(&self, webhook: &Webhook, body: String) -> Result<u16, Failure> {
        const SIGNATURE: HeaderName = HeaderName::from_static("kontor-signature");
        let seconds = self.clock.now().millis().div_euclid(1_000);
        let signature = signature(&self.key.secret(webhook.id), seconds, body.as_bytes());
        let signature = HeaderValue::from_str(&signature).map_err(|error| Failure::Permanent(error.to_string()))?;
        let request = self.outbound.post(&webhook.url).map_err(|error| Failure::Permanent(error.to_string()))?;
        let sent = request
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("kontor-webhook"))
            .header(SIGNATURE, signature)
            .body(body)
            .timeout(PATIENCE)
            .limit(ANSWER_LIMIT)
            .send()
            .await;
        sent.map(|answer| answer.status().as_u16()).map_err(|error| Failure::Retry(error.to_string()))
    }

    async fn note(&self, id: WebhookId, status: i64) -> Result<(), Failure> {
        let now = self.clock.now();
        let noted: Result<(), kontor_db::Error> =
            self.db.write(move |tx| Box::pin(async move { webhooks::note_delivery(tx, id, status, now).await })).await;
        noted.map_err(|error| Failure::Retry(error.to_string()))
    }
}

/// An address that a webhook may have; whether it may be reached is decided at each delivery.
fn address(text: &str) -> Result<Url, Error> {
    let refused = |reason: &str| Error::Address { reason: reason.to_owned() };
    if text.len() > URL_LIMIT {
        return Err(refused("it is longer than 2,048 bytes"));
    }
    let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it begins with neither https:// nor http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a name or a password; the signature proves who sends"));
    }
    Ok(url)
}
