//! `kontor doctor`: what might be in the way.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kontor_client::{AGENTS, Site, UserFolders, survey};
use kontor_types::{Clock as _, SystemClock};
use serde_json::json;

use crate::amounts::count;
use crate::config::{self, HubFlags};
use crate::exit::Exit;
use crate::session::{Logins, Session, shown};
use crate::terminal::{Style, plain_lines};

/// Look for what might be in the way
///
/// Checks the configuration, the data folder, the hub, the sign-in, the programs that imports use, and the installed
/// skills. Ends with code 1 when something is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    hub: HubFlags,
}

/// After how long a run that waits is worth a word.
const PATIENCE: Duration = Duration::from_mins(5);

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Note,
    Bad,
}

#[derive(Debug, serde::Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    message: String,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self { name, verdict, message: message.into() }
    }
}

/// Runs every check.
pub async fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let mut checks = configuration(args, session);
    checks.extend(sign_in(session).await);
    checks.extend(programs());
    checks.extend(installed());
    checks.push(sandbox().await);
    let sound = checks.iter().all(|check| check.verdict != Verdict::Bad);
    let terminal = &session.terminal;
    if terminal.json {
        terminal.json(&json!({ "sound": sound, "checks": checks }));
    } else {
        for check in &checks {
            let mark = match check.verdict {
                Verdict::Good => terminal.paint(Style::Green, "ok  "),
                Verdict::Note => terminal.paint(Style::Yellow, "note"),
                Verdict::Bad => terminal.paint(Style::Red, "bad "),
            };
            // What spans several lines, such as a place in a file, stays below its first line.
            let message = plain_lines(&check.message).replace('\n', &format!("\n{:20}", ""));
            terminal.data(&format!("{mark} {:<14} {message}", check.name));
        }
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

fn configuration(args: &Args, session: &Session) -> Vec<Check> {
    let loaded = match config::load(&args.hub.given(), args.hub.config_file().as_deref(), &session.secrets) {
        Ok(loaded) => loaded,
        Err(error) => return vec![Check::new("configuration", Verdict::Bad, error.to_string())],
    };
    let mut checks: Vec<Check> =
        loaded.warnings.iter().map(|warning| Check::new("configuration", Verdict::Note, warning)).collect();
    if checks.is_empty() {
        checks.push(Check::new("configuration", Verdict::Good, "every key is known"));
    }
    for outcome in [
        config::app_settings(&loaded.config).map(drop),
        config::api_config(&loaded.config, "http://127.0.0.1").map(drop),
    ] {
        if let Err(error) = outcome {
            checks.push(Check::new("configuration", Verdict::Bad, error.to_string()));
        }
    }
    checks.push(data_folder(&loaded.config.data));
    checks
}

fn data_folder(data: &Path) -> Check {
    let shown = shown(data);
    let Ok(metadata) = std::fs::metadata(data) else {
        return Check::new("data folder", Verdict::Note, format!("{shown} is not there yet; `kontor up` makes it"));
    };
    if tempfile::tempfile_in(data).is_err() {
        return Check::new("data folder", Verdict::Bad, format!("{shown} cannot be written to"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = metadata.permissions().mode() & 0o077;
        if mode != 0 {
            let message =
                format!("{shown} can be read by others; `chmod 700 {shown}` keeps tokens and private skills private");
            return Check::new("data folder", Verdict::Note, message);
        }
    }
    Check::new("data folder", Verdict::Good, format!("{shown} is private and can be written to"))
}

/// Runs on the hub that nobody takes, as far as the caller sees them.
async fn queued_runs(client: &kontor_client::Client) -> Option<Check> {
    let state = Some(kontor_wire::RunState::Queued);
    let query = kontor_wire::RunQuery { state, limit: Some(200), ..Default::default() };
    let queued = client.runs(&query).await.ok()?.items;
    let oldest = queued.last()?.created_at;
    if SystemClock.now().since(oldest) < PATIENCE {
        return None;
    }
    let message = format!(
        "{} of yours without a worker, the oldest since {oldest}: look at runs.workers of the hub, and at `kontor worker`",
        count(queued.len() as u64, "run"),
    );
    Some(Check::new("runs", Verdict::Note, message))
}

/// Whether commands can be held here, by holding one that does nothing.
async fn sandbox() -> Check {
    match crate::verbs::sandbox::sandbox().report().await {
        Ok(held) if held.lacking.is_empty() => {
            let landlock = held.landlock.map_or_else(String::new, |version| format!("Landlock {version}, "));
            Check::new("sandbox", Verdict::Good, format!("holds commands: {landlock}limits by {}", held.limited_by))
        }
        Ok(held) => Check::new("sandbox", Verdict::Note, format!("this machine lacks {}", held.lacking.join(", "))),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            Check::new("sandbox", Verdict::Note, format!("no command can be held: {error}{hint}"))
        }
    }
}

async fn sign_in(session: &Session) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Ok(path) = Logins::path()
        && path.is_file()
    {
        checks.push(login_file(&path));
    }
    let client = match session.client() {
        Ok(client) => client,
        Err(error) => {
            checks.push(Check::new("hub", Verdict::Bad, error.to_string()));
            return checks;
        }
    };
    let registry = client.registry().to_owned();
    match client.skills(&kontor_wire::SkillQuery { limit: Some(1), ..Default::default() }).await {
        Ok(_) => checks.push(Check::new("hub", Verdict::Good, format!("{registry} answers"))),
        Err(error) => {
            let verdict =
                if error.kind() == kontor_client::ErrorKind::Unreachable { Verdict::Note } else { Verdict::Bad };
            checks.push(Check::new("hub", verdict, error.to_string()));
            return checks;
        }
    }
    checks.extend(log(&client).await);
    if client.is_signed_in()
        && let Ok(waiting) = client.waiting().await
    {
        checks.extend(decisions(&waiting));
    }
    if client.is_signed_in() {
        checks.extend(queued_runs(&client).await);
    }
    checks.push(if client.is_signed_in() {
        match client.whoami().await {
            Ok(me) => Check::new("sign-in", Verdict::Good, format!("{} at {registry}", me.handle)),
            Err(error) => Check::new("sign-in", Verdict::Bad, error.to_string()),
        }
    } else {
        Check::new("sign-in", Verdict::Note, format!("not signed in to {registry}; `kontor login` does that"))
    });
    checks
}

/// What the hub says of its transparency log, when that takes nothing in.
async fn log(client: &kontor_client::Client) -> Option<Check> {
    let state = client.readiness().await.ok()?;
    let message = state.lines().nth(1)?;
    Some(Check::new("log", Verdict::Bad, message))
}

/// What waits to be decided on the hub, for its administrators.
fn decisions(waiting: &kontor_wire::WaitingList) -> Vec<Check> {
    let mut checks: Vec<Check> = waiting
        .failed
        .iter()
        .map(|failed| {
            let tries = count(u64::try_from(failed.attempts).unwrap_or_default(), "attempt");
            let message = format!(
                "{} stays pending, it could not be scanned in {tries}: {}; try again with `kontor review appeal {} -m again`",
                failed.reference, failed.error, failed.reference
            );
            Check::new("scan", Verdict::Bad, message)
        })
        .collect();
    if waiting.dead_jobs > 0 {
        let jobs = count(u64::try_from(waiting.dead_jobs).unwrap_or_default(), "job");
        checks.push(Check::new("jobs", Verdict::Note, format!("{jobs} were given up; the hub's log says why")));
    }
    let rest = waiting.pending.saturating_sub(waiting.failed.len() as u64);
    let message =
        if rest == 0 { "every version is decided".to_owned() } else { format!("{rest} versions wait for their scan") };
    checks.push(Check::new("decisions", Verdict::Good, message));
    checks
}

fn login_file(path: &Path) -> Check {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
        if open {
            let message = format!("others can read {}; `chmod 600` it and renew the tokens in it", shown(path));
            return Check::new("login file", Verdict::Bad, message);
        }
    }
    match Logins::read() {
        Ok(_) => Check::new("login file", Verdict::Good, format!("{} is private", shown(path))),
        Err(error) => Check::new("login file", Verdict::Bad, format!("{error:#}")),
    }
}

