//! From a client's command to where it runs.
//!
//! Everything that can be refused is refused here, before anything is pushed: arity, authentication, memory (design:
//! order, rule 5). Then the command runs in place, if its keys are on this shard and its connection has nothing in the
//! batches of this tick; else it joins the batches.
//!
//! `route/spread.rs` makes parts and plans of commands over several shards, `route/session.rs` has what the session decides.

mod session;
mod spread;

use net::{Args, ConnId, Flow, Reply, Resp};

use super::monitor::secrets;
use super::replaying::REPLAY;
use super::{Core, SessionCtx};
use crate::acl::Access;
use crate::commands::scripting::flags_of_call;
use crate::config::types::choices;
use crate::exec::error::{self, CommandError};
use crate::exec::hop::PlanInput;
use crate::exec::{Merge, Outcome, Run, SessionHandler};
use crate::ids::{DbId, ShardId};
use crate::limits::IN_FLIGHT_BYTES_MAX;
use crate::mesh::{Head, Rule};
use crate::session::{Hold, is_local};
use crate::spec::table::Row;
use crate::spec::{Begin, CommandId, CommandTable, Flag, Flags};
use crate::wait::Claim;

/// What routing needs to know of the session.
#[derive(Clone, Copy)]
pub(super) struct Caller {
    conn: ConnId,
    db: DbId,
    resp: Resp,
}

/// By what a command runs whose keys are brought together.
pub(super) struct RunBy {
    pub(super) db: DbId,
    pub(super) no_touch: bool,
    pub(super) resp: Resp,
    /// The wait in whose name it runs.
    pub(super) claim: Option<Claim>,
}

/// A command in flight counts as so many bytes besides its arguments.
pub(super) const COMMAND_OVERHEAD_BYTES: usize = 64;

impl Core {
    /// Runs or routes one command of `conn`.
    pub(super) fn route(&mut self, conn: ConnId, args: &Args<'_>) -> Flow {
        self.run_hops();
        let Some(session) = self.session(conn) else { return Flow::Close };
        match session.held {
            Some(Hold::Closing) => return Flow::Hold,
            Some(Hold::Debugging) => return self.take_order(conn, args),
            _ => {}
        }
        session.begin_reply();
        let found = self.recent.find(args.at(0)).map(|row| CommandTable::global().resolve_in(row, args));
        let row = match found.unwrap_or(Ok(None)) {
            Ok(Some(row)) => row,
            Ok(None) => return self.refuse(conn, None, &unknown_command(args)),
            Err(parent) => {
                let word = args.get(1).unwrap_or_default();
                let error = error::unknown_subcommand(word, &String::from_utf8_lossy(args.at(0)));
                return self.refuse(conn, Some(parent.id), &error);
            }
        };
        self.heed_memory_for_command(args);
        if let Some(error) = self.refusal(conn, row, args) {
            return self.refuse(conn, Some(row.id), &error);
        }
        if (self.shared.is_paused() || self.shared.snapshots.holds_writes())
            && conn != REPLAY
            && self.is_held_back(conn, row, args)
        {
            let session = self.session(conn).expect("it was there above");
            session.held = Some(Hold::Paused(args.to_owned()));
            session.put_back_reply();
            self.paused.push(conn);
            return Flow::Hold;
        }
        if let Some(flow) = self.keep_for_exec(conn, row, args) {
            return flow;
        }
        // Only such may look at keys that their arguments do not name.
        if row.command.flags.has(Flag::Movablekeys)
            && let Some(flow) = self.fail_by_rules(conn, row, args)
        {
            return flow;
        }
        self.dispatch(conn, row, args)
    }

