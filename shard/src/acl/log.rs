//! ACL LOG: what was denied lately.
//!
//! What is denied again is counted in the entry that there is, if that is one of the newest few and less than a minute old,
//! so that a client that keeps trying does not push everything else out.

use std::collections::VecDeque;

use storage::UnixMillis;

use super::check::Reason;

/// So many entries are looked at for one of the same kind.
const ENTRIES_COMPARED: usize = 10;

/// What is denied within so many milliseconds may be one entry.
const GROUPED_MILLIS: i64 = 60_000;

/// Where a command came from that was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// From a client.
    Toplevel,
    /// It was one of a transaction.
    Multi,
    /// From a script.
    Lua,
}

impl Context {
    /// As ACL LOG names it.
    pub const fn name(self) -> &'static str {
        match self {
            Context::Toplevel => "toplevel",
            Context::Multi => "multi",
            Context::Lua => "lua",
        }
    }
}

/// Something that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What kind of thing.
    pub reason: Reason,
    /// Where it was asked for.
    pub context: Context,
    /// The command, key or channel.
    pub object: Vec<u8>,
    /// Who it was denied to.
    pub user: Vec<u8>,
    /// The line of CLIENT LIST of the client.
    pub client: String,
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// What was denied, the last time.
    pub denied: Denied,
    /// How often.
    pub count: u64,
    /// When, the last time.
    pub at: UnixMillis,
}

/// What was denied, the newest first.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<LogEntry>,
}

impl Log {
    /// Notes what was denied at `now`; at most `kept` entries stay.
    pub fn add(&mut self, denied: Denied, now: UnixMillis, kept: usize) {
        let is_same = |entry: &LogEntry| {
            let known = &entry.denied;
            (known.reason, known.context) == (denied.reason, denied.context)
                && now.0.abs_diff(entry.at.0) <= GROUPED_MILLIS as u64
                && known.object == denied.object
                && known.user == denied.user
        };
        let known = self.entries.iter().take(ENTRIES_COMPARED).position(is_same);
        if let Some(entry) = known.and_then(|place| self.entries.remove(place)) {
            self.entries.push_front(LogEntry { denied, count: entry.count + 1, at: now });
            return;
        }
        self.entries.push_front(LogEntry { denied, count: 1, at: now });
        self.entries.truncate(kept);
    }

    /// The entries, the newest first.
    pub fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.iter()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
