//! `kontor audit`: who did what, when.

use kontor_types::{Handle, Timestamp};
use kontor_wire::AuditQuery;
use serde_json::json;

use crate::amounts::{moment, since};
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::clip;

/// Show who did what, newest first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this action, for example `version.publish`, or all of one kind: `version`, `review`, `token`
    #[arg(long)]
    action: Option<String>,
    /// Only by this person
    #[arg(long)]
    person: Option<Handle>,
    /// Only about this publisher's things
    #[arg(long)]
    publisher: Option<Handle>,
    /// Only about this thing, for example `@acme/pdf`, which includes its versions and its former names
    #[arg(long)]
    subject: Option<String>,
    /// Not before this day or moment: `2026-03-01`, `2026-03-01T12:00:00Z`
    #[arg(long, value_name = "DATE", value_parser = since)]
    since: Option<Timestamp>,
    /// Before this day or moment
    #[arg(long, value_name = "DATE", value_parser = since)]
    until: Option<Timestamp>,
    /// The most lines
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Asks the hub and shows the lines.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let wanted = usize::try_from(args.limit)?;
    let mut query = AuditQuery {
        action: args.action,
        person: args.person,
        publisher: args.publisher,
        subject: args.subject,
        since: args.since,
        until: args.until,
        cursor: None,
        limit: Some(args.limit.min(200)),
    };
    let mut items = Vec::new();
    loop {
        let page = client.audit(&query).await?;
        items.extend(page.items);
        match page.next_cursor {
            Some(cursor) if items.len() < wanted => query.cursor = Some(cursor),
            _ => break,
        }
    }
    items.truncate(wanted);
    if session.terminal.json {
        session.terminal.json(&json!({ "items": items }));
        return Ok(Exit::Done);
    }
    if items.is_empty() {
        session.terminal.note("nothing fits; leave an option out to see more");
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["when", "who", "what", "subject", "detail"]);
    for item in items {
        let who = item.person.map_or_else(|| "hub".to_owned(), |person| person.to_string());
        table.row([moment(item.at), who, item.action, item.subject, facts(&item.detail)]);
    }
    session.terminal.data(&table.render(&session.terminal));
    Ok(Exit::Done)
}

/// The widest fact of a line; `--json` has all of it.
const WIDEST: usize = 40;

/// The facts of a line in a few words: those that say something, each cut to what a line has room for.
fn facts(detail: &serde_json::Value) -> String {
    let Some(facts) = detail.as_object() else { return String::new() };
    let told = facts.iter().filter_map(|(name, value)| {
        let text = match value {
            serde_json::Value::Null => return None,
            serde_json::Value::String(text) if text.is_empty() => return None,
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(format!("{} {}", name.replace('_', " "), clip(&text, WIDEST)))
    });
    told.collect::<Vec<_>>().join(", ")
}
