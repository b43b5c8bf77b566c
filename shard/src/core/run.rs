//! Running commands on this core's shard: in place, from the inbox, or after waiting for a lock.

use std::sync::Arc;

use net::{Args, ConnId, OwnedArgs, Reply, Resp};

use super::Core;
use super::work::Errand;
use storage::UnixMillis;

use crate::aof::Barrier;
use crate::exec::{CommandError, Ctx, EverywhereCall, Run, ShardHandler};
use crate::ids::ShardId;
use crate::mesh::{Claims, Head, HopPart, ReplyHead, Rule, Ticket};
use crate::spec::table::Row;
use crate::spec::{CommandTable, Flag};

/// The vector for replies of the own inbox's commands is kept for the next up to this many bytes.
const OWN_REPLY_BYTES_KEPT: usize = 64 * 1024;

/// What waits for a lock.
pub(super) enum Job {
    /// A command, with a copy of its arguments.
    Command { from: ShardId, head: Head, args: OwnedArgs, now: UnixMillis },
    /// A part of a plan.
    Part(HopPart, UnixMillis),
    /// Work.
    Errand { from: ShardId, errand: Errand, now: UnixMillis },
    /// The cut of a snapshot.
    Cut(Arc<crate::snapshot::Job>),
    /// The end of an epoch.
    Barrier(Arc<Barrier>),
}

/// A command for every core that waits for its turn on this one.
pub(super) struct Deferred {
    from: ShardId,
    head: Head,
    args: OwnedArgs,
}

impl Core {
    /// Runs a command of a client of this core at once, unless one of its keys is claimed.
    pub(super) fn run_in_place(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) {
        if self.shard.snapshot.is_some() {
            let db = self.session(conn).expect("the command's client is there").db;
            self.claim_for_saving(db, row, args);
        }
        if !self.locks.is_idle() && !self.is_free(row, args) {
            self.wait_in_place(conn, row, args);
            return;
        }
        let Some(handler) = shard_handler(row.run(args)) else { unreachable!("only shard commands run in place") };
        let session = self.session(conn).expect("the command's client is there");
        let (client, db, no_touch, tracks) = (session.id, session.db, session.no_touch, session.tracks);
        let began = self.last_micros;
        let mut failed = None;
        self.answer_now(conn, |core, reply| {
            let mut ctx = Ctx { shard: &mut core.shard, db, no_touch };
            failed = call(handler, &mut ctx, args, reply);
        });
        self.finished((conn, self.id), row, args, began, failed.as_ref());
        if tracks {
            self.remember_reads(client, row, args);
        }
        self.tell_trackers(client);
        self.serve_waiters();
        self.tell_events();
    }

    /// A command of this core's client that must wait for a lock takes its place in the replies and in the queue.
    pub(super) fn wait_in_place(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) {
        let session = self.session(conn).expect("the command's client is there");
        let discard = session.discards_reply();
        let head = Head {
            conn,
            client: session.id,
            seq: session.replies.expect(discard, 0),
            part: 0,
            command: row.id,
            db: session.db,
            first_span: 0,
            spans: 0,
            resp3: session.resp == Resp::V3,
            no_touch: session.no_touch,
            tracks: session.tracks,
            is_part: false,
        };
        self.arrive(self.id, &head, args);
    }

    pub(super) fn is_free(&self, row: &Row, args: &Args<'_>) -> bool {
        match claims(row, args) {
            Claims::Keys(keys) => self.locks.are_free(&keys),
            Claims::Whole => false,
        }
    }

    /// A command has come to this shard: runs it, or lets it wait for its keys.
    pub(super) fn arrive(&mut self, from: ShardId, head: &Head, args: &Args<'_>) {
        let row = CommandTable::global().row(head.command);
        if self.shard.snapshot.is_some() {
            self.claim_for_saving(head.db, row, args);
        }
        if self.locks.is_idle() || self.is_free(row, args) {
            self.run_command(from, head, row, args);
            return;
        }
        let now = self.shard.clock;
        let claims = claims(row, args);
        #[cfg(feature = "simulation")]
        let claims = self.claimed_places(claims);
        self.locks.admit(claims, Job::Command { from, head: *head, args: args.to_owned(), now });
        self.run_granted();
    }

