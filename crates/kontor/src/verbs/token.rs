//! `kontor token`: access tokens.

use clap::Subcommand;
use kontor_client::Error;
use kontor_types::{Code, Handle, Problem, Scope, Timestamp, TokenId};
use kontor_wire::{NewToken, Token};
use serde_json::json;

use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::Style;

/// Make, list and revoke access tokens
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token; its secret is shown once
    New(New),
    /// List your tokens
    List,
    /// End a token
    Revoke {
        /// The token's id, as `kontor token list` shows it
        #[arg(value_parser = crate::verbs::id::<TokenId>)]
        id: TokenId,
    },
}

#[derive(Debug, clap::Args)]
struct New {
    /// What it is for
    #[arg(long, default_value = "made by kontor token new")]
    label: String,
    /// What it may do: read, publish, run, review, admin
    #[arg(long, value_delimiter = ',', default_value = "read")]
    scope: Vec<Scope>,
    /// Only for these publishers
    #[arg(long, value_delimiter = ',')]
    publisher: Vec<Handle>,
    /// How many days it lasts
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
    /// Never end
    #[arg(long, conflicts_with = "days")]
    no_expiry: bool,
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    match args.action {
        Action::New(new) => {
            let request = NewToken {
                label: new.label,
                scopes: new.scope,
                publishers: new.publisher,
                days: (!new.no_expiry).then_some(new.days),
                no_expiry: new.no_expiry,
            };
            let issued = client.issue_token(&request).await?;
            if session.terminal.json {
                session.terminal.json(&issued);
            } else {
                session.terminal.note("keep it safe: it is shown this once");
                session.terminal.data(&issued.secret);
            }
        }
        Action::List => list(&client.tokens().await?.items, session),
        Action::Revoke { id } => {
            client.revoke_token(id).await?;
            session.terminal.note(&format!("the token {id} is revoked"));
            if session.terminal.json {
                session.terminal.json(&json!({"id": id, "revoked": true}));
            }
        }
    }
    Ok(Exit::Done)
}

fn list(tokens: &[Token], session: &Session) {
    if session.terminal.json {
        session.terminal.json(&json!({ "items": tokens }));
        return;
    }
    if tokens.is_empty() {
        session.terminal.note("you have no tokens; `kontor token new` makes one");
        return;
    }
    let day = |moment: Option<Timestamp>| moment.map(|moment| moment.day().to_string()).unwrap_or_default();
    let mut table = Table::titled(&["id", "label", "scopes", "publishers", "made", "ends", "last used", "state"]);
    for token in tokens {
        let state = if token.revoked_at.is_some() { "revoked" } else { "" };
        table.row([
            token.id.to_string(),
            token.label.clone(),
            token.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            token.publishers.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            day(Some(token.created_at)),
            token.expires_at.map_or_else(|| "never".to_owned(), |moment| moment.day().to_string()),
            day(token.last_used_at),
            state.to_owned(),
        ]);
    }
    session.terminal.data(&table.render(&session.terminal));
}

/// That the hub was not asked, since there is no token for it.
pub fn not_signed_in(registry: &str) -> Error {
    Error::from_problem(Problem::new(Code::Unauthenticated, format!("not signed in to {registry}")))
}

/// Shows who the token in use belongs to.
pub async fn whoami(session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    if !client.is_signed_in() {
        return Err(not_signed_in(client.registry()).into());
    }
    let me = client.whoami().await?;
    if session.terminal.json {
        session.terminal.json(&me);
        return Ok(Exit::Done);
    }
    let scopes: Vec<String> = me.scopes.iter().map(ToString::to_string).collect();
    let terminal = &session.terminal;
    let rank = if me.administrator { ", administrator of the hub" } else { "" };
    terminal.data(&format!("{} at {}{rank}", terminal.paint(Style::Bold, me.handle.as_str()), client.registry()));
    terminal.data(&format!("the token may {}", scopes.join(", ")));
    for membership in &me.publishers {
        terminal.data(&format!("{} of @{}", membership.role, membership.publisher));
    }
    Ok(Exit::Done)
}
