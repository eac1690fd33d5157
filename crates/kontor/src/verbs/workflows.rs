//! `kontor workflows`: what the hub does step by step, and its questions.

use std::time::Duration;

use kontor_client::{Client, Error, RunEvent};
use kontor_types::WorkflowId;
use kontor_wire::{
    Workflow, WorkflowDetail, WorkflowEntry, WorkflowQuery, WorkflowQuestion, WorkflowRetry, WorkflowRetryFrom,
    WorkflowState,
};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::{every_page, id};

/// How long to wait before a stream that broke off is asked for again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a stream may break off without news.
const BREAKS: u32 = 30;

/// Look at workflows on the hub, answer what they ask, and end them
///
/// A workflow does something step by step and keeps a journal of it: a crash does not make it do a step again. One that has `stalled` waits for you: `retry` lets it
/// go on, `cancel` takes back what it did.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the workflows that you may see, newest first
    List(ListArgs),
    /// Show a workflow: its journal, and what it asks
    Show(ShowArgs),
    /// Answer a question of a workflow; an answer counts once
    Answer(AnswerArgs),
    /// End a workflow: what it did is taken back
    Cancel(OneArgs),
    /// Let a workflow that stalled or failed go on, or begin it anew
    Retry(RetryArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only workflows in this state: `running`, `waiting`, `stalled`, …
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<WorkflowState>,
    /// Only workflows of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// All of them, not only the newest 25
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// The workflow's id
    #[arg(value_parser = id::<WorkflowId>)]
    workflow: WorkflowId,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The workflow's id
    #[arg(value_parser = id::<WorkflowId>)]
    workflow: WorkflowId,
    /// Follow it to its end
    #[arg(long)]
    follow: bool,
}

#[derive(Debug, clap::Args)]
struct AnswerArgs {
    /// The workflow's id
    #[arg(value_parser = id::<WorkflowId>)]
    workflow: WorkflowId,
    /// What the question is called
    question: String,
    /// The answer: JSON such as `true`, or plain text
    answer: String,
}

#[derive(Debug, clap::Args)]
struct RetryArgs {
    /// The workflow's id
    #[arg(value_parser = id::<WorkflowId>)]
    workflow: WorkflowId,
    /// Where it goes on: with the step that failed, or from its start as another workflow
    #[arg(long, value_enum, default_value_t = From::Step)]
    from: From,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum From {
    /// With the step that failed; what was done before stays
    Step,
    /// With nothing: another workflow with the same input
    Start,
}

fn state(text: &str) -> Result<WorkflowState, String> {
    let known = "queued, running, waiting, finished, failed, cancelled, stalled";
    serde_json::from_value(json!(text)).map_err(|_| format!("use one of {known}"))
}

/// Does what the sub-verb says.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    match args.verb {
        Verb::List(args) => return list(&args, session).await,
        Verb::Show(args) if args.follow => return follow(&client, args.workflow, session).await,
        Verb::Show(args) => {
            let detail = client.workflow(args.workflow).await?;
            if session.terminal.json {
                session.terminal.json(&detail);
            } else {
                show(&detail, session);
            }
        }
        Verb::Answer(args) => {
            let answer = serde_json::from_str(&args.answer).unwrap_or(Value::String(args.answer));
            told(&client.answer_workflow(args.workflow, &args.question, answer).await?, session);
        }
        Verb::Cancel(args) => told(&client.cancel_workflow(args.workflow).await?, session),
        Verb::Retry(args) => {
            let from = match args.from {
                From::Step => WorkflowRetryFrom::Step,
                From::Start => WorkflowRetryFrom::Start,
            };
            told(&client.retry_workflow(args.workflow, WorkflowRetry { from }).await?, session);
        }
    }
    Ok(Exit::Done)
}

