//! `kontor config`: the hub's settings and where each comes from.

use serde_json::json;

use crate::config::{self, HubFlags, Loaded};
use crate::exit::Exit;
use crate::session::Session;
use crate::table::Table;
use crate::terminal::{Style, Terminal, plain};

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
    if args.explain {
        explain(loaded, &session.terminal);
        return Ok(Exit::Done);
    }
    let mut table = Table::titled(&["key", "value", "source"]);
    for (key, value, source) in loaded.explained {
        table.row([key.path, value, source]);
    }
    session.terminal.data(&table.render(&session.terminal));
    session.terminal.note("`kontor config --explain` says what each does and which variable sets it");
    Ok(Exit::Done)
}

/// A paragraph for each key: too much for the columns of a table.
fn explain(loaded: Loaded, terminal: &Terminal) {
    for (key, value, source) in loaded.explained {
        let value = if value.is_empty() { "(empty)".to_owned() } else { plain(&value) };
        let source = terminal.paint(Style::Dim, &format!("({}; {})", plain(&source), key.variable()));
        terminal.data(&format!("{} = {value}  {source}", terminal.paint(Style::Bold, &key.path)));
        terminal.data(&format!("  {}\n", key.about));
    }
}
