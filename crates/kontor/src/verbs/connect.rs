//! `kontor connect`, `activate` and `deactivate`: agents' clients use the hub, and skills are live in all of them.

mod clients;
mod live;
mod record;
mod settings;

use std::path::Path;

use kontor_client::UserFolders;
use kontor_types::SkillRef;
use serde_json::json;
use similar::TextDiff;

use crate::exit::{Exit, UsageError};
use crate::near;
use crate::session::{Session, shown};
use crate::table::Table;
use crate::terminal::{Style, plain, plain_lines};
use crate::verbs::install;
use clients::{CLIENTS, Client, Entry};
use record::{Connection, Connections};
use settings::Settings;

/// Let an agent's client use the hub
///
/// Writes an MCP server into the client's own settings: this program, which asks the hub with the token of `kontor login`,
/// so the settings hold no secret. What was there before is kept, and `--undo` brings it back.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which: claude, codex, cursor, gemini, openclaw, opencode, windsurf; `list` shows them and their settings
    #[arg(value_name = "CLIENT", required = true)]
    clients: Vec<String>,
    /// Take the hub out of the settings again
    #[arg(long)]
    undo: bool,
    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,
    /// What the hub is called in the client
    #[arg(long, value_name = "NAME", default_value = "kontor", value_parser = server_name)]
    name: String,
    /// The only tools that the client may use, separated by commas
    #[arg(long, value_name = "NAMES", conflicts_with = "undo")]
    tools: Option<String>,
}

/// Make skills live in every connected agent
///
/// Installs them, with what they need, where each connected agent looks for skills in all projects.
#[derive(Debug, clap::Args)]
pub struct ActivateArgs {
    /// Which skills: `@publisher/skill`, `@publisher/skill@^1.2`
    #[arg(value_name = "REF", required = true)]
    references: Vec<SkillRef>,
    /// Let their runs on the hub have what they ask for, without another question, until `kontor deactivate`
    #[arg(long)]
    allow: bool,
}

/// Take skills away from every connected agent
#[derive(Debug, clap::Args)]
pub struct DeactivateArgs {
    /// Which skills
    #[arg(value_name = "REF", required = true)]
    references: Vec<SkillRef>,
    /// Remove folders that were changed by hand
    #[arg(long)]
    force: bool,
}

/// Connects, or takes it back.
pub fn connect(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let folders = own_folders()?;
    if args.clients.iter().any(|name| name == "list") {
        list(&folders, session)?;
        return Ok(Exit::Done);
    }
    let clients = args.clients.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    known_tools(args.tools.as_deref().unwrap_or_default())?;
    let mut told = Vec::new();
    for client in clients {
        let change = if args.undo { undo(client, args)? } else { write(client, args, &folders, session)? };
        told.push(change);
    }
    show(&told, args, session);
    Ok(Exit::Done)
}

/// Activates.
pub async fn activate(args: ActivateArgs, session: &Session) -> anyhow::Result<Exit> {
    let agents = connected_agents()?;
    if agents.is_empty() {
        let message =
            "no agent is connected; `kontor connect claude` does that, `kontor connect list` shows which there are";
        return Err(UsageError(message.to_owned()).into());
    }
    let (references, allow) = (args.references.clone(), args.allow);
    let exit = install::for_agents(args.references, agents, session).await?;
    live::activate(&references, allow, session).await;
    Ok(exit)
}

/// Deactivates.
pub async fn deactivate(args: DeactivateArgs, session: &Session) -> anyhow::Result<Exit> {
    live::deactivate(&args.references, session).await;
    install::remove_for_agents(args.references, args.force, session)
}

/// What became, or would become, of a client's settings.
struct Told {
    client: &'static Client,
    file: std::path::PathBuf,
    before: String,
    after: String,
    state: &'static str,
}

fn write(client: &'static Client, args: &Args, folders: &UserFolders, session: &Session) -> anyhow::Result<Told> {
    let mut connections = Connections::hold()?;
    let known = connections.get(client.id);
    let settings = Settings::read(&known.map_or_else(|| client.file(folders), |known| known.file.clone()))?;
    let entry = entry(args, session)?;
    let ours = known.is_some_and(|known| known.name == args.name);
    let mut base = settings.text.clone();
    if let Some(known) = known.filter(|known| known.name != args.name) {
        base = client.without(&base, &known.name, &settings.file)?;
    }
    let after = client.with(&base, &args.name, &entry, ours, &settings.file)?;
    let state = match (known.is_some(), after == settings.text) {
        (_, true) => "unchanged",
        (true, false) => "updated",
        (false, false) => "connected",
    };
    if !args.dry_run && (after != settings.text || !ours) {
        let backup = match known {
            Some(known) => known.had_file,
            None => record::keep(client.id, &settings)?,
        };
        let (file, name) = (settings.file.clone(), args.name.clone());
        let written = Connection::new(file, name, &after, backup).following(connections.get(client.id), &settings.text);
        connections.set(client.id, written);
        // First the record: settings that hold the server have one, whatever happens in between, so that it can be undone.
        connections.write()?;
        settings.write(&after)?;
    }
    Ok(Told { client, file: settings.file, before: settings.text, after, state })
}

