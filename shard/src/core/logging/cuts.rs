//! The cuts of epochs: pushing barriers, and what this shard recorded up to one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

#[cfg(feature = "simulation")]
use storage::log::Members;
use storage::log::{put_group, put_timestamp};

use super::Flight;
use crate::aof::{Barrier, Handed};
use crate::core::Core;
use crate::ids::ShardId;
use crate::journal::Stretch;
use crate::mesh::{Rule, Ticket};
use crate::snapshot::Job;

impl Core {
    /// Says which barrier what this core has recorded waits for, before anything that shows it leaves.
    #[inline]
    pub(in crate::core) fn note_gate(&mut self) {
        if self.log.gates && !self.shard.journal.is_empty() {
            self.shared.log.epochs.note_gate(self.id, self.log.label);
        }
    }

    /// What was recorded here of other shards' keys is on its way to them: what clients see of it waits for whatever
    /// barrier comes next.
    pub(in crate::core) fn records_left(&mut self) {
        if self.shard.journal.is_on() {
            self.want_barrier();
        }
    }

    /// What leaves this core waits for the next barrier, which is pushed though nothing should be recorded here.
    pub fn want_barrier(&mut self) {
        self.log.wanted = self.log.wanted.max(self.shared.log.epochs.pushed() + 1);
    }

    /// What leaves this core waits until the first shard has recorded the libraries that were handed to the log. The next
    /// barrier may be on its way without it already; the one behind that begins later, and goes to every shard.
    pub fn want_barrier_of_libraries(&mut self) {
        self.log.wanted = self.log.wanted.max(self.shared.log.epochs.pushed() + 2);
    }

    /// A snapshot begins at the next barrier.
    pub(in crate::core) fn begin_at_barrier(&mut self, job: Arc<Job>) {
        self.log.jobs.push_back(job);
    }

    /// Whether this shard has nothing that an epoch could want.
    pub(in crate::core) fn is_idle_for_log(&self) -> bool {
        let is_idle = self.shard.journal.is_empty() && self.locks.is_idle();
        is_idle || !self.shared.mesh.holds(Rule::IdleHasRecordedNothing)
    }

    /// Barriers up to this one have passed this core by while it slept.
    pub(in crate::core) fn passed_by(&mut self, barrier: u64) {
        self.log.label = self.log.label.max(barrier + 1);
    }

    /// Pushes the next barrier, if one is wanted and none is under way.
    pub(in crate::core) fn turn_epoch(&mut self) {
        if !self.log.gates && self.log.jobs.is_empty() {
            return;
        }
        self.open_window();
        let epochs = &self.shared.log.epochs;
        let is_functions = self.shared.log.has_functions();
        let wanted = !self.shard.journal.is_empty() || self.log.wanted > epochs.pushed() || is_functions;
        // What is loaded is not to grow meanwhile.
        let loads = self.shared.snapshots.has_loading();
        if loads || (!wanted && self.log.jobs.is_empty()) || self.rest_of_window().is_some() || !epochs.try_begin() {
            return;
        }
        let (shared, clock) = (Arc::clone(&self.shared), &self.clock);
        let job = self.log.jobs.front().cloned();
        // Libraries are recorded by the first shard, whatever it does.
        let everyone = job.is_some() || is_functions;
        let make = |members| {
            let numbers = shared.log.epochs.take_number();
            Arc::new(Barrier::new(numbers, members, shared.shards(), job))
        };
        #[cfg(feature = "simulation")]
        if !shared.mesh.holds(Rule::BarrierIsOnePoint) {
            return self.spread_barrier(&make(Members::of(0..shared.shards())));
        }
        let pushed = shared.mesh.push_barrier(self.id, everyone, || clock.now(), make);
        let Some((barrier, is_here)) = pushed else {
            // The core does not sleep while it wants one.
            shared.log.epochs.give_back();
            return;
        };
        if barrier.job.is_some() {
            self.log.jobs.pop_front();
        }
        if is_here {
            self.arrive_barrier(barrier);
        }
    }

