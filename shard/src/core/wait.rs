//! Waiting clients: registering them on the shards of their keys, serving them, and ending their waits.
//!
//! | who | does what |
//! |---|---|
//! | a shard that ran the command and found nothing | puts a waiter into its queues, tells the client's core |
//! | the client's core, after a plan over several shards that found nothing | has every shard put a waiter into its queues |
//! | a shard on which a key is signalled | runs the command of whoever waits first, if it can be run here; else asks the client's core to try again |
//! | the client's core | ends the wait when its time is over, for CLIENT UNBLOCK, and when the connection closes |

use std::sync::Arc;

use net::{Args, ConnId, OwnedArgs, Reply, Resp};
use storage::UnixMillis;

use super::Core;
use super::run::{call, shard_handler};
use crate::exec::CommandError;
use crate::exec::Ctx;
use crate::exec::error::UNBLOCKED;
use crate::exec::hop::HopOp;
use crate::ids::{ClientId, DbId, ShardId};
use crate::mesh::{Head, HopMessage, ReplyHead};
use crate::session::Hold;
use crate::spec::{CommandId, CommandTable, Flag};
use crate::wait::{Claim, Claiming, Ended, Nothing, WaitRequest, Waiter, WaiterId};

/// A client's wait, at its own core.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// The place of the reply.
    pub seq: u32,
    /// Who ends it.
    pub claim: Claim,
    /// When its time is over.
    pub deadline: Option<UnixMillis>,
    /// When its command may find something though no key is signalled.
    pub look_again: Option<UnixMillis>,
    /// What the client gets then.
    pub nothing: Nothing,
    /// The shards with a waiter of this client.
    pub shards: Vec<ShardId>,
    /// The command, to be tried again.
    pub command: CommandId,
    /// Its arguments.
    pub args: Arc<OwnedArgs>,
    /// The shards with a waiter run it themselves.
    pub is_whole: bool,
    /// What this core does of it itself.
    pub tries: Tries,
}

/// What is being done to serve a client whose command its own core runs. One try at a time: what another shard asks for
/// meanwhile is one more try behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tries {
    /// Nothing.
    #[default]
    None,
    /// A try is under way.
    One,
    /// A try is under way, and something has happened since it began.
    OneAndAnother,
}

/// What a shard tells the core of a client that waits there.
pub struct Waits {
    /// The client's connection.
    pub conn: ConnId,
    /// Its wait.
    pub blocked: Blocked,
}

impl Core {
    /// A command of this shard found nothing: its client waits here.
    pub(super) fn wait_here(&mut self, home: ShardId, head: &Head, args: &Args<'_>, request: WaitRequest) {
        let args = Arc::new(request.args.unwrap_or_else(|| args.to_owned()));
        let claim = Claim::default();
        self.shard.waits.add(Waiter {
            home,
            head: *head,
            args: Arc::clone(&args),
            claim: claim.clone(),
            keys: request.keys,
            is_whole: true,
            is_tried: false,
            signalled_again: false,
            notices_removal: notices_removal(head.command),
        });
        let blocked = Blocked {
            seq: head.seq,
            claim,
            deadline: request.deadline,
            look_again: request.look_again,
            nothing: request.nothing,
            shards: vec![self.id],
            command: head.command,
            args,
            is_whole: true,
            tries: Tries::None,
        };
        self.send_hop(home, HopMessage::Waits(Box::new(Waits { conn: head.conn, blocked })));
    }

    /// A client of this core waits.
    pub fn block(&mut self, conn: ConnId, blocked: Blocked) {
        if blocked.claim.is_ended() {
            return;
        }
        if self.session(conn).is_none() {
            blocked.claim.end();
            return self.unwait(conn, &blocked, true);
        }
        for at in blocked.deadline.into_iter().chain(blocked.look_again) {
            self.deadlines.insert((at, conn.slot, conn.generation, blocked.seq));
        }
        let session = self.session(conn).expect("it was there just now");
        session.blocked = Some(Box::new(blocked));
    }