async fn list(args: &ListArgs, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let query = WorkflowQuery { state: args.state, kind: args.kind.clone(), ..WorkflowQuery::default() };
    let workflows = if args.all {
        every_page(async |page| {
            let page = WorkflowQuery { cursor: page.cursor.clone(), limit: page.limit, ..query.clone() };
            client.workflows(&page).await.map(|page| (page.items, page.next_cursor))
        })
        .await?
    } else {
        client.workflows(&query).await?.items
    };
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": workflows }));
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["workflow", "state", "kind", "title", "person", "begun"]);
    for workflow in &workflows {
        table.row([
            workflow.id.to_string(),
            word(workflow.state),
            plain(&workflow.kind),
            plain(&workflow.title),
            workflow.person.to_string(),
            workflow.created_at.to_string(),
        ]);
    }
    terminal.data(table.render(terminal).trim_end());
    Ok(Exit::Done)
}

/// Shows the journal while it grows.
async fn follow(client: &Client, id: WorkflowId, session: &Session) -> anyhow::Result<Exit> {
    let (mut last, mut breaks) = (0, 0);
    loop {
        let (before, mut ended) = (last, None);
        let outcome = client
            .follow_workflow(id, before, |event: RunEvent| {
                last = event.number.unwrap_or(last);
                if event.kind == "result" {
                    ended = serde_json::from_value::<Workflow>(event.data).ok();
                } else if session.terminal.json {
                    session.terminal.json(&event.data);
                } else if let Ok(entry) = serde_json::from_value::<WorkflowEntry>(event.data) {
                    session.terminal.data(&line(&entry));
                }
            })
            .await;
        if let Err(error @ Error::Problem(_)) = outcome {
            return Err(error.into());
        }
        if let Some(workflow) = ended {
            told(&workflow, session);
            return Ok(if workflow.state == WorkflowState::Finished { Exit::Done } else { Exit::Failed });
        }
        breaks = if last > before { 0 } else { breaks + 1 };
        if breaks > BREAKS {
            outcome?;
            return Ok(Exit::Failed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn told(workflow: &Workflow, session: &Session) {
    if session.terminal.json {
        session.terminal.json(workflow);
    } else {
        session.terminal.data(&head(workflow));
    }
}

fn show(detail: &WorkflowDetail, session: &Session) {
    let (terminal, workflow) = (&session.terminal, &detail.workflow);
    terminal.data(&head(workflow));
    let name = workflow.publisher.as_ref().map(|publisher| format!(" in the name of @{publisher}")).unwrap_or_default();
    let what = format!("{} version {}", plain(&workflow.kind), workflow.version);
    terminal.data(&format!("  {what}, for @{}{name}, begun {}", workflow.person, workflow.created_at));
    for entry in &detail.timeline {
        terminal.data(&line(entry));
    }
    for question in &detail.questions {
        ask(workflow, question, session);
    }
}

fn ask(workflow: &Workflow, question: &WorkflowQuestion, session: &Session) {
    let until = question.deadline.map(|deadline| format!(" (until {deadline})")).unwrap_or_default();
    session.terminal.data(&format!("  asks: {}{until}", plain(&question.text)));
    if question.may_answer {
        let name = plain(&question.name);
        session.terminal.note(&format!("`kontor workflows answer {} '{name}' ANSWER` answers it", workflow.id));
    }
}

fn head(workflow: &Workflow) -> String {
    let error = workflow.error.as_ref().map(|error| format!(": {}", plain(error))).unwrap_or_default();
    format!("{} {} is {}{error}", workflow.id, plain(&workflow.title), word(workflow.state))
}

fn line(entry: &WorkflowEntry) -> String {
    let branch = if entry.branch.is_empty() { String::new() } else { format!(" [{}]", plain(&entry.branch)) };
    let said = |path: &str| entry.data.pointer(path).and_then(Value::as_str).map(plain);
    let more = match entry.kind.as_str() {
        "step" => said("/error/message").map(|error| format!(": {error}")),
        "failed" => said("/message").map(|error| format!(": {error}; tried again")),
        "chosen" => {
            said("/reason").map(|why| format!(": {} ({why})", said("/chosen").unwrap_or_else(|| "nothing".into())))
        }
        "asked" => said("/text").map(|text| format!(": {text}")),
        "stalled" | "ended" => said("/error").map(|error| format!(": {error}")),
        _ => None,
    };
    format!(
        "  {:>4} {} {}{branch} {}{}",
        entry.number,
        entry.at,
        entry.kind,
        plain(&entry.name),
        more.unwrap_or_default()
    )
}

fn word(state: WorkflowState) -> String {
    serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
