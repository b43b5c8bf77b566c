//! A script that runs for long, as other cores see it: they may ask it to end.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use net::OwnedArgs;

use super::vm::Kind;

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
    state: AtomicU8,
}

impl Running {
    /// A script that has run since `since`.
    pub fn new(kind: Kind, name: &[u8], command: OwnedArgs, since: Instant, wrote: bool) -> Running {
        let state = AtomicU8::new(if wrote { WRITES } else { READS });
        Running { kind, name: name.to_vec(), command, since, state }
    }

    /// Asks it to end; not if it has written, since half of what a script does is never to be seen.
    pub fn kill(&self) -> bool {
        let killed = self.state.compare_exchange(READS, KILLED, Ordering::SeqCst, Ordering::SeqCst);
        killed.is_ok() || killed == Err(KILLED)
    }

    /// It is about to write; false if it is to end instead.
    pub(super) fn write(&self) -> bool {
        let wrote = self.state.compare_exchange(READS, WRITES, Ordering::SeqCst, Ordering::SeqCst);
        wrote != Err(KILLED)
    }

    /// Whether it was asked to end.
    pub(super) fn is_killed(&self) -> bool {
        self.state.load(Ordering::SeqCst) == KILLED
    }
}
