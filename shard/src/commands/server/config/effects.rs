//! Putting changes of the configuration into force on the running server.
//!
//! Most directives are read where they are used and need nothing. What a change asks of the process's surroundings (its
//! sockets, its log) is the host's business: whoever started the cores. What cannot be done yet is refused, so that no
//! directive claims something that is not so.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::config::types::choices::OomScoreAdj;
use crate::config::{Change, Config, ConfigError, Effect, Reason, Staged};
use crate::memory;
use crate::os;
use crate::shared::Shared;

/// Files that the process needs besides its clients' sockets.
const OTHER_FILES: u64 = 32;

/// Puts all effects of `staged` into force; or none, and says why.
pub(super) fn apply(shared: &Shared, from: &Config, staged: &Staged) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    let changes: Vec<&Change> = staged.changes.iter().filter(|change| seen.insert(change.effect)).collect();
    for (done, change) in changes.iter().enumerate() {
        let Err(reason) = put_in_force(shared, change.effect, from, &staged.config) else { continue };
        for earlier in changes[..done].iter().rev() {
            if put_in_force(shared, earlier.effect, &staged.config, from).is_err() {
                tracing::error!("The former value of {} could not be put back in force.", earlier.name);
            }
        }
        return Err(ConfigError::Refused { name: change.name.to_owned(), reason });
    }
    Ok(())
}

fn put_in_force(shared: &Shared, effect: Effect, from: &Config, to: &Config) -> Result<(), Reason> {
    match effect {
        Effect::MaxMemory => {
            shared.judge_memory(memory::used_bytes(), to.maxmemory);
            Ok(())
        }
        Effect::MaxClients => open_files(to),
        Effect::OomScore => oom_score(to),
        Effect::WorkingDirectory => {
            std::env::set_current_dir(&to.dir.0).map_err(|error| Reason::system(&error))
        }
        Effect::AppendOnly if to.appendonly => {
            Err(Reason::NotApplied("Unable to turn on AOF. Check server logs.".to_owned()))
        }
        Effect::AllocatorThreads => {
            memory::set_background_threads(to.jemalloc_bg_thread);
            Ok(())
        }
        Effect::LogLevel
        | Effect::Listeners
        | Effect::TlsListeners
        | Effect::TlsContext
        | Effect::ProcessTitle
        | Effect::Watchdog => shared.host(effect, from, to),
        Effect::None
        | Effect::AppendOnly
        | Effect::AppendFsync
        | Effect::ClientMemory
        | Effect::Password
        | Effect::ReplicationBacklog
        | Effect::GoodReplicas
        | Effect::ClusterNode
        | Effect::Frequency => Ok(()),
    }
}

/// `maxclients`: as many files must be allowed to be open.
fn open_files(to: &Config) -> Result<(), Reason> {
    os::raise_open_files(u64::from(to.maxclients) + OTHER_FILES).map_err(|limit| {
        let clients = limit.saturating_sub(OTHER_FILES);
        let text = format!(
            "The operating system is not able to handle the specified number of clients, try with {clients}"
        );
        Reason::NotApplied(text)
    })
}

/// `oom-score-adj`: relative to what the process began with, or absolute; `no` puts that back.
fn oom_score(to: &Config) -> Result<(), Reason> {
    const FILE: &str = "/proc/self/oom_score_adj";
    static INITIAL: OnceLock<Option<i32>> = OnceLock::new();
    let read = || std::fs::read_to_string(FILE).ok()?.trim().parse().ok();
    let initial = INITIAL.get_or_init(read).unwrap_or(0);
    let [master, ..] = to.oom_score_adj_values.0;
    let score = match to.oom_score_adj {
        OomScoreAdj::No => initial,
        OomScoreAdj::Relative => initial + master,
        OomScoreAdj::Absolute => master,
    };
    std::fs::write(FILE, score.clamp(-1000, 1000).to_string()).map_err(|error| {
        tracing::warn!("Unable to write {FILE}: {error}");
        Reason::NotApplied("Failed to apply new oom_score_adj configuration, check server logs.".to_owned())
    })
}
