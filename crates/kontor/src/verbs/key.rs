//! `kontor key`: the keys with which publishers sign what they publish.

use clap::Subcommand;
use kontor_client::Client;
use kontor_crypto::{KeyId, KeyRecord, Keyring, Purpose};
use kontor_types::{Clock as _, Handle, SystemClock, Timestamp};
use kontor_wire::{KeyRevocation, NewPublisherKey, PublisherKey};
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::session::{Session, publisher_keys, shown};
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::confirm;

/// Make, show and revoke the keys that sign what you publish
///
/// A key is a file that only you can read, in your settings. The hub knows its public half, and its log says who holds which
/// key since when. `kontor publish` signs with it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key for a publisher and register it on the hub; one that was not registered yet is
    New {
        /// For whom; your own publisher unless told
        #[arg(long, value_name = "NAME")]
        publisher: Option<Handle>,
    },
    /// List every key that a publisher ever signed with
    List {
        /// Whose; your own publisher's unless told
        #[arg(value_name = "PUBLISHER")]
        publisher: Option<Handle>,
    },
    /// Print the public half of your key, for those who check signatures, and say where its file is
    Show {
        /// Whose; your own publisher's unless told
        #[arg(value_name = "PUBLISHER")]
        publisher: Option<Handle>,
    },
    /// Make a new key in the place of the old one, which vouches for it; what the old one signed stays valid
    Rotate {
        /// Whose; your own publisher's unless told
        #[arg(long, value_name = "NAME")]
        publisher: Option<Handle>,
    },
    /// Say that what a key signed is not to be believed, from a moment on; this cannot be taken back
    Revoke {
        /// The key's id, as `kontor key list` shows it; your own key unless told
        #[arg(value_name = "KEY")]
        key: Option<KeyId>,
        /// Whose; your own publisher's unless told
        #[arg(long, value_name = "NAME")]
        publisher: Option<Handle>,
        /// From when on: `now`, or a moment such as 2026-01-31T12:00:00Z, from which somebody else may have had the key
        #[arg(long, value_name = "TIME", default_value = "now", value_parser = moment)]
        from: Since,
        /// Why; everybody can read it
        #[arg(long, short = 'm')]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// From when on a key is not to be believed.
#[derive(Debug, Clone, Copy)]
struct Since(Option<Timestamp>);

fn moment(text: &str) -> Result<Since, String> {
    if text == "now" {
        return Ok(Since(None));
    }
    let parsed = text.parse().map_err(|_| "write `now`, or a moment such as 2026-01-31T12:00:00Z".to_owned());
    parsed.map(|from| Since(Some(from)))
}

/// Does what was asked.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    let (client, registry) = (session.client()?, session.registry()?);
    match args.action {
        Action::New { publisher } => make(&client, &registry, &whose(&client, publisher).await?, session).await,
        Action::List { publisher } => list(&client, &registry, &whose(&client, publisher).await?, session).await,
        Action::Show { publisher } => show(&registry, &whose(&client, publisher).await?, session),
        Action::Rotate { publisher } => rotate(&client, &registry, &whose(&client, publisher).await?, session).await,
        Action::Revoke { key, publisher, from, reason, yes } => {
            let publisher = whose(&client, publisher).await?;
            let key = key.map_or_else(|| own_key(&registry, &publisher), |key| Ok(key.to_string()))?;
            let question = format!("Nothing that {key} signed from then on will be believed. Revoke it?");
            if !confirm(session, yes, &question)? {
                return Ok(Exit::Failed);
            }
            revoke(&client, &registry, &publisher, &key, KeyRevocation { from: from.0, reason }, session).await
        }
    }
}

async fn whose(client: &Client, named: Option<Handle>) -> anyhow::Result<Handle> {
    match named {
        Some(publisher) => Ok(publisher),
        None => Ok(client.whoami().await?.handle),
    }
}

async fn make(client: &Client, registry: &str, publisher: &Handle, session: &Session) -> anyhow::Result<Exit> {
    // Whoever may not is told before a key is made.
    let known = client.publisher_keys(publisher).await?.items;
    let mut ring = publisher_keys::open(registry, publisher)?;
    publisher_keys::follow_revocations(&mut ring, &known)?;
    ring.ensure(&[Purpose::Publisher], SystemClock.now())?;
    let record = active(&ring, publisher)?.clone();
    if known.iter().any(|key| key.key_id == record.id.to_string()) {
        let text =
            format!("@{publisher} has the key {} here; `kontor key rotate` puts another in its place", record.id);
        return Err(UsageError(text).into());
    }
    let key = register(client, &ring, publisher, &record).await?;
    tell(&key, publisher, &ring, session)
}

async fn rotate(client: &Client, registry: &str, publisher: &Handle, session: &Session) -> anyhow::Result<Exit> {
    let known = client.publisher_keys(publisher).await?.items;
    let mut ring = publisher_keys::open(registry, publisher)?;
    publisher_keys::follow_revocations(&mut ring, &known)?;
    let before = active(&ring, publisher)?.id.to_string();
    if !known.iter().any(|key| key.key_id == before) {
        let text = format!("the hub does not know the key {before} yet: register it with `kontor key new`");
        return Err(UsageError(text).into());
    }
    // When the hub does not answer, the new key is here with the word of the old one: `kontor key new` registers it.
    let record = ring.rotate(Purpose::Publisher, SystemClock.now())?;
    let key = register(client, &ring, publisher, &record).await?;
    tell(&key, publisher, &ring, session)
}

