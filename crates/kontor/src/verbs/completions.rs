//! `kontor completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::{Exit, UsageError};
use crate::session::Session;

/// Print completions for a shell
///
/// Put them where your shell looks:
///
/// bash: `kontor completions bash > ~/.local/share/bash-completion/completions/kontor`
///
/// zsh: `kontor completions zsh > ~/.zfunc/_kontor`, with `fpath+=~/.zfunc` before `compinit` in `~/.zshrc`
///
/// fish: `kontor completions fish > ~/.config/fish/completions/kontor.fish`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell; the one that you use unless told
    shell: Option<Shell>,
}

/// Prints the completions.
pub fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let unknown = || UsageError("name the shell: bash, elvish, fish, powershell or zsh".to_owned());
    let shell = args.shell.or_else(Shell::from_env).ok_or_else(unknown)?;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kontor", &mut text);
    session.terminal.data(String::from_utf8_lossy(&text).trim_end());
    Ok(Exit::Done)
}
