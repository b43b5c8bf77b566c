//! Putting changes of the configuration into effect, as far as they are about the process.
//!
//! `CONFIG SET` stages a new configuration and asks for each effect of its changes before it publishes it. What
//! concerns the shards themselves (memory, clients, timers) they see in the new configuration.

use net::Listeners;
use shard::config::{Config, Effect};

use super::oom_score::OomScore;
use super::{limits, listeners, title};
use crate::{log, signal};

/// What of the process follows the configuration while the server runs.
pub(super) struct Process {
    /// Where it listens.
    pub(super) listeners: Listeners,
    /// How expendable it is.
    pub(super) oom_score: OomScore,
}

impl Process {
    /// Puts `effect` of a change to `config` in place. The error is the reason that the client is told; the caller then
    /// calls this again with the old configuration for the effects before.
    pub(super) fn apply(&self, effect: Effect, config: &Config) -> Result<(), String> {
        match effect {
            Effect::LogLevel => log::set_level(config.loglevel),
            Effect::ProcessTitle => title::update(config),
            Effect::Listeners => {
                listeners::change(&self.listeners, config)?;
                title::update(config);
            }
            Effect::KeepAlive => self.listeners.set_keepalive(config.tcp_keepalive),
            Effect::OomScore => self.oom_score.adjust(config).map_err(|error| {
                tracing::warn!("Unable to write oom_score_adj: {error}");
                "Failed to apply new oom_score_adj configuration, check server logs.".to_owned()
            })?,
            Effect::WorkingDirectory => {
                let directory = &config.dir.0;
                std::env::set_current_dir(directory).map_err(|error| shard::config::error::system_text(&error))?;
            }
            Effect::MaxClients => {
                let possible = limits::clients_possible(config.maxclients);
                if possible < config.maxclients {
                    return Err(format!(
                        "The operating system is not able to handle the specified number of clients, try with \
                         {possible}"
                    ));
                }
            }
            Effect::CrashReports => {
                signal::set_reports(config.crash_log_enabled);
                signal::set_exits_on_panic(config.use_exit_on_panic);
            }
            _ => {}
        }
        Ok(())
    }
}
