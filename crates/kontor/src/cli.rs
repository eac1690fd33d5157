//! The command line: one verb, and options that every verb has.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use kontor_client::Error::{Connect, Transfer};

use crate::exit::{Exit, Hint, UsageError, word};
use crate::secrets::Secrets;
use crate::session::{LOCAL_HUB, LOGIN, Session, shown};
use crate::terminal::{Failure, Terminal, lost_data, note_lost};
use crate::verbs::{detonate_worker, scan_worker};
use crate::{help, near, verbs};

/// Kontor: publish, find, check and install agent skills on a hub of your own.
#[derive(Debug, Parser)]
#[command(name = "kontor", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

/// Options that every verb has.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Options {
    /// The hub to talk to; the one of `kontor login`, or this machine's, unless told [env: KONTOR_REGISTRY]
    #[arg(long, global = true, value_name = "URL")]
    pub registry: Option<String>,
    /// The access token, for scripts; other users of this machine can see it [env: KONTOR_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// A file that holds the access token; `-` for standard input
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
    /// Print data as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only data, warnings and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Verb {
    Up(verbs::up::Args),
    Worker(verbs::worker::Args),
    New(verbs::new::Args),
    Check(verbs::check::Args),
    Pack(verbs::pack::Args),
    Scan(verbs::scan::Args),
    Sandbox(verbs::sandbox::Args),
    Run(verbs::run::Args),
    Runs(verbs::runs::Args),
    Workflows(verbs::workflows::Args),
    Receipt(verbs::receipt::Args),
    Explain(verbs::receipt::ExplainArgs),
    Ask(verbs::ask::Args),
    Errand(verbs::errand::Args),
    Consent(verbs::consent::Args),
    Import(verbs::import::Args),
    Publish(verbs::publish::Args),
    Search(verbs::search::Args),
    Info(verbs::info::Args),
    Install(verbs::install::Args),
    Proof(verbs::proof::Args),
    Verify(verbs::proof::VerifyArgs),
    Evidence(verbs::evidence::Args),
    Sbom(verbs::sbom::Args),
    List(verbs::install::ListArgs),
    Installed(verbs::installed::Args),
    Outdated(verbs::install::OutdatedArgs),
    Update(verbs::install::UpdateArgs),
    Remove(verbs::install::RemoveArgs),
    Connect(verbs::connect::Args),
    Activate(verbs::connect::ActivateArgs),
    Deactivate(verbs::connect::DeactivateArgs),
    Mcp(verbs::mcp::Args),
    Login(verbs::login::Args),
    Logout(verbs::login::LogoutArgs),
    /// Show who you are on the hub
    Whoami,
    Token(verbs::token::Args),
    Key(verbs::key::Args),
    Secret(verbs::secret::Args),
    Mandate(verbs::mandate::Args),
    Checkout(verbs::checkout::Args),
    Purse(verbs::purse::Args),
    Merchant(verbs::merchant::Args),
    Ledger(verbs::ledger::Args),
    Demo(verbs::demo::Args),
    Budget(verbs::budget::Args),
    Usage(verbs::usage::Args),
    Publisher(verbs::publisher::Args),
    Person(verbs::publisher::PersonArgs),
    Audit(verbs::audit::Args),
    Policy(verbs::policy::Args),
    Review(verbs::review::Args),
    #[command(flatten)]
    Manage(verbs::manage::Verb),
    Fsck(verbs::maintenance::FsckArgs),
    Backup(verbs::maintenance::BackupArgs),
    Restore(verbs::maintenance::RestoreArgs),
    Log(verbs::log::Args),
    Doctor(verbs::doctor::Args),
    Config(verbs::config::Args),
    Completions(verbs::completions::Args),
    #[command(hide = true)]
    Reference(verbs::reference::Args),
    /// Run what a hub sends on standard input
    #[command(hide = true, name = detonate_worker::NAME)]
    DetonateWorker,
    /// Scan what a hub sends on standard input
    #[command(hide = true, name = scan_worker::NAME)]
    ScanWorker,
}

