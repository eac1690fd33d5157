use kontor_access::Caller;
use kontor_db::model_usage::{self, By, Filter, Use};
use kontor_db::{persons, publishers};
use kontor_types::{Currency, Handle, Role, Scope, Timestamp};

use crate::{Error, Gateway};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;
/// Lines of one answer.
const MOST: u32 = 10_000;

/// Which use is added up, and what is told apart.
#[derive(Debug, Clone, Default)]
pub struct UsageQuery {
    /// From the hour of this moment on; from the beginning when none is given.
    pub from: Option<Timestamp>,
    /// Up to this moment, its hour included; until now when none is given.
    pub to: Option<Timestamp>,
    /// Only of this person.
    pub person: Option<Handle>,
    /// Only in the name of this publisher.
    pub publisher: Option<Handle>,
    /// Only of this run.
    pub run: Option<String>,
    /// Only of this errand.
    pub errand: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
    /// What is told apart; currencies always are.
    pub by: Vec<By>,
}

/// Use added up; what was not told apart is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageLine {
    /// The day, `2026-11-23`.
    pub day: Option<String>,
    /// The person's name.
    pub person: String,
    /// The publisher's name.
    pub publisher: String,
    /// The run.
    pub run: String,
    /// The errand.
    pub errand: String,
    /// The model as it was asked for.
    pub model: String,
    /// Who answered.
    pub upstream: String,
    /// What the cost is counted in; none for models without a price.
    pub currency: Option<Currency>,
    /// Calls.
    pub calls: u64,
    /// Calls that got no answer.
    pub failed: u64,
    /// Calls whose tokens we counted ourselves.
    pub estimated: u64,
    /// Tokens sent.
    pub prompt: u64,
    /// Of these, tokens that the upstream had at hand.
    pub cached: u64,
    /// Tokens received.
    pub completion: u64,
    /// Millionths of one major unit.
    pub cost_micros: i64,
}

impl Gateway {
    /// Use added up. People see their own, admins of a publisher also what was used in its name, administrators all.
    pub async fn usage(&self, caller: &Caller, query: &UsageQuery) -> Result<Vec<UsageLine>, Error> {
        caller.require(Scope::Read)?;
        self.0.meter.flush().await?;
        let Some(filter) = self.filter(caller, query).await? else { return Ok(Vec::new()) };
        let rows = model_usage::sums(&mut self.0.db.read().await?, &filter, &query.by, MOST).await?;
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            lines.push(self.line(row, query.by.contains(&By::Day)).await?);
        }
        Ok(lines)
    }

    /// What the database is asked; none when nothing can be found.
    async fn filter(&self, caller: &Caller, query: &UsageQuery) -> Result<Option<Filter>, Error> {
        let hour = |at: Timestamp| at.micros().div_euclid(HOUR);
        let mut filter = Filter {
            from: query.from.map_or(0, hour),
            to: query.to.map_or(i64::MAX, |to| hour(to).saturating_add(1)),
            run: query.run.clone(),
            errand: query.errand.clone(),
            model: query.model.clone(),
            ..Filter::default()
        };
        let viewer = caller.viewer();
        if !caller.is_hub() && !viewer.is_administrator() {
            let person = caller.require_person()?.to_string();
            let managed =
                viewer.member_of().filter(|id| viewer.role_in(*id).is_some_and(|role| role.includes(Role::Admin)));
            filter.seen = Some((person, managed.map(|id| id.to_string()).collect()));
        }
        let mut conn = self.0.db.read().await?;
        if let Some(handle) = &query.person {
            let Some(found) = persons::by_handle(&mut conn, handle).await? else { return Ok(None) };
            filter.person = Some(found.id.to_string());
        }
        if let Some(handle) = &query.publisher {
            let Some(found) = publishers::by_handle(&mut conn, handle).await? else { return Ok(None) };
            filter.publisher = Some(found.id.to_string());
        }
        Ok(Some(filter))
    }

    async fn line(&self, row: Use, by_day: bool) -> Result<UsageLine, Error> {
        let mut conn = self.0.db.read().await?;
        let mut line = UsageLine {
            day: by_day
                .then(|| Timestamp::from_micros(row.hour.saturating_mul(24).saturating_mul(HOUR)).day().to_string()),
            run: row.run,
            errand: row.errand,
            model: row.model,
            upstream: row.upstream,
            currency: row.currency.parse().ok(),
            calls: row.calls.unsigned_abs(),
            failed: row.failed.unsigned_abs(),
            estimated: row.estimated.unsigned_abs(),
            prompt: row.prompt.unsigned_abs(),
            cached: row.cached.unsigned_abs(),
            completion: row.completion.unsigned_abs(),
            cost_micros: row.cost,
            ..UsageLine::default()
        };
        if let Ok(id) = row.person.parse() {
            line.person =
                persons::by_id(&mut conn, id).await?.map(|found| found.handle.to_string()).unwrap_or_default();
        }
        if let Ok(id) = row.publisher.parse() {
            let found = publishers::by_id(&mut conn, id).await?;
            line.publisher = found.map(|found| found.handle.to_string()).unwrap_or_default();
        }
        Ok(line)
    }
}
