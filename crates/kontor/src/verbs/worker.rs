//! `kontor worker`: runs for a hub, in a process or on a machine of its own.

use std::sync::Arc;

use anyhow::anyhow;
use kontor_app::App;
use kontor_types::SystemClock;
use tokio_util::sync::CancellationToken;

use crate::config::{self, HubFlags};
use crate::exit::{Exit, Hint, UsageError};
use crate::session::Session;
use crate::verbs::up::{logging, occupancy, remedy, signals};

/// Do runs for a hub, on this machine
///
/// Takes the hub's configuration: the same Postgres, the same blobs, the same keys, and a data folder of its own for packages and
/// work. It takes runs from the queue and does nothing else. Ctrl-C ends programs under way, and another worker takes their runs over.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    hub: HubFlags,
    /// Runs done side by side [env: KONTOR_RUNS_WORKERS]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    workers: Option<u32>,
}

/// Works until it is told to stop.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let mut given = args.hub.given();
    given.extend(args.workers.map(|number| ("--workers".to_owned(), "runs.workers".to_owned(), number.to_string())));
    let loaded = config::load(&given, args.hub.config_file().as_deref(), &session.secrets)?;
    for warning in &loaded.warnings {
        session.terminal.warn(warning);
    }
    let config = loaded.config;
    if !config.database.starts_with("postgres") {
        let wrong = UsageError("one process serves an SQLite database, so `kontor up` does its runs itself".to_owned());
        let hint = "set runs.workers of the hub, or move the hub to Postgres and name it with --database";
        return Err(anyhow::Error::from(wrong).context(Hint(hint.to_owned())));
    }
    if config.runs.workers == 0 {
        return Err(UsageError("runs.workers is 0, so there is nothing to do: say --workers 2".to_owned()).into());
    }
    logging::start(&config)?;
    let stop = CancellationToken::new();
    signals::watch(&stop)?;
    let _occupied = occupancy::take(&config.data)?;
    let app = App::open(config::app_settings(&config)?, Arc::new(SystemClock)).await;
    let app = app.map_err(|error| remedy::for_store(error, &config))?;
    app.runs.can_run().await.map_err(|reason| {
        anyhow!("this machine cannot hold programs: {reason}").context(Hint(
            "`kontor doctor` says what is missing; runs.accept_weaker accepts a weaker sandbox".to_owned(),
        ))
    })?;
    session.terminal.note(&format!("waiting for runs, {} at a time", config.runs.workers));
    let workers = usize::try_from(config.runs.workers).unwrap_or(usize::MAX);
    app.runs.workers(&stop).run(workers, stop.clone()).await;
    app.stop().await;
    session.terminal.note("stopped");
    Ok(Exit::Done)
}
