//! `kontor policy`: by which rules versions are admitted.

mod cases;

use std::path::{Path, PathBuf};

use kontor_access::policy::{self, Policy, PolicyFault};
use kontor_client::{Error, Name};
use kontor_types::{Code, SkillRef};
use kontor_wire::NewPolicy;
use serde_json::json;

use crate::exit::{Exit, UsageError};
use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, plain};
use crate::verbs::{exact_version, full_name};

/// Show, try and set the rules by which versions are admitted
///
/// A policy is a file in the Cedar language, or one of the presets open, balanced and enterprise. `check` and `test` need no
/// hub. `preview` says what another policy would change over the whole catalogue before `set` puts it in force.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print the policy in force, or a preset
    Show {
        /// open, balanced or enterprise
        preset: Option<String>,
        /// Print the facts that a policy may ask about
        #[arg(long)]
        facts: bool,
    },
    /// Put a policy in force; the catalogue is judged again by it in the background
    Set {
        /// A file, or open, balanced or enterprise
        policy: String,
    },
    /// Say whether a policy can be used, and what is wrong with it
    Check {
        /// A file, or open, balanced or enterprise
        policy: String,
    },
    /// Ask a policy about made-up versions and compare with what is expected
    Test {
        /// A TOML file: `[[case]]` with `name`, `expect`, and the facts that matter under `version` and `actor`
        cases: PathBuf,
        /// A file, or open, balanced or enterprise; what the file with the cases names unless told
        #[arg(long)]
        policy: Option<String>,
    },
    /// Say why a version is decided as it is: the policies and the facts
    Explain {
        /// The version: `@publisher/skill@1.2.0`
        version: SkillRef,
    },
    /// Say what a policy would change over the whole catalogue, and change nothing
    Preview {
        /// A file, or open, balanced or enterprise
        policy: String,
    },
}

/// Does one thing with policies.
pub async fn run(args: Args, session: &Session) -> anyhow::Result<Exit> {
    match args.verb {
        Verb::Show { preset, facts } => show(preset.as_deref(), facts, session).await,
        Verb::Set { policy } => set(&policy, session).await,
        Verb::Check { policy } => check(&policy, session),
        Verb::Test { cases, policy } => cases::run(&cases, policy.as_deref(), session),
        Verb::Explain { version } => explain(&version, session).await,
        Verb::Preview { policy } => preview(&policy, session).await,
    }
}

/// The name and the text of a preset or of a file.
fn read(named: &str, beside: Option<&Path>) -> anyhow::Result<(String, String)> {
    if let Some(text) = policy::preset(named) {
        return Ok((named.to_owned(), text.to_owned()));
    }
    let path = beside.map_or_else(|| PathBuf::from(named), |folder| folder.join(named));
    let text = std::fs::read_to_string(&path)
        .map_err(|error| UsageError(format!("cannot read {}: {error}; name a file or a preset", path.display())))?;
    Ok(("own".to_owned(), text))
}

async fn show(preset: Option<&str>, facts: bool, session: &Session) -> anyhow::Result<Exit> {
    let terminal = &session.terminal;
    let (name, text) = match preset {
        _ if facts => ("facts".to_owned(), policy::FACTS.to_owned()),
        Some(preset) => match policy::preset(preset) {
            Some(text) => (preset.to_owned(), text.to_owned()),
            None => return Err(UsageError(format!("there is no preset `{preset}`: open, balanced, enterprise")).into()),
        },
        None => {
            let policy = session.client()?.policy().await?;
            (policy.name, policy.text)
        }
    };
    if terminal.json {
        terminal.json(&json!({ "name": name, "text": text }));
    } else {
        terminal.note(&format!("policy: {}", plain(&name)));
        terminal.data(text.trim_end());
    }
    Ok(Exit::Done)
}

fn check(named: &str, session: &Session) -> anyhow::Result<Exit> {
    let (name, text) = read(named, None)?;
    let faults = Policy::load(&name, &text).err().unwrap_or_default();
    show_faults(named, &faults, session);
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Failed })
}

fn show_faults(named: &str, faults: &[PolicyFault], session: &Session) {
    let terminal = &session.terminal;
    if terminal.json {
        let listed: Vec<_> = faults
            .iter()
            .map(|fault| json!({"line": fault.line, "policy": fault.policy, "message": fault.message}))
            .collect();
        terminal.json(&json!({ "valid": faults.is_empty(), "faults": listed }));
    } else if faults.is_empty() {
        terminal.data(&format!("{} {}", plain(named), terminal.paint(Style::Green, "can be used")));
    } else {
        for fault in faults {
            let place = if fault.line > 0 { format!("{}:{}", plain(named), fault.line) } else { plain(named) };
            let policy = fault.policy.as_ref().map(|id| format!(" in `{}`", plain(id))).unwrap_or_default();
            terminal.data(&format!("{}{policy}: {}", terminal.paint(Style::Red, &place), plain(&fault.message)));
        }
    }
}

