//! `kontor consent`: what was confirmed for runs, and taking it back.

use kontor_client::Error;
use kontor_runs::{Holds, SessionId, Stored};
use kontor_types::Digest;
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
    /// List what was confirmed, for which bytes and for how long
    List,
    /// Forget what was confirmed, so that the next run asks again
    Forget(ForgetArgs),
}

#[derive(Debug, clap::Args)]
struct ForgetArgs {
    /// The skill's name as `list` shows it, or the beginning of its digest
    #[arg(required_unless_present = "all")]
    skill: Option<String>,
    /// Forget everything that was ever confirmed
    #[arg(long, conflicts_with = "skill")]
    all: bool,
}

/// Does what the sub-verb says.
pub fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::List => list(session),
        Verb::Forget(args) => forget(args, session),
    }
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

fn list(session: &Session) -> anyhow::Result<Exit> {
    let found = confirmed()?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "items": found.iter().map(as_json).collect::<Vec<_>>() }));
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        terminal.note("nothing was confirmed yet; `kontor run` asks before the first run of a version");
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["skill", "digest", "for", "may", "confirmed"]);
    for one in &found {
        let (may, when) = match &one.newest {
            Ok(stored) => (may(stored), stored.overlay.confirmed_at.to_string()),
            Err(reason) => (plain(reason), String::new()),
        };
        let digest = one.digest.hex().chars().take(12).collect();
        table.row([plain(one.name()), digest, one.for_how_long().to_owned(), may, when]);
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

fn forget(args: &ForgetArgs, session: &Session) -> anyhow::Result<Exit> {
    let overlays = Places::own()?.overlays();
    let found = confirmed()?;
    let wanted = args.skill.as_deref().unwrap_or_default();
    let digits = wanted.trim_start_matches("sha256:");
    if args.skill.is_some() && digits.is_empty() {
        return Err(UsageError("name a skill, or its digest".to_owned()).into());
    }
    let is_meant = |one: &&Confirmed| {
        args.all || one.name() == wanted || (digits.len() >= FEWEST && one.digest.hex().starts_with(digits))
    };
    let meant: Vec<&Confirmed> = found.iter().filter(is_meant).collect();
    if meant.is_empty() && !args.all {
        let message = format!("nothing was confirmed for `{}`", plain(wanted));
        return Err(Error::refused(message, "`kontor consent list` shows names and digests").into());
    }
    for one in &meant {
        overlays.forget(&one.digest)?;
    }
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "forgotten": meant.iter().map(|one| one.digest).collect::<Vec<_>>() }));
    } else {
        terminal.note(&format!("forgot what was confirmed for {}", amounts::count(meant.len() as u64, "version")));
    }
    Ok(Exit::Done)
}
