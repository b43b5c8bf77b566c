//! The clock that a core is given: the system's, or one that a simulation turns by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use storage::UnixMillis;

/// Where a core reads the time.
#[derive(Clone)]
pub enum Clock {
    /// The system's clocks.
    System(Instant),
    /// Microseconds since 1970, set from outside.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clocks.
    pub fn system() -> Clock {
        Clock::System(Instant::now())
    }

    /// The time of day.
    #[inline]
    pub fn now(&self) -> UnixMillis {
        match self {
            Clock::System(_) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                UnixMillis(since.as_millis() as i64)
            }
            Clock::Manual(micros) => UnixMillis(micros.load(Ordering::Relaxed) / 1000),
        }
    }

    /// The time of day in microseconds since 1970.
    pub fn unix_micros(&self) -> i64 {
        match self {
            Clock::System(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64,
            Clock::Manual(micros) => micros.load(Ordering::Relaxed),
        }
    }

    /// Microseconds that only ever grow, from an arbitrary beginning.
    #[inline]
    pub fn micros(&self) -> u64 {
        match self {
            Clock::System(start) => start.elapsed().as_micros() as u64,
            Clock::Manual(micros) => micros.load(Ordering::Relaxed) as u64,
        }
    }
}
