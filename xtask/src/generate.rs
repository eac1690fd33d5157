//! `gen`: the pages that follow from the program itself, kept in the repository so that a change of them is seen.

mod errors;

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::{product, shell, tools};

/// What `kontor reference` prints, and where it is kept.
const REFERENCE: &[(&str, &str)] =
    &[("cli", "docs/reference/command-line.md"), ("config", "docs/reference/configuration.md"), ("openapi", OPENAPI)];

/// The description of the native API.
const OPENAPI: &str = "docs/reference/openapi.json";

/// A generated file: its path in the repository and its text.
type Page = (String, String);

/// How to generate.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only say what differs, and fail when something does
    #[arg(long)]
    check: bool,
}

/// Writes or compares every generated file.
pub fn run(options: &Options) -> Result<()> {
    let mut pages = errors::pages()?;
    pages.extend(reference(&product::binary()?)?);
    if options.check {
        return compare(&pages);
    }
    for (path, text) in &pages {
        let place = shell::root().join(path);
        if fs::read_to_string(&place).ok().as_deref() != Some(text) {
            fs::create_dir_all(place.parent().unwrap_or(Path::new(".")))?;
            fs::write(&place, text)?;
            println!("{path}");
        }
    }
    Ok(())
}

/// Compares the pages for which nothing must be built.
pub fn check_without_program() -> Result<()> {
    compare(&errors::pages()?)
}

/// Compares the pages that a built program prints; an independent reader must agree that the API's description is one.
pub fn check_program(program: &Path) -> Result<()> {
    compare(&reference(program)?)?;
    let mut validator = shell::command(tools::python()?);
    shell::run(
        validator.args(["-m", "openapi_spec_validator", "--validation-errors", "all"]).arg(shell::root().join(OPENAPI)),
    )
}

fn reference(program: &Path) -> Result<Vec<Page>> {
    let print = |(page, path): &(&str, &str)| -> Result<Page> {
        let text = shell::capture(shell::command(program).args(["reference", page]))?;
        Ok(((*path).to_owned(), format!("{}\n", text.trim_end())))
    };
    REFERENCE.iter().map(print).collect()
}

fn compare(pages: &[Page]) -> Result<()> {
    let differs = |(path, text): &&Page| fs::read_to_string(shell::root().join(path)).ok().as_ref() != Some(text);
    let stale: Vec<_> = pages.iter().filter(differs).map(|(path, _)| path.as_str()).collect();
    if !stale.is_empty() {
        bail!("not what the program says now, run cargo xtask gen: {}", stale.join(", "));
    }
    Ok(())
}
