//! `kontor log`: the transparency log of a hub, for its operator.

use std::sync::Arc;

use clap::Subcommand;
use kontor_client::Error;
use kontor_crypto::{Keyring, PrivateFolder, Purpose};
use kontor_db::log_entries::Origin;
use kontor_translog::{Log, Options, Signer};
use kontor_types::{Clock as _, SystemClock};
use serde_json::json;

use crate::config::{self, Config, HubFlags};
use crate::exit::Exit;
use crate::session::{Session, shown};
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::up::occupancy;
use crate::verbs::{confirm, maintenance};
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
    /// new name; what is in the old one stays proven. The hub must not be running, and something must have been lost: a log
    /// that has all that was signed goes on as it is. Who has installed from the hub is told of the new history.
    Restart {
        #[command(flatten)]
        hub: HubFlags,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Shows the histories, begins one, or compares the log with what was seen of it.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let (hub, restart) = match &args.verb {
        Verb::Check => return check(session).await,
        Verb::Show { hub } => (hub, None),
        Verb::Restart { hub, yes } => (hub, Some(*yes)),
    };
    let (config, db, _) = maintenance::open(hub, session, true).await?;
    let log = Log::new(db.clone(), Arc::new(SystemClock), Options::new(config.data.join("log"), "kontor log"));
    let mut histories = log.histories().await?;
    if let (Some(yes), Some(first), Some(newest)) = (restart, histories.first(), histories.last()) {
        // Nobody starts a hub here meanwhile.
        let _occupied = occupancy::take(&config.data)?;
        require_lost(&log, newest, &config).await?;
        let settings = config::app_settings(&config)?;
        let without_keys = !kontor_app::has_keys(&settings)?;
        if without_keys {
            session.terminal.warn(&format!(
                "the hub's keys are not in {}: put them back there if anybody has them; without them new ones are made, \
                 secrets that were sealed stay closed, and whoever uses this hub has to learn its keys anew",
                shown(&settings.keys())
            ));
        }
        let question = format!(
            "The log `{}` takes nothing in any more, and everybody who has installed from this hub is told so. Begin a new history?",
            newest.origin
        );
        if !confirm(session, yes, &question)? {
            db.close().await;
            session.terminal.note("nothing was changed");
            return Ok(Exit::Failed);
        }
        if without_keys {
            kontor_app::make_keys(&settings, SystemClock.now())?;
        }
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

/// Refuses a new history while somebody sequences the log, and where the log has all that was signed.
async fn require_lost(log: &Log, newest: &Origin, config: &Config) -> anyhow::Result<()> {
    let refused = |message: String, hint: &str| -> anyhow::Error { Error::refused(message, hint).into() };
    // A database of its own folder is used by nobody else; a lease in it may have come with a backup.
    let shared = !config.database.is_empty();
    if let Some(holder) = log.sequenced_by().await?.filter(|_| shared) {
        let message = format!("a hub works with this log at this moment: {}", plain(&holder));
        return Err(refused(
            message,
            "stop every hub of this database first; one that was killed counts for 15 seconds",
        ));
    }
    let folder = config::app_settings(config)?.keys();
    if !folder.is_dir() {
        return Ok(());
    }
    let keys = Keyring::open(&folder)?;
    if keys.history().active(Purpose::Log).is_none() {
        return Ok(());
    }
    let signer = Signer::new(PrivateFolder::open(&folder)?, &newest.origin, keys.signing_key(Purpose::Log)?)?;
    if log.is_whole(&signer).await? {
        let message = format!("the log `{}` has all that was signed: nothing was lost", newest.origin);
        return Err(refused(message, "start the hub: it goes on with this history"));
    }
    Ok(())
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
