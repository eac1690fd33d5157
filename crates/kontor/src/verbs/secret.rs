//! `kontor secret`: what runs on the hub may be given under a name, without anybody seeing it again.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use kontor_client::{Client, Error};
use kontor_crypto::{Keyring, Purpose, Zeroizing};
use kontor_types::{Clock as _, Digest, Handle, SkillRef, SystemClock};
use kontor_wire::{NewSecretRelease, Secret, SecretValue};
use serde_json::json;

use crate::config::{self, HubFlags};
use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::confirm;

/// More than any value has.
const LARGEST: u64 = 64 << 10;

/// Keep secrets on the hub, and say which skills' runs get them
///
/// A value is sealed when it comes to the hub and never shown again. A run on the hub is given it only when it was released
/// to the very bytes that run.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set a secret; the value is asked for, or read from standard input or a file, never from the command line
    Set {
        /// Its name, that of the variable in a run: capitals, digits and `_`
        name: String,
        /// Whose; your own publisher's unless told
        #[arg(long, value_name = "NAME")]
        publisher: Option<Handle>,
        /// A file with the value; `-` for standard input. A line feed at its end does not belong to it
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// List secrets, who set them and what they are released to
    List {
        /// Whose; your own publisher's unless told
        #[arg(value_name = "PUBLISHER")]
        publisher: Option<Handle>,
        /// The same, as the other sub-verbs take it
        #[arg(long = "publisher", id = "named", value_name = "PUBLISHER", conflicts_with = "publisher")]
        named: Option<Handle>,
    },
    /// Remove a secret and all its releases
    Remove {
        /// Its name
        name: String,
        /// Whose; your own publisher's unless told
        #[arg(long, value_name = "NAME")]
        publisher: Option<Handle>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Let runs of a version have a secret: of exactly its bytes, no other version's
    Grant {
        /// The secret
        name: String,
        /// Which version: `@publisher/skill@1.2.0`
        #[arg(value_name = "REF")]
        to: SkillRef,
        /// Whose secret; your own publisher's unless told
        #[arg(long, value_name = "NAME")]
        publisher: Option<Handle>,
        /// The digest that the version must have
        #[arg(long)]
        digest: Option<Digest>,
    },
    /// Take a release back
    Revoke {
        /// The secret
        name: String,
        /// The version as `kontor secret list` shows it, its digest, or `@publisher/skill` for all versions
        #[arg(value_name = "REF")]
        from: String,
        /// Whose secret; your own publisher's unless told
        #[arg(long, value_name = "NAME")]
        publisher: Option<Handle>,
    },
    /// Make a new key that seals secrets, on the hub's own machine; its next start seals every value anew
    RotateKey {
        #[command(flatten)]
        hub: Box<HubFlags>,
    },
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    match args.action {
        Action::RotateKey { hub } => rotate(&hub, session),
        Action::Set { name, publisher, file } => {
            let value = value(file.as_deref(), session)?;
            let client = session.client()?;
            let publisher = whose(&client, publisher).await?;
            let mut body = SecretValue { value: value.to_string() };
            let answer = client.set_secret(&publisher, &name, &body).await;
            drop(Zeroizing::new(std::mem::take(&mut body.value)));
            tell(&answer?, &publisher, "set", session);
            Ok(Exit::Done)
        }
        Action::List { publisher, named } => {
            let client = session.client()?;
            list(&client, &whose(&client, publisher.or(named)).await?, session).await
        }
        Action::Remove { name, publisher, yes } => {
            let client = session.client()?;
            let publisher = whose(&client, publisher).await?;
            let question = format!("Runs are not given {} of @{publisher} any more. Remove it?", plain(&name));
            if !confirm(session, yes, &question)? {
                return Ok(Exit::Failed);
            }
            client.remove_secret(&publisher, &name).await?;
            session.terminal.note(&format!("@{publisher} has no secret {} any more", plain(&name)));
            Ok(Exit::Done)
        }
        Action::Grant { name, to, publisher, digest } => {
            let client = session.client()?;
            let publisher = whose(&client, publisher).await?;
            let (owner, slug) = client.full_name(&to).await?;
            if to.version.is_none() {
                let text = format!("name the version whose bytes may have it: @{owner}/{slug}@1.2.0");
                return Err(UsageError(text).into());
            }
            let release = NewSecretRelease { reference: to, digest };
            let secret = client.grant_secret(&publisher, &name, &release).await?;
            tell(&secret, &publisher, "released", session);
            Ok(Exit::Done)
        }
        Action::Revoke { name, from, publisher } => {
            let client = session.client()?;
            let publisher = whose(&client, publisher).await?;
            revoke(&client, &publisher, &name, &from, session).await
        }
    }
}

async fn whose(client: &Client, named: Option<Handle>) -> anyhow::Result<Handle> {
    match named {
        Some(publisher) => Ok(publisher),
        None => Ok(client.whoami().await?.handle),
    }
}

/// From a file, from what is piped in, or from a person who types it unseen.
fn value(file: Option<&Path>, session: &Session) -> anyhow::Result<Zeroizing<String>> {
    let mut text = match file {
        Some(path) if path != Path::new("-") => {
            let source = File::open(path).map_err(|error| Error::io("read", path, error))?;
            read(source, path)?
        }
        None if session.terminal.can_ask() && std::io::stdin().is_terminal() => {
            Zeroizing::new(rpassword::prompt_password("value: ").context("cannot ask for the value")?)
        }
        _ => read(std::io::stdin(), Path::new("standard input"))?,
    };
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn read(source: impl std::io::Read, path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = source.take(LARGEST + 3).read_to_string(&mut text);
    read.map_err(|error| Error::io("read", path, error))?;
    if text.len() as u64 > LARGEST + 2 {
        return Err(UsageError(format!("{} is longer than any secret: at most 64 KiB", path.display())).into());
    }
    Ok(text)
}

fn tell(secret: &Secret, publisher: &Handle, done: &str, session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "publisher": publisher, "secret": secret }));
        return;
    }
    let (name, count) = (plain(&secret.name), secret.releases.len() as u64);
    let to = match secret.releases.last() {
        None => format!(
            "released to nothing yet: kontor secret grant {name} @publisher/skill@1.2.0 --publisher {publisher}"
        ),
        Some(_) => format!("released to {}", crate::amounts::count(count, "version")),
    };
    terminal.note(&format!("{name} of @{publisher} is {done} (number {}); {to}", secret.version));
}

