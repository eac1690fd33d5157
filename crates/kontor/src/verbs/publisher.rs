//! `kontor publisher` and `kontor person`: who owns skills and who may sign in.

use clap::Subcommand;
use kontor_types::{Handle, Role};
use kontor_wire::{MemberRole, NewPerson, NewPublisher, PageQuery, PersonChange};
use serde_json::json;

use crate::exit::Exit;
use crate::session::Session;
use crate::terminal::Table;
use crate::verbs::confirm;

/// Make and show publishers and their members
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an organisation that can own skills
    Create {
        /// Its name on the hub
        handle: Handle,
        /// The name for people
        #[arg(long)]
        name: Option<String>,
    },
    /// List publishers
    List,
    /// List the members of a publisher, or change them
    Members {
        /// The publisher
        handle: Handle,
        /// Take this person in, or change what they may do
        #[arg(long, value_name = "PERSON", requires = "role")]
        set: Option<Handle>,
        /// What they may do: owner, admin, maintainer, reviewer, member
        #[arg(long)]
        role: Option<Role>,
        /// Take this person out
        #[arg(long, value_name = "PERSON", conflicts_with = "set")]
        remove: Option<Handle>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Make and change people; for administrators
#[derive(Debug, clap::Args)]
pub struct PersonArgs {
    #[command(subcommand)]
    action: PersonAction,
}

#[derive(Debug, Subcommand)]
enum PersonAction {
    /// Make a person who can sign in
    Create {
        /// Their name on the hub, also that of their own publisher
        handle: Handle,
        /// The name for people
        #[arg(long)]
        name: Option<String>,
        /// Let them administer the hub
        #[arg(long)]
        administrator: bool,
    },
    /// List people
    List,
    /// Shut a person out: their tokens and sessions end
    Disable {
        /// Who
        handle: Handle,
    },
    /// Let a person in again
    Enable {
        /// Who
        handle: Handle,
    },
}

/// Does what was asked about publishers.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let terminal = &session.terminal;
    match args.action {
        Action::Create { handle, name } => {
            let made = client.create_publisher(&NewPublisher { handle, name }).await?;
            if terminal.json {
                terminal.json(&made);
            } else {
                terminal.note(&format!("made @{}", made.handle));
            }
        }
        Action::List => {
            let mut items = Vec::new();
            let mut query = PageQuery { cursor: None, limit: Some(200) };
            loop {
                let page = client.publishers(&query).await?;
                items.extend(page.items);
                let Some(cursor) = page.next_cursor else { break };
                query.cursor = Some(cursor);
            }
            if terminal.json {
                terminal.json(&json!({ "items": items }));
                return Ok(Exit::Done);
            }
            let mut table = Table::titled(&["publisher", "kind", "name", "your role"]);
            for item in items {
                let role = item.role.map(|role| role.to_string()).unwrap_or_default();
                table.row([format!("@{}", item.handle), item.kind.to_string(), item.name, role]);
            }
            terminal.data(&table.render(terminal));
        }
        Action::Members { handle, set, role, remove, yes } => {
            if let (Some(person), Some(role)) = (&set, role) {
                client.set_member(&handle, person, MemberRole { role }).await?;
            }
            if let Some(person) = &remove {
                if !confirm(session, yes, &format!("Take {person} out of @{handle}?"))? {
                    return Ok(Exit::Failed);
                }
                client.remove_member(&handle, person).await?;
            }
            let members = client.members(&handle).await?;
            if terminal.json {
                terminal.json(&members);
                return Ok(Exit::Done);
            }
            let mut table = Table::titled(&["person", "name", "role", "since"]);
            for member in members.items {
                let since = member.created_at.day().to_string();
                table.row([member.person.to_string(), member.name, member.role.to_string(), since]);
            }
            terminal.data(&table.render(terminal));
        }
    }
    Ok(Exit::Done)
}

/// Does what was asked about people.
pub async fn person(args: PersonArgs, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let terminal = &session.terminal;
    let changed = match args.action {
        PersonAction::Create { handle, name, administrator } => {
            client.create_person(&NewPerson { handle, name, administrator }).await?
        }
        PersonAction::Disable { handle } => client.change_person(&handle, &shut_out(true)).await?,
        PersonAction::Enable { handle } => client.change_person(&handle, &shut_out(false)).await?,
        PersonAction::List => {
            let mut items = Vec::new();
            let mut query = PageQuery { cursor: None, limit: Some(200) };
            loop {
                let page = client.people(&query).await?;
                items.extend(page.items);
                let Some(cursor) = page.next_cursor else { break };
                query.cursor = Some(cursor);
            }
            if terminal.json {
                terminal.json(&json!({ "items": items }));
                return Ok(Exit::Done);
            }
            let mut table = Table::titled(&["person", "name", "administrator", "state"]);
            for item in items {
                let administrator = if item.administrator { "yes" } else { "" };
                let state = if item.disabled_at.is_some() { "shut out" } else { "" };
                table.row([item.handle.to_string(), item.name, administrator.to_owned(), state.to_owned()]);
            }
            terminal.data(&table.render(terminal));
            return Ok(Exit::Done);
        }
    };
    if terminal.json {
        terminal.json(&changed);
    } else {
        let state = if changed.disabled_at.is_some() { "is shut out" } else { "can sign in" };
        terminal.note(&format!("{} {state}", changed.handle));
    }
    Ok(Exit::Done)
}

fn shut_out(disabled: bool) -> PersonChange {
    PersonChange { disabled: Some(disabled), ..PersonChange::default() }
}
