//! Who ends a wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const ENDED: u8 = 1;

/// One client's wait, shared by its waiters on all shards and by its own core. It is ended once.
#[derive(Clone, Debug, Default)]
pub struct Claim(Arc<AtomicU8>);

/// How CLIENT UNBLOCK and the like end a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As if the time were over.
    TimedOut,
    /// With the error `UNBLOCKED`.
    WithError,
}

impl Claim {
    /// Ends the wait; false if somebody else has.
    pub fn end(&self) -> bool {
        self.0.compare_exchange(WAITING, ENDED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether the wait is ended.
    pub fn is_ended(&self) -> bool {
        self.0.load(Ordering::Acquire) == ENDED
    }
}

/// A handler that runs in the name of a client that waits.
#[derive(Clone, Debug)]
pub struct Claiming {
    /// The client's wait.
    pub claim: Claim,
    /// The handler has ended it, and takes what it found.
    pub won: bool,
}

impl Claiming {
    /// Before the handler runs.
    pub const fn new(claim: Claim) -> Self {
        Self { claim, won: false }
    }

    /// Ends the wait for the handler; false if somebody else has.
    pub fn take(&mut self) -> bool {
        self.won = self.won || self.claim.end();
        self.won
    }
}