impl Verb {
    async fn run(self, session: &Session) -> anyhow::Result<Exit> {
        match self {
            Self::Up(args) => verbs::up::run(&args, session).await,
            Self::Worker(args) => verbs::worker::run(&args, session).await,
            Self::New(args) => verbs::new::run(args, session),
            Self::Check(args) => verbs::check::run(&args, session),
            Self::Pack(args) => verbs::pack::run(&args, session),
            Self::Scan(args) => verbs::scan::run(&args, session).await,
            Self::Sandbox(_) => Err(verbs::sandbox::out_of_place().into()),
            Self::Run(args) => verbs::run::run(args, session).await,
            Self::Runs(args) => verbs::runs::run(args, session).await,
            Self::Workflows(args) => verbs::workflows::run(args, session).await,
            Self::Receipt(args) => verbs::receipt::run(&args, session).await,
            Self::Consent(args) => verbs::consent::run(&args, session).await,
            Self::Explain(args) => verbs::receipt::explain(&args, session).await,
            Self::Ask(args) => verbs::ask::run(args, session).await,
            Self::Errand(args) => verbs::errand::run(args, session).await,
            Self::Import(args) => verbs::import::run(args, session).await,
            Self::Publish(args) => verbs::publish::run(args, session).await,
            Self::Search(args) => verbs::search::run(args, session).await,
            Self::Info(args) => verbs::info::run(args, session).await,
            Self::Install(args) => verbs::install::install(args, session).await,
            Self::Proof(args) => verbs::proof::proof(args, session).await,
            Self::Verify(args) => verbs::proof::verify(&args, session),
            Self::Evidence(args) => verbs::evidence::run(args, session).await,
            Self::Sbom(args) => verbs::sbom::run(args, session).await,
            Self::List(args) => verbs::install::list(&args, session),
            Self::Installed(args) => verbs::installed::run(args, session).await,
            Self::Outdated(args) => verbs::install::outdated(args, session).await,
            Self::Update(args) => verbs::install::update(args, session).await,
            Self::Remove(args) => verbs::install::remove(&args, session),
            Self::Connect(args) => verbs::connect::connect(&args, session),
            Self::Activate(args) => verbs::connect::activate(args, session).await,
            Self::Deactivate(args) => verbs::connect::deactivate(args, session).await,
            Self::Mcp(args) => verbs::mcp::run(args, session).await,
            Self::Login(args) => verbs::login::run(args, session).await,
            Self::Logout(_) => verbs::login::logout(session),
            Self::Whoami => verbs::token::whoami(session).await,
            Self::Token(args) => verbs::token::run(args, session).await,
            Self::Key(args) => verbs::key::run(args, session).await,
            Self::Secret(args) => verbs::secret::run(args, session).await,
            Self::Checkout(args) => verbs::checkout::run(args, session).await,
            Self::Mandate(args) => verbs::mandate::run(args, session).await,
            Self::Purse(args) => verbs::purse::run(args, session).await,
            Self::Merchant(args) => verbs::merchant::run(args, session).await,
            Self::Ledger(args) => verbs::ledger::run(args, session).await,
            Self::Demo(args) => verbs::demo::run(args, session).await,
            Self::Budget(args) => verbs::budget::run(args, session).await,
            Self::Usage(args) => verbs::usage::run(args, session).await,
            Self::Publisher(args) => verbs::publisher::run(args, session).await,
            Self::Person(args) => verbs::publisher::person(args, session).await,
            Self::Policy(args) => verbs::policy::run(args, session).await,
            Self::Review(args) => verbs::review::run(args, session).await,
            Self::Audit(args) => verbs::audit::run(args, session).await,
            Self::Manage(verb) => verbs::manage::run(verb, session).await,
            Self::Fsck(args) => verbs::maintenance::fsck(&args, session).await,
            Self::Backup(args) => verbs::maintenance::backup(&args, session).await,
            Self::Restore(args) => verbs::maintenance::restore(&args, session).await,
            Self::Log(args) => verbs::log::run(&args, session).await,
            Self::Doctor(args) => verbs::doctor::run(&args, session).await,
            Self::Config(args) => verbs::config::run(&args, session),
            Self::Completions(args) => verbs::completions::run(&args, session),
            Self::Reference(args) => Ok(verbs::reference::run(&args, session)),
            Self::DetonateWorker => detonate_worker::run(),
            Self::ScanWorker => scan_worker::run(),
        }
    }
}

/// Threads for work that blocks: enough to wait for the disk side by side, few enough that the memory which each keeps at
/// hand stays small.
const BLOCKING_THREADS: usize = 4;

/// Reads the command line, does what it says and tells the shell how it went.
pub fn run() -> ExitCode {
    let secrets = Secrets::take();
    let cli = match help::grouped(Cli::command()).try_get_matches() {
        Ok(matches) => Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()),
        Err(error) => return misread(&error),
    };
    let terminal = Terminal::detect(cli.options.json, cli.options.quiet);
    let outcome = secrets.map_err(anyhow::Error::from).and_then(|secrets| {
        let session = Session::new(terminal.clone(), cli.options, secrets);
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
        let outcome = runtime.block_on(async {
            let outcome = cli.verb.run(&session).await;
            if let Err(error) = &outcome {
                report(&session, error).await;
            }
            outcome
        });
        runtime.shutdown_background();
        Ok(outcome)
    });
    let exit = match outcome {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => Exit::of(&error),
        Err(error) => {
            terminal.error(word(&error), &error.to_string(), None);
            Exit::of(&error)
        }
    };
    written(exit, &terminal).into()
}

