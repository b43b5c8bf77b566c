//! Grounds: where the commands of a transaction or a script run.
//!
//! | the keys are | a command runs |
//! |---|---|
//! | here, on this core's shard | as it does by itself |
//! | brought together in a table | as if that were the one shard |
//! | all here, shard by shard | on the shard of its key; by its own plan, driven here, if it has keys of several; on each shard in turn, if it stands for all keys |
//!
//! In each case whoever else wants one of the keys waits, so that commands which run one after another on the same grounds
//! are one. A command that would wait for a key does not: it answers what it would when its time is over.

use std::sync::Arc;

use net::{Args, ConnId, Flow, OwnedArgs, Reply, Resp};

use super::deliver::error_code;
use super::monitor::secrets;
use super::route::single_key;
use super::run::{call, shard_handler};
use super::{Core, SessionCtx};
use crate::acl::Caller;
use crate::commands::parse::parse_db;
use crate::exec::borrow::{Borrow, BorrowInput};
use crate::exec::error::{CommandError, MONITOR_IN_EXEC, NOT_ON_GROUNDS};
use crate::exec::hop::{HopOp, HopValue, Plan, PlanInput, Step};
use crate::exec::merge::Part;
use crate::exec::work::{Asks, Outside, Progress};
use crate::exec::{Ctx, EverywhereCall, Run, SessionHandler, ShardHandler, ShardState, Share};
use crate::ids::{ClientId, DbId, ShardId};
use crate::migrate::Migration;
use crate::monitor::Runner;
use crate::pubsub::Space;
use crate::script::debugger::Heard;
use crate::script::running::Running;
use crate::script::work::ScriptWork;
use crate::spec::Flag;
use crate::spec::table::Row;
use crate::wait::{Nothing, WaitRequest};

/// The connection of a script: none. Its commands may run on another core than its client's, where somebody else has the
/// same place.
const NOBODY: ConnId = ConnId { slot: u32::MAX, generation: u32::MAX };

/// In whose name commands run.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// The client's connection at its own core.
    pub conn: ConnId,
    /// That core.
    pub home: ShardId,
    /// The client.
    pub client: ClientId,
    /// The database that is selected.
    pub db: DbId,
    /// The protocol version of replies.
    pub resp: Resp,
    /// `CLIENT NO-TOUCH`.
    pub no_touch: bool,
    /// It is to be told when what it reads changes.
    pub tracks: bool,
    /// It is a script that runs: what it selects is its own affair, and it has no connection.
    pub is_script: bool,
}

/// Where the keys are.
pub(super) enum Ground<'a> {
    /// On this core's shard.
    Here,
    /// Brought together.
    Together(&'a mut ShardState),
    /// Every shard's are here, in order of shards.
    All(&'a mut [ShardState]),
}

/// What the cores gave for a command that asks them all.
pub(super) struct Asking {
    /// When they were asked, in the clock's microseconds.
    pub(super) since: u64,
    /// In order of shards.
    pub(super) shares: Vec<Share>,
}

/// Where the commands of a piece of work run, and in whose name.
pub struct Grounds<'a> {
    pub(super) core: &'a mut Core,
    pub(super) ground: Ground<'a>,
    /// In whose name.
    pub actor: Actor,
    /// What the cores gave for the command that is run again with it.
    pub(super) shares: Option<Asking>,
    /// What a command did to the connection.
    pub(super) flow: Flow,
    /// How long it may run now.
    pub(super) slice: Slice,
    /// A script that has given way, and is the command that is run next.
    pub script: Option<Box<ScriptWork>>,
    /// The command that is run next, if it has begun and waits for another server.
    pub migration: Option<Box<Migration>>,
    /// Who calls the scripts within the work, if that may not do everything.
    pub caller: Option<Arc<Caller>>,
}

/// The time that work has before it gives way, in the clock's microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// When it was driven on.
    pub(super) began: u64,
    /// From then on it gives way to other cores that wait for this one.
    pub(super) least: u64,
    /// Then it gives way.
    pub(super) end: u64,
}

/// What became of a command.
pub enum Ran {
    /// Its reply is written.
    Replied,
    /// It asks every core for a share: nothing is written, and it is to be run again when the shares are there. If it is a
    /// script that asks, as [`Grounds::script`].
    WantsShares(Asks),
    /// It is a script that has given way: nothing is written, and it is to be run again, as [`Grounds::script`].
    Stopped(Option<Arc<Running>>),
    /// It waits for another server: nothing is written, and it is to be run again, as [`Grounds::migration`], when that
    /// dialogue is over.
    Outside(Outside),
}

