//! Plans: coordinating them at the client's core, and holding parts of them on the shards.

use std::collections::VecDeque;
use std::sync::Arc;

use net::{ConnId, OwnedArgs, Resp};
use storage::UnixMillis;

use super::deliver::error_code;
use super::long::{Listening, LongRun};
use super::outside::Awaiting;
use super::route::RunBy;
use super::wait::Blocked;
use super::{Asked, Core};
use crate::exec::hop::{HopOp, HopValue, Plan, Step};
use crate::exec::{Ctx, EverywhereCall, Run};
use crate::ids::{ClientId, DbId, ShardId};
use crate::mesh::batch::{HopPart, Message};
use crate::mesh::{Claims, Head, HopMessage, PlanId, Ticket};
use crate::spec::{CommandId, CommandTable};
use crate::wait::WaitRequest;

/// A plan under way.
pub(super) struct PlanState {
    /// Not here while it takes a step.
    plan: Option<Box<dyn Plan>>,
    origin: Origin,
    /// The client waits: no reply follows.
    waits: bool,
    /// What the slow log shows of the command.
    shown: OwnedArgs,
    /// Microseconds that the steps up to now ran; of a step on several shards, the longest operation counts.
    micros: u64,
    /// Those of this step.
    step_micros: u64,
    /// Since when it waits for another server, which counts as well: in the clock's microseconds.
    waits_since: Option<u64>,
    shards: Vec<ShardId>,
    /// Answers still to come: grants at first, values of operations later.
    missing: usize,
    values: Vec<Option<HopValue>>,
    /// Operations that wait for their turn.
    turns: VecDeque<(ShardId, HopOp)>,
    released: bool,
    /// A broken rule: parts that are placed when the one before is granted.
    #[cfg(feature = "simulation")]
    pub(super) late: VecDeque<(ShardId, HopPart)>,
}

/// Whose plan it is.
#[derive(Clone, Copy)]
struct Origin {
    conn: ConnId,
    /// The place of the reply.
    seq: u32,
    db: DbId,
    no_touch: bool,
    client: ClientId,
    command: CommandId,
    /// The client waits already, and this is another try.
    is_retry: bool,
}

/// A part that holds its claims on this shard.
#[derive(Clone, Copy)]
pub(super) struct Held {
    ticket: Ticket,
    db: DbId,
    no_touch: bool,
    /// Whose plan it is.
    client: ClientId,
    /// The time of its push.
    now: UnixMillis,
    /// When it was granted, in the clock's microseconds.
    since: u64,
}

/// What a plan needs of its shards.
pub(super) struct Placing {
    /// What it holds.
    pub(super) claims: Vec<(ShardId, Claims)>,
    /// The keys that it reads, if its client is to be told when they change.
    pub(super) reads: Vec<(ShardId, Vec<u8>)>,
}

impl Placing {
    /// Holding these, for a client that is told nothing.
    pub(super) fn of(claims: Vec<(ShardId, Claims)>) -> Placing {
        Placing { claims, reads: Vec::new() }
    }
}

impl Core {
    /// Puts a plan's parts into the batches.
    pub(super) fn begin_plan(
        &mut self,
        conn: ConnId,
        command: CommandId,
        shown: OwnedArgs,
        placing: Placing,
        plan: Box<dyn Plan>,
    ) {
        let (seq, db, no_touch) = self.expect_plan(conn);
        let client = self.session(conn).expect("the command's client is there").id;
        let origin = Origin { conn, client, seq, db, no_touch, command, is_retry: false };
        self.start_plan(origin, shown, placing, plan);
    }

    /// Puts the parts of a plan whose reply has a place into the batches.
    fn start_plan(&mut self, origin: Origin, shown: OwnedArgs, placing: Placing, mut plan: Box<dyn Plan>) {
        let Placing { claims, mut reads } = placing;
        let Origin { client, db, no_touch, .. } = origin;
        let number = self.next_plan;
        self.next_plan += 1;
        let id = PlanId { home: self.id, number };
        let mut first: Vec<Option<(usize, HopOp)>> = claims.iter().map(|_| None).collect();
        let mut values = 0;
        match plan.step_on(self, Vec::new()) {
            Step::Run(ops) => {
                for (index, (shard, op)) in ops.into_iter().enumerate() {
                    let at = claims.iter().position(|(owner, _)| *owner == shard).expect("a plan stays on its shards");
                    assert!(first[at].is_none(), "a plan's first step has one operation a shard");
                    first[at] = Some((index, op));
                    values += 1;
                }
            }
            Step::RunLast(_)
            | Step::RunInTurn(_)
            | Step::Shares(_)
            | Step::Wait(..)
            | Step::Later
            | Step::Listen(_)
            | Step::Outside(..)
            | Step::Reply(_) => {
                panic!("a plan that needs no locks is no plan")
            }
        }
        let state = PlanState {
            plan: Some(plan),
            origin,
            waits: false,
            shown,
            micros: 0,
            step_micros: 0,
            waits_since: None,
            shards: claims.iter().map(|(shard, _)| *shard).collect(),
            missing: claims.len(),
            values: (0..values).map(|_| None).collect(),
            turns: VecDeque::new(),
            released: false,
            #[cfg(feature = "simulation")]
            late: VecDeque::new(),
        };
        self.plans.insert(number, state);
        let part = |((shard, claims), first)| {
            let own = reads.extract_if(.., |(owner, _)| *owner == shard);
            let reads = own.map(|(_, key)| key).collect();
            (shard, HopPart { plan: id, claims, db, no_touch, client, reads, first })
        };
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
        let HopPart { plan, db, no_touch, client, reads, first, .. } = part;
        let held = Held { ticket, db, no_touch, client, now, since: self.clock.micros() };
        self.held.insert(plan, held);
        if !reads.is_empty() {
            self.remember_keys(client, &reads);
        }
        match first {
            None => self.send_hop(plan.home, HopMessage::Value { plan, index: None, value: HopValue::None, micros: 0 }),
            Some((index, op)) => {
                let value = self.operate(held, op);
                self.tell_value(plan, index, value);
            }
        }
    }

