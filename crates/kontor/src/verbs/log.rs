//! `kontor log`: the transparency log of a hub, for its operator.

use std::sync::Arc;

use clap::Subcommand;
use kontor_translog::{Log, Options};
use kontor_types::SystemClock;
use serde_json::json;

use crate::config::HubFlags;
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::maintenance;
use crate::watch;

/// Look after the hub's transparency log
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Compare the log of the hub you use with what you saw of it before
    ///
    /// The newest checkpoint is remembered; each later one must begin with it. `install`, `update` and `installed check` do the
    /// same. Ends with code 6 when the log became shorter or tells another history, and keeps both checkpoints in a file.
    Check,
    /// Show the log's histories
    Show {
        #[command(flatten)]
        hub: HubFlags,
    },
    /// Begin a new history, after a restore from a backup
    ///
    /// A restored hub knows less than its log has signed, so it signs nothing more under the old name. The new history has a
    /// new name; what is in the old one stays proven. The hub must not be running.
    Restart {
        #[command(flatten)]
        hub: HubFlags,
    },
}

/// Shows the histories, begins one, or compares the log with what was seen of it.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let (hub, restart) = match &args.verb {
        Verb::Check => return check(session).await,
        Verb::Show { hub } => (hub, false),
        Verb::Restart { hub } => (hub, true),
    };
    let (config, db, _) = maintenance::open(hub, session, true).await?;
    let log = Log::new(db.clone(), Arc::new(SystemClock), Options::new(config.data.join("log"), "kontor log"));
    let mut histories = log.histories().await?;
    if restart && let (Some(first), Some(newest)) = (histories.first(), histories.last()) {
        log.begin(&format!("{}/{}", first.origin, newest.number.saturating_add(1))).await?;
        histories = log.histories().await?;
    }
    db.close().await;
    let terminal = &session.terminal;
    if terminal.json {
        let items: Vec<_> = histories
            .iter()
            .map(
                |history| json!({"number": history.number, "origin": history.origin, "started_at": history.started_at}),
            )
            .collect();
        terminal.json(&json!({ "histories": items }));
    } else if histories.is_empty() {
        terminal.note("the log has not begun: `kontor up` does that");
    } else {
        let mut table = Table::titled(&["history", "name", "since"]);
        for history in &histories {
            let since = crate::amounts::moment(history.started_at);
            table.row([history.number.to_string(), plain(&history.origin), since]);
        }
        terminal.data(&table.render(terminal));
    }
    Ok(Exit::Done)
}

async fn check(session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let (_, look) = watch::meet(&client, session).await?;
    let terminal = &session.terminal;
    let before = look.before.map(|(entries, at)| json!({ "entries": entries, "seen_at": at }));
    if terminal.json {
        let newest = look.newest.as_ref();
        terminal.json(&json!({
            "registry": client.registry(),
            "origin": newest.map(|newest| &newest.origin),
            "entries": newest.map(|newest| newest.size),
            "root": newest.map(|newest| newest.root),
            "before": before,
            "news": look.news,
        }));
        return Ok(Exit::Done);
    }
    let Some(newest) = look.newest else {
        terminal.note("the hub's log has no entries yet");
        return Ok(Exit::Done);
    };
    let entries = crate::amounts::count(newest.size, "entry").replace("entrys", "entries");
    let seen = match look.before {
        Some((before, at)) => format!("begins with the {before} seen on {}", crate::amounts::moment(at)),
        None => "seen for the first time, and remembered".to_owned(),
    };
    terminal.data(&format!("{}: {entries}, {seen}", plain(&newest.origin)));
    Ok(Exit::Done)
}