impl Grounds<'_> {
    /// The core on which the work runs.
    pub fn core(&mut self) -> &mut Core {
        self.core
    }

    /// Whether this is another run, with what the cores gave.
    pub fn has_shares(&self) -> bool {
        self.shares.is_some()
    }

    /// What the cores gave is wanted no longer: the script that asked for it was killed meanwhile.
    pub fn drop_shares(&mut self) {
        self.shares = None;
    }

    /// Sends the client, who debugs the script in this work, a reply of the debugger.
    pub fn say(&mut self, reply: &[u8]) {
        self.core.say(self.actor.conn, reply);
    }

    /// What has come from the client, who debugs the script in this work.
    pub fn hear(&mut self) -> Heard {
        self.core.hear(self.actor.conn)
    }

    /// The connection is to be closed when it has the reply.
    pub fn close(&mut self) {
        self.flow = Flow::Close;
    }

    /// Something of the shard that stands for the work: its configuration, its clock, its randomness.
    pub fn shard(&mut self) -> &mut ShardState {
        let home = self.core.id.index();
        match &mut self.ground {
            Ground::Here => &mut self.core.shard,
            Ground::Together(table) => table,
            Ground::All(states) => &mut states[home],
        }
    }

    /// The shard that has `key` here.
    pub fn shard_of(&mut self, key: &[u8]) -> &mut ShardState {
        let owner = self.core.shared.slots.owner(key).index();
        match &mut self.ground {
            Ground::Here => &mut self.core.shard,
            Ground::Together(table) => table,
            Ground::All(states) => &mut states[owner],
        }
    }

    /// Runs one command, whose arity was checked and whose keys are among those claimed, and writes its reply behind what
    /// is in `out`.
    pub fn run(&mut self, row: &'static Row, args: &Args<'_>, out: &mut Vec<u8>) -> Ran {
        let ran_micros = self.script.as_deref().map_or(0, ScriptWork::ran_micros);
        let began =
            self.shares.as_ref().map_or(self.core.last_micros, |asking| asking.since).saturating_sub(ran_micros);
        let began = self.migration.as_deref().and_then(Migration::began).unwrap_or(began);
        let start = out.len();
        match row.run(args) {
            Run::Container | Run::Chosen(_) => unreachable!("a container is refused, and nothing is chosen twice"),
            Run::Session(handler) => {
                self.run_session(handler, row, args, out);
                if matches!(row.full_name.as_str(), "client|caching" | "client|tracking") {
                    let session = self.core.session(self.actor.conn);
                    self.actor.tracks = session.is_some_and(crate::session::Session::rechoose_tracking);
                }
            }
            Run::Subscribe(handler) => {
                self.run_session(handler, row, args, out);
                self.core.settle_within(self.actor.conn);
            }
            Run::Publish(space) => self.run_publish(space, args, out),
            Run::Placed(_) => match self.run_placed(row, args, out) {
                Progress::Done => {}
                Progress::Later(running) => return Ran::Stopped(running),
                Progress::Shares(asks) => return Ran::WantsShares(asks),
                Progress::Outside(outside) => return Ran::Outside(outside),
                Progress::Listens(_) => unreachable!("a transaction's scripts have no session"),
            },
            Run::Outside(begin) => {
                if let Some(exchange) = self.run_outside(begin, args, out) {
                    return Ran::Outside(Outside { exchange, running: None, rests_at_home: false });
                }
                self.core.redacted = secrets(row, args);
            }
            Run::Everywhere { .. } => {
                if !self.run_everywhere(row, args, out) {
                    return Ran::WantsShares(Asks { args: args.to_owned(), running: None });
                }
            }
            _ => {
                self.run_data(row, args, out);
                if self.actor.tracks {
                    self.remember_reads(row, args);
                }
            }
        }
        self.core.stats.commands_processed += 1;
        self.core.finished_with((self.actor.conn, self.actor.home), row, args, began, error_code(&out[start..]));
        Ran::Replied
    }

    /// Shows a command of a script, from where it runs.
    pub fn show_of_script(&mut self, row: &Row, args: &Args<'_>) {
        if self.core.shared.monitors.any() {
            self.core.redacted = secrets(row, args);
            self.core.show(row, self.actor.db, Runner::Script, args);
            self.core.redacted.clear();
        }
    }

    /// Runs something on the shard of `key`, which tells what it has done.
    pub fn operate<T>(&mut self, key: &[u8], op: impl FnOnce(&mut Ctx<'_>) -> T) -> T {
        let actor = self.actor;
        operate_on(self.shard_of(key), &actor, op)
    }

    /// A script runs within the work; other work does not.
    fn run_placed(&mut self, row: &'static Row, args: &Args<'_>, out: &mut Vec<u8>) -> Progress {
        let stopped = self.script.take().map(|script| Some(Ok(*script)));
        match stopped
            .unwrap_or_else(|| crate::commands::scripting::within(&self.core.shared, row, args, self.caller.take()))
        {
            None => Reply::new(out, self.actor.resp).error(NOT_ON_GROUNDS.as_bytes()),
            Some(Err(error)) => Reply::new(out, self.actor.resp).error(error.as_bytes()),
            Some(Ok(mut script)) => {
                let progress = script.run_on(self, out);
                if !matches!(progress, Progress::Done) {
                    self.script = Some(Box::new(script));
                }
                return progress;
            }
        }
        Progress::Done
    }

    /// Whether the work is to give way, as far as is known without a look at the clock.
    pub fn is_time_up(&self) -> bool {
        let now = self.core.last_micros;
        now >= self.slice.end || (now >= self.slice.least && self.core.shared.mesh.has_hops(self.core.id))
    }

    /// Looks at the clock: whether the work is to give way.
    pub fn look_at_time(&mut self) -> bool {
        self.core.last_micros = self.core.clock.micros();
        self.is_time_up()
    }

    /// For how long the work has run since it was driven on, in microseconds.
    pub fn driven_micros(&self) -> u64 {
        self.core.last_micros.saturating_sub(self.slice.began)
    }

    /// What is published goes out with the push of this tick, behind what the work has changed.
    fn run_publish(&mut self, space: Space, args: &Args<'_>, out: &mut Vec<u8>) {
        let conn = Some(self.actor.conn).filter(|_| self.actor.home == self.core.id);
        let receivers = self.core.publish_within(conn, space, args.at(1), args.at(2));
        Reply::new(out, self.actor.resp).integer(receivers as i64);
    }

    /// The client is to be told when what this command reads changes.
    fn remember_reads(&mut self, row: &Row, args: &Args<'_>) {
        let client = self.actor.client;
        match &mut self.ground {
            Ground::Here => self.core.remember_reads(client, row, args),
            Ground::Together(table) => table.tracking.remember(client, row, args),
            Ground::All(states) if row.command.flags.has(Flag::Readonly) => {
                let slots = Arc::clone(&states[0].slots);
                row.command.visit_keys(args, |place| {
                    let key = args.at(place);
                    states[slots.owner(key).index()].tracking.remember_key(client, key);
                });
            }
            Ground::All(_) => {}
        }
    }

    fn run_session(&mut self, handler: SessionHandler, row: &Row, args: &Args<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let mut reply = Reply::new(out, self.actor.resp);
        let outcome = if self.actor.is_script {
            self.run_for_script(handler, row, args, &mut reply)
        } else if self.core.session(self.actor.conn).is_none() {
            // Nobody is there any more to whom it could make a difference.
            Err(NOT_ON_GROUNDS)
        } else if row.full_name == "monitor" {
            Err(MONITOR_IN_EXEC)
        } else {
            let mut ctx = SessionCtx { core: self.core, conn: self.actor.conn, flow: Flow::Continue };
            let outcome = handler(&mut ctx, args, &mut reply);
            if ctx.flow == Flow::Close {
                self.flow = Flow::Close;
            }
            let session = self.core.session(self.actor.conn).expect("it was there just now");
            (self.actor.db, self.actor.resp, self.actor.no_touch) = (session.db, session.resp, session.no_touch);
            outcome
        };
        if let Err(error) = outcome {
            out.truncate(start);
            Reply::new(out, self.actor.resp).error(error.as_bytes());
        }
        self.follow_config();
    }

    /// A script's SELECT is its own affair; what else it may call needs no connection, unless nothing is denied to it.
    fn run_for_script(
        &mut self,
        handler: SessionHandler,
        row: &Row,
        args: &Args<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), CommandError> {
        if row.full_name == "select" {
            self.actor.db = parse_db(args.at(1), self.shard().databases.len())?;
            reply.ok();
            return Ok(());
        }
        let needs_client = row.command.flags.has(Flag::Noscript);
        if needs_client && self.core.session(self.actor.conn).is_none() {
            return Err(NOT_ON_GROUNDS);
        }
        let conn = if needs_client { self.actor.conn } else { NOBODY };
        let mut ctx = SessionCtx { core: self.core, conn, flow: Flow::Continue };
        handler(&mut ctx, args, reply)
    }

    /// A change of the configuration counts from the next command on.
    fn follow_config(&mut self) {
        self.core.refresh_config();
        let (config, limits) = (&self.core.shard.config, self.core.shard.limits);
        let follow = |shard: &mut ShardState| {
            shard.config = Arc::clone(config);
            shard.limits = limits;
        };
        match &mut self.ground {
            Ground::Here => {}
            Ground::Together(table) => follow(table),
            Ground::All(states) => states.iter_mut().for_each(follow),
        }
    }

    /// A command for every core: with the shares that were fetched for it, or with that of the only core. False if they
    /// have yet to be fetched.
    fn run_everywhere(&mut self, row: &Row, args: &Args<'_>, out: &mut Vec<u8>) -> bool {
        let Run::Everywhere { check, share, merge } = row.run(args) else { unreachable!("it was seen to be one") };
        let Actor { conn, client, db, resp, .. } = self.actor;
        let start = out.len();
        // A script that sleeps keeps those waiting who want what it has claimed: no other core needs to sleep.
        let is_for_one_core =
            self.actor.is_script && row.command.name == "debug" && args[1].eq_ignore_ascii_case(b"sleep");
        let needs_client = !self.actor.is_script || row.command.flags.has(Flag::Noscript);
        if needs_client && !is_for_one_core && self.core.session(conn).is_none() {
            // Nobody is there any more to whom it could make a difference.
            Reply::new(out, resp).error(NOT_ON_GROUNDS.as_bytes());
            return true;
        }
        let mut reply = Reply::new(out, resp);
        let mut ctx = SessionCtx { core: self.core, conn, flow: Flow::Continue };
        let mut outcome = match self.shares {
            Some(_) => Ok(()),
            None => check(&mut ctx, args, &mut reply),
        };
        if outcome.is_ok() && reply.mark() == start {
            let shares = match self.shares.take() {
                Some(asking) => asking.shares,
                None if ctx.core.shard.shards == 1 || is_for_one_core => {
                    vec![share(ctx.core, &EverywhereCall { client, db, args: *args })]
                }
                None => return false,
            };
            outcome = merge(&mut ctx, args, shares, &mut reply);
        }
        if ctx.flow == Flow::Close {
            self.flow = Flow::Close;
        }
        if let Err(error) = outcome {
            out.truncate(start);
            Reply::new(out, resp).error(error.as_bytes());
        }
        self.follow_config();
        true
    }

    fn run_data(&mut self, row: &'static Row, args: &Args<'_>, out: &mut Vec<u8>) {
        let (actor, home) = (self.actor, self.core.id);
        match &mut self.ground {
            Ground::Here => {
                let handler = shard_handler(row.run(args)).expect("it works on keys");
                run_at(&mut self.core.shard, actor, handler, args, out);
            }
            Ground::Together(table) => {
                let handler = shard_handler(row.run(args)).expect("it works on keys");
                run_at(table, actor, handler, args, out);
            }
            Ground::All(states) => run_over(states, home, actor, row, args, out),
        }
    }
}

