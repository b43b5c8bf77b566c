//! Access bits: 24 bits in every entry's header that remember how recently, or how often, a key was used.
//!
//! What the bits mean follows from `maxmemory-policy`, as in Redis; nothing marks which of the two a given entry holds:
//!
//! ```text
//! LRU   23 ........................ 0      seconds of the clock, modulo 2^24 (194 days)
//! LFU   23 ....... 8   7 ......... 0       minutes of the clock modulo 2^16 at the last decay; logarithmic counter
//! ```
//!
//! All functions are pure: the time and the random draw come from the caller.

use super::UnixMillis;

#[cfg(test)]
mod tests;

const LRU_RESOLUTION_MILLIS: i64 = 1_000;
const BITS_MASK: u32 = (1 << 24) - 1;
const MINUTES_MASK: u32 = (1 << 16) - 1;

/// The counter of a new key, so that it is not evicted before it had a chance to be used.
pub const LFU_COUNTER_INITIAL: u8 = 5;

/// The access bits of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access(u32);

/// The two settings that shape the LFU counter.
#[derive(Clone, Copy, Debug)]
pub struct LfuSettings {
    /// `lfu-log-factor`: the larger, the more uses a step of the counter takes.
    pub log_factor: u32,
    /// `lfu-decay-time`: minutes after which the counter loses one; 0 never decays.
    pub decay_minutes: u32,
}

impl Default for LfuSettings {
    fn default() -> Self {
        Self { log_factor: 10, decay_minutes: 1 }
    }
}

impl Access {
    /// The bits as a number below 2^24.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Access bits from a number; bits above the 24th are ignored.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & BITS_MASK)
    }

    /// LRU bits of a key used now.
    pub const fn lru(now: UnixMillis) -> Self {
        Self::from_bits((now.0 / LRU_RESOLUTION_MILLIS) as u32)
    }

    /// LRU bits of a key that was last used `idle_seconds` before now (RESTORE with IDLETIME, RDB).
    pub const fn lru_idle(now: UnixMillis, idle_seconds: u32) -> Self {
        Self::from_bits(((now.0 / LRU_RESOLUTION_MILLIS) as u32).wrapping_sub(idle_seconds))
    }

    /// LFU bits of a key with the given counter (RESTORE with FREQ, RDB), current as of now.
    pub const fn lfu(now: UnixMillis, counter: u8) -> Self {
        Self((minutes(now) << 8) | counter as u32)
    }

    /// LFU bits of a new key.
    pub const fn lfu_new(now: UnixMillis) -> Self {
        Self::lfu(now, LFU_COUNTER_INITIAL)
    }

    /// How long the key was not used, read as LRU bits.
    pub const fn idle_millis(self, now: UnixMillis) -> u64 {
        let clock = Self::lru(now).0;
        let seconds = if clock >= self.0 { clock - self.0 } else { clock + (BITS_MASK - self.0) };
        seconds as u64 * LRU_RESOLUTION_MILLIS as u64
    }

    /// The counter after the decay due by now, read as LFU bits (OBJECT FREQ).
    pub const fn frequency(self, now: UnixMillis, settings: LfuSettings) -> u8 {
        let counter = (self.0 & 0xff) as u8;
        if settings.decay_minutes == 0 {
            return counter;
        }
        let periods = self.idle_minutes(now) / settings.decay_minutes;
        if periods >= counter as u32 { 0 } else { counter - periods as u8 }
    }

    /// LFU bits after one more use. `draw` is a uniformly random number in `0.0..1.0`.
    #[must_use]
    pub fn lfu_used(self, now: UnixMillis, settings: LfuSettings, draw: f64) -> Self {
        let counter = self.frequency(now, settings);
        Self::lfu(now, lfu_increment(counter, settings.log_factor, draw))
    }

    /// How many minutes ago the key was used last, read as LFU bits; modulo 2^16.
    pub const fn idle_minutes(self, now: UnixMillis) -> u32 {
        let last = self.0 >> 8;
        let now = minutes(now);
        if now >= last { now - last } else { MINUTES_MASK - last + now }
    }
}

/// The counter after one more use: it rises with a probability that falls with its height.
fn lfu_increment(counter: u8, log_factor: u32, draw: f64) -> u8 {
    if counter == u8::MAX {
        return counter;
    }
    let above = f64::from(counter.saturating_sub(LFU_COUNTER_INITIAL));
    let probability = 1.0 / above.mul_add(f64::from(log_factor), 1.0);
    if draw < probability { counter + 1 } else { counter }
}

const fn minutes(now: UnixMillis) -> u32 {
    (now.0 / 60_000) as u32 & MINUTES_MASK
}
