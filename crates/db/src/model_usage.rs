//! Use of models: counted by hour, caller, purpose and model, and added up when somebody asks.

use kontor_types::Timestamp;

use crate::sql::{Sql, Value};
use crate::{Conn, Error, Tx};

/// Rows that one statement makes: fifteen values each.
const ROWS: usize = 200;

record! {
    /// Use of one kind in one hour, or the sum of several.
    #[derive(Default, Hash)]
    pub struct Use {
        /// Hours since 1970; in a sum by day, days.
        pub hour: i64,
        /// The person's id.
        pub person: String,
        /// The id of the publisher in whose name.
        pub publisher: String,
        /// The run.
        pub run: String,
        /// The errand.
        pub errand: String,
        /// The model as it was asked for.
        pub model: String,
        /// Who answered.
        pub upstream: String,
        /// What the cost is counted in.
        pub currency: String,
        /// Calls.
        pub calls: i64,
        /// Calls that got no answer.
        pub failed: i64,
        /// Calls whose tokens nobody told us.
        pub estimated: i64,
        /// Tokens sent.
        pub prompt: i64,
        /// Of these, tokens that the upstream had at hand.
        pub cached: i64,
        /// Tokens received.
        pub completion: i64,
        /// Millionths of one major unit.
        pub cost: i64,
    }
}

/// What a sum is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The day.
    Day,
    /// The person.
    Person,
    /// The publisher in whose name.
    Publisher,
    /// The run.
    Run,
    /// The errand.
    Errand,
    /// The model.
    Model,
    /// Who answered.
    Upstream,
}

/// Which use is added up.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// From this hour on.
    pub from: i64,
    /// Before this hour.
    pub to: i64,
    /// Only of these people or in the name of these publishers; `None` for everybody's.
    pub seen: Option<(String, Vec<String>)>,
    /// Only of this person.
    pub person: Option<String>,
    /// Only in the name of this publisher.
    pub publisher: Option<String>,
    /// Only of this run.
    pub run: Option<String>,
    /// Only of this errand.
    pub errand: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
}

/// Adds a batch of use, each kind once; `false` when this batch of the process was added before.
pub async fn add(tx: &mut Tx, process: &str, batch: i64, uses: &[Use], now: Timestamp) -> Result<bool, Error> {
    const METER: &str = "insert into model_meter (process, batches, at) values ($1, $2, $3)
        on conflict (process) do update set batches = excluded.batches, at = excluded.at
        where model_meter.batches < excluded.batches";
    if !Sql::new(METER).bind(process).bind(batch).bind(now).changed(tx).await? {
        return Ok(false);
    }
    for rows in uses.chunks(ROWS) {
        let mut sql = Sql::new(
            "insert into model_usage (hour, person, publisher, run, errand, model, upstream, currency,
            calls, failed, estimated, prompt, cached, completion, cost) values ",
        );
        for (place, row) in rows.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " });
            let names = [&row.person, &row.publisher, &row.run, &row.errand, &row.model, &row.upstream, &row.currency];
            let counts = [row.calls, row.failed, row.estimated, row.prompt, row.cached, row.completion, row.cost];
            let hour = std::iter::once(Value::from(row.hour));
            sql.list(hour.chain(names.map(Value::from)).chain(counts.map(Value::from)));
        }
        sql.push(
            " on conflict (hour, person, publisher, run, errand, model, upstream, currency) do update set
            calls = model_usage.calls + excluded.calls, failed = model_usage.failed + excluded.failed,
            estimated = model_usage.estimated + excluded.estimated, prompt = model_usage.prompt + excluded.prompt,
            cached = model_usage.cached + excluded.cached,
            completion = model_usage.completion + excluded.completion, cost = model_usage.cost + excluded.cost",
        );
        sql.run(tx).await?;
    }
    Ok(true)
}

/// Forgets processes that have not written since.
pub async fn forget_processes(tx: &mut Tx, since: Timestamp) -> Result<u64, Error> {
    Sql::new("delete from model_meter where at < $1").bind(since).execute(tx).await
}

/// Use added up, currencies apart, in the order of the columns.
pub async fn sums(conn: &mut Conn, filter: &Filter, by: &[By], limit: u32) -> Result<Vec<Use>, Error> {
    let mut sql = Sql::new("select ");
    sql.push(if by.contains(&By::Day) { "hour / 24 as hour" } else { "cast(0 as bigint) as hour" });
    let names = [
        (By::Person, ", person", ", '' as person"),
        (By::Publisher, ", publisher", ", '' as publisher"),
        (By::Run, ", run", ", '' as run"),
        (By::Errand, ", errand", ", '' as errand"),
        (By::Model, ", model", ", '' as model"),
        (By::Upstream, ", upstream", ", '' as upstream"),
    ];
    for (one, kept, left_out) in names {
        sql.push(if by.contains(&one) { kept } else { left_out });
    }
    sql.push(
        ", currency, cast(sum(calls) as bigint) as calls, cast(sum(failed) as bigint) as failed,
        cast(sum(estimated) as bigint) as estimated, cast(sum(prompt) as bigint) as prompt,
        cast(sum(cached) as bigint) as cached, cast(sum(completion) as bigint) as completion,
        cast(sum(cost) as bigint) as cost from model_usage where hour >= ",
    );
    sql.value(filter.from).push(" and hour < ").value(filter.to);
    if let Some((person, publishers)) = &filter.seen {
        sql.push(" and (person = ").value(person);
        if !publishers.is_empty() {
            sql.push(" or publisher in ").list(publishers);
        }
        sql.push(")");
    }
    let wanted = [
        (" and person = ", &filter.person),
        (" and publisher = ", &filter.publisher),
        (" and run = ", &filter.run),
        (" and errand = ", &filter.errand),
        (" and model = ", &filter.model),
    ];
    for (text, value) in wanted {
        if let Some(value) = value {
            sql.push(text).value(value);
        }
    }
    sql.push(" group by currency");
    if by.contains(&By::Day) {
        sql.push(", hour / 24");
    }
    for (one, kept, _) in names {
        if by.contains(&one) {
            sql.push(kept);
        }
    }
    sql.push(" order by 1, 2, 3, 4, 5, 6, 7, 8 limit ").value(limit);
    sql.all(conn).await
}
