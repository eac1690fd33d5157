//! `kontor runs`: runs on the hub.

use std::path::PathBuf;

use kontor_types::{Handle, RunId};
use kontor_wire::{Run, RunQuery, RunState};
use serde_json::json;

use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::run::remote;
use crate::verbs::{every_page, id};

/// Look at runs on the hub, follow them, and end them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the runs that you may see, newest first
    List(ListArgs),
    /// Show a run, with its files
    Show(OneArgs),
    /// Show what a run says, from its beginning to its end
    Log(OneArgs),
    /// Fetch the files and the receipt of a run that is over
    Fetch(FetchArgs),
    /// End a run
    Cancel(OneArgs),
    /// Do a run that is over again, as another run
    Retry(OneArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only runs in this publisher's name
    #[arg(long, value_name = "PUBLISHER")]
    publisher: Option<Handle>,
    /// Only runs in this state: `queued`, `running`, `finished`, …
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<RunState>,
    /// All of them, not only the newest 25
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// The run's id
    #[arg(value_parser = id::<RunId>)]
    run: RunId,
}

#[derive(Debug, clap::Args)]
struct FetchArgs {
    /// The run's id
    #[arg(value_parser = id::<RunId>)]
    run: RunId,
    /// Where to put the files that it left
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the receipt here too
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

fn state(text: &str) -> Result<RunState, String> {
    let known = "queued, preparing, running, finished, failed, cancelled, lost";
    serde_json::from_value(json!(text)).map_err(|_| format!("use one of {known}"))
}

/// Does what the sub-verb says.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let terminal = &session.terminal;
    match args.verb {
        Verb::List(args) => return list(&args, session).await,
        Verb::Show(args) => {
            let detail = client.run(args.run).await?;
            if terminal.json {
                terminal.json(&detail);
            } else {
                show(&detail.run, session);
                for file in &detail.outputs {
                    terminal.data(&format!("  {} ({} bytes)", plain(&file.path), file.size));
                }
            }
        }
        Verb::Log(args) => {
            let run = remote::follow(&client, args.run, session, false).await?;
            if terminal.json {
                terminal.json(&run);
            } else {
                terminal.note(&line(&run));
            }
        }
        Verb::Fetch(args) => {
            let run = client.run(args.run).await?.run;
            remote::finish(&client, &run, args.out.as_deref(), args.receipt.as_deref(), session).await?;
        }
        Verb::Cancel(args) => told(&client.cancel_run(args.run).await?, session),
        Verb::Retry(args) => told(&client.retry_run(args.run).await?, session),
    }
    Ok(Exit::Done)
}

async fn list(args: &ListArgs, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let query = RunQuery { publisher: args.publisher.clone(), state: args.state, ..RunQuery::default() };
    let runs = if args.all {
        every_page(async |page| {
            let page = RunQuery { cursor: page.cursor.clone(), limit: page.limit, ..query.clone() };
            client.runs(&page).await.map(|page| (page.items, page.next_cursor))
        })
        .await?
    } else {
        client.runs(&query).await?.items
    };
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": runs }));
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["run", "state", "skill", "entry", "person", "accepted"]);
    for run in &runs {
        table.row([
            run.id.to_string(),
            word(run.state),
            plain(&run.reference.to_string()),
            plain(&run.entry),
            run.person.to_string(),
            run.created_at.to_string(),
        ]);
    }
    terminal.data(table.render(terminal).trim_end());
    Ok(Exit::Done)
}

fn told(run: &Run, session: &Session) {
    if session.terminal.json {
        session.terminal.json(run);
    } else {
        session.terminal.data(&line(run));
    }
}

fn show(run: &Run, session: &Session) {
    let terminal = &session.terminal;
    terminal.data(&line(run));
    terminal.data(&format!("  {} of {} ({})", plain(&run.entry), plain(&run.reference.to_string()), run.digest));
    terminal.data(&format!("  by @{} in the name of @{}, accepted {}", run.person, run.publisher, run.created_at));
    for grant in &run.granted.network {
        terminal.data(&format!("  may reach {}", plain(grant)));
    }
    for secret in &run.granted.secrets {
        terminal.data(&format!("  has the secret {}", plain(secret)));
    }
    if let Some(error) = &run.error {
        terminal.data(&format!("  {}", plain(error)));
    }
}

fn line(run: &Run) -> String {
    let started = match run.executions {
        0 | 1 => String::new(),
        times => format!(", its program was started {times} times"),
    };
    format!("{} is {}{started}", run.id, word(run.state))
}

fn word(state: RunState) -> String {
    serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
