//! The command line: one verb, and options that every verb has.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::exit::{Exit, UsageError};
use crate::secrets::Secrets;
use crate::session::Session;
use crate::terminal::Terminal;
use crate::verbs;

/// Kontor: publish, find, install and run agent skills on a hub of your own.
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
    New(verbs::new::Args),
    Check(verbs::check::Args),
    Pack(verbs::pack::Args),
    Import(verbs::import::Args),
    Publish(verbs::publish::Args),
    Search(verbs::search::Args),
    Info(verbs::info::Args),
    Install(verbs::install::Args),
    List(verbs::install::ListArgs),
    Outdated(verbs::install::OutdatedArgs),
    Update(verbs::install::UpdateArgs),
    Remove(verbs::install::RemoveArgs),
    Login(verbs::login::Args),
    Logout(verbs::login::LogoutArgs),
    /// Show who you are on the hub
    Whoami,
    Token(verbs::token::Args),
    Publisher(verbs::publisher::Args),
    Person(verbs::publisher::PersonArgs),
    Audit(verbs::audit::Args),
    #[command(flatten)]
    Manage(verbs::manage::Verb),
    Fsck(verbs::maintenance::FsckArgs),
    Backup(verbs::maintenance::BackupArgs),
    Restore(verbs::maintenance::RestoreArgs),
    Doctor(verbs::doctor::Args),
    Config(verbs::config::Args),
    Completions(verbs::completions::Args),
    #[command(hide = true)]
    Reference(verbs::reference::Args),
}

impl Verb {
    async fn run(self, session: &Session) -> anyhow::Result<Exit> {
        match self {
            Self::Up(args) => verbs::up::run(&args, session).await,
            Self::New(args) => verbs::new::run(args, session),
            Self::Check(args) => verbs::check::run(&args, session),
            Self::Pack(args) => verbs::pack::run(&args, session),
            Self::Import(args) => verbs::import::run(args, session).await,
            Self::Publish(args) => verbs::publish::run(args, session).await,
            Self::Search(args) => verbs::search::run(args, session).await,
            Self::Info(args) => verbs::info::run(args, session).await,
            Self::Install(args) => verbs::install::install(args, session).await,
            Self::List(args) => verbs::install::list(&args, session),
            Self::Outdated(args) => verbs::install::outdated(args, session).await,
            Self::Update(args) => verbs::install::update(args, session).await,
            Self::Remove(args) => verbs::install::remove(&args, session),
            Self::Login(args) => verbs::login::run(args, session).await,
            Self::Logout(_) => verbs::login::logout(session),
            Self::Whoami => verbs::token::whoami(session).await,
            Self::Token(args) => verbs::token::run(args, session).await,
            Self::Publisher(args) => verbs::publisher::run(args, session).await,
            Self::Person(args) => verbs::publisher::person(args, session).await,
            Self::Audit(args) => verbs::audit::run(args, session).await,
            Self::Manage(verb) => verbs::manage::run(verb, session).await,
            Self::Fsck(args) => verbs::maintenance::fsck(&args, session).await,
            Self::Backup(args) => verbs::maintenance::backup(&args, session).await,
            Self::Restore(args) => verbs::maintenance::restore(&args, session).await,
            Self::Doctor(args) => verbs::doctor::run(&args, session).await,
            Self::Config(args) => verbs::config::run(&args, session),
            Self::Completions(args) => Ok(verbs::completions::run(&args, session)),
            Self::Reference(args) => Ok(verbs::reference::run(&args, session)),
        }
    }
}

/// Threads for work that blocks: enough to wait for the disk side by side, few enough that the memory which each keeps at
/// hand stays small.
const BLOCKING_THREADS: usize = 16;

/// Reads the command line, does what it says and tells the shell how it went.
pub fn run() -> ExitCode {
    let secrets = Secrets::take();
    let cli = Cli::parse();
    let terminal = Terminal::detect(cli.options.json, cli.options.quiet);
    let outcome = secrets.map_err(anyhow::Error::from).and_then(|secrets| {
        let session = Session::new(terminal.clone(), cli.options, secrets);
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
        let outcome = runtime.block_on(cli.verb.run(&session));
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&terminal, &error);
            Exit::of(&error).into()
        }
    }
}

/// Says what failed and why, in one line a cause, and what to do next.
fn report(terminal: &Terminal, error: &anyhow::Error) {
    let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.dedup();
    let client = error.chain().find_map(|cause| cause.downcast_ref::<kontor_client::Error>());
    let usage = error.chain().any(<dyn std::error::Error>::is::<UsageError>);
    let hint = client.and_then(kontor_client::Error::hint);
    let text = if usage { error.to_string() } else { causes.join(": ") };
    terminal.error(&text, hint.as_deref());
    if let Some(kontor_client::Error::Problem(problem)) = client {
        for finding in problem.findings.iter().take(20) {
            terminal.warn(&verbs::show_finding(finding));
        }
        if let Some(id) = problem.request_id.as_ref().filter(|_| problem.status >= 500) {
            terminal.warn(&format!("the hub's log names this request {}", crate::terminal::plain(id)));
        }
    }
}
