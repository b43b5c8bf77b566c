//! What a run does with the disk and with memory: steps of the disk, crashes, snapshots, evictions.

use std::path::Path;

use rand::Rng;
use shard::aof::keep_waiting;
use shard::config::types::choices::AppendFsync;
use shard::snapshot::write_waiting;

use super::{Broken, World};
use crate::client::Op;
use crate::disk::{Crash, cut_apart, logs_in};
use crate::oracle::{Cut, Final, Found, explains, keys_of};
use crate::program::{Bytes, Request, short};
use crate::restart;

/// A server that begins anew has at most so many shards.
const SHARDS_MAX: usize = 4;

/// After one crash in so many the next server is killed, too, ...
const CRASH_AGAIN_ONE_IN: u32 = 3;

/// ... within so many ticks: loading what a program has written takes fewer.
const TICKS_MAX: usize = 6;

impl World<'_> {
    pub(super) fn network_step(&mut self) {
        let place = self.choice.pick(self.network.pending());
        let told = self.network.apply(place, &mut *self.choice);
        self.tell(|_| told);
    }

    pub(super) fn disk_step(&mut self) {
        let disk = self.disk.as_mut().expect("it has something to do");
        let keeps = self.shared.log.has_orders() || self.shared.snapshots.has_whole(&self.shared);
        let options = disk.pending() + usize::from(keeps);
        let place = self.choice.pick(options);
        let told = if place < disk.pending() {
            disk.apply(place, &mut *self.choice)
        } else {
            let before = disk.lengths();
            // A thread each; which of them is first makes no difference.
            keep_waiting(&self.shared);
            write_waiting(&self.shared);
            disk.keeper_wrote(&before);
            "what was handed in is written".to_string()
        };
        self.tell(|_| format!("disk: {told}"));
    }

    pub(super) fn keeper_has_work(&self) -> bool {
        self.disk.is_some() && (self.shared.log.has_orders() || self.shared.snapshots.has_whole(&self.shared))
    }

    /// A key is evicted: to the judge, somebody has removed it at this step. What is recorded may be lost, and nobody was
    /// promised that it is not.
    pub(super) fn evict(&mut self, core: usize) {
        self.evicted += 1;
        let Some(key) = self.places[core].core.evict_now() else { return };
        self.tell(|_| format!("core {core} evicts {}", short(&key)));
        let now = self.now();
        let removed = Request::Command(vec![b"DEL".to_vec(), key]);
        let client = self.clients.len() + self.history.len();
        let answered = self.program.log.is_none().then_some(now);
        self.history.push(Op { client, request: removed, sent: now, answered, reply: b":1\r\n".to_vec() });
    }

    /// The snapshot has what there was when it was asked for.
    pub(super) fn look_at_snapshot(&mut self) -> Result<(), Broken> {
        let disk = self.disk.as_ref().expect("there is a place for it");
        let keys = keys_of(self.program);
        let shards = self.crashes.random_range(1..=SHARDS_MAX);
        let found = restart::loaded(disk.path(), shards, self.millis(), &keys);
        self.tell(|_| format!("the snapshot has {found:?}"));
        self.judge_found(found, Found::Snapshot, "in the snapshot")
    }

    fn judge_found(&self, found: Result<Vec<Option<Bytes>>, String>, at: Found, what: &str) -> Result<(), Broken> {
        let values = found.map_err(Broken::Lost)?;
        let cut = Some(Cut { found: at, told: self.changes_told() });
        let end = Final { values, heard: Vec::new(), told: self.told(), times: self.times(), cut };
        if explains(self.program, &self.history, &end) {
            return Ok(());
        }
        Err(Broken::Lost(format!("{what}: {:?}", end.values)))
    }

    /// What if the server was no more from here on? The run itself goes on.
    pub(super) fn crash(&mut self) -> Result<(), Broken> {
        let disk = self.disk.as_ref().expect("there is a log");
        let crash = if self.crashes.random_bool(0.5) { Crash::Kill } else { Crash::PowerCut };
        let left = disk.left_by(crash, &mut self.crashes);
        if self.program.recovers_apart {
            cut_apart(left.path());
        }
        if self.program.recovers_hastily || self.crashes.random_ratio(1, CRASH_AGAIN_ONE_IN) {
            self.crash_again(left.path())?;
        }
        let keys = keys_of(self.program);
        let shards = self.crashes.random_range(1..=SHARDS_MAX);
        let found = restart::recovered(left.path(), shards, self.millis(), &keys);
        self.tell(|_| format!("what a {crash:?} would leave: {found:?}"));
        // With `everysec` a power cut takes the last second, but never leaves what never was.
        let takes_last = crash == Crash::PowerCut && self.program.log != Some(AppendFsync::Always);
        let at = if takes_last { Found::Somewhere } else { Found::End };
        self.judge_found(found, at, &format!("after a {crash:?}"))
    }
    /// The server that begins anew is killed before it is through.
    fn crash_again(&mut self, left: &Path) -> Result<(), Broken> {
        let (shards, ticks) = (self.crashes.random_range(1..=SHARDS_MAX), self.crashes.random_range(0..=TICKS_MAX));
        let before = logs_in(left);
        restart::interrupted(left, shards, self.millis(), ticks).map_err(Broken::Lost)?;
        if self.program.recovers_hastily {
            for log in &before {
                std::fs::write(log, b"").expect("there is room in memory");
            }
        }
        self.tell(|_| format!("a server on {shards} cores is killed after {ticks} ticks of loading"));
        Ok(())
    }
}