    /// What a plan found nothing for waits on all shards of its keys: the operations that release them, with the waiters.
    pub(super) fn wait_everywhere(
        &mut self,
        head: &Head,
        args: OwnedArgs,
        request: WaitRequest,
        ops: Vec<(ShardId, HopOp)>,
    ) -> (Vec<(ShardId, HopOp)>, Blocked) {
        let args = Arc::new(request.args.unwrap_or(args));
        let claim = Claim::default();
        let home = self.id;
        let is_whole = any_key_will_do(head.command, &args.as_args(), &request.keys);
        let mut shards = Vec::new();
        let mut waiting: Vec<(ShardId, HopOp)> = Vec::with_capacity(ops.len());
        for (shard, op) in ops {
            let is_here = |key: &&Vec<u8>| self.shared.slots.owner(key) == shard;
            let keys: Vec<Vec<u8>> = request.keys.iter().filter(is_here).cloned().collect();
            if keys.is_empty() {
                waiting.push((shard, op));
                continue;
            }
            shards.push(shard);
            let waiter = Waiter {
                home,
                head: *head,
                args: Arc::clone(&args),
                claim: claim.clone(),
                keys,
                is_whole,
                is_tried: false,
                signalled_again: false,
                notices_removal: notices_removal(head.command),
            };
            let op: HopOp = Box::new(move |ctx| {
                let value = op(ctx);
                ctx.shard.waits.add(waiter);
                value
            });
            waiting.push((shard, op));
        }
        let Head { seq, command, .. } = *head;
        let (deadline, look_again, nothing) = (request.deadline, request.look_again, request.nothing);
        let tries = Tries::None;
        (waiting, Blocked { seq, claim, deadline, look_again, nothing, shards, command, args, is_whole, tries })
    }

    /// Serves whoever waits for a key at which something happened, until nobody can be served any more.
    #[inline]
    pub(super) fn serve_waiters(&mut self) {
        if self.shard.waits.has_signals() {
            self.serve_signalled();
        }
    }

    fn serve_signalled(&mut self) {
        let mut held = Vec::new();
        while let Some((db, key)) = self.shard.waits.take_signalled() {
            // Whoever holds the key may still be about to change it. Its release looks here again.
            if self.locks.is_claimed(storage::key_hash(&key)) || !self.serve_key(db, &key, None) {
                held.push((db, key));
            }
        }
        for (db, key) in held {
            self.shard.waits.signal(db, &key);
        }
    }

    /// Serves whoever waits for a key behind `after`. False if the first of them cannot be served now because another key
    /// of its command is held: the release of that key looks here again.
    fn serve_key(&mut self, db: DbId, key: &[u8], mut after: Option<WaiterId>) -> bool {
        let mut is_gone = false;
        while let Some(id) = self.shard.waits.next_for(db, key, after) {
            after = Some(id);
            let waiter = self.shard.waits.get_mut(id).expect("who is in a queue is there");
            if waiter.claim.is_ended() {
                self.shard.waits.remove(id);
                continue;
            }
            if is_gone && !waiter.notices_removal {
                continue;
            }
            if waiter.is_tried {
                waiter.signalled_again = true;
                return true;
            }
            if waiter.is_whole {
                match self.run_waiter(id) {
                    Served::Yes => continue,
                    Served::Held => return false,
                    Served::No => {}
                }
            }
            if !(Ctx { shard: &mut self.shard, db, no_touch: true }).exists(key) {
                // Nothing is to be had here any more, but some want to know even that.
                if !self.shard.waits.anybody_notices_removal() {
                    return true;
                }
                is_gone = true;
                continue;
            }
            let waiter = self.shard.waits.get_mut(id).expect("one that is not served stays");
            if !waiter.is_whole {
                waiter.is_tried = true;
                let (home, Head { conn, seq, .. }) = (waiter.home, waiter.head);
                self.send_hop(home, HopMessage::TryAgain { conn, seq });
                return true;
            }
        }
        true
    }