/// Runs a handler on one shard.
fn run_at(shard: &mut ShardState, actor: Actor, handler: ShardHandler, args: &Args<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    shard.serves_script = actor.is_script;
    let mut ctx = Ctx { shard, db: actor.db, no_touch: actor.no_touch };
    call(handler, &mut ctx, args, &mut Reply::new(out, actor.resp));
    shard.serves_script = false;
    if let Some(request) = shard.wanted.take() {
        out.truncate(start);
        answer_nothing(&request, args.at(0), actor.resp, out);
    }
}

/// What a command answers that would wait where nobody may: what it would when its time is over, but that one which moves
/// an element answers the missing element.
fn answer_nothing(request: &WaitRequest, name: &[u8], resp: Resp, out: &mut Vec<u8>) {
    let moves = [&b"blmove"[..], b"brpoplpush"].iter().any(|moving| moving.eq_ignore_ascii_case(name));
    let mut reply = Reply::new(out, resp);
    match request.nothing {
        Nothing::NullArray if !moves => reply.null_array(),
        Nothing::NullArray | Nothing::Null => reply.null(),
        Nothing::Zero | Nothing::Synced => unreachable!("these wait for no key"),
    }
}

/// Runs a command where every shard is, `home` being that of this core.
fn run_over(
    states: &mut [ShardState],
    home: ShardId,
    actor: Actor,
    row: &'static Row,
    args: &Args<'_>,
    out: &mut Vec<u8>,
) {
    let slots = Arc::clone(&states[0].slots);
    let refuse = |error: &CommandError, out: &mut Vec<u8>| Reply::new(out, actor.resp).error(error.as_bytes());
    let mut owners = Vec::new();
    row.command.visit_keys(args, |place| owners.push(slots.owner(args.at(place))));
    let first = owners.first().copied().unwrap_or(home);
    let one_shard = owners.iter().all(|owner| *owner == first);
    let input = |owners| PlanInput {
        args: *args,
        db: actor.db,
        resp: actor.resp,
        owners,
        databases: states[0].databases.len() as u32,
        slots: &slots,
    };
    let plan = match row.run(args) {
        Run::Shard(handler) => {
            let owner = single_key(row, args).map_or(home, |key| slots.owner(key));
            return run_at(&mut states[owner.index()], actor, handler, args, out);
        }
        Run::Routed { route, run } => match route(args, states.len()) {
            Ok(owner) => return run_at(&mut states[owner.index()], actor, run, args, out),
            Err(error) => Err(error),
        },
        Run::AllShards { part, merge } => {
            let answer = |state: &mut ShardState| {
                let mut reply = Vec::new();
                run_at(state, actor, part, args, &mut reply);
                Part { reply, places: Vec::new() }
            };
            let parts: Vec<Part> = states.iter_mut().map(answer).collect();
            let start = out.len();
            if let Err(error) = merge.apply(args, &parts, &mut Reply::new(out, actor.resp)) {
                out.truncate(start);
                refuse(&error, out);
            }
            return;
        }
        Run::Split { part: handler, .. } | Run::Keys(handler) | Run::Hops { local: handler, .. } if one_shard => {
            return run_at(&mut states[first.index()], actor, handler, args, out);
        }
        Run::Split { part: handler, .. } | Run::Keys(handler) => {
            let mut keys: Vec<(ShardId, Vec<u8>)> = Vec::with_capacity(owners.len());
            row.command.visit_keys(args, |place| keys.push((owners[keys.len()], args.at(place).to_vec())));
            let (db, resp, no_touch) = (actor.db, actor.resp, actor.no_touch);
            let shard = &mut states[home.index()];
            Ok(Borrow::plan(BorrowInput {
                handler,
                args: args.to_owned(),
                resp,
                db,
                no_touch,
                keys,
                shard,
                claim: None,
            }))
        }
        Run::Hops { plan, .. } => plan(&input(&owners)),
        Run::AllHops { plan, .. } => plan(&input(&[])),
        Run::Container
        | Run::Session(_)
        | Run::Subscribe(_)
        | Run::Publish(_)
        | Run::Everywhere { .. }
        | Run::Chosen(_)
        | Run::Outside(_)
        | Run::Placed(_) => {
            unreachable!("it works on keys")
        }
    };
    match plan {
        Ok(plan) => drive(plan, states, actor, args, out),
        Err(error) => refuse(&error, out),
    }
}

