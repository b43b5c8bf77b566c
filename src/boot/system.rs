//! What the server asks of the system, and what it warns about.

use std::fmt::Write;

use shard::config::Config;

use super::limits;
use crate::sys;

/// Prepares the process as the configuration asks, and warns about what the system does not grant.
pub(super) fn prepare(config: &Config) {
    if config.disable_thp
        && let Err(error) = sys::disable_huge_pages()
    {
        tracing::warn!("Can't keep transparent huge pages from this process: {error}");
    }
    if let Some(warning) = backlog_warning(config.tcp_backlog) {
        tracing::warn!("{warning}");
    }
}

fn backlog_warning(backlog: u32) -> Option<String> {
    let most: u32 = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()?;
    (most < backlog).then(|| {
        format!(
            "WARNING: The TCP backlog setting of {backlog} cannot be enforced because /proc/sys/net/core/somaxconn is \
             set to the lower value of {most}."
        )
    })
}

/// What `--check-system` prints.
pub(super) struct SystemReport {
    /// One line per check.
    pub(super) lines: String,
    /// Whether the server could start.
    pub(super) usable: bool,
}

/// Checks everything that start-up would.
pub(super) fn report() -> SystemReport {
    let config = Config::default();
    let checks = [
        ("io_uring", net::probe()),
        ("locked-memory", limits::locked_memory()),
        ("open-files", limits::open_files_for(config.maxclients, 1).map(drop)),
    ];
    let usable = checks.iter().all(|(_, result)| result.is_ok());
    let mut lines = String::new();
    for (name, result) in checks {
        let outcome = result.map_or_else(|why| format!("FAILED:\n{why}"), |()| "OK".to_owned());
        // Writing to a string does not fail.
        let _ = writeln!(lines, "[{name}]...{outcome}");
    }
    let backlog =
        backlog_warning(config.tcp_backlog).map_or_else(|| "OK".to_owned(), |text| format!("WARNING:\n{text}"));
    let _ = writeln!(lines, "[tcp-backlog]...{backlog}");
    SystemReport { lines, usable }
}
