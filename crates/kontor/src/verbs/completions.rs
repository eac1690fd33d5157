//! `kontor completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::session::Session;

/// Print completions for a shell
///
/// For bash: `kontor completions bash > ~/.local/share/bash-completion/completions/kontor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub fn run(args: &Args, session: &Session) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kontor", &mut text);
    session.terminal.data(String::from_utf8_lossy(&text).trim_end());
    Exit::Done
}