    fn run_command(&mut self, from: ShardId, head: &Head, row: &Row, args: &Args<'_>) {
        let Some(handler) = shard_handler(row.run(args)) else { unreachable!("only shard commands travel so") };
        #[cfg(feature = "simulation")]
        let handler = self.refusing_part(row).unwrap_or(handler);
        let resp = if head.resp3 { Resp::V3 } else { Resp::V2 };
        let began = self.last_micros;
        let own = from == self.id;
        let mut bytes = std::mem::take(if own { &mut self.own_reply } else { &mut self.answers[from.index()].bytes });
        let start = bytes.len();
        let mut ctx = Ctx { shard: &mut self.shard, db: head.db, no_touch: head.no_touch };
        let failed = call(handler, &mut ctx, args, &mut Reply::new(&mut bytes, resp));
        let place = ReplyHead { conn: head.conn, seq: head.seq, part: head.part, len: bytes.len() - start };
        if head.is_part {
            self.part_finished(from, head, began);
        }
        let wanted = self.shard.wanted.take();
        if own {
            if wanted.is_none() {
                self.deliver(&place, &bytes);
            }
            bytes.clear();
            bytes.shrink_to(OWN_REPLY_BYTES_KEPT);
            self.own_reply = bytes;
        } else {
            let answers = &mut self.answers[from.index()];
            answers.bytes = bytes;
            if wanted.is_none() {
                answers.heads.push(place);
            }
        }
        if !head.is_part && wanted.is_none() {
            self.finished((head.conn, from), row, args, began, failed.as_ref());
        } else if !head.is_part {
            self.came_to_wait(row, began);
        }
        if let Some(request) = wanted {
            self.wait_here(from, head, args, request);
        }
        if head.tracks {
            self.remember_reads(head.client, row, args);
        }
        self.tell_trackers(head.client);
        self.serve_waiters();
        self.tell_events();
    }

    /// A part of a plan has come to this shard: it takes its place, and is granted at once if nothing stands before it.
    pub(super) fn arrive_part(&mut self, part: HopPart) {
        let now = self.shard.clock;
        self.locks.admit(part.claims.clone(), Job::Part(part, now));
        self.run_granted();
    }

    /// The cut of a snapshot has come to this shard: it takes its place, and is made when nothing stands before it.
    pub(super) fn arrive_cut(&mut self, job: Arc<crate::snapshot::Job>) {
        self.locks.admit(Claims::Whole, Job::Cut(job));
        self.run_granted();
    }

    /// The end of an epoch has come to this shard: it is here when all that came before has run.
    pub(super) fn arrive_barrier(&mut self, barrier: Arc<Barrier>) {
        if self.locks.is_idle() && barrier.job.is_none() {
            return self.cut_epoch(&barrier, None);
        }
        self.locks.admit(Claims::Whole, Job::Barrier(barrier));
        self.run_granted();
    }

    /// Runs every job whose turn has come.
    pub(super) fn run_granted(&mut self) {
        while let Some((ticket, job)) = self.locks.pop_ready() {
            match job {
                Job::Part(part, now) => self.grant(ticket, part, now),
                Job::Errand { from, errand, now } => {
                    let holds_on = self.at_time(now, |core| core.run_errand(from, errand, Some(ticket)));
                    if !holds_on {
                        self.locks.release(ticket);
                        // As below.
                        self.serve_waiters();
                    }
                }
                Job::Cut(job) => self.cut(job, ticket),
                Job::Barrier(barrier) => self.cut_epoch(&barrier, Some(ticket)),
                Job::Command { from, head, args, now } => {
                    let row = CommandTable::global().row(head.command);
                    self.at_time(now, |core| core.run_command(from, &head, row, &args.as_args()));
                    self.locks.release(ticket);
                    // What it signalled was held by itself until now.
                    self.serve_waiters();
                }
            }
        }
    }

