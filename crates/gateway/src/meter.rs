use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kontor_db::Db;
use kontor_db::model_usage::{self, Use};
use kontor_types::{Clock, Currency, PersonId, PublisherId};
use uuid::Uuid;

use crate::{Error, Usage};

/// Kinds of use that may wait to be written; beyond that no calls are made.
const MOST_WAITING: usize = 50_000;
/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// For whom and for what a call is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    pub person: Option<PersonId>,
    pub publisher: Option<PublisherId>,
    pub run: Option<Arc<str>>,
    pub errand: Option<Arc<str>>,
    pub model: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    hour: i64,
    account: Account,
    upstream: Arc<str>,
    currency: Option<Currency>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    calls: i64,
    failed: i64,
    estimated: i64,
    prompt: i64,
    cached: i64,
    completion: i64,
    cost: i64,
}

/// A call that is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Over {
    pub usage: Usage,
    pub cost: i64,
    pub failed: bool,
}

/// A batch on its way to the database, under a number that makes it count once.
struct Batch {
    number: i64,
    uses: Arc<Vec<Use>>,
}

#[derive(Default)]
struct Writing {
    last: i64,
    unwritten: Option<Batch>,
}

/// Adds use up in memory and writes it in batches.
pub struct Meter {
    db: Db,
    clock: Arc<dyn Clock>,
    process: String,
    waiting: Mutex<HashMap<Kind, Sum>>,
    writing: tokio::sync::Mutex<Writing>,
}

impl Meter {
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        let process = Uuid::new_v4().to_string();
        Self { db, clock, process, waiting: Mutex::default(), writing: tokio::sync::Mutex::default() }
    }

    /// What this process is called in the database.
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Passes while there is room to count.
    pub fn check(&self) -> Result<(), Error> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST_WAITING { Ok(()) } else { Err(Error::Unmetered) }
    }

    pub fn count(&self, account: &Account, upstream: &Arc<str>, currency: Option<Currency>, over: &Over) {
        let hour = self.clock.now().micros().div_euclid(HOUR);
        let kind = Kind { hour, account: account.clone(), upstream: Arc::clone(upstream), currency };
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = waiting.entry(kind).or_default();
        sum.calls += 1;
        sum.failed += i64::from(over.failed);
        sum.estimated += i64::from(over.usage.estimated);
        sum.prompt = sum.prompt.saturating_add(number(over.usage.prompt));
        sum.cached = sum.cached.saturating_add(number(over.usage.cached));
        sum.completion = sum.completion.saturating_add(number(over.usage.completion));
        sum.cost = sum.cost.saturating_add(over.cost);
    }

    /// Writes everything that waits; what could not be written goes first the next time, under the same number.
    pub async fn flush(&self) -> Result<(), kontor_db::Error> {
        let mut writing = self.writing.lock().await;
        loop {
            if writing.unwritten.is_none() {
                let counted = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
                if counted.is_empty() {
                    return Ok(());
                }
                let mut uses: Vec<Use> = counted.into_iter().map(|(kind, sum)| row(kind, sum)).collect();
                // One order for all processes, so that none waits for another that waits for it.
                uses.sort_unstable_by(|left, right| key(left).cmp(&key(right)));
                writing.last += 1;
                writing.unwritten = Some(Batch { number: writing.last, uses: Arc::new(uses) });
            }
            let Some(batch) = &writing.unwritten else { return Ok(()) };
            let (process, number, uses) = (self.process.clone(), batch.number, Arc::clone(&batch.uses));
            let now = self.clock.now();
            self.db
                .write(move |tx| {
                    Box::pin(async move { model_usage::add(tx, &process, number, &uses, now).await.map(drop) })
                })
                .await?;
            writing.unwritten = None;
        }
    }
}

fn key(row: &Use) -> (i64, [&str; 7]) {
    (row.hour, [&row.person, &row.publisher, &row.run, &row.errand, &row.model, &row.upstream, &row.currency])
}

fn row(kind: Kind, sum: Sum) -> Use {
    let Kind { hour, account, upstream, currency } = kind;
    let text = |text: Option<Arc<str>>| text.map(|text| text.to_string()).unwrap_or_default();
    Use {
        hour,
        person: account.person.map(|id| id.to_string()).unwrap_or_default(),
        publisher: account.publisher.map(|id| id.to_string()).unwrap_or_default(),
        run: text(account.run),
        errand: text(account.errand),
        model: account.model.to_string(),
        upstream: upstream.to_string(),
        currency: currency.map(|currency| currency.to_string()).unwrap_or_default(),
        calls: sum.calls,
        failed: sum.failed,
        estimated: sum.estimated,
        prompt: sum.prompt,
        cached: sum.cached,
        completion: sum.completion,
        cost: sum.cost,
    }
}
