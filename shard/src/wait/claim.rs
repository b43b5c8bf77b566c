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