    /// Why the command may not run, judged before anything is pushed.
    fn refusal(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) -> Option<CommandError> {
        let command = row.command;
        if !command.arity.admits(args.len()) || matches!(command.run, Run::Container) {
            return Some(error::wrong_arity(&row.full_name));
        }
        if conn == REPLAY {
            return None;
        }
        if self.session(conn)?.access != Access::Full {
            let refused = self.refused_by_rules(conn, row, args);
            if refused.is_some() {
                return refused;
            }
        }
        if self.session(conn)?.is_restricted() && !command.flags.has(Flag::WhileSubscribed) {
            return Some(error::only_while_subscribed(&row.full_name));
        }
        if command.flags.has(Flag::Debugging) && !self.is_allowed(conn, self.shard.config.enable_debug_command) {
            return Some(error::DEBUG_NOT_ALLOWED);
        }
        if command.flags.has(Flag::Modules) && !self.is_allowed(conn, self.shard.config.enable_module_command) {
            return Some(error::MODULE_NOT_ALLOWED);
        }
        if self.session(conn)?.monitors && is_about_keys(row) {
            return Some(error::MONITORS_NO_KEYS);
        }
        if self.shared.snapshots.restricts() {
            let flags = self.flags_of(conn, row, args);
            let refused = self.refused_for_snapshots(row, flags);
            if refused.is_some() {
                return refused;
            }
        }
        if self.shared.scripts.is_busy() {
            let refused = self.refused_while_busy(conn, row, args);
            if refused.is_some() {
                return refused;
            }
        }
        if command.flags.has(Flag::NoMulti) && self.session(conn)?.in_transaction() {
            return Some(error::NOT_IN_MULTI);
        }
        let over_memory = self.shared.over_memory.load(std::sync::atomic::Ordering::Relaxed);
        if !over_memory || !self.shared.mesh.holds(Rule::PartsCannotRefuse) {
            return None;
        }
        let takes = self.flags_of(conn, row, args).has(Flag::Denyoom);
        if takes { Some(error::OUT_OF_MEMORY) } else { self.takes_memory(conn, row) }
    }

    /// What this call may do: what its command may, or the script that it runs, or the commands of the transaction.
    pub(super) fn flags_of(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) -> Flags {
        match row.command.run {
            Run::Placed(_) if row.command.name == "exec" => self.kept_flags(conn),
            Run::Placed(_) => flags_of_call(&self.shared, row, args),
            _ => row.command.flags,
        }
    }

    /// `enable-debug-command` and `enable-module-command`: nobody, everybody, or clients of this machine.
    fn is_allowed(&mut self, conn: ConnId, access: choices::Access) -> bool {
        self.session(conn).is_some_and(|session| access.allows(is_local(&session.info.endpoint)))
    }

    /// Whether CLIENT PAUSE holds the command, or a snapshot with too much to write.
    fn is_held_back(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) -> bool {
        let flags = self.flags_of(conn, row, args);
        let writes = flags.has(Flag::Write) || flags.has(Flag::MayReplicate) || flags.has(Flag::HeldWithWrites);
        let Some(pause) = self.shared.pause(self.clock.now()) else {
            return flags.has(Flag::Write) && self.shared.snapshots.holds_writes();
        };
        // CLIENT commands go through, or nobody could end the pause.
        (pause.all || writes) && !row.full_name.starts_with("client")
    }

    /// Answers an error in place of the command.
    pub(super) fn refuse(&mut self, conn: ConnId, command: Option<CommandId>, error: &CommandError) -> Flow {
        let is_exec = command.is_some_and(|command| CommandTable::global().row(command).command.name == "exec");
        let aborted = self.break_transaction(conn, is_exec, error);
        let error = aborted.as_ref().unwrap_or(error);
        self.count_refusal(command, error);
        if let Some(session) = self.session(conn) {
            session.forget_caching(command);
        }
        let passes = self.passes_while_busy(conn);
        self.answer_now(conn, |_, reply| reply.error(error.as_bytes()));
        if passes {
            self.pass_output(conn);
        }
        Flow::Continue
    }

    /// A command, if it is one, was refused.
    pub fn count_refusal(&mut self, command: Option<CommandId>, error: &CommandError) {
        if let Some(command) = command {
            self.stats.commands[command.index()].rejected += 1;
        }
        self.stats.error(error.code());
    }

    /// A command by its own name failed, though its reply is no error.
    pub fn count_failure(&mut self, name: &str) {
        let row = CommandTable::global().rows().iter().find(|row| row.full_name == name);
        self.stats.commands[row.expect("it is called by its own name").id.index()].failed += 1;
    }

