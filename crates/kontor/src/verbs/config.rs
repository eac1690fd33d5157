//! `kontor config`: the hub's settings and where each comes from.

use serde_json::json;

use crate::config::{self, HubFlags};
use crate::exit::Exit;
use crate::session::Session;
use crate::terminal::Table;

/// Print the hub's settings
///
/// Shows what `kontor up` would run with: defaults, then `kontor.toml` in the data folder, then variables, then options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print each value with its source and its meaning
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    hub: HubFlags,
}

/// Prints the settings.
pub fn run(args: &Args, session: &Session) -> anyhow::Result<Exit> {
    let loaded = config::load(&args.hub.given(), args.hub.config_file().as_deref(), &session.secrets)?;
    for warning in &loaded.warnings {
        session.terminal.warn(warning);
    }
    if session.terminal.json {
        let items: Vec<_> = loaded
            .explained
            .iter()
            .map(|(key, value, source)| json!({"key": key.path, "value": value, "source": source, "about": key.about}))
            .collect();
        session.terminal.json(&json!({ "items": items }));
        return Ok(Exit::Done);
    }
    let titles: &[&str] =
        if args.explain { &["key", "value", "source", "variable", "meaning"] } else { &["key", "value"] };
    let mut table = Table::titled(titles);
    for (key, value, source) in loaded.explained {
        let variable = key.variable();
        let cells = [key.path, value, source, variable, key.about];
        table.row(cells.into_iter().take(titles.len()));
    }
    session.terminal.data(&table.render(&session.terminal));
    Ok(Exit::Done)
}
