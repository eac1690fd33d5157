//! The error pages: each code's head and the index follow from `kontor_types::Code`, cause and remedy are written by hand.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result, bail};
use kontor_types::Code;

use crate::generate::Page;
use crate::shell;

const FOLDER: &str = "docs/errors";
const WHY: &str = "## Why it happens\n";
const REMEDY: &str = "## What to do\n";

/// The index and one page for each code; a page without its two parts, or for no code, is an error.
pub fn pages() -> Result<Vec<Page>> {
    let mut pages = vec![(format!("{FOLDER}/index.md"), index())];
    for code in Code::ALL {
        let path = format!("{FOLDER}/{code}.md");
        let text = fs::read_to_string(shell::root().join(&path))
            .with_context(|| format!("write {path} with the parts `{}` and `{}`", WHY.trim(), REMEDY.trim()))?;
        let body = text.find(WHY).and_then(|start| text.get(start..)).filter(|body| body.contains(REMEDY));
        let body = body.with_context(|| format!("{path} needs the parts `{}` and `{}`", WHY.trim(), REMEDY.trim()))?;
        pages.push((path, format!("{}\n{}\n", head(*code), body.trim_end())));
    }
    let known: BTreeSet<_> = pages.iter().map(|(path, _)| path.clone()).collect();
    for entry in fs::read_dir(shell::root().join(FOLDER))? {
        let path = format!("{FOLDER}/{}", entry?.file_name().display());
        if !known.contains(&path) {
            bail!("{path} is about no code; remove it");
        }
    }
    Ok(pages)
}

fn head(code: Code) -> String {
    format!("# `{code}`\n\n{} (HTTP status {}).\n", code.title(), code.status())
}

fn index() -> String {
    let mut text = String::from(
        "# Errors\n\nEvery error of the native API carries one of these in `code`, and `kontor` prints the same. The codes stay; \
         the sentences in `detail` may change.\n\n| code | status | meaning |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(text, "| [`{code}`]({code}.md) | {} | {} |", code.status(), code.title());
    }
    text
}
