//! `kontor reference`: the pages of the reference that follow from the program itself.

use clap::{CommandFactory as _, ValueEnum};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::reference;
use crate::session::Session;

/// Print a page of the reference
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
    /// The native API, as an OpenAPI document
    Openapi,
}

/// Prints the page.
pub fn run(args: &Args, session: &Session) -> Exit {
    let markdown = |text: String| session.terminal.data(text.trim_end());
    match args.page {
        Page::Cli => markdown(reference::command_line(Cli::command())),
        Page::Config => markdown(reference::configuration()),
        Page::Openapi => session.terminal.json(&kontor_api::openapi()),
    }
    Exit::Done
}
