//! The commit window: with `always`, how long the next group waits for those who are about to write.
//!
//! ```text
//!   without   ├── sync of A ──┼── sync of B ──┼── sync of A ──┼        each sync serves some of the clients
//!                             └ A is told, and writes again
//!
//!   with      ├── sync of A ──┼ B waits ┼───── sync of A and B ─────┼   each sync serves all of them
//!                             └ A is told, and writes again
//! ```
//!
//! Clients who wait for each reply before they send on fall into groups that take turns: whoever comes during a sync forms
//! the next group, and those of that sync are too late for it. If they come back in less than half the time of a sync, then
//! it is better to wait for them, since a group of all needs one sync in place of two; if not, it is worse. Both times are
//! measured as they go, whether anybody waits or not. So nothing is waited for on a disk that is as fast as the network, and
//! never for a client that is alone: when it is back, all are.
//!
//! The window is a core's own. Who pushes a barrier does so for all shards, so the first whose window ends ends it for all.

use crate::core::Core;

/// Nobody is waited for longer, in microseconds.
const WINDOW_MICROS_MAX: u64 = 5000;

/// One measurement in so many is what a mean forgets.
const MEAN_OF: u64 = 8;

/// What one core knows of the times of its disk and of its clients.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The last barrier whose clients were told.
    told_of: u64,
    /// When that was, in microseconds; how many clients were told; and how many of them have written since, as far as can
    /// be known: others may have come in their place.
    opened_at: u64,
    told: usize,
    back: usize,
    /// Most of them are back, so the time that took is known.
    is_measured: bool,
    /// When the group began that is being written.
    began_at: u64,
    /// Means, in microseconds: of writing and syncing a group, and of the time until most clients are back.
    sync_micros: u64,
    return_micros: u64,
}

impl Window {
    /// A group is on its way to the disk.
    pub(super) fn group_began(&mut self, now: u64) {
        self.began_at = now;
    }

    /// It is synced.
    pub(super) fn group_ended(&mut self, now: u64) {
        learn(&mut self.sync_micros, now.saturating_sub(self.began_at));
    }

    /// So many clients are told that they were served.
    fn open(&mut self, told: usize, now: u64) {
        if self.told > 0 && !self.is_measured {
            // They were not back in all this time.
            learn(&mut self.return_micros, 2 * now.saturating_sub(self.opened_at));
        }
        (self.opened_at, self.told, self.back, self.is_measured) = (now, told, 0, told == 0);
    }

    /// So many clients wait for the next group.
    fn came_back(&mut self, clients: usize, now: u64) {
        self.back += clients;
        if !self.is_measured && 4 * self.back >= 3 * self.told {
            self.is_measured = true;
            learn(&mut self.return_micros, now.saturating_sub(self.opened_at));
        }
    }

    /// How much longer the next group should wait, in microseconds.
    fn rest(&self, now: u64) -> u64 {
        let worth = (self.sync_micros / 2).min(WINDOW_MICROS_MAX);
        if self.back >= self.told || self.return_micros > worth {
            return 0;
        }
        // The last ones take longer than most, and some never come back.
        let longest = worth.min(2 * self.return_micros);
        (self.opened_at + longest).saturating_sub(now)
    }
}

fn learn(mean: &mut u64, measured: u64) {
    *mean = (*mean * (MEAN_OF - 1) + measured) / MEAN_OF;
}

impl Core {
    /// Looks whether a barrier is complete whose clients will be told at the end of this tick.
    pub(super) fn open_window(&mut self) {
        let complete = self.shared.log.epochs.complete_up_to();
        if self.log.window.told_of == complete || !self.syncs_groups() {
            return;
        }
        self.log.window.told_of = complete;
        let told = self.log.held.iter().filter(|conn| self.is_released(**conn)).count();
        self.log.window.open(told, self.clock.micros());
    }

    /// So many clients wait for the next group who did not before.
    pub(super) fn count_held(&mut self, clients: usize) {
        if clients > 0 && self.syncs_groups() {
            self.log.window.came_back(clients, self.clock.micros());
        }
    }

    /// How much longer the next barrier is to wait for clients, in microseconds; none if it is not to wait.
    pub(in crate::core) fn rest_of_window(&self) -> Option<u64> {
        let is_due = !self.log.jobs.is_empty() || self.log.ending.is_some() || !self.syncs_groups();
        let rest = if is_due { 0 } else { self.log.window.rest(self.clock.micros()) };
        (rest > 0).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clients who are back after so long, all at once, and a disk that takes so long for a group.
    fn learned(sync_micros: u64, return_micros: u64) -> (Window, u64) {
        let (mut window, mut now) = (Window::default(), 0);
        for _ in 0..100 {
            window.group_began(now);
            window.group_ended(now + sync_micros);
            now += sync_micros;
            window.open(8, now);
            window.came_back(8, now + return_micros);
            now += return_micros;
        }
        (window, now)
    }

    #[test]
    fn a_slow_disk_waits_for_fast_clients() {
        let (mut window, now) = learned(2000, 300);
        window.open(4, now);
        let rest = window.rest(now);
        assert!((500..=600).contains(&rest), "twice the time in which most are back: {rest}");
        window.came_back(3, now + 200);
        assert!(window.rest(now + 200) > 0, "one is on its way");
        window.came_back(1, now + 250);
        assert_eq!(window.rest(now + 250), 0, "all are back");
        window.open(4, now + 3000);
        assert_eq!(window.rest(now + 3000 + rest), 0, "whoever does not come is not waited for");
    }

    #[test]
    fn a_fast_disk_waits_for_nobody() {
        let (mut window, now) = learned(300, 200);
        window.open(4, now);
        assert_eq!(window.rest(now), 0);
    }

    #[test]
    fn clients_who_do_not_come_back_are_given_up() {
        let (mut window, mut now) = learned(2000, 300);
        for _ in 0..20 {
            window.open(8, now);
            window.came_back(2, now + 500);
            now += 2500;
        }
        window.open(8, now);
        assert_eq!(window.rest(now), 0);
    }

    #[test]
    fn nobody_is_waited_for_who_was_not_told() {
        let (mut window, now) = learned(2000, 300);
        window.open(0, now);
        assert_eq!(window.rest(now), 0);
        window.open(1, now);
        window.came_back(1, now + 1);
        assert_eq!(window.rest(now + 1), 0, "a client that is alone is never held up by others");
    }
}
