//! The end of a server with a log.

use crate::core::Core;

/// A server that ends waits for its files for so long at most, in microseconds.
const FLUSH_MICROS_MAX: u64 = 10_000_000;

impl Core {
    /// Whether the server may end as far as this core's log goes: what was recorded before somebody asked for the end is
    /// written and synced. A disk that takes nothing is tried once more.
    pub(in crate::core) fn log_may_end(&mut self) -> bool {
        let epochs = &self.shared.log.epochs;
        if !self.log.gates || epochs.has_given_up() {
            return true;
        }
        if self.log.ending.is_none() {
            let is_settled = epochs.is_settled() && !epochs.is_failing() && self.shard.journal.is_empty();
            let barrier = if self.shared.snapshots.has_loading() {
                // Nothing is recorded meanwhile, and no barrier is pushed.
                epochs.pushed()
            } else if is_settled {
                0
            } else {
                epochs.pushed() + 1
            };
            self.log.wanted = self.log.wanted.max(barrier);
            self.log.ending = Some((self.clock.micros(), barrier));
            self.write_again(i64::MAX);
            return false;
        }
        let (since, barrier) = self.log.ending.expect("it was looked at above");
        if self.clock.micros() - since > FLUSH_MICROS_MAX {
            tracing::warn!("The append-only file could not be flushed in time.");
            return true;
        }
        if !epochs.is_written(barrier) {
            return false;
        }
        self.sync_behind();
        !self.log.is_syncing
    }

    /// Whether the other cores may end, too. Until they may, this one takes part in the epochs that they need: one that is
    /// behind its last command may have something to record that no other core has heard of.
    pub(in crate::core) fn others_may_end(&mut self) -> bool {
        let (now, shared) = (self.clock.micros(), &self.shared);
        if self.log.ready_to_end.is_none() {
            self.log.ready_to_end = Some(now);
            shared.log.epochs.note_ready_to_end();
            if shared.log.epochs.are_ready_to_end() {
                shared.wake_all();
            }
        }
        let waited = self.log.ready_to_end.map_or(0, |since| now.saturating_sub(since));
        !self.log.gates || shared.log.epochs.are_ready_to_end() || waited > FLUSH_MICROS_MAX
    }

    /// Whether the server is to end and waits for this core's log.
    pub(in crate::core) fn log_ends(&self) -> bool {
        self.log.ending.is_some()
    }
}
