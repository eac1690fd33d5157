//! The paved path: one verb for each thing that is done to this repository, the same on a desk and in CI.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool for developers talks on its standard streams"
)]

mod bench;
mod check;
mod setup;
mod shell;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// The paved path of Kontor: `cargo xtask VERB`.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say which tools are here and how to get what is missing
    Setup,
    /// Formatting, lints, crate edges, tidiness and generated files
    Check(check::Options),
    /// Measure one claim and print the figure beside its limit
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(verb) = arguments.verb else {
        print!("{}", Arguments::command().render_help());
        return ExitCode::SUCCESS;
    };
    let outcome = match verb {
        Verb::Setup => setup::run(),
        Verb::Check(options) => check::run(&options),
        Verb::Bench { bench } => bench.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
