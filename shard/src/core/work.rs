//! Placing work: several commands that run as one ([`crate::exec::work`]).
//!
//! | its keys are | it is placed |
//! |---|---|
//! | of one shard, or of none | as one message to that shard (an [`Errand`]); in place, if that is here and nothing is in its way |
//! | of several shards, or it wants its client's core | as a plan: the keys' entries are lent to the client's core |
//! | all there are | as a plan: all databases come to the client's core |
//!
//! A plan for work may have to ask every core for something in the middle (INFO in a transaction). Then what it brought
//! together goes home first, the claims being kept, and is brought together once more for the rest. So it does while a
//! MIGRATE that is a client's own command waits for another server; other work that waits so keeps everything where it is,
//! for it may have changed something.

use std::sync::Arc;

use net::{Args, ConnId, Flow, OwnedArgs, Resp};
use storage::UnixMillis;

use super::deliver::error_code;
use super::grounds::{Actor, Asked, Asking, Ground, Grounds, Slice};
use super::hops::Placing;
use super::long::{Stopped, Worked};
use super::run::Job;
use super::{Core, SessionCtx};
use crate::exec::ShardState;
use crate::exec::away::Lent;
use crate::exec::hop::{HopOp, HopValue, Plan, Step};
use crate::exec::observe::Noted;
use crate::exec::work::{Asks, Needs, Outside, Progress, Work};
use crate::ids::ShardId;
use crate::journal::HeldUnit;
use crate::mesh::inbox::SlowCommand;
use crate::mesh::{Claims, Head, Message, ReplyHead, Ticket};
use crate::migrate::{ExchangeId, UnderWay};
use crate::spec::CommandTable;
use crate::spec::table::Row;

/// Work on its way to a shard.
pub struct Errand {
    /// Whose it is, and the command that it is the work of.
    pub head: Head,
    /// What the slow log shows of that command.
    pub shown: OwnedArgs,
    /// What is to be done.
    pub work: Box<dyn Work>,
}

impl Errand {
    /// What it claims while it waits.
    pub(super) fn claims(&self) -> Claims {
        claims_of(&*self.work)
    }
}

pub(super) fn claims_of(work: &dyn Work) -> Claims {
    match work.needs() {
        Needs::Everything => Claims::Whole,
        Needs::Keys => {
            let mut keys = Vec::new();
            work.visit_keys(&mut |key| keys.push(storage::key_hash(key)));
            Claims::Keys(keys)
        }
    }
}

impl SessionCtx<'_> {
    /// Has `work` done, which answers the command `args` of this client.
    pub fn place_work(&mut self, row: &'static Row, args: &Args<'_>, work: Box<dyn Work>) {
        let holds = work.holds_client();
        self.flow = self.core.place_work(self.conn, row, args, work);
        // What it does to the connection counts for all commands behind it.
        if holds && self.flow == Flow::Continue && self.core.hold_if_blocked(self.conn) {
            self.flow = Flow::Hold;
        }
    }
}

impl Core {
    fn place_work(&mut self, conn: ConnId, row: &'static Row, args: &Args<'_>, work: Box<dyn Work>) -> Flow {
        match self.shard_of_work(&*work) {
            Some(owner) if owner == self.id || !work.wants_home() => self.place_errand(owner, conn, row, args, work),
            _ => {
                self.place_work_plan(conn, row, args, work);
                Flow::Continue
            }
        }
    }

    /// The one shard on which all keys of some work are.
    fn shard_of_work(&self, work: &dyn Work) -> Option<ShardId> {
        if self.shard.shards == 1 {
            return Some(self.id);
        }
        if work.needs() == Needs::Everything {
            return None;
        }
        let (mut owner, mut one) = (None, true);
        work.visit_keys(&mut |key| {
            let of_key = self.shared.slots.owner(key);
            one &= *owner.get_or_insert(of_key) == of_key;
        });
        one.then(|| owner.unwrap_or(self.id))
    }

    fn place_errand(
        &mut self,
        owner: ShardId,
        conn: ConnId,
        row: &'static Row,
        args: &Args<'_>,
        work: Box<dyn Work>,
    ) -> Flow {
        let is_here = owner == self.id && self.may_run_in_place(conn);
        if is_here && !work.talks() && self.may_work(&*work) {
            return self.work_in_place(conn, row, args, work);
        }
        let shown = self.shown(row, args);
        let seq = self.expect(conn, work.bytes());
        let caller = self.caller(conn);
        let errand = Errand { head: self.head(caller, row.id, seq, 0), shown, work };
        if is_here {
            self.arrive_errand(self.id, errand);
        } else {
            self.batches[owner.index()].messages.push(Message::Errand(Box::new(errand)));
            self.routed(conn);
        }
        Flow::Continue
    }