    /// Runs something that had waited by the time of its own push, so that all parts of a command see one time.
    pub(super) fn at_time<T>(&mut self, now: UnixMillis, run: impl FnOnce(&mut Core) -> T) -> T {
        if !self.shared.mesh.holds(Rule::WaitingKeepsItsTime) {
            return run(self);
        }
        let clock = std::mem::replace(&mut self.shard.clock, now);
        let result = run(self);
        self.shard.clock = clock;
        result
    }

    /// Releases the locks of a plan's part; whoever waited behind it runs.
    pub(super) fn release(&mut self, ticket: Ticket) {
        self.locks.release(ticket);
        self.run_granted();
    }

    /// The keys are back: gives the shares that had to wait for them.
    pub(super) fn share_deferred(&mut self) {
        for Deferred { from, head, args } in std::mem::take(&mut self.deferred) {
            self.share(from, &head, args.as_args());
        }
    }

    /// The input of this tick was looked at: gives the shares that tell of the clients.
    pub(super) fn share_last(&mut self) {
        for Deferred { from, head, args } in std::mem::take(&mut self.last_of_tick) {
            self.share_now(from, &head, args.as_args());
        }
    }

    /// This core's share of a command for every core, now or when its time has come.
    pub(super) fn share(&mut self, from: ShardId, head: &Head, args: Args<'_>) {
        let row = CommandTable::global().row(head.command);
        if row.command.flags.has(Flag::LooksAtClients) {
            self.last_of_tick.push(Deferred { from, head: *head, args: args.to_owned() });
            return;
        }
        if self.shard.observers.is_away && row.command.flags.has(Flag::LooksAtKeys) {
            self.deferred.push(Deferred { from, head: *head, args: args.to_owned() });
            return;
        }
        self.share_now(from, head, args);
    }

    fn share_now(&mut self, from: ShardId, head: &Head, args: Args<'_>) {
        let row = CommandTable::global().row(head.command);
        let Run::Everywhere { share, .. } = row.run(&args) else { unreachable!("it was sent as one") };
        let began = self.clock.micros();
        let value = share(self, &EverywhereCall { client: head.client, db: head.db, args });
        let place = ReplyHead { conn: head.conn, seq: head.seq, part: head.part, len: 0 };
        self.part_finished(from, head, began);
        if from == self.id {
            self.deliver_share(&place, value);
        } else {
            self.answers[from.index()].shares.push((place, value));
        }
    }
}

/// The handler that runs on a shard.
pub(super) fn shard_handler(run: Run) -> Option<ShardHandler> {
    match run {
        Run::Shard(handler)
        | Run::Split { part: handler, .. }
        | Run::AllShards { part: handler, .. }
        | Run::Routed { run: handler, .. }
        | Run::Keys(handler)
        | Run::Hops { local: handler, .. }
        | Run::AllHops { local: handler, .. } => Some(handler),
        Run::Container
        | Run::Session(_)
        | Run::Subscribe(_)
        | Run::Publish(_)
        | Run::Placed(_)
        | Run::Outside(_)
        | Run::Everywhere { .. }
        | Run::Chosen(_) => None,
    }
}

/// What a command claims while it waits.
fn claims(row: &Row, args: &Args<'_>) -> Claims {
    match row.run(args) {
        Run::AllShards { .. } | Run::Routed { .. } | Run::AllHops { .. } => Claims::Whole,
        _ => {
            let mut keys = Vec::new();
            row.command.visit_keys(args, |place| keys.push(storage::key_hash(args.at(place))));
            Claims::Keys(keys)
        }
    }
}

#[inline]
pub(super) fn call(
    handler: ShardHandler,
    ctx: &mut Ctx<'_>,
    args: &Args<'_>,
    reply: &mut Reply<'_>,
) -> Option<CommandError> {
    let (mark, before) = (reply.mark(), ctx.before_record());
    let outcome = handler(ctx, args, reply);
    ctx.settle(before.0);
    ctx.record(args, before);
    let error = outcome.err()?;
    reply.rewind(mark);
    reply.error(error.as_bytes());
    Some(error)
}
