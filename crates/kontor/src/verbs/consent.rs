//! `kontor consent`: what was confirmed for runs, here and on the hub, and taking it back.

use kontor_client::{Client, Error};
use kontor_runs::{Holds, SessionId, Stored};
use kontor_types::Digest;
use kontor_wire::{Consent, Remember};
use serde_json::{Value, json};

use crate::amounts;
use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::table::Table;
use crate::terminal::plain;
use crate::verbs::run::Places;

/// The fewest digits by which a digest is found.
const FEWEST: usize = 8;

/// Show what you let skills do when they run, and take it back
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List what was confirmed: on this machine, and on the hub that you are signed in to, for your runs and your agents'
    List,
    /// Take back what was confirmed, so that the next run asks again
    #[command(alias = "forget")]
    Revoke(RevokeArgs),
}

#[derive(Debug, clap::Args)]
struct RevokeArgs {
    /// What `list` shows: a skill's name, the beginning of a digest of this machine, or the id of one consent on the hub
    #[arg(required_unless_present = "all")]
    what: Option<String>,
    /// Take back everything, here and on the hub
    #[arg(long, conflicts_with = "what")]
    all: bool,
}

/// Does what the sub-verb says.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::List => list(session).await,
        Verb::Revoke(args) => revoke(args, session).await,
    }
}

/// The hub that somebody is signed in to, and what they have consented to there.
async fn on_hub(session: &Session) -> anyhow::Result<Option<(Client, Vec<Consent>)>> {
    let registry = session.registry()?;
    if session.token(&registry)?.is_none() {
        return Ok(None);
    }
    let client = session.client()?;
    match client.consents().await {
        Ok(list) => Ok(Some((client, list.items))),
        Err(error) => {
            session.terminal.warn(&format!("the hub was not asked for consents there: {}", plain(&error.to_string())));
            Ok(None)
        }
    }
}

/// What a consent on a hub lets a version have, in one line.
fn allowed(one: &Consent) -> String {
    let packages = one.packages.iter().map(|name| format!("the package {name}"));
    let every: Vec<String> = one.network.iter().chain(&one.secrets).cloned().chain(packages).collect();
    let what = if every.is_empty() { "no network, no secrets".to_owned() } else { plain(&every.join(", ")) };
    if one.beyond_declared { format!("{what}, beside what it declares") } else { format!("{what}, for your agents") }
}

/// What was confirmed for the bytes of one skill.
struct Confirmed {
    digest: Digest,
    /// The newest version, or why there is none that holds together.
    newest: Result<Stored, String>,
    /// Whether a run in this session is covered by some version.
    in_force: bool,
}

impl Confirmed {
    fn name(&self) -> &str {
        self.newest.as_ref().map_or("", |stored| &stored.overlay.skill)
    }

    fn for_how_long(&self) -> &'static str {
        match self.newest.as_ref().map(|stored| &stored.overlay.holds) {
            Err(_) => "broken",
            Ok(Holds::Always) => "always",
            Ok(Holds::Session(_)) if self.in_force => "this session",
            Ok(Holds::Session(_)) => "a session that is over",
            Ok(Holds::Once) if self.in_force => "once, and less always",
            Ok(Holds::Once) => "once",
        }
    }
}

fn confirmed() -> anyhow::Result<Vec<Confirmed>> {
    let places = Places::own()?;
    let (overlays, keys, here) = (places.overlays(), places.keys()?, SessionId::own());
    let mut found = Vec::new();
    for digest in overlays.skills()? {
        let versions = overlays.versions(&digest, &keys);
        let in_force = versions
            .as_ref()
            .is_ok_and(|versions| versions.iter().any(|stored| stored.overlay.holds.covers(here.as_ref())));
        let newest = versions
            .map_err(|error| error.to_string())
            .and_then(|mut versions| versions.pop().ok_or_else(|| "its first version is gone".to_owned()));
        found.push(Confirmed { digest, newest, in_force });
    }
    found.sort_by(|one, two| one.name().cmp(two.name()).then(one.digest.cmp(&two.digest)));
    Ok(found)
}

