//! What the simulation needs of a core beyond [`net::Service`], and what a core does when a rule is broken on purpose.
//!
//! The simulation drives the production code; it only asks for finer steps than a tick's ([`Core::drain_one`]), for a
//! way to place plans that no command makes yet ([`Core::place`]), and for a look at what is left over
//! ([`Core::leftovers`]). Each broken rule ([`Rule`]) is one small function here, called from the place that the rule
//! is about. Nothing of this is compiled into the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use net::{Args, ConnId, Flow, Reply};

use super::Core;
use super::hops::Placing;
use crate::aof::Barrier;
use crate::exec::error::OUT_OF_MEMORY;
use crate::exec::hop::Plan;
use crate::exec::{Ctx, Outcome, ShardHandler};
use crate::ids::ShardId;
use crate::mesh::{Batch, Claims, Head, HopPart, Mesh, Message, Pushed, Rule};
use crate::spec::table::Row;
use crate::spec::{CommandTable, Flag};

impl Core {
    /// Scripts of this core give way after every command, as if each had taken long.
    pub fn let_scripts_give_way(&mut self) {
        self.long.slice_micros_max = 0;
    }

    /// Whether a message that was taken is still to be run; when there is none, `drain` ends this stage of the tick.
    pub fn has_message(&self) -> bool {
        !self.taken.batches.is_empty()
    }

    /// What the next message is, for a reader.
    pub fn next_message(&self) -> String {
        let batch = &self.taken.batches[0];
        let from = batch.from.0;
        match &batch.messages[0] {
            Message::Command(head) | Message::Everywhere(head) => told(head, &batch.args(head), from),
            Message::Large(large) => told(&large.0, &large.1.as_args(), from),
            Message::Errand(errand) => format!("work from slot {} of core {from}", errand.head.conn.slot),
            Message::Hop(part) => {
                format!("a part of plan {} of core {from}, claiming {:?}", part.plan.number, part.claims)
            }
            Message::Adopt(_) => format!("a socket from core {from}"),
            Message::Publish(message, _) => {
                format!("published by core {from} at {}", message.channel().escape_ascii())
            }
            Message::Settle(_) => "a change of subscriptions".to_owned(),
            Message::Tell(told) => format!("a message from core {from} to slot {}", told.0.slot),
            Message::Passed(conn, next) => format!("slot {} has sent all below {next}", conn.slot),
            Message::Barrier(barrier) => format!("barrier {}, from core {from}", barrier.number),
            Message::Killed => format!("a script was asked to end, by core {from}"),
            Message::Cut(_) => format!("the cut of a snapshot, from core {from}"),
        }
    }

    /// Runs the next message.
    pub fn drain_one(&mut self) {
        let mut batch = self.taken.batches.remove(0);
        self.worked = true;
        self.see_push_time(&batch);
        let message = batch.messages.remove(0);
        self.receive(&batch, message);
        if !batch.is_empty() {
            self.taken.batches.insert(0, batch);
        }
    }

    /// A broken rule: notices stay behind until there is nothing else to hand out. False if they go now.
    pub(super) fn answers_without_notices(&mut self) -> bool {
        let only_notices = self.answers.iter().all(|answers| answers.heads.is_empty());
        if only_notices || self.shared.mesh.holds(Rule::NoticesLeaveWithReplies) {
            return false;
        }
        for home in 0..self.answers.len() {
            let mut answers = std::mem::take(&mut self.answers[home]);
            let late = answers.told.drain(..).map(|(_, conn, notice)| (0, conn, notice)).collect();
            self.answers[home].told = late;
            if !answers.is_empty() {
                self.shared.budget.depart(answers.passing_bytes());
                self.shared.mesh.answer(ShardId(home as u16), answers);
            }
        }
        true
    }

    /// `BarrierIsOnePoint` broken: the end of an epoch is here now, and joins the batches for the other shards.
    pub(super) fn spread_barrier(&mut self, barrier: &Arc<Barrier>) {
        for shard in (0..self.batches.len()).filter(|&shard| shard != self.id.index()) {
            self.batches[shard].messages.push(Message::Barrier(Arc::clone(barrier)));
        }
        self.arrive_barrier(Arc::clone(barrier));
    }

    /// Whether a pause holds commands of this core's clients back: they go on when time passes.
    pub fn holds_commands_back(&self) -> bool {
        !self.paused.is_empty()
    }

    /// Whether a client of this core waits for a time that is still to come.
    pub fn awaits_deadline(&self) -> bool {
        !self.deadlines.is_empty()
    }

    /// Writes each reply in the tick in which its turn comes, and does not wait for those behind it.
    pub fn write_at_once(&mut self) {
        self.withheld_micros_max = 0;
    }

    /// Places `plan` as the next command of `conn`, as a multi-shard command would be.
    pub fn place(&mut self, conn: ConnId, claims: Vec<(ShardId, Claims)>, plan: Box<dyn Plan>) -> Flow {
        self.run_hops();
        if self.session(conn).is_none() {
            return Flow::Close;
        }
        let any = CommandTable::global().rows()[0].id;
        self.begin_plan(conn, any, net::OwnedArgs::default(), Placing::of(claims), plan);
        Flow::Continue
    }

