//! `kontor login` and `kontor logout`.

mod password;
mod sessions;

use std::time::Duration;

use clap::Subcommand;
use kontor_client::Client;
use kontor_types::{Scope, SessionId};
use kontor_wire::{DeviceState, NewDeviceLogin};
use serde_json::json;

use crate::amounts::moment;
use crate::exit::{Exit, Hint};
use crate::session::{Logins, Session};
use crate::terminal::{Style, plain};
use crate::verbs::confirm;
use crate::verbs::token::not_signed_in;

/// Sign in to a hub
///
/// With a token (`--token-file`, `KONTOR_TOKEN`, `--prompt`) it is checked and kept in a file that only you can read.
/// Without one, a code is shown that you or a colleague approves on the hub's page `/device` or with `kontor login approve`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Print a one-time address that signs your browser in
    #[arg(long)]
    web: bool,
    /// Ask for the token on the terminal
    #[arg(long, conflicts_with = "web")]
    prompt: bool,
    /// What the new token may do besides what the one in use may, or besides read and publish where there is none: run,
    /// review, admin; `kontor token new` makes one that may do less
    #[arg(long, value_delimiter = ',')]
    scope: Vec<Scope>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set or change your password, for signing in with a browser
    ///
    /// Asked for on the terminal, or read from a file; never from the command line. Your browsers are signed out, your
    /// tokens stay. Without the current password, a token that may do everything, or a one-time address, is enough.
    Password(password::Args),
    /// List the browsers that you are signed in with
    Sessions,
    /// Sign a browser out, or all of them
    End {
        /// The session's id, as `kontor login sessions` shows it
        #[arg(value_parser = crate::verbs::id::<SessionId>, required_unless_present = "all")]
        id: Option<SessionId>,
        /// Every browser
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Approve the sign-in of a device that shows a code
    Approve {
        /// The code that the device shows
        code: String,
        /// Deny it
        #[arg(long)]
        deny: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Signs in, or approves a sign-in.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    match args.action {
        Some(Action::Approve { code, deny, yes }) => return approve(&code, deny, yes, session).await,
        Some(Action::Password(args)) => return password::run(args, session).await,
        Some(Action::Sessions) => return sessions::list(session).await,
        Some(Action::End { id: Some(id), .. }) => return sessions::end(id, session).await,
        Some(Action::End { id: None, .. }) => return sessions::end_all(session).await,
        None => {}
    }
    if args.web {
        let link = session.client()?.login_link().await?;
        if session.terminal.json {
            session.terminal.json(&link);
        } else {
            session.terminal.note(&format!("open this in a browser; it works once, until {}", moment(link.expires_at)));
            session.terminal.data(&plain(&link.url));
        }
        return Ok(Exit::Done);
    }
    let registry = session.registry()?;
    let token = if args.prompt {
        rpassword::prompt_password("token: ")?
    } else if session.has_given_token() {
        session.token(&registry)?.unwrap_or_default()
    } else {
        by_device(&registry, scopes(&registry, args.scope).await?, session).await?
    };
    let me = Client::new(&registry, Some(&token))?.whoami().await.map_err(|error| unknown(args.prompt, error))?;
    let mut logins = Logins::read()?;
    logins.add(&registry, token.trim().to_owned());
    logins.write()?;
    if session.terminal.json {
        session.terminal.json(&json!({"registry": registry, "handle": me.handle, "file": Logins::path()?}));
    } else {
        session.terminal.note(&format!(
            "signed in to {registry} as {}; the token is in {}",
            me.handle,
            Logins::path()?.display()
        ));
    }
    Ok(Exit::Done)
}

/// A token that was typed comes from nowhere that could be named.
fn unknown(typed: bool, error: kontor_client::Error) -> anyhow::Error {
    if typed && error.code() == Some(kontor_types::Code::Unauthenticated) {
        let hint = Hint("type one that holds; `kontor token new` makes one where you are signed in".to_owned());
        return anyhow::Error::from(error).context("the hub does not know this token").context(hint);
    }
    error.into()
}

/// What a new token shall be able to do: what the one that it replaces can, and what is named besides.
async fn scopes(registry: &str, more: Vec<Scope>) -> anyhow::Result<Vec<Scope>> {
    let kept = Logins::read()?.token(registry).map(str::to_owned);
    let mut scopes = match kept {
        // One that ended says nothing any more.
        Some(token) => Client::new(registry, Some(&token))?.whoami().await.map(|me| me.scopes).unwrap_or_default(),
        None => Vec::new(),
    };
    if scopes.is_empty() {
        scopes = vec![Scope::Read, Scope::Publish];
    }
    for scope in more {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

/// Shows a code and waits until somebody has answered.
async fn by_device(registry: &str, scopes: Vec<Scope>, session: &Session) -> anyhow::Result<String> {
    let client = Client::new(registry, None)?;
    let label = format!("kontor on {}", machine_name());
    let login = client.begin_device_login(&NewDeviceLogin { label, scopes }).await?;
    let terminal = &session.terminal;
    terminal.tell(&format!(
        "open {} and type {}\nor, where somebody is signed in: kontor login approve {}",
        terminal.paint_note(Style::Cyan, &plain(&login.verification_url)),
        terminal.paint_note(Style::Bold, &plain(&login.user_code)),
        plain(&login.user_code)
    ));
    let waiting = terminal.spinner("waiting for the approval");
    let mut pause = Duration::from_secs(login.interval.clamp(1, 60));
    loop {
        tokio::time::sleep(pause).await;
        let answer = client.poll_device_login(&login.device_code).await?;
        let refusal = match answer.state {
            DeviceState::Pending => continue,
            DeviceState::SlowDown => {
                pause = (pause + Duration::from_secs(5)).min(Duration::from_mins(1));
                continue;
            }
            DeviceState::Approved => match answer.secret {
                Some(secret) => {
                    waiting.finish_and_clear();
                    return Ok(secret);
                }
                None => "the hub approved, but gave no token",
            },
            DeviceState::Denied => "the sign-in was denied",
            DeviceState::Expired => "nobody approved in time; run `kontor login` again",
        };
        waiting.finish_and_clear();
        return Err(kontor_client::Error::Refused { message: refusal.to_owned(), hint: None }.into());
    }
}

fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "a device".to_owned())
}

async fn approve(code: &str, deny: bool, yes: bool, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    if !client.is_signed_in() {
        return Err(not_signed_in(client.registry()).into());
    }
    let code = code.trim().to_ascii_uppercase();
    if !deny {
        let request = client.device_request(&code).await?;
        let scopes: Vec<String> = request.scopes.iter().map(ToString::to_string).collect();
        let question = format!("Let \"{}\" {} in your name?", request.label, scopes.join(", "));
        if !confirm(session, yes, &question)? {
            session.terminal.note("nothing was approved");
            return Ok(Exit::Failed);
        }
    }
    client.decide_device_login(&code, !deny).await?;
    session.terminal.note(if deny { "denied" } else { "approved" });
    Ok(Exit::Done)
}

/// Forget the token of a hub
#[derive(Debug, clap::Args)]
pub struct LogoutArgs {}

/// Forgets the token of the hub.
pub fn logout(session: &Session) -> anyhow::Result<Exit> {
    let registry = session.registry()?;
    let mut logins = Logins::read()?;
    let known = logins.remove(&registry);
    if known {
        logins.write()?;
    }
    let told = if known { format!("signed out of {registry}") } else { format!("was not signed in to {registry}") };
    session.terminal.note(&told);
    if session.terminal.json {
        session.terminal.json(&json!({"registry": registry, "signed_out": known}));
    }
    Ok(Exit::Done)
}