    /// Puts one part of some work into the batch for its shard.
    pub(super) fn push_errand(&mut self, shard: ShardId, head: Head, work: Box<dyn Work>) {
        let errand = Errand { head, shown: OwnedArgs::default(), work };
        self.batches[shard.index()].messages.push(Message::Errand(Box::new(errand)));
    }

    /// Whether nothing that work needs is claimed.
    fn may_work(&self, work: &dyn Work) -> bool {
        self.locks.is_idle()
            || match claims_of(work) {
                Claims::Keys(keys) => self.locks.are_free(&keys),
                Claims::Whole => false,
            }
    }

    fn work_in_place(&mut self, conn: ConnId, row: &'static Row, args: &Args<'_>, mut work: Box<dyn Work>) -> Flow {
        let began = self.last_micros;
        let worked = Worked { actor: self.actor(conn), flow: Flow::Continue, unit: HeldUnit::default() };
        let mut bytes = std::mem::take(&mut self.work_reply);
        // What it publishes may be for this client too, so its reply is written when all is done.
        let slice = self.first_slice(began);
        let (worked, progress) = self.work_here(worked, &mut *work, &mut bytes, slice);
        if let Some((running, until)) = progress.stop() {
            let shown = self.shown(row, args);
            let seq = self.expect(conn, work.bytes());
            let caller = self.caller(conn);
            let errand = Errand { head: self.head(caller, row.id, seq, 0), shown, work };
            let stopped = Stopped { worked, reply: bytes, running, until, ticket: None, began, under_way: None };
            self.keep_long(self.id, errand, stopped);
            return if self.hold_if_blocked(conn) { Flow::Hold } else { Flow::Continue };
        }
        self.answer_now(conn, |_, reply| reply.raw(&bytes));
        self.finished_with((conn, self.id), row, args, began, error_code(&bytes));
        self.keep_reply_buffer(bytes);
        self.tell_trackers(worked.actor.client);
        self.serve_waiters();
        self.tell_events();
        worked.flow
    }

    /// Runs work on this core's shard, for a slice of time.
    pub(super) fn work_here(
        &mut self,
        Worked { actor, flow, unit }: Worked,
        work: &mut dyn Work,
        bytes: &mut Vec<u8>,
        slice: Slice,
    ) -> (Worked, Progress) {
        self.shard.journal.open_work(unit);
        let (shares, script, migration, caller) = (None, None, None, None);
        let ground = Ground::Here;
        let mut grounds = Grounds { core: self, ground, actor, shares, flow, slice, script, migration, caller };
        let progress = work.run(&mut grounds, bytes);
        let (actor, flow) = (grounds.actor, grounds.flow);
        let journal = &mut self.shard.journal;
        let unit = match progress {
            Progress::Done => {
                journal.close_work();
                HeldUnit::default()
            }
            Progress::Later(_) | Progress::Listens(_) | Progress::Outside(_) => journal.hold_work(),
            Progress::Shares(_) => panic!("work that asks other cores needs everything"),
        };
        (Worked { actor, flow, unit }, progress)
    }

    fn keep_reply_buffer(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        bytes.shrink_to(WORK_REPLY_BYTES_KEPT);
        self.work_reply = bytes;
    }

    fn actor(&mut self, conn: ConnId) -> Actor {
        let home = self.id;
        let session = self.session(conn).expect("the command's client is there");
        let (db, resp, no_touch, client) = (session.db, session.resp, session.no_touch, session.id);
        Actor { conn, home, client, db, resp, no_touch, tracks: session.tracks, is_script: false }
    }

    /// Work has come to this shard: runs it, or lets it wait for its keys.
    pub(super) fn arrive_errand(&mut self, from: ShardId, errand: Errand) {
        if self.may_work(&*errand.work) {
            self.run_errand(from, errand, None);
            return;
        }
        let now = self.shard.clock;
        self.locks.admit(errand.claims(), Job::Errand { from, errand, now });
        self.run_granted();
    }

