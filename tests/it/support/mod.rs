//! What every test here stands on: servers it starts, a client of its own, and facts from `/proc`.
//!
//! Tests talk to a server over sockets only, so each runs against any server that speaks the protocol. By default that
//! is Tessera with 1, 2 and 4 shards ([`targets`]); with `TESSERA_TEST_TARGET=referee` it is the `redis-server` of
//! `PATH` (or of `TESSERA_REFEREE`), which shows whether a test asks for something Redis itself does not do.

pub mod client;
pub mod process;
pub mod server;
pub mod slots;
pub mod value;

pub use client::{Client, Protocol};
pub use server::{Launch, Port, Server, Target, each_target, fresh_dir, targets};
pub use value::Value;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long anything that should happen at once may take on a loaded machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `probe` says yes; panics with `what` when patience ends.
pub fn eventually(what: &str, mut probe: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !probe() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How long a soak test runs: `TESSERA_SOAK_SECONDS`, or a few seconds.
pub fn soak() -> Duration {
    number_from_env("TESSERA_SOAK_SECONDS").map_or(Duration::from_secs(3), Duration::from_secs)
}

/// A number from the environment.
pub fn number_from_env(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// A small pseudo-random generator (xorshift64*): tests choose by seed, so that a failure can be repeated.
pub struct Random(u64);

impl Random {
    /// A generator that gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether something happens that does so many times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    /// `len` arbitrary bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() >> 32) as u8).collect()
    }
}

/// A meeting place for threads that race in rounds. Those who wait spin, so that all leave at almost one moment; one
/// that never comes fails the test instead of hanging it.
pub struct Rendezvous {
    parties: u64,
    arrived: AtomicU64,
}

impl Rendezvous {
    /// A place where so many threads meet.
    pub fn new(parties: u64) -> Self {
        Self { parties, arrived: AtomicU64::new(0) }
    }

    /// Waits for the others.
    pub fn wait(&self) {
        let ticket = self.arrived.fetch_add(1, Ordering::SeqCst);
        let full = (ticket / self.parties + 1) * self.parties;
        let deadline = Instant::now() + PATIENCE;
        while self.arrived.load(Ordering::SeqCst) < full {
            assert!(Instant::now() < deadline, "another thread did not come");
            std::thread::yield_now();
        }
    }
}
