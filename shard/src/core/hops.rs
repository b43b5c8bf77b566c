//! Plans: coordinating them at the client's core, and holding parts of them on the shards.

#[cfg(feature = "simulation")]
use std::collections::VecDeque;

use net::{ConnId, OwnedArgs};
use storage::UnixMillis;

use super::Core;
use crate::exec::Ctx;
use crate::exec::hop::{HopOp, HopValue, Plan, Step};
use crate::ids::{DbId, ShardId};
use crate::mesh::batch::{HopPart, Message};
use crate::mesh::{Claims, HopMessage, PlanId, Ticket};
use crate::spec::{CommandId, CommandTable};

/// A plan under way.
pub(super) struct PlanState {
    plan: Box<dyn Plan>,
    conn: ConnId,
    seq: u32,
    command: CommandId,
    /// What the slow log shows of the command.
    shown: OwnedArgs,
    /// Microseconds that the steps up to now ran; of a step on several shards, the longest operation counts.
    micros: u64,
    /// Those of this step.
    step_micros: u64,
    shards: Vec<ShardId>,
    /// Answers still to come: grants at first, values of operations later.
    missing: usize,
    values: Vec<Option<HopValue>>,
    released: bool,
    /// A broken rule: parts that are placed when the one before is granted.
    #[cfg(feature = "simulation")]
    pub(super) late: VecDeque<(ShardId, HopPart)>,
}

/// A part that holds its claims on this shard.
#[derive(Clone, Copy)]
pub(super) struct Held {
    ticket: Ticket,
    db: DbId,
    no_touch: bool,
    /// The time of its push.
    now: UnixMillis,
}

impl Core {
    /// Puts a plan's parts into the batches.
    pub(super) fn begin_plan(
        &mut self,
        conn: ConnId,
        command: CommandId,
        shown: OwnedArgs,
        claims: Vec<(ShardId, Claims)>,
        mut plan: Box<dyn Plan>,
    ) {
        let (seq, db, no_touch) = self.expect_plan(conn);
        let number = self.next_plan;
        self.next_plan += 1;
        let id = PlanId { home: self.id, number };
        let mut first: Vec<Option<(usize, HopOp)>> = claims.iter().map(|_| None).collect();
        let mut values = 0;
        match plan.step(Vec::new()) {
            Step::Run(ops) => {
                for (index, (shard, op)) in ops.into_iter().enumerate() {
                    let at = claims.iter().position(|(owner, _)| *owner == shard).expect("a plan stays on its shards");
                    assert!(first[at].is_none(), "a plan's first step has one operation a shard");
                    first[at] = Some((index, op));
                    values += 1;
                }
            }
            Step::RunLast(_) | Step::Reply(_) => panic!("a plan that needs no locks is no plan"),
        }
        let state = PlanState {
            plan,
            conn,
            seq,
            command,
            shown,
            micros: 0,
            step_micros: 0,
            shards: claims.iter().map(|(shard, _)| *shard).collect(),
            missing: claims.len(),
            values: (0..values).map(|_| None).collect(),
            released: false,
            #[cfg(feature = "simulation")]
            late: VecDeque::new(),
        };
        self.plans.insert(number, state);
        let part = |((shard, claims), first)| (shard, HopPart { plan: id, claims, db, no_touch, first });
        let parts = claims.into_iter().zip(first).map(part);
        #[cfg(feature = "simulation")]
        let parts = self.parts_placed_now(parts.collect());
        for (shard, part) in parts {
            self.place_part(shard, part);
        }
    }

    pub(super) fn place_part(&mut self, shard: ShardId, part: HopPart) {
        self.batches[shard.index()].messages.push(Message::Hop(Box::new(part)));
    }

    /// A part is granted: it runs its first operation and answers.
    pub(super) fn grant(&mut self, ticket: Ticket, part: HopPart, now: UnixMillis) {
        let HopPart { plan, db, no_touch, first, .. } = part;
        let held = Held { ticket, db, no_touch, now };
        self.held.insert(plan, held);
        match first {
            None => self.send_hop(plan.home, HopMessage::Value { plan, index: None, value: HopValue::None, micros: 0 }),
            Some((index, op)) => self.operate(plan, held, index, op),
        }
    }

    /// Runs an operation of a plan's part, and tells its value.
    fn operate(&mut self, plan: PlanId, held: Held, index: usize, op: HopOp) {
        let Held { db, no_touch, now, .. } = held;
        let began = self.clock.micros();
        let value = self.at_time(now, |core| op(&mut Ctx { shard: &mut core.shard, db, no_touch }));
        let micros = self.clock.micros().saturating_sub(began);
        self.send_hop(plan.home, HopMessage::Value { plan, index: Some(index), value, micros });
    }

