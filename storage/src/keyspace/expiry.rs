//! Expiry: time stamps, and the sweep that removes expired keys nobody asks for.
//!
//! A key is expired from the millisecond after its time stamp on, as in Redis. Expired keys that a command meets are for
//! that command to remove; all others are found by [`Database::sweep`]. It goes round the segments of the table and reads
//! only those in which something may be due: each has a lower bound of its expiries in a compact array, so a hundred
//! thousand keys that expire next week cost less than a hundred compares. A segment that is read is read whole (some
//! thousand keys, of which only those with an expiry are touched), which makes its bound exact again.

use super::Database;
use crate::encoding::table::SweepVisitor;
use crate::types::OwnedValue;

/// Milliseconds since 1970, as expiries are kept. Negative values are valid and in the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Whether a key that expires at this time is gone at `now`. As in Redis, it is still there in that very millisecond.
    #[inline]
    pub const fn is_past(self, now: Self) -> bool {
        now.0 > self.0
    }
}

/// What becomes of the expiry of a key that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The key has none afterwards.
    Clear,
    /// It stays as it was (KEEPTTL).
    Keep,
    /// The key expires at that time.
    At(UnixMillis),
}

/// How much one call of [`Database::sweep`] may do.
#[derive(Clone, Copy, Debug)]
pub struct SweepBudget {
    /// Segments whose bound is looked at (one compare each when nothing in it is due).
    pub segments_max: usize,
    /// Entries looked at; the last segment, with some thousand entries, may exceed it.
    pub entries_max: usize,
    /// Keys expired; the last line, with at most twelve entries, may exceed it.
    pub expired_max: usize,
}

/// What one call of [`Database::sweep`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepOutcome {
    /// Segments looked at.
    pub segments: usize,
    /// Entries looked at.
    pub entries: usize,
    /// Keys expired.
    pub expired: usize,
    /// Keys that are due but were skipped at the caller's wish.
    pub skipped: usize,
    /// Whether every segment was looked at in this call: nothing due is left but what was skipped.
    pub complete: bool,
}

impl Database {
    /// Active expiry: looks for keys that are due and removes them, going on where the last call ended.
    ///
    /// `skip` is asked for each key that is due, with its hash, and answers whether it must be left alone for now (it is
    /// locked, or waited for). `expired` is told about each key that was removed, with its value.
    pub fn sweep(
        &mut self,
        now: UnixMillis,
        budget: SweepBudget,
        skip: &mut dyn FnMut(&[u8], u64) -> bool,
        expired: &mut dyn FnMut(&[u8], OwnedValue),
    ) -> SweepOutcome {
        let mut outcome = SweepOutcome::default();
        if self.expires() == 0 {
            outcome.complete = true;
            return outcome;
        }
        self.sample_ttl(now);
        let in_pieces = self.hash_in_pieces();
        let mut skip = |key: &[u8], hash: u64| in_pieces == Some(hash) || skip(key, hash);
        let mut visitor = SweepVisitor { skip: &mut skip, expired };
        let is_due = |at| UnixMillis(at).is_past(now);
        let round = self.table.segments();
        while outcome.segments < round.min(budget.segments_max)
            && outcome.entries < budget.entries_max
            && outcome.expired < budget.expired_max
        {
            let number = self.sweep_position % self.table.segments();
            outcome.segments += 1;
            if is_due(self.table.earliest(number)) {
                let left = budget.expired_max - outcome.expired;
                let swept = self.table.sweep_segment(number, is_due, left, &mut visitor);
                outcome.entries += swept.entries;
                outcome.expired += swept.expired;
                outcome.skipped += swept.skipped;
                self.table.shrink_if_sparse(number);
                if !swept.complete {
                    return outcome;
                }
            }
            self.sweep_position = number + 1;
        }
        outcome.complete = outcome.segments >= round;
        outcome
    }

    /// A running estimate of the time to live of keys that have one, in milliseconds (INFO keyspace).
    pub const fn avg_ttl(&self) -> i64 {
        self.avg_ttl
    }

    /// Lets the keys of one line take part in the estimate, with a weight of 2 %.
    fn sample_ttl(&mut self, now: UnixMillis) {
        self.ttl_samples = self.ttl_samples.wrapping_add(1);
        let segment = self.sweep_position.wrapping_add(self.ttl_samples) % self.table.segments();
        let (mut sum, mut count) = (0_i128, 0);
        for at in self.table.expiries_in_line(segment, self.ttl_samples) {
            if at > now.0 {
                sum += i128::from(at) - i128::from(now.0);
                count += 1;
            }
        }
        if count > 0 {
            let sample = i64::try_from(sum / count).unwrap_or(i64::MAX);
            self.avg_ttl = if self.avg_ttl == 0 { sample } else { self.avg_ttl / 50 * 49 + sample / 50 };
        }
    }
}
