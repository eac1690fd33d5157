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

/// What cargo gets from tools that nothing here depends on.
const CARGO_TOOLS: &[(&str, &str)] = &[
    ("nextest", "runs tests side by side"),
    ("insta", "reviews snapshots for `snap`"),
    ("deny", "looks for known holes in `deny`"),
];

/// Prints the table and makes the private tools; fails when something is missing without which nothing builds.
pub fn run(options: &Options) -> Result<()> {
    for tool in tools::TOOLS {
        match (tool.version)() {
            Some(version) => println!("  ok       {:<10} {version}", tool.name),
            None => println!("  missing  {:<10} {}", tool.name, tool.purpose),
        }
    }
    for (name, purpose) in CARGO_TOOLS {
        match shell::version("cargo", &[name, "--version"]) {
            Some(version) => println!("  ok       {name:<10} {version}"),
            None => println!("  missing  {name:<10} {purpose}: cargo install cargo-{name} --locked"),
        }
    }
    if options.look {
        return Ok(());
    }
    tools::install_system()?;
    println!("  ready    {}", tools::python()?.display());
    println!("  ready    {}", tools::clients()?.display());
    if let Some(browser) = tools::browser()? {
        println!("  ready    {}", browser.modules.display());
    }
    Ok(())
}