/// What the hub answered about a policy; one that it could not use is told fault by fault.
fn usable<T>(answer: Result<T, Error>, named: &str, text: &str, session: &Session) -> anyhow::Result<Option<T>> {
    match answer {
        Err(error) if error.code() == Some(Code::InvalidRequest) => match Policy::load(named, text) {
            Err(faults) => {
                show_faults(named, &faults, session);
                session.terminal.warn("the policy cannot be used; the one in force stays");
                Ok(None)
            }
            // The hub knows better than this program.
            Ok(_) => Err(error.into()),
        },
        other => Ok(Some(other?)),
    }
}

async fn set(named: &str, session: &Session) -> anyhow::Result<Exit> {
    let (name, text) = read(named, None)?;
    let new = NewPolicy { name: Some(name), text };
    let answer = session.client()?.set_policy(&new).await;
    let Some(set) = usable(answer, named, &new.text, session)? else { return Ok(Exit::Refused) };
    if session.terminal.json {
        session.terminal.json(&json!({ "name": set.name, "digest": set.digest }));
    } else {
        session.terminal.data(&format!("the policy `{}` is in force", plain(&set.name)));
        session.terminal.note("what was decided by the policy before is decided again in the background");
    }
    Ok(Exit::Done)
}

async fn explain(version: &SkillRef, session: &Session) -> anyhow::Result<Exit> {
    let client = session.client()?;
    let number = exact_version(version)?;
    let (publisher, slug) = full_name(&client, version).await?;
    let told = client.explanation(&Name(&publisher, &slug), &number).await?;
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&told);
        return Ok(Exit::Done);
    }
    let outcome = outcome(told.outcome);
    terminal.data(&format!(
        "{}: {} by the policy `{}`",
        told.reference,
        terminal.paint(Style::Bold, outcome),
        plain(&told.policy)
    ));
    for reason in &told.reasons {
        terminal.data(&format!("  {} [{}]", plain(&reason.text), plain(&reason.policy)));
    }
    for (title, facts) in [("published by", &told.actor), ("facts", &told.facts)] {
        terminal.data(&terminal.paint(Style::Dim, title));
        for (name, value) in facts.as_object().into_iter().flatten() {
            terminal.data(&format!("  {name:<20} {}", plain(&value.to_string())));
        }
    }
    terminal.data(&terminal.paint(
        Style::Dim,
        "what you may do with it, once it is admitted; act_alone: your errands, without asking you",
    ));
    for permission in &told.permissions {
        let word = if permission.permitted { "permitted" } else { "forbidden" };
        let why: Vec<String> = permission
            .reasons
            .iter()
            .map(|reason| format!("{} [{}]", plain(&reason.text), plain(&reason.policy)))
            .collect();
        terminal.data(format!("  {:<20} {word} {}", plain(&permission.action), why.join(", ")).trim_end());
    }
    terminal.data(&terminal.paint(Style::Dim, "decisions, the newest first"));
    for past in &told.decisions {
        let reasons: Vec<&str> = past.reasons.iter().map(|reason| reason.policy.as_str()).collect();
        let (at, word) = (crate::amounts::moment(past.at), self::outcome(past.outcome));
        terminal.data(&format!("  {at}  {word:<10} {} ({})", plain(&past.cause), plain(&reasons.join(", "))));
    }
    Ok(Exit::Done)
}

async fn preview(named: &str, session: &Session) -> anyhow::Result<Exit> {
    let (name, text) = read(named, None)?;
    let new = NewPolicy { name: Some(name), text };
    let answer = session.client()?.preview_policy(&new).await;
    let Some(told) = usable(answer, named, &new.text, session)? else { return Ok(Exit::Refused) };
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&told);
        return Ok(Exit::Done);
    }
    terminal.data(&format!("{} of {} versions would be decided otherwise", told.changed, told.versions));
    for kind in &told.kinds {
        terminal.data(&format!("  {:>6} {} -> {}", kind.versions, outcome(kind.from), outcome(kind.to)));
    }
    if told.installs_lost + told.installs_won > 0 {
        let (lost, won) = (told.installs_lost, told.installs_won);
        terminal.data(&format!("{lost} versions could no longer be installed without signing in, {won} others could"));
    }
    if !told.changes.is_empty() {
        let mut table = Table::titled(&["version", "now", "then", "why"]);
        for change in &told.changes {
            let why: Vec<&str> = change.reasons.iter().map(|reason| reason.policy.as_str()).collect();
            let (from, to) = (outcome(change.from).to_owned(), outcome(change.to).to_owned());
            table.row([change.reference.to_string(), from, to, why.join(", ")]);
        }
        terminal.data(&table.render(terminal));
    }
    Ok(Exit::Done)
}

/// An outcome as a policy writes it.
const fn outcome(outcome: kontor_wire::Outcome) -> &'static str {
    match outcome {
        kontor_wire::Outcome::Admit => "admit",
        kontor_wire::Outcome::Review => "review",
        kontor_wire::Outcome::Quarantine => "quarantine",
        kontor_wire::Outcome::Reject => "reject",
    }
}
