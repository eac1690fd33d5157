//! The paved path: one verb for each thing that is done to this repository, the same on a desk and in CI.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool for developers talks on its standard streams"
)]

mod bench;
mod browser;
mod check;
mod deny;
mod dev;
mod dist;
mod fuzz;
mod generate;
mod migrate;
mod postgres;
mod product;
mod setup;
mod shell;
mod snap;
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
    /// Run a hub from the working tree, with something in it, on a throwaway data folder
    Dev(dev::Options),
    /// Formatting, lints, crate edges, libraries, tidiness and generated files
    Check(check::Options),
    /// Everything that must hold, stage by stage; with crates, only their tests
    Test(test::Options),
    /// Drive the real clients against the binary
    E2e,
    /// Take the pictures of the README anew, with Chromium
    Pictures,
    /// Run the tests and review each snapshot that differs
    Snap(snap::Options),
    /// Write the pages that follow from the program: errors, command line, configuration, OpenAPI
    Gen(generate::Options),
    /// Feed the readers of foreign bytes what nobody would send
    Fuzz(fuzz::Options),
    /// Make a new migration for both databases
    Migrate {
        #[command(subcommand)]
        migrate: migrate::Migrate,
    },
    /// Run a command with a private Postgres, whose address it finds in KONTOR_TEST_POSTGRES
    Postgres(postgres::Options),
    /// Licences, banned and doubled libraries, and known holes, by the rules in deny.toml
    Deny(deny::Options),
    /// Build for shipping and pack binary, completions, licence and checksum into target/dist
    Dist,
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
        Verb::Dev(options) => dev::run(&options),
        Verb::Check(options) => check::run(&options),
        Verb::Test(options) => test::run(&options),
        Verb::E2e => test::run(&test::Options::clients()),
        Verb::Pictures => browser::pictures(),
        Verb::Snap(options) => snap::run(&options),
        Verb::Gen(options) => generate::run(&options),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::Migrate { migrate } => migrate::run(&migrate),
        Verb::Postgres(options) => postgres::run(&options),
        Verb::Deny(options) => deny::run(&options),
        Verb::Dist => dist::run(),
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