    fn dispatch(&mut self, conn: ConnId, row: &'static Row, args: &Args<'_>) -> Flow {
        let now = self.shard.clock;
        let session = self.session(conn).expect("the command's client is there");
        session.info.last_command = Some(row.id);
        session.info.active_at = now;
        session.info.commands += 1;
        session.choose_tracking(row);
        let caller = Caller { conn, db: session.db, resp: session.resp };
        self.stats.commands_processed += 1;
        let run = row.run(args);
        if matches!(run, Run::Outside(_)) {
            self.redacted = secrets(row, args);
        }
        if !matches!(run, Run::Session(_) | Run::Subscribe(_)) {
            self.show_kept(conn, row);
            self.show_to_monitors(conn, row, args);
        }
        match run {
            Run::Session(handler) => return self.run_session(caller, row, handler, args),
            Run::Subscribe(handler) => return self.run_subscribe(conn, row, handler, args),
            Run::Publish(space) => self.publish(conn, row, args, space),
            Run::Placed(place) => return self.run_placed(caller, row, place, args),
            Run::Outside(begin) => {
                let place = |ctx: &mut SessionCtx<'_>, row, args: &Args<'_>| {
                    ctx.place_work(row, args, Box::new(begin(args)?));
                    Ok(())
                };
                return self.run_placed(caller, row, place, args);
            }
            Run::Container | Run::Chosen(_) => unreachable!("refused above, or chosen"),
            Run::Shard(_) => match single_key(row, args) {
                Some(key) => {
                    let owner = self.shared.slots.owner(key);
                    self.run_on(owner, caller, row, args);
                }
                None => self.run_on(self.id, caller, row, args),
            },
            Run::Routed { route, .. } => match route(args, self.shard.shards) {
                Ok(owner) => self.run_on(owner, caller, row, args),
                Err(error) => return self.refuse(conn, Some(row.id), &error),
            },
            Run::Split { merge, .. } => self.split(caller, row, args, merge),
            Run::AllShards { merge: merge @ Merge::Saved { is_sound }, .. }
                if is_sound(args) && self.saves_emptiness() =>
            {
                self.run_unanswered(caller, row, args, merge);
                self.answer_when_saved(conn);
            }
            Run::AllShards { merge, .. } => self.run_on_all(caller, row, args, merge),
            Run::Hops { plan, .. } => {
                let owners = self.owners(row, args);
                if owners.iter().all(|owner| *owner == owners[0]) {
                    let owner = owners.first().copied().unwrap_or(self.id);
                    self.run_on(owner, caller, row, args);
                } else {
                    let input = PlanInput {
                        args: *args,
                        db: caller.db,
                        resp: caller.resp,
                        owners: &owners,
                        databases: self.shard.databases.len() as u32,
                        slots: &self.shard.slots,
                    };
                    match plan(&input) {
                        Ok(plan) => self.place_plan(conn, row, args, &owners, plan),
                        Err(error) => return self.refuse(conn, Some(row.id), &error),
                    }
                }
            }
            Run::AllHops { .. } if self.shard.shards == 1 => self.run_on(self.id, caller, row, args),
            Run::AllHops { plan, .. } => {
                let input = PlanInput {
                    args: *args,
                    db: caller.db,
                    resp: caller.resp,
                    owners: &[],
                    databases: self.shard.databases.len() as u32,
                    slots: &self.shard.slots,
                };
                match plan(&input) {
                    Ok(plan) => self.place_plan_everywhere(conn, row, args, plan),
                    Err(error) => return self.refuse(conn, Some(row.id), &error),
                }
            }
            Run::Keys(handler) => {
                self.run_on_keys(caller, row, args, handler);
                if row.command.flags.has(Flag::Blocking) && self.hold_if_blocked(conn) {
                    return Flow::Hold;
                }
            }
            Run::Everywhere { check, .. } => {
                if let Err(flow) = self.check_everywhere(caller, row, check, args) {
                    return flow;
                }
                self.run_everywhere(caller, row, args);
            }
        }
        self.flow_after(conn)
    }

    /// Whether the connection has too much in flight to go on.
    fn flow_after(&mut self, conn: ConnId) -> Flow {
        self.note_passed(conn);
        let Some(session) = self.session(conn) else { return Flow::Close };
        if session.replies.len() >= session.window() || session.in_flight_bytes >= IN_FLIGHT_BYTES_MAX {
            if session.held == Some(Hold::Debugging) {
                return Flow::Continue;
            }
            session.held = Some(Hold::InFlight);
            return Flow::Hold;
        }
        Flow::Continue
    }