    fn send_hop(&mut self, shard: ShardId, message: HopMessage) {
        if shard == self.id {
            self.own_hops.push_back(message);
        } else {
            self.shared.mesh.hop(shard, message);
        }
    }

    /// Looks at hop messages: between commands, not once a tick, since keys stand locked meanwhile.
    #[inline]
    pub(super) fn run_hops(&mut self) {
        if self.own_hops.is_empty() && !self.shared.mesh.has_hops(self.id) {
            return;
        }
        self.worked = true;
        loop {
            while let Some(message) = self.own_hops.pop_front() {
                self.hop(message);
            }
            if !self.shared.mesh.has_hops(self.id) {
                return;
            }
            for message in self.shared.mesh.take_hops(self.id) {
                self.hop(message);
            }
        }
    }

    fn hop(&mut self, message: HopMessage) {
        match message {
            HopMessage::Value { plan, index, value, micros } => self.value_came(plan, index, value, micros),
            HopMessage::Go { plan, index, op, release } => {
                let held = *self.held.get(&plan).expect("a part is held until it is released");
                self.operate(plan, held, index, op);
                if release {
                    self.held.remove(&plan);
                    self.release(held.ticket);
                }
            }
            HopMessage::Release { plan } => {
                let Held { ticket, .. } = self.held.remove(&plan).expect("a part is held until it is released");
                self.release(ticket);
            }
        }
    }

    fn value_came(&mut self, plan: PlanId, index: Option<usize>, value: HopValue, micros: u64) {
        let state = self.plans.get_mut(&plan.number).expect("a plan stays until its last answer");
        if let Some(index) = index {
            state.values[index] = Some(value);
        }
        state.step_micros = state.step_micros.max(micros);
        state.missing -= 1;
        let granted = state.missing == 0;
        #[cfg(feature = "simulation")]
        self.place_late_part(plan.number);
        if granted {
            self.next_step(plan);
        }
    }

    fn next_step(&mut self, id: PlanId) {
        let state = self.plans.get_mut(&id.number).expect("a plan stays until its last answer");
        state.micros += std::mem::take(&mut state.step_micros);
        let values = std::mem::take(&mut state.values);
        let values = values.into_iter().map(|value| value.expect("none is missing")).collect();
        match state.plan.step(values) {
            Step::Reply(reply) => self.end_plan(id, &reply),
            Step::Run(ops) => self.send_ops(id, ops, false),
            Step::RunLast(ops) => self.send_ops(id, ops, true),
        }
    }

    fn send_ops(&mut self, id: PlanId, ops: Vec<(ShardId, HopOp)>, last: bool) {
        let state = self.plans.get_mut(&id.number).expect("a plan stays until its last answer");
        assert!(!ops.is_empty() && !state.released, "a plan that goes on has something to do and its locks");
        state.missing = ops.len();
        state.values = ops.iter().map(|_| None).collect();
        state.released = last;
        let idle: Vec<ShardId> =
            state.shards.iter().copied().filter(|s| !ops.iter().any(|(shard, _)| shard == s)).collect();
        let final_op = |shard: ShardId, index: usize| !ops[index + 1..].iter().any(|(later, _)| *later == shard);
        let releases: Vec<bool> = ops.iter().enumerate().map(|(i, (shard, _))| last && final_op(*shard, i)).collect();
        for (index, ((shard, op), release)) in ops.into_iter().zip(releases).enumerate() {
            self.send_hop(shard, HopMessage::Go { plan: id, index, op, release });
        }
        if last {
            for shard in idle {
                self.send_hop(shard, HopMessage::Release { plan: id });
            }
        }
    }

    fn end_plan(&mut self, id: PlanId, reply: &[u8]) {
        let state = self.plans.remove(&id.number).expect("a plan ends once");
        if !state.released {
            for shard in state.shards {
                self.send_hop(shard, HopMessage::Release { plan: id });
            }
        }
        let row = CommandTable::global().row(state.command);
        self.whole_finished(state.conn, row, state.micros, reply, state.shown);
        self.fill(state.conn, state.seq, reply);
    }

    /// Number of plans that this core coordinates or holds parts of.
    pub fn plans_under_way(&self) -> usize {
        self.plans.len() + self.held.len()
    }
}
