//! Chromium over the pages: the suite in `tests/browser`, and the pictures of the README.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{product, shell, tools};

/// What to do where Chromium is missing.
pub const MISSING: &str = "Chromium is not here; cargo xtask setup says how to get it";

/// The Node of the suite, ready for a script that looks at the built program; nothing where Chromium is missing.
pub fn node() -> Result<Option<Command>> {
    let Some(browser) = tools::browser()? else { return Ok(None) };
    let mut command = shell::command(tools::clients()?);
    command.env("KONTOR_BIN", product::binary()?).env("KONTOR_BROWSER", browser.modules);
    command.env("KONTOR_CHROMIUM", browser.chromium).env("KONTOR_BROWSER_SHOTS", shell::target().join("browser"));
    command.env_remove(crate::postgres::VARIABLE);
    Ok(Some(command))
}

/// Takes the pictures of the README anew.
pub fn pictures() -> Result<()> {
    let Some(mut command) = node()? else { bail!(MISSING) };
    shell::run(command.arg("tests/browser/pictures.mjs").arg(shell::root().join("docs/pictures")))
}