    /// What a core still has under way when nothing should be: empty if all is at rest.
    pub fn leftovers(&self) -> Vec<String> {
        self.locks.check_invariants();
        let counts = [
            ("locks held or waited for", usize::from(!self.locks.is_idle())),
            ("plans coordinated", self.plans.len()),
            ("parts held", self.held.len()),
            ("batches not pushed", self.batches.iter().filter(|batch| !batch.is_empty()).count()),
            ("batches not drained", self.taken.batches.len()),
            ("answers not sent", self.answers.iter().filter(|answers| !answers.is_empty()).count()),
            ("hop messages to itself", self.own_hops.len()),
            ("clients that wait", usize::from(!self.shard.waits.is_empty()) + self.deadlines.len()),
            ("replies owed", self.sessions().map(|session| session.replies.len()).sum()),
        ];
        let left = counts.into_iter().filter(|&(_, count)| count > 0);
        left.map(|(what, count)| format!("core {}: {count} {what}", self.id.0)).collect()
    }

    /// `PushIsAtomic` or `ReadsAreNotMerged` broken: the batch that is linked by itself now, other cores acting before
    /// the next.
    pub(super) fn pushed_alone(&self) -> Option<usize> {
        let mesh = &self.shared.mesh;
        let filled = || self.batches.iter().enumerate().filter(|(_, batch)| !batch.is_empty());
        if filled().count() < 2 {
            return None;
        }
        if !mesh.holds(Rule::PushIsAtomic) {
            return filled().next().map(|(shard, _)| shard);
        }
        if !mesh.holds(Rule::ReadsAreNotMerged) {
            return filled().find(|(_, batch)| only_reads(batch)).map(|(shard, _)| shard);
        }
        None
    }

    pub(super) fn push_alone(&mut self, shard: usize) -> Pushed {
        let mut alone: Vec<Batch> = self.batches.iter().map(|_| Batch::new(self.id)).collect();
        std::mem::swap(&mut alone[shard], &mut self.batches[shard]);
        let clock = &self.clock;
        match self.shared.mesh.push(&mut alone, &mut self.spare, || clock.now()) {
            Pushed::PutOff => {
                self.batches[shard] = alone.swap_remove(shard);
                self.put_off = true;
                Pushed::PutOff
            }
            Pushed::Done | Pushed::Outdated | Pushed::Partly => Pushed::Partly,
        }
    }

    /// `WaitingKeepsAllPlaces` broken: a waiting command queues only on the keys that are claimed just now.
    pub(super) fn claimed_places(&self, claims: Claims) -> Claims {
        match claims {
            Claims::Keys(mut keys) if !self.shared.mesh.holds(Rule::WaitingKeepsAllPlaces) => {
                keys.retain(|&key| self.locks.is_claimed(key));
                Claims::Keys(keys)
            }
            claims => claims,
        }
    }

    /// `PartsCannotRefuse` broken: memory is judged where a part runs.
    pub(super) fn refusing_part(&self, row: &Row) -> Option<ShardHandler> {
        let broken = !self.shared.mesh.holds(Rule::PartsCannotRefuse);
        let full = self.shared.over_memory.load(Ordering::Relaxed);
        (broken && full && row.command.flags.has(Flag::Denyoom)).then_some(refuse as ShardHandler)
    }

    /// `OwnPartThroughInbox` broken: the own part of a plan is placed here and now. `LocksPlacedByPush` broken: each
    /// part is placed when the one before was granted. Returns the parts that join the batches.
    pub(super) fn parts_placed_now(&mut self, mut parts: Vec<(ShardId, HopPart)>) -> Vec<(ShardId, HopPart)> {
        let mesh = &self.shared.mesh;
        if !mesh.holds(Rule::LocksPlacedByPush) {
            let late = parts.split_off(1);
            let plan = parts[0].1.plan.number;
            self.plans.get_mut(&plan).expect("its parts are being placed").late = late.into();
        } else if !mesh.holds(Rule::OwnPartThroughInbox)
            && let Some(own) = parts.iter().position(|(shard, _)| *shard == self.id)
        {
            let (_, part) = parts.remove(own);
            self.arrive_part(part);
        }
        parts
    }

    /// `LocksPlacedByPush` broken: places the next part of a plan, one having been granted.
    pub(super) fn place_late_part(&mut self, plan: u64) {
        let state = self.plans.get_mut(&plan).expect("it was answered just now");
        if let Some((shard, part)) = state.late.pop_front() {
            self.place_part(shard, part);
        }
    }
}

/// `RepliesWaitForTheirEpoch` or `MessagesWaitForTheirEpoch` broken: whether what a client is sent waits for the log.
pub(super) fn rules_hold_back(mesh: &Mesh, is_pushed_to: bool) -> bool {
    mesh.holds(if is_pushed_to { Rule::MessagesWaitForTheirEpoch } else { Rule::RepliesWaitForTheirEpoch })
}

fn told(head: &Head, args: &Args<'_>, from: u16) -> String {
    const SHOWN_BYTES_MAX: usize = 20;
    let arg = |arg: &[u8]| arg[..arg.len().min(SHOWN_BYTES_MAX)].escape_ascii().to_string();
    let text = args.from(0).map(arg).collect::<Vec<_>>().join(" ");
    format!("{text}, from slot {} of core {from}: reply {}, part {}", head.conn.slot, head.seq, head.part)
}

fn only_reads(batch: &Batch) -> bool {
    batch.messages.iter().all(|message| match message {
        Message::Command(head) => CommandTable::global().row(head.command).command.flags.has(Flag::Readonly),
        _ => false,
    })
}

#[allow(clippy::unnecessary_wraps, reason = "it stands in for a command's handler")]
fn refuse(_: &mut Ctx<'_>, _: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    Err(OUT_OF_MEMORY)
}