    /// Runs the command of a waiter that can be run here.
    fn run_waiter(&mut self, id: WaiterId) -> Served {
        let waiter = self.shard.waits.get(id).expect("it was there just now");
        let (home, head, args, claim) = (waiter.home, waiter.head, Arc::clone(&waiter.args), waiter.claim.clone());
        let row = CommandTable::global().row(head.command);
        let args = args.as_args();
        if !self.locks.is_idle() && !self.is_free(row, &args) {
            return Served::Held;
        }
        let handler = shard_handler(row.run(&args)).expect("only shard commands wait");
        let resp = if head.resp3 { Resp::V3 } else { Resp::V2 };
        self.shard.claim = Some(Claiming::new(claim));
        let began = self.clock.micros();
        let mut bytes = Vec::new();
        let mut ctx = Ctx { shard: &mut self.shard, db: head.db, no_touch: head.no_touch };
        let failed = call(handler, &mut ctx, &args, &mut Reply::new(&mut bytes, resp));
        let look_again = self.shard.wanted.take().and_then(|request| request.look_again);
        let claiming = self.shard.claim.take().expect("it was put in above");
        if !claiming.claim.is_ended() {
            if let Some(at) = look_again {
                self.send_hop(home, HopMessage::LookLater { conn: head.conn, seq: head.seq, at });
            }
            self.tell_trackers(head.client);
            return Served::No;
        }
        self.shard.waits.remove(id);
        if !claiming.won {
            // Another shard was faster, or the client waits no longer: the next one is looked at.
            return Served::Yes;
        }
        if let Some(error) = failed {
            self.count_failed_wait(head.command, error.code());
        }
        let micros = self.clock.micros().saturating_sub(began);
        self.was_served((head.conn, home), row, &args, micros);
        let place = ReplyHead { conn: head.conn, seq: head.seq, part: head.part, len: bytes.len() };
        if home == self.id {
            self.deliver(&place, &bytes);
        } else {
            let answers = &mut self.answers[home.index()];
            answers.bytes.extend_from_slice(&bytes);
            answers.heads.push(place);
        }
        self.tell_trackers(head.client);
        Served::Yes
    }

    /// A shard asks for another try: something happened at a key for which a client of this core waits.
    pub(super) fn try_again(&mut self, conn: ConnId, seq: u32) {
        let Some(session) = self.session(conn) else { return };
        let (db, no_touch, resp) = (session.db, session.no_touch, session.resp);
        let Some(blocked) = session.blocked.as_deref_mut().filter(|blocked| blocked.seq == seq) else { return };
        if blocked.tries != Tries::None {
            blocked.tries = Tries::OneAndAnother;
        } else if !blocked.claim.is_ended() {
            blocked.tries = Tries::One;
            let blocked = blocked.clone();
            self.retry_plan(conn, &blocked, db, no_touch, resp);
        }
    }

    /// A try was in vain: the client goes on waiting, if nobody has ended its wait.
    pub(super) fn tried_in_vain(&mut self, conn: ConnId, seq: u32) {
        let Some(session) = self.session(conn) else { return };
        let Some(blocked) = session.blocked.as_deref_mut().filter(|blocked| blocked.seq == seq) else { return };
        match std::mem::take(&mut blocked.tries) {
            Tries::OneAndAnother => self.try_again(conn, seq),
            Tries::One | Tries::None => {
                let blocked = blocked.clone();
                self.unwait(conn, &blocked, false);
            }
        }
    }

    /// Tells the shards on which a client of this core waits that it does no more, or that a try was in vain.
    fn unwait(&mut self, conn: ConnId, blocked: &Blocked, is_over: bool) {
        for shard in &blocked.shards {
            let message = HopMessage::Unwait { home: self.id, conn, seq: blocked.seq, is_over };
            self.send_hop(*shard, message);
        }
    }

