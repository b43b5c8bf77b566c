//! `replicaof`: the server that this one copies.

use crate::config::error::Reason;
use crate::config::number;
use crate::config::value::{How, Words};

/// The address of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Words for Option<Master> {
    const EXPECTS: &'static str = "host and port of the master, or 'no one'";

    fn read(&mut self, words: &[&[u8]], how: How) -> Result<(), Reason> {
        if how == How::Default {
            *self = None;
            return Ok(());
        }
        let [host, port] = words else {
            return Err(Reason::WrongNumberOfArguments);
        };
        if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
            *self = None;
            return Ok(());
        }
        let port = number::lenient(port).and_then(|port| u16::try_from(port).ok()).ok_or(Reason::MasterPort)?;
        let host = std::str::from_utf8(host).map_err(|_| Reason::NotText)?.to_owned();
        *self = Some(Master { host, port });
        Ok(())
    }

    fn print(&self) -> String {
        self.as_ref().map_or_else(String::new, |master| format!("{} {}", master.host, master.port))
    }
}