    /// Runs work, which holds what it needs by `ticket`, or needs no claim since nobody has one. True if it has given way,
    /// and goes on holding that.
    pub(super) fn run_errand(&mut self, from: ShardId, mut errand: Errand, ticket: Option<Ticket>) -> bool {
        let began = self.last_micros;
        let Head { conn, client, db, no_touch, tracks, .. } = errand.head;
        let resp = if errand.head.resp3 { Resp::V3 } else { Resp::V2 };
        let actor = Actor { conn, home: from, client, db, resp, no_touch, tracks, is_script: false };
        let mut bytes = std::mem::take(&mut self.work_reply);
        let worked = Worked { actor, flow: Flow::Continue, unit: HeldUnit::default() };
        let slice = self.first_slice(began);
        let (worked, progress) = self.work_here(worked, &mut *errand.work, &mut bytes, slice);
        if let Some((running, until)) = progress.stop() {
            let stopped = Stopped { worked, reply: bytes, running, until, ticket, began, under_way: None };
            self.keep_long(from, errand, stopped);
            return true;
        }
        self.errand_done(from, errand, began, worked.flow, &bytes);
        self.keep_reply_buffer(bytes);
        false
    }

    /// Work of another's connection, or of one that waits for it, is done: sends its reply.
    pub(super) fn errand_done(&mut self, from: ShardId, errand: Errand, began: u64, flow: Flow, bytes: &[u8]) {
        let Errand { head, shown, .. } = errand;
        let place = ReplyHead { conn: head.conn, seq: head.seq, part: head.part, len: bytes.len() };
        if head.is_part {
            self.part_finished(from, &head, began);
        } else {
            self.errand_finished(from, &head, began, error_code(bytes), shown);
        }
        if from == self.id {
            self.deliver(&place, bytes);
        } else {
            let answers = &mut self.answers[from.index()];
            answers.bytes.extend_from_slice(bytes);
            answers.heads.push(place);
        }
        if flow == Flow::Close {
            self.end_session(head.conn);
        }
        self.tell_trackers(head.client);
        self.serve_waiters();
        self.tell_events();
    }

    fn errand_finished(&mut self, from: ShardId, head: &Head, began: u64, failed: Option<&[u8]>, shown: OwnedArgs) {
        let row = CommandTable::global().row(head.command);
        let micros = self.lap(began);
        if self.account(row, micros, failed) && shown != OwnedArgs::default() {
            let at: UnixMillis = self.now();
            let slow = SlowCommand { conn: head.conn, command: row.id, args: shown, at, micros };
            if from == self.id {
                self.log_slow(slow);
            } else {
                self.answers[from.index()].slow.push(slow);
            }
        }
    }

    fn place_work_plan(&mut self, conn: ConnId, row: &Row, args: &Args<'_>, work: Box<dyn Work>) {
        let shown = self.shown(row, args);
        let (claims, place) = match work.needs() {
            Needs::Everything => {
                let shards: Vec<ShardId> = (0..self.shard.shards).map(|shard| ShardId(shard as u16)).collect();
                let claims = shards.iter().map(|&shard| (shard, Claims::Whole)).collect();
                (claims, Place::All { shards, states: Vec::new() })
            }
            Needs::Keys => {
                let keys = self.keys_by_shard(&*work);
                let hashes = |keys: &[Vec<u8>]| keys.iter().map(|key| storage::key_hash(key)).collect();
                let claims = keys.iter().map(|(shard, own)| (*shard, Claims::Keys(hashes(own)))).collect();
                (claims, Place::Together { keys, table: Box::new(self.shard.table_for_borrowed()) })
            }
        };
        let actor = self.actor(conn);
        let plan = WorkPlan {
            work,
            actor,
            place,
            reply: Vec::new(),
            asked_at: 0,
            shares: None,
            flow: Flow::Continue,
            stage: Stage::Begin,
            has_stopped: false,
            under_way: None,
        };
        // What its commands read is remembered as they run.
        self.begin_plan(conn, row.id, shown, Placing::of(claims), Box::new(plan));
    }

    /// The keys of some work, each once, by their shards.
    fn keys_by_shard(&self, work: &dyn Work) -> Vec<(ShardId, Vec<Vec<u8>>)> {
        let mut all: Vec<(ShardId, Vec<u8>)> = Vec::new();
        work.visit_keys(&mut |key| all.push((self.shared.slots.owner(key), key.to_vec())));
        all.sort_unstable();
        all.dedup();
        let mut keys: Vec<(ShardId, Vec<Vec<u8>>)> = Vec::new();
        for (shard, key) in all {
            match keys.last_mut() {
                Some((of, own)) if *of == shard => own.push(key),
                _ => keys.push((shard, vec![key])),
            }
        }
        keys
    }
}

