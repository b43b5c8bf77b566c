//! The numbers of barriers: which was pushed last, which is complete, and which each shard's last record waits for.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::ids::ShardId;
use crate::mesh::Mesh;

/// What one shard says, on a cache line of its own.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Station {
    /// The barrier that ends the epoch of its last record.
    gate: AtomicU64,
    /// The first barrier whose group it has written and not synced; 0 if all is synced.
    unsynced: AtomicU64,
    /// Its core is about to sleep, and is to be woken when a barrier is complete.
    waits: AtomicBool,
}

/// What all cores know of barriers.
#[derive(Debug)]
pub struct Epochs {
    stations: Box<[Station]>,
    /// The last barrier that was pushed.
    pushed: AtomicU64,
    /// The last that is complete: all its groups are written, and those of all before.
    complete: AtomicU64,
    is_under_way: AtomicBool,
    /// The number of the next group in the files.
    next_epoch: AtomicU64,
    /// Shards (and the keeper) that cannot write.
    failing: AtomicUsize,
    /// Nothing is written any more: the server ends without.
    has_given_up: AtomicBool,
    /// Shards that need no barrier more.
    ready_to_end: AtomicUsize,
}

impl Epochs {
    /// Nothing was written yet.
    pub fn new(shards: usize) -> Epochs {
        Epochs {
            stations: (0..shards).map(|_| Station::default()).collect(),
            pushed: AtomicU64::new(0),
            complete: AtomicU64::new(0),
            is_under_way: AtomicBool::new(false),
            next_epoch: AtomicU64::new(1),
            failing: AtomicUsize::new(0),
            has_given_up: AtomicBool::new(false),
            ready_to_end: AtomicUsize::new(0),
        }
    }

