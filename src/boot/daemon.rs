//! `daemonize` and `pidfile`.

use std::path::PathBuf;

use shard::config::Config;

use super::Refusal;
use crate::sys::{self, Forked};

/// Where a server in the background leaves its number if it is not told where.
const DEFAULT_PID_FILE: &str = "/var/run/tessera.pid";

/// Splits the process in two; the child has no terminal.
pub(super) fn go_to_background() -> Result<Forked, Refusal> {
    let side = sys::fork().map_err(|error| format!("Can't go to the background: {error}"))?;
    if side == Forked::Child {
        sys::detach().map_err(|error| format!("Can't leave the terminal: {error}"))?;
    }
    Ok(side)
}

/// The file with the process id, removed when the server ends.
pub(super) struct PidFile(Option<PathBuf>);

impl PidFile {
    /// Writes the file if there is to be one. That it cannot be written does not keep the server from running.
    pub(super) fn write(config: &Config) -> Self {
        let name = match (config.pidfile.as_str(), config.daemonize) {
            ("", false) => return Self(None),
            ("", true) => DEFAULT_PID_FILE,
            (name, _) => name,
        };
        // The server may change directory before it ends.
        let path = std::path::absolute(name).unwrap_or_else(|_| PathBuf::from(name));
        match std::fs::write(&path, format!("{}\n", std::process::id())) {
            Ok(()) => Self(Some(path)),
            Err(error) => {
                tracing::warn!("Failed to write PID file: {error}");
                Self(None)
            }
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            tracing::info!("Removing the pid file.");
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!("Failed to remove PID file {}: {error}", path.display());
            }
        }
    }
}
