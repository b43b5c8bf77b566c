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

    /// Whether the other cores may end, too. Until they may, this one takes part in the epochs that they need: what a core
    /// has recorded in its last tick, the others hear of at the end of that. Without a log nobody waits.
    pub(in crate::core) fn others_may_end(&mut self) -> bool {
        let (now, epochs) = (self.clock.micros(), &self.shared.log.epochs);
        if self.log.ready_to_end.is_none() {
            epochs.note_ready_to_end();
            if epochs.are_ready_to_end() {
                self.shared.wake_all();
            }
        }
        let since = *self.log.ready_to_end.get_or_insert(now);
        !self.log.gates || epochs.are_ready_to_end() || now - since > FLUSH_MICROS_MAX
    }

    /// Whether the server is to end and waits for this core's log.
    pub(in crate::core) fn log_ends(&self) -> bool {
        self.log.ending.is_some()
    }
}
