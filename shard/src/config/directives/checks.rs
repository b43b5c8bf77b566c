//! What makes a text or a number unacceptable to one directive, and how numbers are brought into shape.

use crate::config::error::Reason;
use crate::config::settings::Settings;
use crate::config::value::{Flag, How, Lens, Value};

/// `dbfilename`: a name without a directory.
pub(super) fn file_name(text: &str) -> Result<(), Reason> {
    if text.contains('/') { Err(Reason::PathNotName("dbfilename", "filename")) } else { Ok(()) }
}

/// `appendfilename`: a name without a directory, and not nothing.
pub(super) fn append_file_name(text: &str) -> Result<(), Reason> {
    name_in_dir(text, "appendfilename", "filename")
}

/// `appenddirname`: a name without a directory, and not nothing.
pub(super) fn append_dir_name(text: &str) -> Result<(), Reason> {
    name_in_dir(text, "appenddirname", "dirname")
}

fn name_in_dir(text: &str, directive: &'static str, noun: &'static str) -> Result<(), Reason> {
    if text.is_empty() {
        Err(Reason::EmptyName(directive))
    } else if text.contains('/') {
        Err(Reason::PathNotName(directive, noun))
    } else {
        Ok(())
    }
}

/// `cluster-announce-hostname`: what a DNS name may look like.
pub(super) fn host_name(text: &str) -> Result<(), Reason> {
    if text.len() >= 256 {
        return Err(Reason::HostnameLength);
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if text.bytes().all(fits) { Ok(()) } else { Err(Reason::HostnameCharacter) }
}

/// `hz`: between 1 and 500.
pub(super) fn clamp_hz(settings: &mut Settings) {
    settings.hz = settings.hz.clamp(1, 500);
}

/// `watchdog-period`: at least two periods of the timer that looks.
pub(super) fn raise_watchdog(settings: &mut Settings) {
    if settings.watchdog_period != 0 {
        let two_periods_ms = 2 * 1000 / settings.hz.max(1);
        settings.watchdog_period = settings.watchdog_period.max(two_periods_ms);
    }
}

/// `repl-backlog-size`: at least 16 KiB.
pub(super) fn raise_backlog(settings: &mut Settings) {
    settings.repl_backlog_size = settings.repl_backlog_size.max(16 * 1024);
}

/// `activedefrag`: `no`, since the allocator cannot tell which allocations are worth moving.
///
/// A client that asks for it is refused, as by a Redis that was built without it. A file that asks for it is loaded all
/// the same, so that a configuration written for Redis starts the server.
pub(super) struct Defragmentation(pub(super) Lens<bool>);

impl Value for Defragmentation {
    fn parse(&self, settings: &mut Settings, words: &[&[u8]], how: How) -> Result<(), Reason> {
        let Self(Lens { of, of_mut }) = self;
        Flag(Lens { of: *of, of_mut: *of_mut }).parse(settings, words, how)?;
        let asked = std::mem::replace((self.0.of_mut)(settings), false);
        if asked && how == How::Set { Err(Reason::ActiveDefragmentation) } else { Ok(()) }
    }

    fn print(&self, settings: &Settings) -> Vec<u8> {
        if *(self.0.of)(settings) { b"yes".to_vec() } else { b"no".to_vec() }
    }

    fn expects(&self) -> String {
        "no".to_owned()
    }
}
