//! Work that runs for long, in slices: a script that is not over when its time is gives way (`Progress::Later`), and is driven
//! on tick by tick. One that waits for its client, who debugs it, is put aside until there is something to do; so is work
//! that waits for another server.
//!
//! ```text
//!   tick   ... clients, inbox │ slice of A │ push, write ... clients, inbox │ slice of B │ push, write ...
//!                               ◄──────────► as long as the rest of the tick took, if there was anything to do;
//!                                            at least SCRIPT_SLICE_MICROS_MIN, at most SCRIPT_SLICE_MICROS_MAX
//! ```
//!
//! So with other work to do a core spends half of its time on scripts, and no client waits for a slice longer than the
//! longest one. A core with such work does not sleep.
//!
//! From its first slice to its end the work holds what it claims, so that nobody sees it half done. Work that runs as a plan
//! holds that anyway; work that began in place, or on its arrival, found nobody with a claim on its keys and takes its own
//! when it gives way: it is ahead of all who come to wait. Its shard's clock stands still for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use net::{ConnId, Flow};
use storage::UnixMillis;

use super::Core;
use super::grounds::{Actor, Slice};
use super::outside::Awaiting;
use super::work::{Errand, claims_of};
use crate::exec::work::{Until, Work};
use crate::ids::ShardId;
use crate::journal::HeldUnit;
use crate::limits::{SCRIPT_SLICE_MICROS_MAX, SCRIPT_SLICE_MICROS_MIN};
use crate::mesh::{Claims, PlanId, Rule, Ticket};
use crate::migrate::{ExchangeId, UnderWay};
use crate::script::Kind;
use crate::script::running::{Holds, Running};

/// Work that has given way.
pub(super) enum LongRun {
    /// On this core's shard.
    Errand(Box<LongErrand>),
    /// As a step of a plan that this core coordinates.
    Plan(PlanId),
}

/// Work of one shard that has given way.
pub(super) struct LongErrand {
    from: ShardId,
    errand: Errand,
    worked: Worked,
    /// What it has replied so far.
    reply: Vec<u8>,
    /// What it holds.
    ticket: Ticket,
    /// The time that it sees.
    now: UnixMillis,
    /// For how long it ran, in microseconds.
    micros: u64,
    /// Since when it waits for another server, which counts as well: in the clock's microseconds.
    waits_since: Option<u64>,
    /// What it has done elsewhere is to be done here as well, also at the end of the server.
    under_way: Option<UnderWay>,
}

/// What commands have done to the client in whose name they run.
pub(super) struct Worked {
    pub(super) actor: Actor,
    pub(super) flow: Flow,
    /// What they have recorded, while they give way.
    pub(super) unit: HeldUnit,
}

/// How work has come to a stop.
pub(super) struct Stopped {
    pub(super) worked: Worked,
    pub(super) reply: Vec<u8>,
    /// What others see of the script in it.
    pub(super) running: Option<Arc<Running>>,
    /// What it waits for.
    pub(super) until: Until,
    /// What it holds, if it does.
    pub(super) ticket: Option<Ticket>,
    /// When it would have begun, had it run without a stop: in the clock's microseconds.
    pub(super) began: u64,
    /// It waited for another server before.
    pub(super) under_way: Option<UnderWay>,
}

/// Work that waits for its client, who debugs the script in it.
pub(super) struct Listening {
    /// The client's connection.
    pub(super) conn: ConnId,
    /// What others see of the script.
    pub(super) running: Arc<Running>,
    pub(super) run: LongRun,
}

/// A core's work that has given way.
pub(super) struct LongRuns {
    /// In the order in which they are driven on.
    waiting: VecDeque<LongRun>,
    /// It is not driven on before something has come from its client.
    listening: Vec<Listening>,
    /// It is not driven on before a dialogue is over.
    awaiting: Vec<Awaiting>,
    /// When the last slice ended, and how many commands and messages there had been by then.
    slice_ended: u64,
    done_before: u64,
    /// The longest slice, in microseconds.
    pub(super) slice_micros_max: u64,
}

