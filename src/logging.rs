//! Log lines on standard error: a self-contained message, structured fields, no secret and no message text.

use std::io::IsTerminal;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{fmt, registry};

use crate::config::{Config, LogFormat};

/// Starts logging.
///
/// # Errors
/// The `log` setting cannot be read.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let filter: Targets = config.log.parse().map_err(|error| {
        anyhow::anyhow!("the setting `log` cannot be read: {error}; an example is `info,ocs=debug`")
    })?;
    // Colours are for terminals; in a file they are noise.
    let colours = std::io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
    match config.log_format {
        LogFormat::Text => registry().with(lines.with_filter(filter)).init(),
        LogFormat::Json => registry().with(lines.json().flatten_event(true).with_filter(filter)).init(),
    }
    Ok(())
}
