//! `kontor errand`: errands that were asked for before.

use kontor_types::WorkflowId;
use kontor_wire::{Errand, ErrandLanguage, ErrandQuery, ErrandState};
use serde_json::json;

use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::{ask, every_page, id};

/// Look at errands, go on with them, and end them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the errands that you may see, newest first
    List(ListArgs),
    /// Show an errand, with its steps and what it asks
    Show(OneArgs),
    /// Follow an errand to its end, and answer what it asks
    Resume(ResumeArgs),
    /// End an errand; what was begun is taken back
    Cancel(OneArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only errands in this state: `waiting`, `finished`, `failed`, …
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<ErrandState>,
    /// All of them, not only the newest 25
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// The errand's id
    #[arg(value_parser = id::<WorkflowId>)]
    errand: WorkflowId,
}

#[derive(Debug, clap::Args)]
struct ResumeArgs {
    /// The errand's id
    #[arg(value_parser = id::<WorkflowId>)]
    errand: WorkflowId,
    /// Let skills run without asking; money is spent only within the errand's mandate
    #[arg(long)]
    yes: bool,
}

fn state(text: &str) -> Result<ErrandState, String> {
    let known = "queued, running, waiting, finished, failed, cancelled, stalled";
    serde_json::from_value(json!(text)).map_err(|_| format!("use one of {known}"))
}

/// Does what the sub-verb says.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    match args.verb {
        Verb::List(args) => return list(&args, session).await,
        Verb::Show(args) => tell(&client.errand(args.errand).await?, session),
        Verb::Resume(args) => return ask::follow(&client, args.errand, session, args.yes, false).await,
        Verb::Cancel(args) => tell(&client.cancel_errand(args.errand).await?, session),
    }
    Ok(Exit::Done)
}

async fn list(args: &ListArgs, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let query = ErrandQuery { state: args.state, ..ErrandQuery::default() };
    let errands = if args.all {
        every_page(async |page| {
            let page = ErrandQuery { cursor: page.cursor.clone(), limit: page.limit, ..query.clone() };
            client.errands(&page).await.map(|page| (page.items, page.next_cursor))
        })
        .await?
    } else {
        client.errands(&query).await?.items
    };
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": errands }));
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["errand", "state", "asked", "request"]);
    for errand in &errands {
        let (id, at) = (errand.id.to_string(), errand.created_at.to_string());
        table.row([id, word(errand.state).to_owned(), at, plain(&errand.request)]);
    }
    terminal.data(table.render(terminal).trim_end());
    Ok(Exit::Done)
}

/// What happened in an errand, and why.
pub fn tell(errand: &Errand, session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(errand);
        return;
    }
    terminal.data(&format!("“{}”", plain(&errand.request)));
    for line in errand.steps.iter().flat_map(|step| &step.lines) {
        terminal.data(&plain(line));
    }
    if let Some(error) = &errand.error {
        terminal.data(&plain(error));
    }
    if errand.state == ErrandState::Cancelled {
        terminal.data(match errand.language {
            ErrandLanguage::En => "It was cancelled; nothing was bought and nothing is held.",
            ErrandLanguage::Zh => "已取消：没有购买，也没有预留款项。",
        });
    }
    if errand.question.is_some() {
        terminal.note(&format!("`kontor errand resume {}` answers", errand.id));
    }
}

const fn word(state: ErrandState) -> &'static str {
    match state {
        ErrandState::Queued => "queued",
        ErrandState::Running => "running",
        ErrandState::Waiting => "waiting",
        ErrandState::Finished => "finished",
        ErrandState::Failed => "failed",
        ErrandState::Cancelled => "cancelled",
        ErrandState::Stalled => "stalled",
    }
}