async fn register(
    client: &Client,
    ring: &Keyring,
    publisher: &Handle,
    record: &KeyRecord,
) -> anyhow::Result<PublisherKey> {
    let key = ring.signing_key(Purpose::Publisher)?;
    let new = NewPublisherKey {
        public_key: key.verifying_key().to_string(),
        created_at: record.created_at,
        claim: key.claim(publisher, record.created_at),
        endorsed_by: record.endorsement.as_ref().map(|word| word.by.to_string()),
        endorsement: record.endorsement.as_ref().map(|word| word.signature.clone()),
    };
    Ok(client.register_key(publisher, &new).await?)
}

fn tell(key: &PublisherKey, publisher: &Handle, ring: &Keyring, session: &Session) -> anyhow::Result<Exit> {
    let terminal = &session.terminal;
    let file = ring.secret_file(Purpose::Publisher)?;
    if terminal.json {
        terminal.json(&json!({ "publisher": publisher, "key": key, "file": file }));
    } else {
        terminal.data(&plain(&key.public_key));
        terminal.note(&format!("`kontor publish` signs for @{publisher} with the key {}", plain(&key.key_id)));
        terminal.note(&format!("its secret is in {}; keep a copy where nobody else reads it", shown(&file)));
    }
    Ok(Exit::Done)
}

async fn list(client: &Client, registry: &str, publisher: &Handle, session: &Session) -> anyhow::Result<Exit> {
    let keys = client.publisher_keys(publisher).await?.items;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": keys }));
        return Ok(Exit::Done);
    }
    if keys.is_empty() {
        terminal.note(&format!("@{publisher} has no key; make one with: kontor key new --publisher {publisher}"));
        return Ok(Exit::Done);
    }
    let here = publisher_keys::find(registry, publisher)?;
    let here = here.and_then(|ring| ring.history().active(Purpose::Publisher).map(|key| key.id.to_string()));
    let mut table = Table::titled(&["key", "registered", "state", "public key"]);
    for key in keys {
        let state = match (&key.revoked_from, &key.retired_at) {
            (Some(from), _) => format!("revoked from {from} on: {}", key.revoke_reason.clone().unwrap_or_default()),
            (None, Some(at)) => format!("replaced on {}", at.day()),
            (None, None) if here.as_ref() == Some(&key.key_id) => "in use, here".to_owned(),
            (None, None) => "in use".to_owned(),
        };
        table.row([plain(&key.key_id), key.registered_at.day().to_string(), plain(&state), plain(&key.public_key)]);
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

fn show(registry: &str, publisher: &Handle, session: &Session) -> anyhow::Result<Exit> {
    let ring = publisher_keys::find(registry, publisher)?;
    let ring = ring
        .ok_or_else(|| UsageError(format!("there is no key of @{publisher} here: make one with `kontor key new`")))?;
    let (key, file) = (ring.signing_key(Purpose::Publisher)?.verifying_key(), ring.secret_file(Purpose::Publisher)?);
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "publisher": publisher, "key_id": key.id(), "public_key": key, "file": file }));
    } else {
        terminal.data(&key.to_string());
        terminal.note(&format!("its secret is in {}", shown(&file)));
    }
    Ok(Exit::Done)
}

async fn revoke(
    client: &Client,
    registry: &str,
    publisher: &Handle,
    key: &str,
    revocation: KeyRevocation,
    session: &Session,
) -> anyhow::Result<Exit> {
    let revoked = client.revoke_key(publisher, key, &revocation).await?;
    if let Some(mut ring) = publisher_keys::kept(registry, publisher)? {
        publisher_keys::follow_revocations(&mut ring, std::slice::from_ref(&revoked))?;
    }
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&revoked);
    } else {
        terminal.note(&format!("the key {} is revoked; what it signed since then is judged again", plain(key)));
    }
    Ok(Exit::Done)
}

fn own_key(registry: &str, publisher: &Handle) -> anyhow::Result<String> {
    let ring = publisher_keys::find(registry, publisher)?;
    let missing = || UsageError(format!("there is no key of @{publisher} here: name the one to revoke"));
    let ring = ring.ok_or_else(missing)?;
    Ok(active(&ring, publisher)?.id.to_string())
}

fn active<'r>(ring: &'r Keyring, publisher: &Handle) -> anyhow::Result<&'r KeyRecord> {
    let missing = || {
        let none = if ring.history().keys.is_empty() { "there is no key" } else { "every key" };
        let state = if ring.history().keys.is_empty() { "here" } else { "here was revoked" };
        UsageError(format!("{none} of @{publisher} {state}: make one with `kontor key new --publisher {publisher}`"))
    };
    Ok(ring.history().active(Purpose::Publisher).ok_or_else(missing)?)
}
