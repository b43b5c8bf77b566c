//! Putting changes of the configuration into force on the running server.
//!
//! Most directives are read where they are used and need nothing. What a change asks of the process (its log, its limits)
//! is the host's business: whoever started the cores. What cannot be done while the server runs is refused, so that no
//! directive claims something that is not so.

use std::collections::HashSet;

use crate::acl::DEFAULT_USER;
use crate::config::{Change, Config, ConfigError, Effect, Reason, Staged};
use crate::memory;
use crate::shared::Shared;
use crate::snapshot::Kind;

/// Puts all effects of `staged` into force; or none, and says why.
pub(super) fn apply(shared: &Shared, from: &Config, staged: &Staged) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    let changes: Vec<&Change> = staged.changes.iter().filter(|change| seen.insert(change.effect)).collect();
    for (done, change) in changes.iter().enumerate() {
        let Err(reason) = put_in_force(shared, change, &staged.config) else { continue };
        let name = change.name;
        tracing::warn!(
            "Failed applying new configuration. Possibly related to new {name} setting. Restoring previous settings."
        );
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
        // The host's log says what is wrong with which address.
        Effect::Listeners => shared.tell_host(change.effect, to).or_else(|_| match change.name {
            "bind" => refused("Failed to bind to specified addresses."),
            _ => refused("Unable to listen on this port. Check server logs."),
        }),
        Effect::TlsListeners | Effect::TlsContext => {
            refused("Unable to update TLS configuration: this server has no TLS.")
        }
        Effect::AppendOnly => {
            if !to.appendonly {
                let was_on = shared.log.is_on();
                shared.log.turn_off();
                // The base that is being written would have nothing to follow it.
                if let Some(job) = shared.snapshots.current().filter(|job| was_on && job.kind == Kind::Rewrite) {
                    tracing::info!("Killing AOF child: {}", std::process::id());
                    job.cancel();
                }
            } else if !shared.log.is_on()
                && let Err(why) = shared.log.turn_on(to)
            {
                tracing::warn!("{why}");
                return refused("Unable to turn on AOF. Check server logs.");
            }
            shared.wake_all();
            Ok(())
        }
        Effect::Watchdog if to.watchdog_period > 0 => refused("This server has no watchdog."),
        Effect::MaxMemory => {
            shared.budget.set_limit(to.maxmemory_bytes());
            shared.budget.set_eligible(to.maxmemory_policy.into());
            shared.judge_memory();
            shared.wake_all();
            Ok(())
        }
        Effect::Password => {
            let changed = shared.acl.change(|users| {
                let mut default = users.to_change(DEFAULT_USER, false);
                default.set_password(&to.requirepass);
                users.put(default);
                Ok::<(), Reason>(())
            });
            shared.wake_all();
            changed
        }
        Effect::AllocatorThreads => {
            memory::set_background_threads(to.jemalloc_bg_thread);
            Ok(())
        }
        Effect::LogLevel
        | Effect::ProcessTitle
        | Effect::OomScore
        | Effect::KeepAlive
        | Effect::WorkingDirectory
        | Effect::MaxClients
        | Effect::CrashReports => shared.tell_host(change.effect, to).map_err(Reason::NotApplied),
        Effect::ClientMemory => {
            shared.wake_all();
            Ok(())
        }
        Effect::None
        | Effect::AppendFsync
        | Effect::ReplicationBacklog
        | Effect::GoodReplicas
        | Effect::ClusterNode
        | Effect::Frequency
        | Effect::Watchdog => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::config::SetContext;
    use crate::shared::tests::shared;

    /// Sets `pairs` on a server whose process listens on no port above 10,000, and notes the ports it was told.
    fn set(config: &Config, pairs: &[(&str, &str)]) -> (Result<(), String>, Vec<u16>) {
        let staged = config.stage(pairs, SetContext { allow_protected: false, loading: false }).expect("it is valid");
        let (shared, told) = (shared(), Arc::new(Mutex::new(Vec::new())));
        let noted = Arc::clone(&told);
        shared.set_host(Box::new(move |effect, config| {
            if effect != Effect::Listeners {
                return Ok(());
            }
            noted.lock().expect("no panic").push(config.port);
            if config.port > 10_000 { Err("taken".to_owned()) } else { Ok(()) }
        }));
        let result = apply(&shared, config, &staged).map_err(|error| error.to_string());
        let told = told.lock().expect("no panic").clone();
        (result, told)
    }

    #[test]
    fn what_cannot_be_done_is_refused_and_named() {
        let config = Config::default();
        let refused = |name: &str, text: &str| {
            Err(format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {text}"))
        };
        let port = "Unable to listen on this port. Check server logs.";
        let bind = "Failed to bind to specified addresses.";
        assert_eq!(set(&config, &[("port", "12345"), ("bind", "*")]), (refused("port", port), vec![12345]));
        assert_eq!(set(&config, &[("bind", "*"), ("port", "12345")]), (refused("bind", bind), vec![12345]));
        let pairs = [("port", "6379"), ("appendonly", "no"), ("loglevel", "warning")];
        assert_eq!(set(&config, &pairs), (Ok(()), vec![]), "the port is what it was");
    }

    #[test]
    fn what_was_done_before_a_failure_is_undone() {
        let config = Config::default();
        let pairs = [("port", "7000"), ("watchdog-period", "500"), ("maxmemory", "1mb")];
        let (result, told) = set(&config, &pairs);
        assert!(result.is_err_and(|error| error.contains("'watchdog-period'")));
        assert_eq!(told, [7000, 6379]);
    }
}
