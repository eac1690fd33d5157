use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use kontor_access::Caller;
use kontor_access::audit::{self, Event};
use kontor_crypto::SigningKey;
use kontor_db::persons::{self, Person};
use kontor_db::{Conn, Db, Tx};
use kontor_ledger::Ledger;
use kontor_outbound::Outbound;
use kontor_translog::Log;
use kontor_types::{Clock, Handle, PersonId, Timestamp};
use serde_json::{Value, json};

use crate::{Error, Refusal, SetAside, Why};

/// How often a unit of writing is tried again that lost a race.
const TRIES: usize = 8;
/// Texts of one merchant that one audit event has.
const MOST_NOTED: usize = 10;

/// What purchases are made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The books.
    pub ledger: Ledger,
    /// The client for merchants' addresses.
    pub outbound: Outbound,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The log that receipts go into.
    pub log: Log,
    /// The key that signs receipts.
    pub key: SigningKey,
    /// What the hub is called, in mandates and receipts.
    pub hub: String,
}

/// Purchases, mandates and purses; cheap to clone.
#[derive(Clone)]
pub struct Commerce(pub(crate) Arc<Parts>);

impl fmt::Debug for Commerce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Commerce").field("hub", &self.0.hub).finish_non_exhaustive()
    }
}

impl Commerce {
    /// Puts it together; nothing works in the background.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The name that mandates have to name.
    pub fn hub(&self) -> &str {
        &self.0.hub
    }

    /// The person with this handle.
    ///
    /// # Errors
    /// [`kontor_access::Error::PersonNotFound`].
    pub async fn find_person(&self, handle: &Handle) -> Result<PersonId, Error> {
        let found = persons::by_handle(&mut self.read().await?, handle).await?;
        Ok(found.ok_or_else(|| kontor_access::Error::PersonNotFound { handle: handle.clone() })?.id)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) async fn read(&self) -> Result<Conn, Error> {
        Ok(self.0.db.read().await?)
    }

    /// Runs a unit of writing, again when another one was faster.
    pub(crate) async fn unit<T, F>(&self, unit: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, Error>> + Send + Sync + 'static,
    {
        let unit = Arc::new(unit);
        let mut tries = 1;
        loop {
            let this = Arc::clone(&unit);
            match self.0.db.write(move |tx| this(tx)).await {
                Err(Error::Db(error)) if error.is_race() && tries < TRIES => tries += 1,
                Err(Error::Ledger(kontor_ledger::Error::Db(error))) if error.is_race() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// Writes into the audit trail which texts of merchants gave orders to programs, when somebody was about to buy.
    pub async fn note_texts(&self, person: PersonId, texts: &[SetAside]) {
        let mut merchants: Vec<&str> = texts.iter().map(|one| one.merchant.as_str()).collect();
        merchants.sort_unstable();
        merchants.dedup();
        for merchant in merchants {
            let of = texts.iter().filter(|one| one.merchant == merchant).take(MOST_NOTED);
            let texts: Vec<_> =
                of.map(|one| json!({ "about": one.about, "field": one.field, "text": one.text })).collect();
            let detail = json!({ "refused": "gives_orders", "texts": texts });
            self.write_down(person, "offer.refuse", merchant.to_owned(), detail).await;
        }
    }

    /// Writes down that something was refused, where it is not written down otherwise.
    pub(crate) async fn note(&self, person: PersonId, action: &'static str, subject: String, refusal: &Refusal) {
        let detail = json!({ "refused": refusal.code(), "detail": refusal.detail });
        self.write_down(person, action, subject, detail).await;
    }

    async fn write_down(&self, person: PersonId, action: &'static str, subject: String, detail: Value) {
        let now = self.now();
        let written = self
            .unit(move |tx| {
                let (subject, detail) = (subject.clone(), detail.clone());
                Box::pin(async move {
                    let person = self::person(tx, person).await?;
                    Ok(record(tx, &person, Event::new(action, subject).detail(detail), now).await?)
                })
            })
            .await;
        if let Err(error) = written {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a refused purchase was not written into the audit trail"
            );
        }
    }
}

/// The person with this id.
pub async fn person(conn: &mut Conn, id: PersonId) -> Result<Person, Error> {
    let found = persons::by_id(conn, id).await?;
    found.ok_or_else(|| Refusal::new(Why::CheckoutUnknown, "there is no such person").into())
}

/// Writes an audit event in the name of a person.
pub async fn record(tx: &mut Tx, person: &Person, event: Event, now: Timestamp) -> Result<(), kontor_db::Error> {
    let caller = Caller::person((person.id, person.handle.clone()), false, Vec::new(), Vec::new(), None);
    audit::record(tx, &caller, event, now).await
}
