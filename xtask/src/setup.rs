//! `setup`: which tools are here, what each is for, and the line that brings a missing one.

use anyhow::Result;

use crate::{shell, tools};

/// How far to go.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only look, install nothing under target/tools
    #[arg(long)]
    look: bool,
}

/// Prints the table and makes the private tools; fails when something is missing without which nothing builds.
pub fn run(options: &Options) -> Result<()> {
    for tool in tools::TOOLS {
        match (tool.version)() {
            Some(version) => println!("  ok       {:<10} {version}", tool.name),
            None => println!("  missing  {:<10} {}", tool.name, tool.purpose),
        }
    }
    match shell::version("cargo", &["nextest", "--version"]) {
        Some(version) => println!("  ok       {:<10} {version}", "nextest"),
        None => println!("  missing  nextest    runs tests side by side: cargo install cargo-nextest --locked"),
    }
    if options.look {
        return Ok(());
    }
    tools::install_system()?;
    println!("  ready    {}", tools::python()?.display());
    println!("  ready    {}", tools::clients()?.display());
    Ok(())
}