    fn run_session(&mut self, caller: Caller, row: &Row, handler: SessionHandler, args: &Args<'_>) -> Flow {
        let began = self.clock.micros();
        let mut flow = Flow::Continue;
        let mut failed = None;
        let passes = row.command.flags.has(Flag::AllowBusy) && self.passes_while_busy(caller.conn);
        self.answer_now(caller.conn, |core, reply| {
            let mut ctx = SessionCtx { core, conn: caller.conn, flow: Flow::Continue };
            let mark = reply.mark();
            if let Err(error) = handler(&mut ctx, args, reply) {
                reply.rewind(mark);
                reply.error(error.as_bytes());
                failed = Some(error);
            }
            flow = ctx.flow;
        });
        if passes {
            self.pass_output(caller.conn);
        }
        if let Some(session) = self.session(caller.conn) {
            session.closing |= flow == Flow::Close;
        }
        self.show_to_monitors(caller.conn, row, args);
        self.finished((caller.conn, self.id), row, args, began, failed.as_ref());
        self.note_passed(caller.conn);
        if flow == Flow::Close {
            return self.close_in_order(caller.conn);
        }
        flow
    }

    /// Closes when all replies before are written.
    fn close_in_order(&mut self, conn: ConnId) -> Flow {
        let Some(session) = self.session(conn) else { return Flow::Close };
        session.closing = true;
        if session.replies.is_empty() {
            self.withdraw(conn);
            return Flow::Close;
        }
        session.held = Some(Hold::Closing);
        Flow::Hold
    }

    /// By what a command of `conn` is routed.
    pub(super) fn caller(&mut self, conn: ConnId) -> Caller {
        let session = self.session(conn).expect("the command's client is there");
        Caller { conn, db: session.db, resp: session.resp }
    }

    /// A command that places its own work.
    fn run_placed(
        &mut self,
        caller: Caller,
        row: &'static Row,
        place: impl FnOnce(&mut SessionCtx<'_>, &'static Row, &Args<'_>) -> Outcome,
        args: &Args<'_>,
    ) -> Flow {
        let began = self.last_micros;
        let mut ctx = SessionCtx { core: self, conn: caller.conn, flow: Flow::Continue };
        let placed = place(&mut ctx, row, args);
        let flow = ctx.flow;
        if let Err(error) = placed {
            let passes = self.passes_while_busy(caller.conn);
            self.answer_now(caller.conn, |_, reply| reply.error(error.as_bytes()));
            if passes {
                self.pass_output(caller.conn);
            }
            self.finished((caller.conn, self.id), row, args, began, Some(&error));
        }
        match flow {
            Flow::Continue => self.flow_after(caller.conn),
            Flow::Hold => Flow::Hold,
            Flow::Close => self.close_in_order(caller.conn),
        }
    }

    fn check_everywhere(
        &mut self,
        caller: Caller,
        row: &Row,
        check: SessionHandler,
        args: &Args<'_>,
    ) -> Result<(), Flow> {
        let began = self.clock.micros();
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, caller.resp);
        let mut ctx = SessionCtx { core: self, conn: caller.conn, flow: Flow::Continue };
        let checked: Outcome = check(&mut ctx, args, &mut reply);
        if let Err(error) = &checked {
            reply.rewind(0);
            reply.error(error.as_bytes());
        }
        if out.is_empty() {
            return Ok(());
        }
        self.answer_now(caller.conn, |_, reply| reply.raw(&out));
        self.finished((caller.conn, self.id), row, args, began, checked.as_ref().err());
        Err(Flow::Continue)
    }

    /// Runs a command that belongs to one shard: here and now, or in its batch.
    fn run_on(&mut self, owner: ShardId, caller: Caller, row: &Row, args: &Args<'_>) {
        if owner == self.id && self.may_run_in_place(caller.conn) {
            if row.command.flags.has(Flag::Blocking) {
                // Its reply may be late: it gets a place.
                self.wait_in_place(caller.conn, row, args);
            } else {
                self.run_in_place(caller.conn, row, args);
            }
            return;
        }
        let bytes = args.total_bytes() + COMMAND_OVERHEAD_BYTES;
        let seq = self.expect(caller.conn, bytes);
        let head = self.head(caller, row.id, seq, 0);
        self.batches[owner.index()].push(head, args, 0..args.len(), false);
        self.routed(caller.conn);
    }

