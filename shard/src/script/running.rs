//! A script that runs for long, as others see it: they may ask it to end, and are told what they would wait for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use net::OwnedArgs;

use super::vm::Kind;
use crate::ids::ShardId;

/// What has become of a script: one of these, and the last two are final, so a script is killed or writes, never both.
const READS: u8 = 0;
const WRITES: u8 = 1;
const KILLED: u8 = 2;

/// A script that has run for longer than a slice.
pub struct Running {
    /// What kind of script it is.
    pub kind: Kind,
    /// Its SHA-1, or the function's name.
    pub name: Vec<u8>,
    /// The command that runs it.
    pub command: OwnedArgs,
    /// Since when.
    pub since: Instant,
    /// The core of the client that debugs it.
    pub debugged_on: Option<ShardId>,
    state: AtomicU8,
    /// What it keeps others waiting for, once it has run for `busy-reply-threshold`.
    holds: OnceLock<Holds>,
}

/// What a script holds, or what a command wants that may have to wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// All keys.
    Everything,
    /// The keys of these hashes.
    Keys(Vec<u64>),
}

impl Holds {
    /// Whether a command that wants this is refused while a script holds `self`. A command about no key is, too: who asks
    /// the server whether it is well, hears that it is not. Those about other keys are not.
    pub fn collides(&self, wants: &Holds) -> bool {
        match (self, wants) {
            (Holds::Everything, _) | (Holds::Keys(_), Holds::Everything) => true,
            (Holds::Keys(held), Holds::Keys(keys)) => keys.is_empty() || keys.iter().any(|key| held.contains(key)),
        }
    }
}

impl Running {
    /// A script that has run since `since`.
    pub fn new(kind: Kind, name: &[u8], command: OwnedArgs, since: Instant, wrote: bool) -> Running {
        let state = AtomicU8::new(if wrote { WRITES } else { READS });
        let name = name.to_vec();
        Running { kind, name, command, since, debugged_on: None, state, holds: OnceLock::new() }
    }

    /// The same, debugged by a client of that core.
    #[must_use]
    pub fn debugged_on(self, home: Option<ShardId>) -> Running {
        Running { debugged_on: home, ..self }
    }

    /// Asks it to end; not if it has written, since half of what a script does is never to be seen. Whoever debugs a script
    /// may see that anyway.
    pub fn kill(&self) -> bool {
        let killed = self.state.compare_exchange(READS, KILLED, Ordering::SeqCst, Ordering::SeqCst);
        killed.is_ok() || killed == Err(KILLED)
    }

    /// It is about to write; false if it is to end instead.
    pub(super) fn write(&self) -> bool {
        if self.debugged_on.is_some() {
            return !self.is_killed();
        }
        let wrote = self.state.compare_exchange(READS, WRITES, Ordering::SeqCst, Ordering::SeqCst);
        wrote != Err(KILLED)
    }

    /// Whether it was asked to end.
    pub fn is_killed(&self) -> bool {
        self.state.load(Ordering::SeqCst) == KILLED
    }

    pub(super) fn set_busy(&self, holds: Holds) {
        let _ = self.holds.set(holds);
    }

    /// What it keeps others waiting for, and for so long that they are refused.
    pub fn holds(&self) -> Option<&Holds> {
        self.holds.get()
    }

    /// Whether others are refused because of it.
    pub fn is_busy(&self) -> bool {
        self.holds.get().is_some()
    }

    /// Whether it has written.
    pub fn has_written(&self) -> bool {
        self.state.load(Ordering::SeqCst) == WRITES
    }
}