/// Runs something on a shard in the name of `actor`: it tells what it has done.
fn operate_on<T>(shard: &mut ShardState, actor: &Actor, op: impl FnOnce(&mut Ctx<'_>) -> T) -> T {
    shard.serves_script = actor.is_script;
    let mut ctx = Ctx { shard, db: actor.db, no_touch: actor.no_touch };
    let before = ctx.before_record();
    let value = op(&mut ctx);
    ctx.settle(before.0);
    ctx.record_operation(before);
    ctx.shard.serves_script = false;
    value
}

/// Drives a plan to its end where all its shards are.
fn drive(mut plan: Box<dyn Plan>, states: &mut [ShardState], actor: Actor, args: &Args<'_>, out: &mut Vec<u8>) {
    let mut operate = |ops: Vec<(ShardId, HopOp)>| -> Vec<HopValue> {
        ops.into_iter().map(|(shard, op)| operate_on(&mut states[shard.index()], &actor, op)).collect()
    };
    let mut values = Vec::new();
    loop {
        match plan.step(std::mem::take(&mut values)) {
            Step::Reply(reply) => return out.extend_from_slice(&reply),
            Step::Run(ops) | Step::RunLast(ops) | Step::RunInTurn(ops) => values = operate(ops),
            Step::Wait(request, ops) => {
                operate(ops);
                return answer_nothing(&request, args.at(0), actor.resp, out);
            }
            Step::Shares(_) | Step::Later | Step::Listen(_) | Step::Outside(..) => {
                unreachable!("commands on keys ask no other core, and run to their end")
            }
        }
    }
}

/// A command that is to be asked of every core, as it is sent to them.
pub struct Asked {
    /// Who asks.
    pub client: ClientId,
    /// The client's database.
    pub db: DbId,
    /// The command.
    pub args: OwnedArgs,
}