    /// The cut of a barrier: this shard's records up to here are written. It has the whole shard, by `ticket` if it had to
    /// wait for it.
    pub(in crate::core) fn cut_epoch(&mut self, barrier: &Arc<Barrier>, ticket: Option<Ticket>) {
        if let Some(handed) = self.log.handed.take() {
            self.log.file = handed.file_of(self.id);
        }
        self.end_epoch(barrier);
        if let Some(job) = &barrier.job {
            job.barrier.store(barrier.number, Ordering::Release);
            let ticket = ticket.expect("the cut of a snapshot takes the shard");
            self.cut(Arc::clone(job), ticket);
        } else if let Some(ticket) = ticket {
            self.locks.release(ticket);
        }
    }

    fn end_epoch(&mut self, barrier: &Arc<Barrier>) {
        if !self.log.gates {
            if barrier.begins_generation && self.shared.log.is_on() {
                // What is recorded from here on stands behind the base.
                self.log_to(None, barrier.number + 1);
                return self.hand_in(barrier, Vec::new());
            }
            return self.barrier_done(barrier);
        }
        let stretches = self.take_stretches();
        self.log.label = barrier.number + 1;
        if !stretches.is_empty() {
            self.shared.log.epochs.note_gate(self.id, barrier.number);
        }
        let has_whole = stretches.iter().any(|stretch| matches!(stretch, Stretch::Whole(_)));
        if barrier.begins_generation || has_whole {
            self.shard.journal.forget_selected();
            return self.hand_in(barrier, stretches);
        }
        // The log was turned off and on again: what is recorded until its base begins counts for nothing.
        let Some(file) = &self.log.file else { return self.barrier_done(barrier) };
        let offset = file.offset;
        let mut records = Vec::new();
        for stretch in stretches {
            let Stretch::Records(of_stretch) = stretch else { unreachable!("it was looked for above") };
            if records.is_empty() { records = of_stretch } else { records.extend_from_slice(&of_stretch) }
        }
        let mut group = std::mem::take(&mut self.log.spare);
        put_group(&mut group, barrier.epoch, &barrier.members, &records);
        self.shard.journal.give_back(records);
        assert!(self.log.flight.is_none(), "one barrier is under way at a time");
        self.log.window.group_began(self.clock.micros());
        self.log.flight = Some(Flight { barrier: Arc::clone(barrier), offset, again: None });
        self.begin_group(group);
    }

    /// What was recorded up to now, that of libraries included if this shard keeps it.
    fn take_stretches(&mut self) -> Vec<Stretch> {
        let mut first = Vec::new();
        let second = self.tick_time.0 / 1000;
        if self.shard.config.aof_timestamp_enabled && second != self.log.told_second && !self.shard.journal.is_empty() {
            self.log.told_second = second;
            put_timestamp(&mut first, second);
        }
        if self.id == ShardId(0) && self.shared.log.has_functions() {
            first.extend(self.shared.log.take_functions().concat());
        }
        let mut stretches = self.shard.journal.take();
        if !first.is_empty() {
            stretches.insert(0, Stretch::Records(first));
        }
        stretches
    }

    fn hand_in(&mut self, barrier: &Arc<Barrier>, stretches: Vec<Stretch>) {
        let file = self.log.file.take();
        barrier.hand_in(self.id, Handed { file, stretches });
        self.log.handed = Some(Arc::clone(barrier));
        self.log.unsynced = 0;
        if barrier.done() {
            self.shared.log.order(Arc::clone(barrier));
        }
    }

    pub(super) fn barrier_done(&mut self, barrier: &Arc<Barrier>) {
        if barrier.done() {
            if barrier.handed().iter().any(Option::is_some) {
                // Some shards have begun to record, or have not yet ended.
                return self.shared.log.order(Arc::clone(barrier));
            }
            self.shared.log.epochs.complete(barrier.number, &self.shared.mesh, Some(self.id));
        }
    }
}
