//! `kontor usage`: what was used of models, and what it cost.

use kontor_types::Timestamp;
use kontor_wire::{ModelUse, ModelUseQuery};

use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;

/// Millionths of one major unit.
const MICROS: u64 = 1_000_000;

/// Show what was used of models, and what it cost
///
/// Your own use; for admins of an organisation also what was used in its name, for administrators everybody's.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to tell apart: day, person, publisher, run, errand, model, upstream
    #[arg(long, value_name = "LIST", default_value = "day,model,person")]
    by: String,
    /// Since this moment, for example `2026-11-01T00:00:00Z`
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Until this moment
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Only of this person
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// Only in the name of this publisher
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    /// Only of this run
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Only of this errand
    #[arg(long, value_name = "ID")]
    errand: Option<String>,
    /// Only of this model
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

/// Shows it.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let Args { by, from, to, person, publisher, run, errand, model } = args;
    let query = ModelUseQuery { from, to, person, publisher, run, errand, model, by: Some(by) };
    let used = session.client()?.model_use(&query).await?;
    if session.terminal.json {
        session.terminal.json(&serde_json::to_value(&used)?);
        return Ok(Exit::Done);
    }
    if used.items.is_empty() {
        session.terminal.note("no model was called");
        return Ok(Exit::Done);
    }
    let titles: [&str; 12] = [
        "day",
        "person",
        "publisher",
        "run",
        "errand",
        "model",
        "upstream",
        "calls",
        "failed",
        "sent",
        "received",
        "cost",
    ];
    // Columns in which nothing stands were not told apart.
    let rows: Vec<[String; 12]> = used.items.into_iter().map(row).collect();
    let shown: Vec<usize> = (0..titles.len())
        .filter(|place| rows.iter().any(|row| row.get(*place).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let titles: Vec<&str> = shown.iter().filter_map(|place| titles.get(*place).copied()).collect();
    let mut table = Table::titled(&titles);
    for row in rows {
        table.row(shown.iter().filter_map(|place| row.get(*place).cloned()));
    }
    session.terminal.data(&table.render(&session.terminal));
    Ok(Exit::Done)
}

fn row(used: ModelUse) -> [String; 12] {
    let cost = used.currency.as_ref().map(|currency| {
        let micros = used.cost_micros.unsigned_abs();
        format!("{}.{:06} {currency}", micros / MICROS, micros % MICROS)
    });
    let about = if used.estimated > 0 { "~" } else { "" };
    [
        used.day.unwrap_or_default(),
        used.person,
        used.publisher,
        used.run,
        used.errand,
        used.model,
        used.upstream,
        used.calls.to_string(),
        used.failed.to_string(),
        format!("{about}{}", used.prompt_tokens),
        format!("{about}{}", used.completion_tokens),
        cost.unwrap_or_default(),
    ]
}
