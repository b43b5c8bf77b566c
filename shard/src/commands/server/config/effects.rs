//! Putting changes of the configuration into force on the running server.
//!
//! Most directives are read where they are used and need nothing. What a change asks of the process (its log, its limits)
//! is the host's business: whoever started the cores. What cannot be done while the server runs is refused, so that no
//! directive claims something that is not so.

use std::collections::HashSet;

use crate::config::{Change, Config, ConfigError, Effect, Reason, Staged};
use crate::memory;
use crate::shared::Shared;

/// Puts all effects of `staged` into force; or none, and says why.
pub(super) fn apply(shared: &Shared, from: &Config, staged: &Staged) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    let changes: Vec<&Change> = staged.changes.iter().filter(|change| seen.insert(change.effect)).collect();
    for (done, change) in changes.iter().enumerate() {
        let Err(reason) = put_in_force(shared, change, &staged.config) else { continue };
        for earlier in changes[..done].iter().rev() {
            if put_in_force(shared, earlier, from).is_err() {
                tracing::error!("The former value of {} could not be put back in force.", earlier.name);
            }
        }
        return Err(ConfigError::Refused { name: change.name.to_owned(), reason });
    }
    Ok(())
}

fn put_in_force(shared: &Shared, change: &Change, to: &Config) -> Result<(), Reason> {
    let refused = |why: &str| Err(Reason::NotApplied(why.to_owned()));
    match change.effect {
        Effect::Listeners if change.name == "bind" => {
            refused("Failed to bind to specified addresses: sockets stay as they are while the server runs.")
        }
        Effect::Listeners => refused("Unable to listen on this port: sockets stay as they are while the server runs."),
        Effect::TlsListeners | Effect::TlsContext => {
            refused("Unable to update TLS configuration: this server has no TLS.")
        }
        Effect::AppendOnly if to.appendonly => refused("Unable to turn on AOF: this server cannot write one."),
        Effect::Watchdog if to.watchdog_period > 0 => refused("This server has no watchdog."),
        Effect::MaxMemory => {
            shared.judge_memory(memory::used_bytes(), to.maxmemory);
            Ok(())
        }
        Effect::AllocatorThreads => {
            memory::set_background_threads(to.jemalloc_bg_thread);
            Ok(())
        }
        Effect::LogLevel
        | Effect::ProcessTitle
        | Effect::OomScore
        | Effect::WorkingDirectory
        | Effect::MaxClients
        | Effect::CrashReports => shared.tell_host(change.effect, to).map_err(Reason::NotApplied),
        Effect::None
        | Effect::AppendOnly
        | Effect::AppendFsync
        | Effect::ClientMemory
        | Effect::Password
        | Effect::ReplicationBacklog
        | Effect::GoodReplicas
        | Effect::ClusterNode
        | Effect::Frequency
        | Effect::Watchdog => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SetContext;
    use crate::shared::tests::shared;

    fn set(config: &Config, pairs: &[(&str, &str)]) -> Result<(), String> {
        let staged = config.stage(pairs, SetContext { allow_protected: false, loading: false }).expect("it is valid");
        apply(&shared(), config, &staged).map_err(|error| error.to_string())
    }

    #[test]
    fn what_cannot_be_done_is_refused_and_named() {
        let config = Config::default();
        let error = set(&config, &[("maxmemory", "10mb"), ("port", "1234")]).expect_err("sockets stay");
        let start = "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port";
        assert!(error.starts_with(start), "{error}");
        assert!(set(&config, &[("appendonly", "yes")]).is_err());
        assert_eq!(set(&config, &[("port", "6379"), ("appendonly", "no"), ("loglevel", "warning")]), Ok(()));
    }
}
