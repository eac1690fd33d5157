//! Setting one's own password.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use kontor_client::{Client, Error};
use kontor_crypto::Zeroizing;
use kontor_wire::NewPassword;

use crate::exit::{Exit, UsageError};
use crate::session::Session;

/// More than any password has.
const LARGEST: u64 = 4_096;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file with the new password; `-` for standard input. A line feed at its end does not belong to it
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A file with the password until now; asked for where somebody has one
    #[arg(long, value_name = "FILE")]
    current: Option<PathBuf>,
    /// A one-time address instead of the password until now: from an administrator, or `kontor login --web`
    #[arg(long, value_name = "ADDRESS", conflicts_with = "current")]
    link: Option<String>,
    /// The password until now is not known: the token in use must be one that may do everything
    #[arg(long, conflicts_with_all = ["current", "link"])]
    forgotten: bool,
}

/// Sets it.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let client = match &args.link {
        // Whoever has the link need not be signed in, and somebody else's token must not be sent along.
        Some(_) => Client::new(&session.registry()?, None)?,
        None => session.client()?,
    };
    let mut wanted = NewPassword { new: String::new(), current: None, link: args.link };
    if wanted.link.is_none() {
        let has_one = client.password().await?.set_at.is_some();
        match args.current {
            Some(path) => wanted.current = Some(from_file(&path)?.to_string()),
            None if has_one && !args.forgotten => {
                wanted.current = Some(asked("the password until now: ", "--current FILE or --forgotten", session)?);
            }
            None => wanted.link = Some(client.login_link().await?.url),
        }
    }
    wanted.new = match &args.file {
        Some(path) => from_file(path)?.to_string(),
        None => twice(session)?,
    };
    let answer = client.set_password(&wanted).await;
    drop(Zeroizing::new(wanted.new));
    drop(wanted.current.map(Zeroizing::new));
    let ended = answer?;
    if session.terminal.json {
        session.terminal.json(&ended);
    } else {
        let browsers = match ended.ended {
            0 => String::new(),
            1 => "; one browser is signed out".to_owned(),
            many => format!("; {many} browsers are signed out"),
        };
        session.terminal.note(&format!("the password is set{browsers}"));
    }
    Ok(Exit::Done)
}

fn twice(session: &Session) -> anyhow::Result<String> {
    let first = asked("the new password, 12 or more characters: ", "--file FILE", session)?;
    if first != asked("the same again: ", "--file FILE", session)? {
        return Err(UsageError("the two are not the same; nothing was changed".to_owned()).into());
    }
    Ok(first)
}

fn asked(question: &str, instead: &str, session: &Session) -> anyhow::Result<String> {
    if session.terminal.can_ask() && std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(question)?);
    }
    Err(UsageError(format!("nobody can be asked for a password here; use {instead}")).into())
}

fn from_file(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let unreadable = |error| Error::io("read", path, error);
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        std::io::stdin().take(LARGEST).read_to_string(&mut text)
    } else {
        File::open(path).map_err(unreadable)?.take(LARGEST).read_to_string(&mut text)
    };
    read.map_err(unreadable)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let bare = line.strip_suffix('\r').unwrap_or(line).len();
    text.truncate(bare);
    Ok(text)
}