/// The vector for replies of work is kept for the next up to this many bytes.
const WORK_REPLY_BYTES_KEPT: usize = 64 * 1024;

/// Work whose keys come to its client's core.
struct WorkPlan {
    work: Box<dyn Work>,
    actor: Actor,
    place: Place,
    reply: Vec<u8>,
    /// When the cores were asked that are being asked.
    asked_at: u64,
    shares: Option<Asking>,
    flow: Flow,
    stage: Stage,
    /// It has given way.
    has_stopped: bool,
    /// What it has done elsewhere is to be done here as well, also at the end of the server.
    under_way: Option<UnderWay>,
}

/// What it brings together.
enum Place {
    /// Entries, in one table.
    Together { keys: Vec<(ShardId, Vec<Vec<u8>>)>, table: Box<ShardState> },
    /// Databases, shard by shard.
    All { shards: Vec<ShardId>, states: Vec<ShardState> },
}

enum Stage {
    /// Nothing was done yet.
    Begin,
    /// What was asked for is here.
    Brought,
    /// It is at home again, and every core is to be asked this.
    AtHome(OwnedArgs),
    /// Every core has answered.
    Answered,
    /// It has given way, with everything here.
    Stopped,
    /// Everything goes home until this dialogue is over.
    GoingHome(ExchangeId),
    /// It is over.
    Rested,
    /// All is done, and everything at home.
    Returned,
}

impl Place {
    fn bring(&self) -> Vec<(ShardId, HopOp)> {
        match self {
            Place::Together { keys, .. } => {
                let lend = |(shard, own): &(ShardId, Vec<Vec<u8>>)| {
                    let own = own.clone();
                    let op: HopOp = Box::new(move |ctx| HopValue::Made(Box::new(ctx.shard.lend(&own))));
                    (*shard, op)
                };
                keys.iter().map(lend).collect()
            }
            Place::All { shards, .. } => {
                let leave = |&shard: &ShardId| {
                    let op: HopOp = Box::new(|ctx| HopValue::Made(ctx.shard.leave()));
                    (shard, op)
                };
                shards.iter().map(leave).collect()
            }
        }
    }

    fn take_in(&mut self, values: Vec<HopValue>) {
        let made = values.into_iter().map(|value| match value {
            HopValue::Made(made) => made,
            other => unreachable!("what was asked for is made there, and this is {other:?}"),
        });
        match self {
            Place::Together { keys, table } => {
                for (lent, (_, own)) in made.zip(keys.iter()) {
                    table.borrow(own, *lent.downcast::<Lent>().expect("entries were asked for"));
                }
            }
            Place::All { states, .. } => {
                *states =
                    made.map(|state| *state.downcast::<ShardState>().expect("databases were asked for")).collect();
            }
        }
    }

    /// Sends everything home; in turn, if that is to be so.
    fn give_back(&mut self) -> (Vec<(ShardId, HopOp)>, bool) {
        match self {
            Place::Together { keys, table } => {
                let mut notes = table.take_notes();
                let order = order_of_signals(&notes, keys);
                let mut leftover = Some(table.take_leftover());
                let give = |(shard, own): &(ShardId, Vec<Vec<u8>>)| {
                    let leftover = leftover.take().unwrap_or_default();
                    let returned = table.to_return(own, &mut notes, leftover);
                    let op: HopOp = Box::new(move |ctx| {
                        ctx.shard.return_lent(returned);
                        HopValue::None
                    });
                    (*shard, op)
                };
                let mut ops: Vec<(ShardId, HopOp)> = keys.iter().map(give).collect();
                ops.sort_by_key(|(shard, _)| {
                    order.iter().position(|signalled| signalled == shard).unwrap_or(order.len())
                });
                assert!(
                    table.databases.iter().all(storage::Database::is_empty),
                    "commands on borrowed keys touch no others"
                );
                (ops, order.len() > 1)
            }
            Place::All { shards, states } => {
                let give = |(&shard, mut state): (&ShardId, ShardState)| {
                    let op: HopOp = Box::new(move |ctx| {
                        ctx.shard.come_back(&mut state);
                        HopValue::None
                    });
                    (shard, op)
                };
                (shards.iter().zip(states.drain(..)).map(give).collect(), false)
            }
        }
    }
}

