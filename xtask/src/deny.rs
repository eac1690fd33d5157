//! `deny`: licences, banned and doubled libraries, odd sources, and known holes, by the rules in deny.toml.

use anyhow::{Result, bail};

use crate::shell;

/// How to look.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Ask no server: leaves out the known holes
    #[arg(long)]
    offline: bool,
}

/// Runs cargo-deny over the product and the paved path.
pub fn run(options: &Options) -> Result<()> {
    if shell::version("cargo", &["deny", "--version"]).is_none() {
        bail!(
            "looking for known holes needs a tool that is not here; run: cargo install cargo-deny --locked\n\
             licences and banned libraries are checked without it: cargo xtask check --only libraries"
        );
    }
    let mut command = shell::cargo();
    command.args(["deny", "--workspace", "--locked"]);
    if options.offline {
        command.args(["--offline", "check", "licenses", "bans", "sources"]);
    } else {
        command.arg("check");
    }
    shell::run(&mut command)
}
