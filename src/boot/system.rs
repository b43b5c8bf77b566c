//! What the server asks of the system, and what it warns about.

use std::fmt::Write;

use shard::config::Config;
use shard::config::types::choices::OomScoreAdj;

use super::limits;
use crate::sys;

/// Where the kernel keeps how expendable the process is.
const OOM_SCORE_FILE: &str = "/proc/self/oom_score_adj";

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
    if config.oom_score_adj != OomScoreAdj::No
        && let Err(error) = adjust_oom_score(config)
    {
        tracing::warn!("Unable to write oom_score_adj: {error}");
    }
}

/// Tells the kernel how expendable the server is, or takes back what it was told.
pub fn adjust_oom_score(config: &Config) -> Result<(), String> {
    use std::sync::OnceLock;
    /// What the process had when it was first asked.
    static ORIGINAL: OnceLock<i32> = OnceLock::new();
    let read = || std::fs::read_to_string(OOM_SCORE_FILE).ok()?.trim().parse().ok();
    let original = *ORIGINAL.get_or_init(|| read().unwrap_or(0));
    let role = usize::from(config.replicaof.is_some());
    let own = config.oom_score_adj_values.0[role];
    let score = match config.oom_score_adj {
        OomScoreAdj::No => original,
        OomScoreAdj::Relative => original + own,
        OomScoreAdj::Absolute => own,
    };
    std::fs::write(OOM_SCORE_FILE, score.clamp(-1000, 1000).to_string()).map_err(|error| error.to_string())
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
