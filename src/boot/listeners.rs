//! The seam to the network crate: which sockets the configuration asks for.

use net::{Listener, Listeners};
use shard::config::Config;
use shard::config::error::system_text;

use super::Refusal;

/// Opens every socket that the configuration asks for.
pub(super) fn open(config: &Config) -> Result<Listeners, Refusal> {
    let mut listeners = tcp(config).map_err(|why| {
        tracing::warn!("Warning: {why}");
        format!("Failed listening on port {} (TCP), aborting.", config.port)
    })?;
    if config.tls_port != 0 {
        return Err("Failed to configure TLS: tls-port is set, and this build has no TLS. Exiting.".to_owned());
    }
    if !config.unixsocket.is_empty() {
        let permissions = (config.unixsocketperm != 0).then_some(config.unixsocketperm);
        let listener = Listener::unix(&config.unixsocket, permissions, config.tcp_backlog);
        listeners.push(listener.map_err(|error| format!("Failed opening Unix socket: {}", system_text(&error)))?);
    }
    if listeners.is_empty() {
        return Err("Configured to not listen anywhere, exiting.".to_owned());
    }
    let listeners = Listeners::new(listeners);
    listeners.set_keepalive(config.tcp_keepalive);
    Ok(listeners)
}

/// Listens where the configuration says now instead of where it did before. The log says what went wrong where.
pub(super) fn change(listeners: &Listeners, config: &Config) -> Result<(), String> {
    let changed = listeners.change_tcp(&addresses(config), config.port, config.tcp_backlog);
    let changed = changed.map_err(|error| system_text(&error));
    if let Err(why) = &changed {
        tracing::warn!("Warning: {why}");
    } else if listeners.is_empty() {
        tracing::warn!("Warning: the server does not listen anywhere any more.");
    }
    changed
}

/// How often a port in use is tried again: the kernel takes the rings of a server that was killed apart in the background,
/// and its sockets with them.
const BUSY_TRIES: u32 = 10;
const BUSY_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Opens the sockets of plain TCP. The error says what went wrong where.
fn tcp(config: &Config) -> Result<Vec<Listener>, String> {
    if config.port == 0 {
        return Ok(Vec::new());
    }
    let mut tries = BUSY_TRIES;
    loop {
        match Listener::tcp(&addresses(config), config.port, config.tcp_backlog) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse && tries > 0 => {
                tries -= 1;
                std::thread::sleep(BUSY_PAUSE);
            }
            opened => return opened.map_err(|error| system_text(&error)),
        }
    }
}

fn addresses(config: &Config) -> Vec<&str> {
    config.bind.0.iter().map(String::as_str).collect()
}