impl Default for LongRuns {
    fn default() -> LongRuns {
        LongRuns {
            waiting: VecDeque::new(),
            listening: Vec::new(),
            awaiting: Vec::new(),
            slice_ended: 0,
            done_before: 0,
            slice_micros_max: SCRIPT_SLICE_MICROS_MAX,
        }
    }
}

impl LongRuns {
    /// It is driven on when all others have been.
    pub(super) fn put_off(&mut self, run: LongRun) {
        self.waiting.push_back(run);
    }

    /// It is driven on when something has come from its client.
    pub(super) fn listen(&mut self, listening: Listening) {
        self.listening.push(listening);
    }

    /// It is driven on when a dialogue is over.
    pub(super) fn await_exchange(&mut self, awaiting: Awaiting) {
        self.awaiting.push(awaiting);
    }

    /// A dialogue is over: drives on what waits for it.
    pub(super) fn end_awaiting(&mut self, exchange: ExchangeId) {
        let ended = self.awaiting.extract_if(.., |awaiting| awaiting.exchange == exchange);
        self.waiting.extend(ended.map(|awaiting| awaiting.run));
    }

    /// The scripts that wait for dialogues, and what they keep others waiting for.
    pub(super) fn scripts_outside(&self) -> impl Iterator<Item = &(Arc<Running>, Claims)> {
        self.awaiting.iter().filter_map(|awaiting| awaiting.script.as_ref())
    }

    /// What waits for its clients.
    pub(super) fn listening(&self) -> impl Iterator<Item = &Listening> {
        self.listening.iter()
    }

    /// Drives on those that waited for their clients and have something to do.
    pub(super) fn wake(&mut self, has_something: impl Fn(&Listening) -> bool) {
        let woken = self.listening.extract_if(.., |listening| has_something(listening));
        self.waiting.extend(woken.map(|listening| listening.run));
    }

    /// Whether some of it has recorded what the journal does not have yet.
    pub(super) fn holds_records(&self) -> bool {
        let listening = self.listening.iter().map(|listening| &listening.run);
        let awaiting = self.awaiting.iter().map(|awaiting| &awaiting.run);
        let mut all = self.waiting.iter().chain(listening).chain(awaiting);
        all.any(|run| matches!(run, LongRun::Errand(long) if !long.worked.unit.is_empty()))
    }

    /// Whether there is none that has something to do.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Slice {
    fn of(began: u64, micros: u64) -> Slice {
        Slice { began, least: began + SCRIPT_SLICE_MICROS_MIN, end: began + micros }
    }
}

impl Core {
    /// The slice in which work begins at `began`.
    pub(super) fn first_slice(&self, began: u64) -> Slice {
        Slice::of(began, self.long.slice_micros_max)
    }

    /// Keeps work that has given way, with what it needs and what it holds.
    pub(super) fn keep_long(&mut self, from: ShardId, errand: Errand, stopped: Stopped) {
        let Stopped { worked, reply, running, until, ticket, began, under_way } = stopped;
        let keeps = self.shared.mesh.holds(Rule::GivingWayKeepsClaims);
        let claims = || if keeps { errand.claims() } else { Claims::Keys(Vec::new()) };
        let ticket = ticket.unwrap_or_else(|| self.locks.hold(claims()));
        if let Some(running) = &running {
            self.look_whether_busy(running, &*errand.work);
        }
        let (now, micros) = (self.shard.clock, self.last_micros.saturating_sub(began));
        let (client, conn) = (worked.actor.client, worked.actor.conn);
        let is_outside = matches!(until, Until::IsOver(_));
        let waits_since = is_outside.then_some(self.last_micros);
        let under_way = under_way.or_else(|| is_outside.then(|| self.shared.dialogues.enter()));
        let script = running.clone().filter(|_| is_outside).map(|running| (running, errand.claims()));
        let long = LongErrand { from, errand, worked, reply, ticket, now, micros, waits_since, under_way };
        let run = LongRun::Errand(Box::new(long));
        match (until, running) {
            (Until::IsOver(exchange), _) => self.await_exchange(Awaiting { exchange, script, run }),
            (Until::ItsClientSpeaks, Some(running)) => self.long.listen(Listening { conn, running, run }),
            (Until::ItsClientSpeaks | Until::ItsTurn, _) => self.long.put_off(run),
        }
        // What it has changed so far is told as its doing, not as that of whoever is served meanwhile.
        self.tell_trackers(client);
        self.tell_events();
    }

