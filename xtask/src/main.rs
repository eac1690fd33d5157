//! The paved path: one verb for each thing that is done to this repository, the same on a desk and in CI.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool for developers talks on its standard streams"
)]

mod bench;
mod check;
mod postgres;
mod setup;
mod shell;
mod test;
mod tools;

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
    /// Say which tools are here, how to get what is missing, and put the private ones under target/tools
    Setup(setup::Options),
    /// Formatting, lints, crate edges, tidiness and generated files
    Check(check::Options),
    /// Everything that must hold, stage by stage; with crates, only their tests
    Test(test::Options),
    /// Run a command with a private Postgres, whose address it finds in KONTOR_TEST_POSTGRES
    Postgres(postgres::Options),
    /// Measure one claim and print the figure beside its limit
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(verb) = arguments.verb else {
        print!("{}", Arguments::command().render_help());
        return ExitCode::SUCCESS;
    };
    let outcome = match verb {
        Verb::Setup(options) => setup::run(&options),
        Verb::Check(options) => check::run(&options),
        Verb::Test(options) => test::run(&options),
        Verb::Postgres(options) => postgres::run(&options),
        Verb::Bench(options) => bench::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
