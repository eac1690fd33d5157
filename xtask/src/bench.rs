//! `bench`: hands over to the crate `kontor-bench`, built as people will run the product.

use std::ffi::OsString;

use anyhow::Result;

use crate::postgres::{Cluster, VARIABLE};
use crate::{product, shell};

/// Which claim, and how.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Options {
    /// The claim's name and its options; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds the benchmarks and runs one where the caller stands, so that paths mean what they say.
pub fn run(options: &Options) -> Result<()> {
    if let [bench, rest @ ..] = options.arguments.as_slice()
        && bench == "crash"
    {
        return crash(rest);
    }
    // The product is built in the same step: alone, the benchmarks' share of the libraries would have other features and be
    // compiled a second time.
    let build = ["build", "--quiet", "--release", "--package", "kontor", "--package", "kontor-bench"];
    shell::run(shell::cargo().args(build))?;
    let mut bench = shell::command(shell::target().join("release/kontor-bench"));
    let stores = options.arguments.first().is_some_and(|bench| bench == "ledger" || bench == "workflow");
    let cluster = stores.then(Cluster::durable).transpose()?;
    if let Some(cluster) = &cluster {
        bench.env(VARIABLE, cluster.url());
    }
    shell::run(bench.args(&options.arguments).current_dir(std::env::current_dir()?))
}

/// The one bench that needs another hub than people run.
fn crash(arguments: &[OsString]) -> Result<()> {
    let cluster = Cluster::start()?;
    shell::run(product::crash()?.args(arguments).env(VARIABLE, cluster.url()))
}