    /// One shard more needs no barrier: the server is to end.
    pub fn note_ready_to_end(&self) {
        self.ready_to_end.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether no shard needs a barrier any more.
    pub fn are_ready_to_end(&self) -> bool {
        self.ready_to_end.load(Ordering::Acquire) >= self.stations.len()
    }

    /// Claims the right to push the next barrier; whoever has it pushes, or gives it back.
    pub fn try_begin(&self) -> bool {
        !self.is_under_way.load(Ordering::Relaxed) && !self.is_under_way.swap(true, Ordering::AcqRel)
    }

    /// Whether a barrier is under way.
    pub fn is_under_way(&self) -> bool {
        self.is_under_way.load(Ordering::SeqCst)
    }

    /// Nothing was pushed after all.
    pub fn give_back(&self) {
        self.is_under_way.store(false, Ordering::Release);
    }

    /// Takes the number of a barrier, and its epoch in the files. Under the locks of its push, so that whoever has pushed
    /// anything behind it knows it by then.
    pub fn take_number(&self) -> (u64, u64) {
        let number = self.pushed.load(Ordering::Relaxed) + 1;
        self.pushed.store(number, Ordering::Release);
        let epoch = self.next_epoch.load(Ordering::Relaxed);
        self.next_epoch.store(epoch + 1, Ordering::Relaxed);
        (number, epoch)
    }

    /// The number of the next group, when no barrier is under way or by whoever looks after it.
    pub fn set_next_epoch(&self, epoch: u64) {
        self.next_epoch.store(epoch, Ordering::Relaxed);
    }

    /// The number of the next group.
    pub fn next_epoch(&self) -> u64 {
        self.next_epoch.load(Ordering::Relaxed)
    }

    /// The last barrier that was pushed.
    #[inline]
    pub fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Acquire)
    }

    /// Whether nobody has to wait for this barrier any more. While the disk takes nothing, nobody waits: writes are refused.
    #[inline]
    pub fn is_complete(&self, number: u64) -> bool {
        self.is_written(number) || self.is_failing()
    }

    /// Whether a barrier is complete indeed.
    #[inline]
    pub fn is_written(&self, number: u64) -> bool {
        number <= self.complete.load(Ordering::Acquire)
    }

    /// The last barrier that is complete.
    #[inline]
    pub fn complete_up_to(&self) -> u64 {
        self.complete.load(Ordering::Acquire)
    }

    /// Whether all that belongs to epochs up to this barrier is synced, as far as it is written.
    pub fn is_synced(&self, number: u64) -> bool {
        let is_behind = |unsynced: u64| unsynced == 0 || unsynced > number;
        self.is_written(number)
            && self.stations.iter().all(|station| is_behind(station.unsynced.load(Ordering::Acquire)))
    }

    /// A shard has written the group of this barrier, and not synced it.
    pub fn begin_unsynced(&self, shard: ShardId, number: u64) {
        let unsynced = &self.stations[shard.index()].unsynced;
        if unsynced.load(Ordering::Relaxed) == 0 {
            unsynced.store(number, Ordering::Release);
        }
    }

    /// A shard has synced all that it had written ahead of this barrier; all there was if it is 0.
    pub fn note_unsynced(&self, shard: ShardId, number: u64) {
        self.stations[shard.index()].unsynced.store(number, Ordering::SeqCst);
    }

    /// The barrier behind the last record that any shard has said it made.
    pub fn last_recorded(&self) -> u64 {
        self.stations.iter().map(|station| station.gate.load(Ordering::Acquire)).max().unwrap_or(0)
    }

    /// A shard's last record belongs to the epoch that this barrier ends.
    #[inline]
    pub fn note_gate(&self, shard: ShardId, number: u64) {
        let gate = &self.stations[shard.index()].gate;
        if gate.load(Ordering::Relaxed) != number {
            gate.store(number, Ordering::Release);
        }
    }

    /// The barrier that everything waits for which leaves a core now; 0 if nothing has to.
    pub fn gate(&self) -> u64 {
        let last = self.last_recorded();
        if self.is_complete(last) { 0 } else { last }
    }

    /// Whether every record that was made is where it belongs.
    pub fn is_settled(&self) -> bool {
        self.gate() == 0
    }

    /// A core is about to sleep while something of its waits.
    pub fn wait(&self, shard: ShardId) {
        self.stations[shard.index()].waits.store(true, Ordering::SeqCst);
    }

    /// A barrier is complete, as core `by` has found: another may be pushed, and whoever sleeps over it is woken.
    pub fn complete(&self, number: u64, mesh: &Mesh, by: Option<ShardId>) {
        let before = self.complete.swap(number, Ordering::SeqCst);
        assert!(before + 1 == number, "barriers are complete one after the other");
        self.is_under_way.store(false, Ordering::SeqCst);
        self.wake_waiting(mesh, by);
    }

    /// Wakes the cores that sleep while something of theirs waits; not core `by`, which is awake, and looks at that before
    /// it sleeps.
    pub fn wake_waiting(&self, mesh: &Mesh, by: Option<ShardId>) {
        for (shard, station) in (0..).map(ShardId).zip(&self.stations) {
            let waits = station.waits.load(Ordering::SeqCst) && station.waits.swap(false, Ordering::SeqCst);
            if waits && by != Some(shard) {
                mesh.wake(shard);
            }
        }
    }

    /// Somebody cannot write, or can again.
    pub fn set_failing(&self, fails: bool, mesh: &Mesh) {
        if fails {
            self.failing.fetch_add(1, Ordering::SeqCst);
            self.wake_waiting(mesh, None);
        } else {
            self.failing.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// The server ends, and what is not written will not be.
    pub fn give_up(&self) {
        self.has_given_up.store(true, Ordering::SeqCst);
    }

    /// Whether that is so.
    pub fn has_given_up(&self) -> bool {
        self.has_given_up.load(Ordering::SeqCst)
    }

    /// Whether somebody cannot write.
    #[inline]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire) > 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mesh::{Rules, Wake};
    use crate::shared::tests::shared;

    #[test]
    fn the_gate_is_the_last_barrier_that_anybody_waits_for() {
        let (epochs, shared) = (Epochs::new(3), shared());
        assert_eq!(epochs.gate(), 0);
        epochs.note_gate(ShardId(1), 1);
        assert_eq!(epochs.gate(), 1);
        assert!(epochs.try_begin());
        assert!(!epochs.try_begin(), "one at a time");
        assert_eq!(epochs.take_number(), (1, 1));
        epochs.note_gate(ShardId(2), 2);
        epochs.complete(1, &shared.mesh, None);
        assert!(epochs.is_complete(1) && !epochs.is_complete(2));
        assert_eq!(epochs.gate(), 2);
        assert!(epochs.try_begin());
        epochs.take_number();
        epochs.complete(2, &shared.mesh, None);
        assert!(epochs.is_settled());
    }

    #[test]
    fn a_barrier_is_synced_when_all_shards_have_synced_up_to_it() {
        let (epochs, shared) = (Epochs::new(2), shared());
        for number in 1..=3 {
            assert!(epochs.try_begin());
            epochs.take_number();
            assert!(!epochs.is_synced(number), "it is not complete");
            epochs.begin_unsynced(ShardId((number % 2) as u16), number);
            epochs.complete(number, &shared.mesh, None);
        }
        assert!(epochs.is_synced(0) && !epochs.is_synced(1));
        epochs.note_unsynced(ShardId(1), 3);
        assert!(epochs.is_synced(1) && !epochs.is_synced(2));
        epochs.note_unsynced(ShardId(0), 0);
        assert!(epochs.is_synced(2) && !epochs.is_synced(3));
        epochs.note_unsynced(ShardId(1), 0);
        assert!(epochs.is_synced(3));
        epochs.set_failing(true, &shared.mesh);
        assert!(!epochs.is_synced(4), "what is not written is not synced, though nobody waits for it");
    }

    #[derive(Default)]
    struct Bell(AtomicU64);

    impl Wake for Bell {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_completes_a_barrier_wakes_all_that_wait_but_itself() {
        let bells: [Arc<Bell>; 3] = Default::default();
        let wakers = bells.iter().map(|bell| Arc::clone(bell) as Arc<dyn Wake>).collect();
        let (mesh, epochs) = (Mesh::new(wakers, Rules::default()), Epochs::new(3));
        let rung = || bells.each_ref().map(|bell| bell.0.load(Ordering::Relaxed));
        epochs.wait(ShardId(0));
        epochs.wait(ShardId(1));
        epochs.complete(1, &mesh, Some(ShardId(1)));
        assert_eq!(rung(), [1, 0, 0], "the third does not wait");
        epochs.complete(2, &mesh, Some(ShardId(2)));
        assert_eq!(rung(), [1, 0, 0], "nobody has said again that it waits");
        epochs.wait(ShardId(1));
        epochs.complete(3, &mesh, None);
        assert_eq!(rung(), [1, 1, 0]);
    }

    #[test]
    fn nobody_waits_for_a_disk_that_takes_nothing() {
        let (epochs, shared) = (Epochs::new(1), shared());
        epochs.note_gate(ShardId(0), 1);
        epochs.set_failing(true, &shared.mesh);
        assert_eq!(epochs.gate(), 0);
        epochs.set_failing(false, &shared.mesh);
        assert_eq!(epochs.gate(), 1);
    }
}
