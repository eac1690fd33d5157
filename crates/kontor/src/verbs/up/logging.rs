use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{Config, LogFormat};
use crate::exit::UsageError;

/// Sends log lines to standard error.
pub fn start(config: &Config) -> Result<(), UsageError> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| UsageError(format!("log: {error}")))?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A process that already logs elsewhere keeps doing so.
    let _ = match config.log_format {
        LogFormat::Text => {
            use std::io::IsTerminal as _;
            let colour =
                std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            lines.with_ansi(colour).with_target(false).try_init()
        }
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}
