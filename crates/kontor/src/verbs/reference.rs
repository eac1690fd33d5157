//! `kontor reference`: the pages of the reference that follow from the program itself.

use clap::{CommandFactory as _, ValueEnum};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::reference;
use crate::session::Session;

/// Print a page of the reference as Markdown
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which page
    page: Page,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    /// Every verb and option
    Cli,
    /// Every key of the configuration
    Config,
}

/// Prints the page.
pub fn run(args: &Args, session: &Session) -> Exit {
    let text = match args.page {
        Page::Cli => reference::command_line(Cli::command()),
        Page::Config => reference::configuration(),
    };
    session.terminal.data(text.trim_end());
    Exit::Done
}