    /// What [`Self::unwait`] tells a shard.
    pub(super) fn unwaited(&mut self, home: ShardId, conn: ConnId, seq: u32, is_over: bool) {
        let Some(id) = self.shard.waits.of(home, conn, seq) else { return };
        let waiter = self.shard.waits.get_mut(id).expect("it was found just now");
        let (db, keys) = (waiter.head.db, waiter.keys.clone());
        if is_over {
            self.shard.waits.remove(id);
            for key in &keys {
                self.shard.waits.signal(db, key);
            }
        } else {
            waiter.is_tried = false;
            if std::mem::take(&mut waiter.signalled_again) {
                for key in &keys {
                    self.shard.waits.signal(db, key);
                }
            } else {
                for key in &keys {
                    if !self.serve_key(db, key, Some(id)) {
                        self.shard.waits.signal(db, key);
                    }
                }
            }
        }
        self.serve_waiters();
    }

    /// The reply of a client that waits has come.
    pub(super) fn waited(&mut self, conn: ConnId) {
        let Some(blocked) = self.unblock_session(conn) else { return };
        // The only shard with a waiter, if it has run the command itself, has dropped it.
        if blocked.shards.len() > 1 || !blocked.is_whole {
            self.unwait(conn, &blocked, true);
        }
    }

    /// Forgets that a client waits; what it waited for.
    fn unblock_session(&mut self, conn: ConnId) -> Option<Box<Blocked>> {
        let blocked = self.session(conn)?.blocked.take()?;
        for at in blocked.deadline.into_iter().chain(blocked.look_again) {
            self.deadlines.remove(&(at, conn.slot, conn.generation, blocked.seq));
        }
        Some(blocked)
    }

    /// Ends the waits whose time is over: the millisecond in which it ends as well, since each began within one.
    pub(super) fn end_waits(&mut self, now: UnixMillis) {
        while let Some(&(deadline, slot, generation, _)) = self.deadlines.first() {
            if deadline >= now {
                break;
            }
            self.deadlines.pop_first();
            let conn = ConnId { slot, generation };
            let Some(blocked) = self.session(conn).and_then(|session| session.blocked.as_deref_mut()) else { continue };
            if blocked.deadline.is_none_or(|end| end >= now) {
                blocked.look_again = None;
                let (seq, shards) = (blocked.seq, blocked.shards.clone());
                for shard in shards {
                    self.send_hop(shard, HopMessage::LookAgain { home: self.id, conn, seq, now });
                }
            } else {
                self.end_wait(conn, Ended::TimedOut);
            }
        }
    }

    /// A shard ran the command of a client of this core in vain: when it is to do so again, of several times the first.
    pub(super) fn look_later(&mut self, conn: ConnId, seq: u32, at: UnixMillis) {
        let Some(session) = self.session(conn) else { return };
        let Some(blocked) = session.blocked.as_deref_mut().filter(|blocked| blocked.seq == seq) else { return };
        let other = blocked.look_again.replace(blocked.look_again.map_or(at, |other| other.min(at)));
        let first = blocked.look_again.expect("it was set just now");
        let entry = |at| (at, conn.slot, conn.generation, seq);
        if let Some(other) = other {
            // Both times may be one: what is put in stands.
            self.deadlines.remove(&entry(other));
        }
        self.deadlines.insert(entry(first));
        let deadline = self.session(conn).and_then(|session| session.blocked.as_ref()?.deadline);
        self.deadlines.extend(deadline.map(entry));
    }

    /// It is time to run the command of a client that waits here, whatever happened to its keys.
    pub(super) fn look_again(&mut self, home: ShardId, conn: ConnId, seq: u32, now: UnixMillis) {
        self.see_time(now);
        let Some(waiter) = self.shard.waits.of(home, conn, seq).and_then(|id| self.shard.waits.get(id)) else { return };
        let (db, keys) = (waiter.head.db, waiter.keys.clone());
        for key in keys {
            self.shard.waits.signal(db, &key);
        }
        self.serve_waiters();
    }

