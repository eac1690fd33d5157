//! `kontor publisher` and `kontor person`: who owns skills and who may sign in.

use clap::Subcommand;
use kontor_types::{Handle, Role, Scope};
use kontor_wire::{MemberRole, NewPerson, NewPublisher, NewToken, PersonChange, PublisherChange};
use serde_json::json;

use crate::amounts::moment;
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::{confirm, every_page};

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
    /// Change a publisher; for its admins, with a token of scope `admin`
    Set {
        /// The publisher
        handle: Handle,
        /// The name for people
        #[arg(long)]
        name: Option<String>,
        /// Refuse versions that are not signed with one of its keys: true or false
        #[arg(long, value_name = "BOOL")]
        require_signature: Option<bool>,
        /// Let everybody who sees a version see what runs in its name on this hub were seen to do: true or false
        #[arg(long, value_name = "BOOL")]
        share_behaviour: Option<bool>,
    },
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
    /// Make a person, who then needs a token
    #[command(visible_alias = "create")]
    Add {
        /// Their name on the hub, also that of their own publisher
        handle: Handle,
        /// The name for people
        #[arg(long)]
        name: Option<String>,
        /// Let them administer the hub
        #[arg(long)]
        administrator: bool,
    },
    /// Make a token for a person, with which they sign in for the first time
    Token {
        /// For whom
        handle: Handle,
        /// What it is for
        #[arg(long, default_value = "first sign-in")]
        label: String,
        /// What it may do: read, publish, run, review, admin
        #[arg(long, value_delimiter = ',', default_value = "read,publish")]
        scope: Vec<Scope>,
        /// Only for these publishers
        #[arg(long, value_delimiter = ',')]
        publisher: Vec<Handle>,
        /// How many days it lasts
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
        days: u32,
    },
    /// Make a one-time address that signs a person's browser in, or lets them set a password
    Link {
        /// For whom
        handle: Handle,
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
                terminal.note(&format!(
                    "@{0} is yours; take others in: kontor publisher members {0} --set NAME --role maintainer",
                    made.handle
                ));
            }
        }
        Action::Set { handle, name, require_signature, share_behaviour } => {
            if let Some(share) = share_behaviour {
                client.share_behaviour(&handle, share).await?;
                let who = if share { "everybody who sees a version" } else { "only its admins" };
                terminal.note(&format!("what runs in the name of @{handle} do is seen by {who}"));
                if name.is_none() && require_signature.is_none() {
                    return Ok(Exit::Done);
                }
            }
            let changed = client.change_publisher(&handle, &PublisherChange { name, require_signature }).await?;
            if terminal.json {
                terminal.json(&changed);
            } else {
                let signed = if changed.require_signature { "takes only signed versions" } else { "need not sign" };
                terminal.note(&format!("@{} ({}) {signed}", changed.handle, changed.name));
            }
        }
        Action::List => {
            let items = every_page(async |query| {
                let page = client.publishers(query).await?;
                Ok((page.items, page.next_cursor))
            });
            let items = items.await?;
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
        PersonAction::Add { handle, name, administrator } => {
            let made = client.create_person(&NewPerson { handle, name, administrator }).await?;
            if terminal.json {
                terminal.json(&made);
            } else {
                terminal.note(&format!("{0} is known now; their first token: kontor person token {0}", made.handle));
            }
            return Ok(Exit::Done);
        }
        PersonAction::Token { handle, label, scope, publisher, days } => {
            let wanted = NewToken { label, scopes: scope, publishers: publisher, days: Some(days), no_expiry: false };
            let issued = client.create_token_for(&handle, &wanted).await?;
            if terminal.json {
                terminal.json(&issued);
            } else {
                terminal.note(&format!(
                    "give this to {handle} in private: it is shown this once\n{handle} signs in with: kontor login \
                     --prompt --registry {}",
                    client.registry()
                ));
                terminal.data(&issued.secret);
            }
            return Ok(Exit::Done);
        }
        PersonAction::Link { handle } => {
            let link = client.login_link_for(&handle).await?;
            if terminal.json {
                terminal.json(&link);
            } else {
                terminal.note(&format!(
                    "give this to {handle} in private; it works once, until {}\na password is set with: kontor login \
                     password --link ADDRESS --registry {}",
                    moment(link.expires_at),
                    client.registry()
                ));
                terminal.data(&plain(&link.url));
            }
            return Ok(Exit::Done);
        }
        PersonAction::Disable { handle } => client.change_person(&handle, &shut_out(true)).await?,
        PersonAction::Enable { handle } => client.change_person(&handle, &shut_out(false)).await?,
        PersonAction::List => {
            let items = every_page(async |query| {
                let page = client.people(query).await?;
                Ok((page.items, page.next_cursor))
            });
            let items = items.await?;
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