    /// A command runs in place only while its connection has nothing in this tick's batches and nothing put off.
    pub(super) fn may_run_in_place(&mut self, conn: ConnId) -> bool {
        let push = self.push_number;
        let put_off = self.put_off;
        let rules = self.shared.mesh.rules();
        let session = self.session(conn).expect("the command's client is there");
        if session.routed_in != push {
            return true;
        }
        !rules.hold(Rule::InPlaceOnlyWhileNothingPushed) || (put_off && !rules.hold(Rule::PutOffHoldsConnection))
    }

    pub(super) fn routed(&mut self, conn: ConnId) {
        let push = self.push_number;
        let session = self.session(conn).expect("the command's client is there");
        session.routed_in = push;
        if session.is_subscribed() {
            self.mark_passing(conn);
        }
    }

    /// Takes the next place in the connection's replies.
    pub(super) fn expect(&mut self, conn: ConnId, bytes: usize) -> u32 {
        let session = self.session(conn).expect("the command's client is there");
        let discard = session.discards_reply();
        session.in_flight_bytes += bytes;
        session.replies.expect(discard, bytes)
    }

    pub(super) fn head(&mut self, caller: Caller, command: CommandId, seq: u32, part: u16) -> Head {
        let session = self.session(caller.conn).expect("the command's client is there");
        Head {
            conn: caller.conn,
            client: session.id,
            seq,
            part,
            command,
            db: caller.db,
            first_span: 0,
            spans: 0,
            resp3: caller.resp == Resp::V3,
            no_touch: session.no_touch,
            tracks: session.tracks,
            is_part: false,
        }
    }

    /// Of a command that is gathered.
    pub(super) fn part_head(&mut self, caller: Caller, command: CommandId, seq: u32, part: u16) -> Head {
        Head { is_part: true, ..self.head(caller, command, seq, part) }
    }

    /// Executes what a resumed connection had been holding. True if its input may be looked at again.
    pub(super) fn release_hold(&mut self, conn: ConnId) -> bool {
        match self.take_hold(conn) {
            None | Some(Hold::InFlight) => true,
            Some(Hold::Blocked | Hold::Closing | Hold::Debugging) => false,
            Some(Hold::Paused(args)) => self.route(conn, &args.as_args()) == Flow::Continue,
        }
    }
}

/// The key of a command that has one at a fixed place.
#[inline]
pub(super) fn single_key<'a>(row: &Row, args: &Args<'a>) -> Option<&'a [u8]> {
    match row.command.keys.first()?.begin {
        Begin::Index(place) => args.get(usize::from(place)),
        Begin::Keyword { .. } => {
            let mut key = None;
            row.command.keys[0].visit(args, |place| key = key.or(Some(args.at(place))));
            key
        }
        Begin::Unknown => None,
    }
}

/// As Redis words it: the name and the first arguments, shortened.
fn unknown_command(args: &Args<'_>) -> CommandError {
    const SHOWN_BYTES_MAX: usize = 128;
    // Redis prints them as C strings: up to the first zero byte.
    let shown_of =
        |arg: &[u8], room: usize| arg.iter().copied().take_while(|&b| b != 0).take(room).collect::<Vec<u8>>();
    let mut text = b"ERR unknown command '".to_vec();
    text.extend(shown_of(args.at(0), SHOWN_BYTES_MAX));
    text.extend(b"', with args beginning with: ");
    let mut shown = Vec::new();
    for arg in args.from(1) {
        if shown.len() >= SHOWN_BYTES_MAX {
            break;
        }
        let room = SHOWN_BYTES_MAX - shown.len();
        shown.push(b'\'');
        shown.extend(shown_of(arg, room));
        shown.extend(b"' ");
    }
    text.extend(shown);
    CommandError::bytes(text)
}

/// Whether the command reads, changes or publishes something.
fn is_about_keys(row: &Row) -> bool {
    [Flag::Write, Flag::Readonly, Flag::MayReplicate, Flag::HeldWithWrites]
        .into_iter()
        .any(|flag| row.command.flags.has(flag))
}