fn programs() -> Vec<Check> {
    let look = |name: &'static str, needed: &str| {
        let found = Command::new(name).arg("--version").output().ok().filter(|output| output.status.success());
        match found {
            Some(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                Check::new(name, Verdict::Good, text.lines().next().unwrap_or_default().trim())
            }
            None => Check::new(name, Verdict::Note, format!("not found; only {needed} needs it")),
        }
    };
    vec![
        look("git", "importing repositories"),
        look("npm", "importing npm: packages"),
        look("pip", "importing pip: packages"),
    ]
}

fn installed() -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(folders) = UserFolders::own() {
        let has =
            |agent: &kontor_client::Agent| agent.user_folder(&folders).is_dir() || Path::new(agent.project).is_dir();
        let there: Vec<&str> = AGENTS.iter().filter(|agent| has(agent)).map(|agent| agent.id).collect();
        let message = if there.is_empty() { "none has a folder for skills yet".to_owned() } else { there.join(", ") };
        checks.push(Check::new("agents", Verdict::Good, message));
    }
    let Ok(site) = Site::project(Path::new(".")) else { return checks };
    match survey(&site) {
        Ok(found) if found.is_empty() => {}
        Ok(found) => {
            let wrong: Vec<String> = found
                .iter()
                .filter(|one| {
                    one.folders.values().any(|state| *state != kontor_client::Presence::Exact(one.locked.digest))
                })
                .map(|one| one.locked.reference.to_string())
                .collect();
            checks.push(if wrong.is_empty() {
                Check::new(
                    "installed",
                    Verdict::Good,
                    format!("as the lock file says: {}", count(found.len() as u64, "skill")),
                )
            } else {
                let message = format!("missing or changed by hand: {}; `kontor list` shows where", wrong.join(", "));
                Check::new("installed", Verdict::Note, message)
            });
        }
        Err(error) => checks.push(Check::new("installed", Verdict::Bad, error.to_string())),
    }
    checks
}