    /// Runs an operation of a plan's part: its value, and the microseconds that it ran.
    fn operate(&mut self, held: Held, op: HopOp) -> (HopValue, u64) {
        let Held { db, no_touch, client, now, .. } = held;
        let began = self.clock.micros();
        let value = self.at_time(now, |core| {
            let mut ctx = Ctx { shard: &mut core.shard, db, no_touch };
            let before = ctx.before_record();
            let value = op(&mut ctx);
            ctx.settle(before.0);
            ctx.record_operation(before);
            value
        });
        self.tell_trackers(client);
        if !self.deferred.is_empty() && !self.shard.observers.is_away {
            self.share_deferred();
        }
        let micros = self.clock.micros().saturating_sub(began);
        self.tell_events();
        (value, micros)
    }

    fn tell_value(&mut self, plan: PlanId, index: usize, (value, micros): (HopValue, u64)) {
        self.send_hop(plan.home, HopMessage::Value { plan, index: Some(index), value, micros });
    }

    pub(super) fn send_hop(&mut self, shard: ShardId, message: HopMessage) {
        self.tell_before_answering();
        self.note_gate();
        // Records may return with it, which clients here may hear of before they are where they belong.
        if matches!(message, HopMessage::Go { release: true, .. }) {
            self.records_left();
        }
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
                let value = self.operate(held, op);
                if release {
                    self.release_part(plan);
                }
                self.tell_value(plan, index, value);
            }
            HopMessage::Release { plan } => self.release_part(plan),
            HopMessage::Share { plan, index, asked } => self.give_share(plan, index, &asked),
            HopMessage::Unwatch(watch) => self.shard.observers.watched.forget(&watch),
            HopMessage::Waits(waits) => self.block(waits.conn, waits.blocked),
            HopMessage::TryAgain { conn, seq } => self.try_again(conn, seq),
            HopMessage::LookLater { conn, seq, at } => self.look_later(conn, seq, at),
            HopMessage::LookAgain { home, conn, seq, now } => self.look_again(home, conn, seq, now),
            HopMessage::Unwait { home, conn, seq, is_over } => self.unwaited(home, conn, seq, is_over),
        }
    }

    /// A plan needs this shard's keys no longer: whoever waited for them runs.
    fn release_part(&mut self, plan: PlanId) {
        let Held { ticket, since, .. } = self.held.remove(&plan).expect("a part is held until it is released");
        self.stats.holds += 1;
        self.stats.held_micros += self.clock.micros().saturating_sub(since);
        self.release(ticket);
        self.serve_waiters();
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
        if granted && !self.take_turn(plan) {
            self.next_step(plan);
        }
    }

    /// Sends the next of a plan's operations that run in turn; false if there is none.
    fn take_turn(&mut self, id: PlanId) -> bool {
        let state = self.plans.get_mut(&id.number).expect("a plan stays until its last answer");
        let Some((shard, op)) = state.turns.pop_front() else { return false };
        state.missing = 1;
        state.values = vec![None];
        self.send_hop(shard, HopMessage::Go { plan: id, index: 0, op, release: true });
        true
    }

    pub(super) fn next_step(&mut self, id: PlanId) {
        let state = self.plans.get_mut(&id.number).expect("a plan stays until its last answer");
        state.micros += std::mem::take(&mut state.step_micros);
        let waited = state.waits_since.take().map_or(0, |since| self.clock.micros().saturating_sub(since));
        state.micros += waited;
        let values = std::mem::take(&mut state.values);
        if state.waits {
            self.plans.remove(&id.number);
            return;
        }
        let values = values.into_iter().map(|value| value.expect("none is missing")).collect();
        let mut plan = state.plan.take().expect("a plan takes one step at a time");
        let began = self.clock.micros();
        let step = plan.step_on(self, values);
        self.last_micros = self.clock.micros();
        let state = self.plans.get_mut(&id.number).expect("it takes a step");
        state.micros += self.last_micros.saturating_sub(began);
        state.plan = Some(plan);
        match step {
            Step::Reply(reply) => self.end_plan(id, &reply),
            Step::Run(ops) => self.send_ops(id, ops, false),
            Step::RunLast(ops) => self.send_ops(id, ops, true),
            Step::RunInTurn(ops) => {
                state.turns = ops.into();
                state.released = true;
                self.take_turn(id);
            }
            Step::Shares(asked) => self.ask_every_core(id, &asked),
            Step::Wait(request, ops) => self.let_wait(id, request, ops),
            Step::Later => self.long.put_off(LongRun::Plan(id)),
            Step::Listen(running) => {
                let conn = state.origin.conn;
                self.long.listen(Listening { conn, running, run: LongRun::Plan(id) });
            }
            Step::Outside(exchange, script) => {
                state.waits_since = Some(self.last_micros);
                self.await_exchange(Awaiting { exchange, script, run: LongRun::Plan(id) });
            }
        }
    }

    /// Asks every core for its share of a command.
    fn ask_every_core(&mut self, id: PlanId, asked: &Arc<Asked>) {
        let shards = self.shard.shards;
        let state = self.plans.get_mut(&id.number).expect("a plan stays until its last answer");
        state.missing = shards;
        state.values = (0..shards).map(|_| None).collect();
        for index in 0..shards {
            let message = HopMessage::Share { plan: id, index, asked: Arc::clone(asked) };
            self.send_hop(ShardId(index as u16), message);
        }
    }

    /// Gives this core's share of what a plan asks of every core.
    fn give_share(&mut self, plan: PlanId, index: usize, asked: &Asked) {
        let args = asked.args.as_args();
        let row = CommandTable::global().resolve(&args).ok().flatten().expect("it was looked up before it was asked");
        let Run::Everywhere { share, .. } = row.run(&args) else { unreachable!("it was sent as one") };
        let began = self.clock.micros();
        let value = HopValue::Made(share(self, &EverywhereCall { client: asked.client, db: asked.db, args }));
        let micros = self.clock.micros().saturating_sub(began);
        self.send_hop(plan.home, HopMessage::Value { plan, index: Some(index), value, micros });
    }

    /// A plan found nothing: its client waits, unless it is gone.
    fn let_wait(&mut self, id: PlanId, request: WaitRequest, ops: Vec<(ShardId, HopOp)>) {
        let state = self.plans.get_mut(&id.number).expect("a plan stays until its last answer");
        state.waits = true;
        let (origin, micros) = (state.origin, state.micros);
        if origin.is_retry {
            self.send_ops(id, ops, true);
            return self.tried_in_vain(origin.conn, origin.seq);
        }
        let row = CommandTable::global().row(origin.command);
        self.whole_finished(origin.conn, row, micros, b"", OwnedArgs::default());
        let Some(session) = self.session(origin.conn) else { return self.send_ops(id, ops, true) };
        let head = Head {
            conn: origin.conn,
            client: session.id,
            seq: origin.seq,
            part: 0,
            is_part: false,
            command: origin.command,
            db: origin.db,
            first_span: 0,
            spans: 0,
            resp3: session.resp == Resp::V3,
            no_touch: origin.no_touch,
            tracks: false,
        };
        let args = self.plans[&id.number].shown.clone();
        let (ops, blocked) = self.wait_everywhere(&head, args, request, ops);
        self.send_ops(id, ops, true);
        self.block(origin.conn, blocked);
    }

    /// Tries the command of a client that waits once more.
    pub(super) fn retry_plan(&mut self, conn: ConnId, blocked: &Blocked, db: DbId, no_touch: bool, resp: Resp) {
        let row = CommandTable::global().row(blocked.command);
        let args = blocked.args.as_args();
        let Run::Keys(handler) = row.run(&args) else { unreachable!("only such commands wait on several shards") };
        let owners = self.owners(row, &args);
        let claims = self.claims_of(row, &args, &owners);
        let plan = self.borrowing(
            row,
            &args,
            &owners,
            handler,
            RunBy { db, no_touch, resp, claim: Some(blocked.claim.clone()) },
        );
        let Some(client) = self.session(conn).map(|session| session.id) else { return };
        let origin = Origin { conn, client, seq: blocked.seq, db, no_touch, command: blocked.command, is_retry: true };
        self.start_plan(origin, args.to_owned(), Placing::of(claims), plan);
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
        let Origin { conn, seq, command, is_retry, .. } = state.origin;
        if is_retry {
            // Without a reply it met an error that ends no wait, or the wait was ended by somebody else, who sees to the rest.
            if reply.is_empty() {
                self.tried_in_vain(conn, seq);
            } else {
                if let Some(code) = error_code(reply) {
                    self.count_failed_wait(command, code);
                }
                let row = CommandTable::global().row(command);
                self.was_served((conn, self.id), row, &state.shown.as_args(), state.micros);
                self.fill(conn, seq, reply);
            }
            return;
        }
        let row = CommandTable::global().row(command);
        self.whole_finished(conn, row, state.micros, reply, state.shown);
        self.fill(conn, seq, reply);
    }

    /// Number of plans that this core coordinates or holds parts of.
    pub fn plans_under_way(&self) -> usize {
        self.plans.len() + self.held.len()
    }
}