async fn list(session: &Session) -> anyhow::Result<Exit> {
    let found = confirmed()?;
    let hub = on_hub(session).await?.map(|(_, items)| items);
    let terminal = &session.terminal;
    if terminal.json {
        let mut told = json!({ "items": found.iter().map(as_json).collect::<Vec<_>>() });
        if let Some(hub) = hub {
            told["on_hub"] = json!(hub);
        }
        terminal.json(&told);
        return Ok(Exit::Done);
    }
    let hub = hub.unwrap_or_default();
    if found.is_empty() && hub.is_empty() {
        terminal.note("nothing was confirmed yet; `kontor run` asks before the first run of a version");
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["skill", "where", "digest or id", "for", "may", "confirmed"]);
    for one in &found {
        let (may, when) = match &one.newest {
            Ok(stored) => (may(stored), stored.overlay.confirmed_at.to_string()),
            Err(reason) => (plain(reason), String::new()),
        };
        let digest = one.digest.hex().chars().take(12).collect();
        table.row([plain(one.name()), "here".to_owned(), digest, one.for_how_long().to_owned(), may, when]);
    }
    for one in &hub {
        let how_long = match (one.remember, one.until) {
            (Remember::Session, Some(until)) => format!("this session, until {until}"),
            (Remember::Session, None) => "this session".to_owned(),
            (Remember::Always, _) => "always".to_owned(),
        };
        let (id, when) = (one.id.to_string(), one.given_at.to_string());
        table.row([plain(&one.skill), "hub".to_owned(), id, how_long, allowed(one), when]);
    }
    terminal.data(&table.render(terminal));
    Ok(Exit::Done)
}

fn as_json(one: &Confirmed) -> Value {
    let mut item = json!({"digest": one.digest, "in_force": one.in_force, "for": one.for_how_long()});
    match &one.newest {
        Ok(stored) => {
            let overlay = &stored.overlay;
            item["skill"] = json!(overlay.skill);
            item["number"] = json!(overlay.number);
            item["permissions"] = json!(overlay.permissions);
            item["limits"] = json!(overlay.limits);
            item["consent"] = json!(overlay.consent);
            item["confirmed_at"] = json!(overlay.confirmed_at);
        }
        Err(reason) => item["problem"] = json!(reason),
    }
    item
}

/// The connections and secrets in one line.
fn may(stored: &Stored) -> String {
    let permissions = &stored.overlay.permissions;
    let hosts = permissions.network.iter().map(ToString::to_string);
    let every: Vec<String> = hosts.chain(permissions.secrets.iter().cloned()).collect();
    if every.is_empty() { "no network, no secrets".to_owned() } else { plain(&every.join(", ")) }
}

async fn revoke(args: &RevokeArgs, session: &Session) -> anyhow::Result<Exit> {
    let overlays = Places::own()?.overlays();
    let (found, hub) = (confirmed()?, on_hub(session).await?);
    let wanted = args.what.as_deref().unwrap_or_default();
    let digits = wanted.trim_start_matches("sha256:");
    if args.what.is_some() && digits.is_empty() {
        return Err(UsageError("name a skill, a digest or the id of a consent".to_owned()).into());
    }
    let is_meant = |one: &&Confirmed| {
        args.all || one.name() == wanted || (digits.len() >= FEWEST && one.digest.hex().starts_with(digits))
    };
    let meant: Vec<&Confirmed> = found.iter().filter(is_meant).collect();
    let (client, given) = hub.map_or((None, Vec::new()), |(client, given)| (Some(client), given));
    let is_meant = |one: &&Consent| args.all || one.skill == wanted || one.id.to_string() == wanted;
    let there: Vec<&Consent> = given.iter().filter(is_meant).collect();
    if meant.is_empty() && there.is_empty() && !args.all {
        let message = format!("nothing was confirmed for `{}`", plain(wanted));
        return Err(Error::refused(message, "`kontor consent list` shows names, digests and ids").into());
    }
    for one in &meant {
        overlays.forget(&one.digest)?;
    }
    if let Some(client) = &client {
        for one in &there {
            client.revoke_consent(one.id).await?;
        }
    }
    let terminal = &session.terminal;
    if terminal.json {
        let forgotten = meant.iter().map(|one| one.digest).collect::<Vec<_>>();
        let revoked = there.iter().map(|one| one.id).collect::<Vec<_>>();
        terminal.json(&json!({ "forgotten": forgotten, "revoked": revoked }));
        return Ok(Exit::Done);
    }
    if !meant.is_empty() || there.is_empty() {
        terminal.note(&format!("forgot what was confirmed for {}", amounts::count(meant.len() as u64, "version")));
    }
    if !there.is_empty() {
        terminal.note(&format!("took back {} on the hub", amounts::count(there.len() as u64, "consent")));
    }
    Ok(Exit::Done)
}