fn undo(client: &'static Client, args: &Args) -> anyhow::Result<Told> {
    let mut connections = Connections::hold()?;
    let Some(known) = connections.get(client.id).cloned() else {
        let message = format!("{} is not connected", client.name);
        return Err(kontor_client::Error::refused(message, "`kontor connect list` shows what is").into());
    };
    let settings = Settings::read(&known.file)?;
    let before = record::kept(client.id, known.had_file)?;
    // Untouched since: exactly what was there. Otherwise only what is ours goes.
    let after = match before.filter(|_| known.wrote(&settings.text)) {
        Some(before) => before,
        None => client.without(&settings.text, &known.name, &settings.file)?,
    };
    if !args.dry_run {
        if after.is_empty() && !known.had_file {
            if settings.is_there {
                settings.remove()?;
            }
        } else if after != settings.text {
            settings.write(&after)?;
        }
        connections.remove(client.id);
        connections.write()?;
        record::forget(client.id)?;
    }
    Ok(Told { client, file: settings.file, before: settings.text, after, state: "disconnected" })
}

/// This program as an MCP server for the hub in use.
fn entry(args: &Args, session: &Session) -> anyhow::Result<Entry> {
    let command = std::env::current_exe()?.display().to_string();
    let mut arguments = vec!["mcp".to_owned(), "--registry".to_owned(), session.registry()?];
    if let Some(tools) = &args.tools {
        arguments.extend(["--tools".to_owned(), tools.clone()]);
    }
    Ok(Entry { command, arguments })
}

fn show(told: &[Told], args: &Args, session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        let items: Vec<_> = told
            .iter()
            .map(|one| json!({"client": one.client.id, "file": one.file, "state": one.state, "diff": diff(one)}))
            .collect();
        terminal.json(&json!({ "items": items, "dry_run": args.dry_run }));
        return;
    }
    for one in told {
        if args.dry_run && one.before != one.after {
            terminal.data(plain_lines(&diff(one)).trim_end());
            continue;
        }
        let name = terminal.paint(Style::Bold, one.client.name);
        terminal.data(&format!("{name} {} {}", one.state, plain(&shown(&one.file))));
    }
    if !args.dry_run && !args.undo {
        terminal.note(
            "the client finds the hub when it starts next; `kontor activate @publisher/skill` makes a skill live in it",
        );
    }
}

fn diff(told: &Told) -> String {
    let file = shown(&told.file);
    TextDiff::from_lines(&told.before, &told.after).unified_diff().header(&file, &file).to_string()
}

fn list(folders: &UserFolders, session: &Session) -> anyhow::Result<()> {
    let (connections, terminal) = (Connections::read()?, &session.terminal);
    let file =
        |client: &Client| connections.get(client.id).map_or_else(|| client.file(folders), |known| known.file.clone());
    if terminal.json {
        let item = |client: &Client| {
            let connected = connections.get(client.id).is_some();
            json!({"client": client.id, "name": client.name, "agent": client.agent, "file": file(client), "connected": connected})
        };
        let items: Vec<_> = CLIENTS.iter().map(item).collect();
        terminal.json(&json!({ "items": items }));
        return Ok(());
    }
    let mut table = Table::titled(&["client", "name", "settings", "state"]);
    for client in CLIENTS {
        let state = if connections.get(client.id).is_some() { "connected" } else { "" };
        table.row([client.id.to_owned(), client.name.to_owned(), shown(&file(client)), state.to_owned()]);
    }
    terminal.data(&table.render(terminal));
    Ok(())
}

/// The agents whose clients are connected.
fn connected_agents() -> anyhow::Result<Vec<String>> {
    let connections = Connections::read()?;
    let connected = CLIENTS.iter().filter(|client| connections.get(client.id).is_some());
    Ok(connected.map(|client| client.agent.to_owned()).collect())
}

fn own_folders() -> anyhow::Result<UserFolders> {
    UserFolders::own().ok_or_else(|| UsageError("there is no home folder".to_owned()).into())
}

fn find(name: &str) -> Result<&'static Client, UsageError> {
    let known = CLIENTS.iter().find(|client| client.id == name || client.agent == name);
    known.ok_or_else(|| {
        let near = near::alike(name, CLIENTS.iter().map(|client| client.id)).join("` or `");
        let meant = if near.is_empty() { String::new() } else { format!("did you mean `{near}`? ") };
        UsageError(format!("there is no client `{}`; {meant}`kontor connect list` shows those known", plain(name)))
    })
}

/// Between the publisher, the skill and the tool in the name of a skill's own tool.
const PARTS: &str = "__";

/// Refuses a tool that no hub has: the client would show nothing in its place. What skills bring themselves is not known here.
fn known_tools(named: &str) -> Result<(), UsageError> {
    let mut tools = named.split(',').map(str::trim).filter(|name| !name.is_empty() && !name.contains(PARTS));
    let Some(name) = tools.find(|name| !kontor_api::MCP_TOOLS.contains(name)) else { return Ok(()) };
    let near = near::alike(name, kontor_api::MCP_TOOLS.iter().copied()).join("` or `");
    let meant = if near.is_empty() { String::new() } else { format!("did you mean `{near}`? ") };
    let known = kontor_api::MCP_TOOLS.join(", ");
    Err(UsageError(format!("there is no tool `{}`; {meant}those of every hub are {known}", plain(name))))
}

/// What every client takes for a name, and needs no quotes in any of their formats.
fn server_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    let fine = (1..=32).contains(&text.len()) && text.bytes().all(allowed);
    if fine { Ok(text.to_owned()) } else { Err("a name has 1 to 32 of a-z, 0-9, - and _".to_owned()) }
}

/// Says that settings cannot be changed by a program.
fn by_hand(file: &Path, why: &str, what: &str) -> anyhow::Error {
    let message = format!("{} is left as it is: {why}", shown(file));
    kontor_client::Error::refused(message, format!("put this in by hand:\n{what}")).into()
}