/// The shards with keys that were signalled, in the order of the signals: whoever waits for the first is served first.
fn order_of_signals(notes: &[Noted], keys: &[(ShardId, Vec<Vec<u8>>)]) -> Vec<ShardId> {
    let mut order = Vec::new();
    for noted in notes {
        let Noted::Signal((_, key)) = noted else { continue };
        let owner = keys.iter().find(|(_, own)| own.binary_search(key).is_ok()).map(|(shard, _)| *shard);
        order.extend(owner.filter(|owner| !order.contains(owner)));
        if order.len() == keys.len() {
            break;
        }
    }
    order
}

impl WorkPlan {
    fn run(&mut self, core: &mut Core) -> Step {
        let ground = match &mut self.place {
            Place::Together { table, .. } => Ground::Together(table),
            Place::All { states, .. } => Ground::All(states),
        };
        let slice = core.slice_of_plan(self.has_stopped);
        let shares = self.shares.take();
        let (actor, flow, script, migration, caller) = (self.actor, self.flow, None, None, None);
        let mut grounds = Grounds { core, ground, actor, shares, flow, slice, script, migration, caller };
        let progress = self.work.run(&mut grounds, &mut self.reply);
        (self.actor, self.flow) = (grounds.actor, grounds.flow);
        match progress {
            Progress::Later(running) => {
                self.stage = Stage::Stopped;
                self.has_stopped = true;
                if let Some(running) = running {
                    core.look_whether_busy(&running, &*self.work);
                }
                Step::Later
            }
            Progress::Listens(running) => {
                self.stage = Stage::Stopped;
                self.has_stopped = true;
                core.look_whether_busy(&running, &*self.work);
                Step::Listen(running)
            }
            Progress::Outside(outside) => self.go_outside(core, outside),
            Progress::Done => {
                self.stage = Stage::Returned;
                let (ops, in_turn) = self.place.give_back();
                if in_turn { Step::RunInTurn(ops) } else { Step::RunLast(ops) }
            }
            Progress::Shares(Asks { args, running }) => {
                self.stage = Stage::AtHome(args);
                if let Some(running) = running {
                    core.look_whether_busy(&running, &*self.work);
                }
                Step::Run(self.place.give_back().0)
            }
        }
    }
}

impl WorkPlan {
    /// It waits for another server: in the place where it is, or at home.
    fn go_outside(&mut self, core: &mut Core, outside: Outside) -> Step {
        let Outside { exchange, running, rests_at_home } = outside;
        self.under_way.get_or_insert_with(|| core.shared.dialogues.enter());
        if rests_at_home {
            self.stage = Stage::GoingHome(exchange);
            return Step::Run(self.place.give_back().0);
        }
        (self.stage, self.has_stopped) = (Stage::Stopped, true);
        let script = running.map(|running| (running, claims_of(&*self.work)));
        Step::Outside(exchange, script)
    }
}

impl Plan for WorkPlan {
    fn step(&mut self, _: Vec<HopValue>) -> Step {
        unreachable!("work needs a core to run on")
    }

    fn step_on(&mut self, core: &mut Core, values: Vec<HopValue>) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Brought) {
            Stage::Begin => Step::Run(self.place.bring()),
            Stage::Brought => {
                self.place.take_in(values);
                self.run(core)
            }
            Stage::Stopped => self.run(core),
            Stage::GoingHome(exchange) => {
                self.stage = Stage::Rested;
                Step::Outside(exchange, None)
            }
            Stage::Rested => Step::Run(self.place.bring()),
            Stage::AtHome(args) => {
                self.stage = Stage::Answered;
                self.asked_at = core.micros();
                let Actor { client, db, .. } = self.actor;
                Step::Shares(Arc::new(Asked { client, db, args }))
            }
            Stage::Answered => {
                let share = |value| match value {
                    HopValue::Made(share) => share,
                    other => unreachable!("a core gives a share, and not {other:?}"),
                };
                let shares = values.into_iter().map(share).collect();
                self.shares = Some(Asking { since: self.asked_at, shares });
                Step::Run(self.place.bring())
            }
            Stage::Returned => {
                if self.flow == Flow::Close {
                    core.end_session(self.actor.conn);
                }
                Step::Reply(std::mem::take(&mut self.reply))
            }
        }
    }
}