    /// Drives on the work whose turn it is, for a slice.
    pub(super) fn drive_long(&mut self) {
        let Some(run) = self.long.waiting.pop_front() else { return };
        match run {
            LongRun::Plan(id) => self.next_step(id),
            LongRun::Errand(long) => self.drive_errand(*long),
        }
        self.run_hops();
        self.long.slice_ended = self.clock.micros();
        self.long.done_before = self.done_so_far();
        self.worked = true;
    }

    fn drive_errand(&mut self, long: LongErrand) {
        let LongErrand { from, mut errand, worked, mut reply, ticket, now, micros, waits_since, under_way } = long;
        let slice = self.next_slice();
        let waited = waits_since.map_or(0, |since| slice.began.saturating_sub(since));
        let began = slice.began.saturating_sub(micros + waited);
        let mut flow = worked.flow;
        let is_over = self.at_time(now, |core| {
            let (worked, progress) = core.work_here(worked, &mut *errand.work, &mut reply, slice);
            flow = worked.flow;
            if let Some((running, until)) = progress.stop() {
                let stopped = Stopped { worked, reply, running, until, ticket: Some(ticket), began, under_way };
                core.keep_long(from, errand, stopped);
                return false;
            }
            core.errand_done(from, errand, began, worked.flow, &reply);
            true
        });
        if is_over {
            self.release(ticket);
            // What it signalled was held by itself until now.
            self.serve_waiters();
            self.tell_events();
        }
    }

    /// The slice of a plan's work that begins now.
    pub(super) fn slice_of_plan(&mut self, has_stopped: bool) -> Slice {
        if has_stopped {
            return self.next_slice();
        }
        self.last_micros = self.clock.micros();
        self.first_slice(self.last_micros)
    }

    /// A slice of work that has given way before, from now.
    fn next_slice(&mut self) -> Slice {
        let now = self.clock.micros();
        self.last_micros = now;
        if self.done_so_far() == self.long.done_before {
            return self.first_slice(now);
        }
        let others = now.saturating_sub(self.long.slice_ended);
        let micros = others.clamp(SCRIPT_SLICE_MICROS_MIN, SCRIPT_SLICE_MICROS_MAX);
        Slice::of(now, micros.min(self.long.slice_micros_max))
    }

    fn done_so_far(&self) -> u64 {
        self.stats.commands_processed + self.stats.messages
    }

    /// A script has given way: once it has run for `busy-reply-threshold`, whoever would have to wait for it is refused.
    pub(super) fn look_whether_busy(&self, running: &Running, work: &dyn Work) {
        self.look_whether_busy_with(running, || claims_of(work));
    }

    /// The same, for what has these claims.
    pub(super) fn look_whether_busy_with(&self, running: &Running, claims: impl FnOnce() -> Claims) {
        let threshold = u64::try_from(self.shard.config.busy_reply_threshold).unwrap_or(0);
        if threshold == 0 || running.is_busy() {
            return;
        }
        let ran = running.since.elapsed();
        if ran < Duration::from_millis(threshold) {
            return;
        }
        // On a server of one shard, and for a script that names no key, it is as in Redis: it has the server to itself.
        let holds = match claims() {
            Claims::Keys(keys) if self.shard.shards > 1 && !keys.is_empty() => Holds::Keys(keys),
            Claims::Keys(_) | Claims::Whole => Holds::Everything,
        };
        self.shared.scripts.set_busy(running, holds);
        let kill = match running.kind {
            Kind::Script => "SCRIPT KILL",
            Kind::Function => "FUNCTION KILL",
        };
        tracing::warn!(
            "Slow script detected: still in execution after {} milliseconds. You can try killing the script using the \
             {kill} command. Script name is: {}.",
            ran.as_millis(),
            String::from_utf8_lossy(&running.name)
        );
    }
}