async fn list(client: &Client, publisher: &Handle, session: &Session) -> anyhow::Result<Exit> {
    let secrets = client.secrets(publisher).await?.items;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": secrets }));
        return Ok(Exit::Done);
    }
    if secrets.is_empty() {
        terminal
            .note(&format!("@{publisher} has no secret; set one with: kontor secret set NAME --publisher {publisher}"));
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["name", "number", "set", "by", "released to", "digest"]);
    for secret in &secrets {
        let by = secret.set_by.as_deref().map(plain).unwrap_or_default();
        let day = secret.set_at.day().to_string();
        let mut first = [plain(&secret.name), secret.version.to_string(), day, by];
        if secret.releases.is_empty() {
            let [name, number, day, by] = first;
            table.row([name, number, day, by, "nothing".to_owned(), String::new()]);
            continue;
        }
        for release in &secret.releases {
            let [name, number, day, by] = std::mem::take(&mut first);
            table.row([name, number, day, by, plain(&release.reference), release.digest.to_string()]);
        }
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

async fn revoke(
    client: &Client,
    publisher: &Handle,
    name: &str,
    from: &str,
    session: &Session,
) -> anyhow::Result<Exit> {
    let secrets = client.secrets(publisher).await?.items;
    let known = secrets.into_iter().find(|secret| secret.name == name);
    let releases = known.map(|secret| secret.releases).unwrap_or_default();
    let of_skill = format!("{from}@");
    let meant = |reference: &str, digest: &Digest| {
        reference == from || reference.starts_with(&of_skill) || digest.to_string() == from
    };
    let mut digests: Vec<Digest> =
        releases.iter().filter(|one| meant(&one.reference, &one.digest)).map(|one| one.digest).collect();
    digests.sort();
    digests.dedup();
    if digests.is_empty() {
        let message = format!("{} of @{publisher} is not released to {}", plain(name), plain(from));
        return Err(Error::refused(message, "`kontor secret list` shows what it is released to").into());
    }
    for digest in &digests {
        client.revoke_secret(publisher, name, digest).await?;
    }
    let taken = crate::amounts::count(digests.len() as u64, "release");
    session.terminal.note(&format!("{taken} of {} taken back", plain(name)));
    Ok(Exit::Done)
}

fn rotate(hub: &HubFlags, session: &Session) -> anyhow::Result<Exit> {
    let loaded = config::load(&hub.given(), hub.config_file().as_deref(), &session.secrets)?;
    let keys = config::app_settings(&loaded.config)?.keys();
    if !keys.is_dir() {
        return Err(
            UsageError(format!("there are no keys in {}; name the hub's folder with --data", keys.display())).into()
        );
    }
    let record = Keyring::open(&keys)?.rotate(Purpose::Sealing, SystemClock.now())?;
    if session.terminal.json {
        session.terminal.json(&json!({ "key": record }));
    } else {
        session.terminal.note(&format!(
            "the key {} seals from the hub's next start on, which seals every value anew; older keys stay, for backups",
            record.id
        ));
    }
    Ok(Exit::Done)
}