/// A verb whose data did not all reach standard output has not done what was asked for.
fn written(exit: Exit, terminal: &Terminal) -> Exit {
    let Some(error) = lost_data() else { return exit };
    let message = format!("cannot write standard output: {}", without_number(&error.to_string()));
    terminal.error("output_lost", &message, None);
    if exit == Exit::Done { Exit::Failed } else { exit }
}

/// What a command line lacks for which people are shown the help.
const MORE: &str = "the command line ends too early: a verb, or what it works on, is missing";

/// Says what is wrong with a command line; help and version are no failures.
fn misread(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if !error.use_stderr() {
        note_lost(error.print());
        return written(Exit::Done, &Terminal::detect(wants_json, false)).into();
    }
    if !wants_json {
        error.exit();
    }
    let text = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => MORE.to_owned(),
        _ => error.render().to_string(),
    };
    let message = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ").trim();
    Terminal::detect(true, false).error("usage", message, Some("`kontor VERB --help` says all about a verb"));
    Exit::Usage.into()
}

/// Says what failed and why, and what to do next.
async fn report(session: &Session, error: &anyhow::Error) {
    let terminal = &session.terminal;
    let client = error.chain().find_map(|cause| cause.downcast_ref::<kontor_client::Error>());
    let near = near::names(session, error).await;
    let own = error.downcast_ref::<Hint>().map(|hint| hint.0.clone());
    let near = (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")));
    let unknown = client.and_then(|client| unknown_token(session, client));
    let hint = own.or(near).or_else(|| unknown.as_deref().map(another_token)).or_else(|| hint(session, client));
    let message = match &unknown {
        Some(source) => {
            format!("the hub does not know this token (from {source}): it ended, was revoked or is mistyped")
        }
        None => told(error, client),
    };
    let problem = if let Some(kontor_client::Error::Problem(problem)) = client { Some(problem) } else { None };
    if terminal.json {
        return terminal.failure(&Failure {
            code: word(error),
            message: &message,
            hint: hint.as_deref(),
            findings: problem.map(|problem| problem.findings.as_slice()).unwrap_or_default(),
            request_id: problem.and_then(|problem| problem.request_id.as_deref()),
        });
    }
    terminal.error(word(error), &message, hint.as_deref());
    if let Some(problem) = problem {
        for finding in problem.findings.iter().take(20) {
            terminal.warn(&verbs::show_finding(finding));
        }
        if let Some(id) = problem.request_id.as_ref().filter(|_| problem.status >= 500) {
            terminal.warn(&format!("the hub's log names this request {}", crate::terminal::plain(id)));
        }
    }
}

/// The failure with its causes; of a connection that failed only the last says something.
fn told(error: &anyhow::Error, client: Option<&kontor_client::Error>) -> String {
    if let Some(usage) = error.chain().find_map(|cause| cause.downcast_ref::<UsageError>()) {
        return usage.to_string();
    }
    let hint = error.downcast_ref::<Hint>().map(|hint| hint.0.as_str());
    let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.retain(|cause| Some(cause.as_str()) != hint);
    if let Some(Connect { .. } | Transfer { .. }) = client
        && causes.len() > 2
    {
        causes.drain(1..causes.len() - 1);
    }
    // Libraries repeat their causes in their own texts.
    let mut text = String::new();
    for cause in causes.iter().map(|cause| without_number(cause)).filter(|cause| !cause.is_empty()) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text
}

/// What the system said, without its number for it.
fn without_number(cause: &str) -> String {
    match cause.rsplit_once(" (os error ") {
        Some((text, rest)) if rest.ends_with(')') && rest.len() < 6 => text.to_owned(),
        _ => cause.to_owned(),
    }
}

/// Where the token came from that a hub does not know; nothing when none was sent, or something else failed.
fn unknown_token(session: &Session, client: &kontor_client::Error) -> Option<String> {
    if client.code() != Some(kontor_types::Code::Unauthenticated) {
        return None;
    }
    session.token_source(&session.registry().ok()?)
}

/// What to do where a token is not known.
fn another_token(source: &str) -> String {
    match source {
        LOGIN => "sign in again with `kontor login`".to_owned(),
        "KONTOR_TOKEN" => "set KONTOR_TOKEN to one that holds, or unset it and sign in with `kontor login`".to_owned(),
        _ => "give one that holds; `kontor token list` shows yours, and `kontor token new` makes one".to_owned(),
    }
}

/// What to do next; on the hub's own machine its first token is at hand.
fn hint(session: &Session, client: Option<&kontor_client::Error>) -> Option<String> {
    let token_file = crate::config::Config::default().data.join("admin.token");
    let local = session.registry().is_ok_and(|registry| registry == LOCAL_HUB);
    if client?.code() == Some(kontor_types::Code::Unauthenticated) && local && token_file.is_file() {
        return Some(format!("sign in with `kontor login --token-file {}`", shown(&token_file)));
    }
    client?.hint()
}
