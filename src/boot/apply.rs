//! Putting changes of the configuration into effect, as far as they are about the process.
//!
//! `CONFIG SET` stages a new configuration and asks for each effect of its changes before it publishes it. What
//! concerns the shards themselves (memory, clients, timers) they see in the new configuration.

use shard::config::{Config, Effect};

use super::{limits, system, title};
use crate::{log, signal};

/// Puts `effect` of a change to `config` in place. The error is the reason that the client is told; the caller then
/// calls this again with the old configuration for the effects before.
pub(super) fn apply(effect: Effect, config: &Config) -> Result<(), String> {
    match effect {
        Effect::LogLevel => log::set_level(config.loglevel),
        Effect::ProcessTitle => title::update(config),
        Effect::OomScore => system::adjust_oom_score(config).map_err(|error| {
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
                    "The operating system is not able to handle the specified number of clients, try with {possible}"
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
