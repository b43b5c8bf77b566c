//! The clock that a core is given: the system's, or one that a simulation turns by hand.
//!
//! Every command is timed. `std::time::Instant` takes about 50 ns to say how much time has passed on a virtual machine, which
//! is one part in fifteen of a pipelined GET; the processor's own counter, which `quanta` reads and calibrates (or does not
//! use where it is not to be trusted), takes 15 ns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use storage::UnixMillis;

/// Where a core reads the time.
#[derive(Clone)]
pub enum Clock {
    /// The system's clocks: that of the processor, and what it said in the beginning.
    System(quanta::Clock, u64),
    /// Microseconds since 1970, set from outside.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clocks.
    pub fn system() -> Clock {
        let clock = quanta::Clock::new();
        let start = clock.raw();
        Clock::System(clock, start)
    }

    /// The time of day.
    #[inline]
    pub fn now(&self) -> UnixMillis {
        match self {
            Clock::System(..) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                UnixMillis(since.as_millis() as i64)
            }
            Clock::Manual(micros) => UnixMillis(micros.load(Ordering::Relaxed) / 1000),
        }
    }

    /// The time of day in microseconds since 1970.
    pub fn unix_micros(&self) -> i64 {
        match self {
            Clock::System(..) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64,
            Clock::Manual(micros) => micros.load(Ordering::Relaxed),
        }
    }

    /// Microseconds that only ever grow, from an arbitrary beginning.
    #[inline]
    pub fn micros(&self) -> u64 {
        match self {
            Clock::System(clock, start) => clock.delta_as_nanos(*start, clock.raw()) / 1000,
            Clock::Manual(micros) => micros.load(Ordering::Relaxed) as u64,
        }
    }
}
