//! Telling whoever started the server that it is ready.
//!
//! systemd passes the path of a datagram socket in `NOTIFY_SOCKET` (a leading `@` stands for the abstract namespace)
//! and waits for `READY=1` on it. upstart sets `UPSTART_JOB` and waits for the process to stop itself.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use shard::config::types::choices::Supervised;

use crate::sys;

/// Who waits for the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Supervisor {
    /// Nobody.
    None,
    /// systemd, on this socket.
    Systemd(String),
    /// upstart.
    Upstart,
}

impl Supervisor {
    /// Finds the supervisor that `supervised` asks for.
    pub(super) fn find(supervised: Supervised) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::choose(supervised, variable("NOTIFY_SOCKET"), variable("UPSTART_JOB"))
    }

    fn choose(supervised: Supervised, notify_socket: Option<String>, upstart_job: Option<String>) -> Self {
        let systemd = notify_socket.map(Self::Systemd);
        let upstart = upstart_job.map(|_| Self::Upstart);
        let (wanted, name) = match supervised {
            Supervised::No => return Self::None,
            Supervised::Auto => return upstart.or(systemd).unwrap_or(Self::None),
            Supervised::Systemd => (systemd, "systemd supervision requested, but NOTIFY_SOCKET not found!"),
            Supervised::Upstart => (upstart, "upstart supervision requested, but UPSTART_JOB not found!"),
        };
        wanted.unwrap_or_else(|| {
            tracing::warn!("{name}");
            Self::None
        })
    }

    /// Whether somebody supervises the server: then it stays in the foreground.
    pub(super) fn is_there(&self) -> bool {
        *self != Self::None
    }

    /// Says that clients can connect.
    pub(super) fn ready(&self) {
        match self {
            Self::None => {}
            Self::Systemd(_) => self.notify("STATUS=Ready to accept connections\nREADY=1\n"),
            Self::Upstart => {
                tracing::info!("supervised by upstart, will stop to signal readiness.");
                sys::stop_self();
            }
        }
    }

    /// Says that the server is going down.
    pub(super) fn stopping(&self) {
        self.notify("STATUS=Shutting down\nSTOPPING=1\n");
    }

    fn notify(&self, message: &str) {
        if let Self::Systemd(socket) = self
            && let Err(error) = send(socket, message)
        {
            tracing::warn!("Can't send supervised notification to systemd: {error}");
        }
    }
}

fn send(socket: &str, message: &str) -> io::Result<()> {
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{Supervised, Supervisor, UnixDatagram};

    #[test]
    fn the_environment_says_who_supervises() {
        let found = |supervised, socket: Option<&str>, job: Option<&str>| {
            Supervisor::choose(supervised, socket.map(str::to_owned), job.map(str::to_owned))
        };
        let systemd = Supervisor::Systemd("/s".to_owned());
        assert_eq!(found(Supervised::No, Some("/s"), Some("j")), Supervisor::None);
        assert_eq!(found(Supervised::Auto, Some("/s"), None), systemd);
        assert_eq!(found(Supervised::Auto, None, Some("j")), Supervisor::Upstart);
        assert_eq!(found(Supervised::Systemd, Some("/s"), Some("j")), systemd);
        assert_eq!(found(Supervised::Systemd, None, Some("j")), Supervisor::None);
        assert_eq!(found(Supervised::Upstart, None, None), Supervisor::None);
    }

    #[test]
    fn systemd_hears_that_the_server_is_ready() {
        let path = std::env::temp_dir().join(format!("tessera-notify-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).expect("a socket of this test");
        Supervisor::Systemd(path.to_str().expect("a name of this test").to_owned()).ready();
        let mut message = [0; 100];
        let length = socket.recv(&mut message).expect("a message");
        assert!(message[..length].ends_with(b"READY=1\n"));
        std::fs::remove_file(&path).expect("a socket of this test");
    }
}
