//! expiry
/// Milliseconds since 1970, as TTLs are kept. Negative values are valid and in the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Whether a key that expires at this time is gone at `now`. As in Redis, it is still there in that very millisecond.
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

/// How much one call of [`crate::Database::sweep`] may do.
#[derive(Clone, Copy, Debug)]
pub struct SweepBudget {
    /// Entries looked at.
    pub entries_max: usize,
    /// Segments whose earliest expiry is looked at (each costs one compare when nothing in it is due).
    pub segments_max: usize,
    /// Keys expired.
    pub expired_max: usize,
}

/// What one call of [`crate::Database::sweep`] did.
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