    /// Ends the wait of a client of this core; false if it does not wait, or was served just now.
    pub(super) fn end_wait(&mut self, conn: ConnId, how: Ended) -> bool {
        let Some(session) = self.session(conn) else { return false };
        let resp = session.resp;
        if !session.blocked.as_deref().is_some_and(|blocked| blocked.claim.end()) {
            return false;
        }
        let blocked = self.unblock_session(conn).expect("it was there just now");
        self.unwait(conn, &blocked, true);
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, resp);
        match (how, blocked.nothing) {
            (Ended::WithError, _) => {
                reply.error(UNBLOCKED.as_bytes());
                self.count_failed_wait(blocked.command, UNBLOCKED.code());
            }
            (Ended::TimedOut, Nothing::NullArray) => reply.null_array(),
            (Ended::TimedOut, Nothing::Null) => reply.null(),
            (Ended::TimedOut, Nothing::Zero) => reply.integer(0),
            (Ended::TimedOut, Nothing::Synced) => put_acks(&mut reply, self.is_wait_synced(conn, blocked.seq)),
        }
        self.fill(conn, blocked.seq, &bytes);
        true
    }

    /// Ends the wait of a client for its writes to be synced, which they are, or never will be; false if somebody else did.
    pub(super) fn end_sync_wait(&mut self, conn: ConnId, how: Result<(), CommandError>) -> bool {
        let Some(session) = self.session(conn) else { return false };
        let resp = session.resp;
        if !session.blocked.as_deref().is_some_and(|blocked| blocked.claim.end()) {
            return false;
        }
        let blocked = self.unblock_session(conn).expect("it was there just now");
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, resp);
        match how {
            Ok(()) => put_acks(&mut reply, true),
            Err(error) => {
                reply.error(error.as_bytes());
                self.count_failed_wait(blocked.command, error.code());
            }
        }
        self.fill(conn, blocked.seq, &bytes);
        true
    }

    /// A command that waited has ended with an error of code `failed`. The call was counted when it came to wait.
    pub(super) fn count_failed_wait(&mut self, command: CommandId, failed: &[u8]) {
        self.stats.error(failed);
        self.stats.commands[command.index()].failed += 1;
    }

    /// The connection of a client that waits is gone.
    pub(super) fn forget_wait(&mut self, conn: ConnId) {
        let Some(blocked) = self.unblock_session(conn) else { return };
        blocked.claim.end();
        self.unwait(conn, &blocked, true);
    }

    /// `CLIENT UNBLOCK`: whether that client is of this core, and waited.
    pub fn unblock(&mut self, client: ClientId, how: Ended) -> bool {
        let conn = self.sessions().find(|session| session.id == client).map(|session| session.conn);
        conn.is_some_and(|conn| self.end_wait(conn, how))
    }

    /// The client is not read while its last command waits.
    pub fn hold_if_blocked(&mut self, conn: ConnId) -> bool {
        let Some(session) = self.session(conn) else { return false };
        let waits = !session.replies.is_empty();
        if waits {
            session.held = Some(Hold::Blocked);
        }
        waits
    }
}

/// The reply of WAITAOF: no replica has anything.
fn put_acks(reply: &mut Reply<'_>, is_synced: bool) {
    reply.array(2);
    reply.integer(i64::from(is_synced));
    reply.integer(0);
}

/// What became of a waiter whose command was run once more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Served {
    /// It waits here no longer.
    Yes,
    /// It found nothing.
    No,
    /// Another key of its command is held: it was not run.
    Held,
}

/// Whether who waits with that command is to be told that a key is gone.
fn notices_removal(command: CommandId) -> bool {
    CommandTable::global().row(command).command.flags.has(Flag::NoticesRemoval)
}

/// Whether a client that waits for `keys` waits for all keys of its command, so that what happens at one of them is enough
/// to serve it.
fn any_key_will_do(command: CommandId, args: &Args<'_>, keys: &[Vec<u8>]) -> bool {
    let mut all = true;
    let command = CommandTable::global().row(command).command;
    command.visit_keys(args, |place| all &= keys.iter().any(|key| key == args.at(place)));
    all
}
