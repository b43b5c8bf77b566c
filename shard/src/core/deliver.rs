//! From answers to the client's output, in the order of its commands.

use std::sync::atomic::Ordering;

use net::{Args, ConnId, Flow, OwnedArgs, Reply};

use super::{Core, SessionCtx, SlowEntry};
use crate::exec::{CommandError, Merge, Run, Share};
use crate::ids::ShardId;
use crate::limits::IN_FLIGHT_BYTES_MAX;
use crate::mesh::inbox::{PartTime, SlowCommand};
use crate::mesh::{Head, ReplyBatch, ReplyHead, Rule};
use crate::session::{Gathered, Hold};
use crate::spec::table::Row;
use crate::spec::{CommandTable, Flag};
use crate::stats::LatencyEvent;

/// The slow log keeps so many arguments of a command, and so many bytes of each, as Redis does.
const SLOWLOG_ARGS_MAX: usize = 32;
const SLOWLOG_ARG_BYTES_MAX: usize = 128;

impl Core {
    /// Writes a reply that is made now, into its place behind those outstanding.
    pub(super) fn answer_now(&mut self, conn: ConnId, write: impl FnOnce(&mut Core, &mut Reply<'_>)) {
        let Some(session) = self.session(conn) else { return };
        let direct = session.replies.is_empty();
        let resp = session.resp;
        let mut out = if direct { std::mem::take(&mut session.out) } else { Vec::new() };
        let before = out.len();
        write(self, &mut Reply::new(&mut out, resp));
        let Some(session) = self.session(conn) else { return };
        // The mode counts as the command left it: CLIENT REPLY ON is answered, OFF and SKIP are not.
        if session.discards_reply() {
            out.truncate(before);
        }
        if direct {
            debug_assert!(session.out.is_empty(), "a handler answers through its reply");
            session.out = out;
        } else {
            session.replies.push_ready(&out);
        }
        self.mark_dirty(conn);
    }

    /// A batch of answers from another shard.
    pub(super) fn deliver_batch(&mut self, batch: &mut ReplyBatch) {
        for time in batch.times.drain(..) {
            self.note_part(time);
        }
        let mut at = 0;
        let mut told = batch.told.drain(..).peekable();
        for (number, head) in batch.heads.iter().enumerate() {
            while let Some((_, conn, notice)) = told.next_if(|&(behind, ..)| behind <= number) {
                self.deliver_notice(conn, &notice);
            }
            let end = at + head.len;
            self.deliver(head, &batch.bytes[at..end]);
            at = end;
        }
        for (_, conn, notice) in told {
            self.deliver_notice(conn, &notice);
        }
        self.feed_monitors(&batch.monitored);
        for (head, share) in batch.shares.drain(..) {
            self.deliver_share(&head, share);
        }
        for received in batch.received.drain(..) {
            self.count_received(&received);
        }
        for slow in batch.slow.drain(..) {
            self.log_slow(slow);
        }
    }

    /// The session a reply is for, unless the connection is gone and its slot perhaps another's.
    fn addressee(&mut self, conn: ConnId) -> Option<ConnId> {
        if self.shared.mesh.holds(Rule::GenerationsAreChecked) {
            return self.session(conn).map(|session| session.conn);
        }
        self.sessions.get(conn.slot as usize)?.as_ref().filter(|s| !s.replies.is_empty()).map(|s| s.conn)
    }

    /// One reply, or one part of one.
    pub(super) fn deliver(&mut self, head: &ReplyHead, reply: &[u8]) {
        let Some(conn) = self.addressee(head.conn) else { return };
        let session = self.session(conn).expect("it was looked up just now");
        match session.replies.gather(head.seq) {
            None => self.fill(conn, head.seq, reply),
            Some(gather) => {
                let Gathered::Replies(parts) = &mut gather.parts else {
                    panic!("a command's parts are all replies or all shares")
                };
                parts[usize::from(head.part)].reply = reply.to_vec();
                gather.missing -= 1;
                if gather.missing == 0 {
                    self.merge(conn, head.seq);
                }
            }
        }
    }

    pub(super) fn deliver_share(&mut self, head: &ReplyHead, share: Share) {
        let Some(session) = self.session(head.conn) else { return };
        let gather = session.replies.gather(head.seq).expect("a share belongs to a reply that is gathered");
        let Gathered::Shares(shares) = &mut gather.parts else {
            panic!("a command's parts are all replies or all shares")
        };
        shares[usize::from(head.part)] = Some(share);
        gather.missing -= 1;
        if gather.missing == 0 {
            self.merge(head.conn, head.seq);
        }
    }

    /// All parts have come: makes the reply of them.
    fn merge(&mut self, conn: ConnId, seq: u32) {
        let session = self.session(conn).expect("its last part was for it");
        let gather = session.replies.take_gather(seq);
        let row = CommandTable::global().row(gather.command);
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, gather.resp);
        let args = gather.args.as_args();
        let mut flow = Flow::Continue;
        let merged = match (gather.parts, row.run(&args)) {
            (Gathered::Replies(parts), Run::Split { merge, .. } | Run::AllShards { merge, .. }) => {
                merge.apply(&args, &parts, &mut reply)
            }
            (Gathered::Replies(parts), Run::Placed(_)) => Merge::First.apply(&args, &parts, &mut reply),
            (Gathered::Shares(shares), Run::Everywhere { merge, .. }) => {
                let shares = shares.into_iter().map(|share| share.expect("none is missing")).collect();
                let mut ctx = SessionCtx { core: self, conn, flow: Flow::Continue };
                let merged = merge(&mut ctx, &args, shares, &mut reply);
                flow = ctx.flow;
                merged
            }
            _ => unreachable!("a command's parts are as its run says"),
        };
        if let Err(error) = merged {
            out.clear();
            Reply::new(&mut out, gather.resp).error(error.as_bytes());
        }
        self.whole_finished(conn, row, gather.micros, &out, gather.shown);
        self.fill(conn, seq, &out);
        if flow == Flow::Close {
            self.end_session(conn);
        }
    }

    /// Executes nothing more for `conn`, and closes it when it has been sent what it waits for.
    pub(super) fn end_session(&mut self, conn: ConnId) {
        let Some(session) = self.session(conn) else { return };
        session.closing = true;
        session.held = Some(Hold::Closing);
        if session.replies.is_empty() {
            self.withdraw(conn);
            self.close_after_write.push(conn);
        }
    }

    /// Nobody finds the client of `conn` from now on, neither a message nor who names it. A client that is closed in order
    /// withdraws before its last reply leaves: once that is read, it is gone for all others as well.
    pub(super) fn withdraw(&mut self, conn: ConnId) {
        self.forget_subscriptions(conn);
        self.track(conn, None);
        self.monitor(conn, false);
        let Some(session) = self.session(conn) else { return };
        session.closing = true;
        let id = session.id;
        if self.shared.places.leave(id) {
            self.shared.clients.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A whole reply has come.
    pub(super) fn fill(&mut self, conn: ConnId, seq: u32, reply: &[u8]) {
        let Some(session) = self.session(conn) else { return };
        let waited = session.blocked.as_ref().is_some_and(|blocked| blocked.seq == seq);
        let done = session.replies.fill(seq, reply, &mut session.out);
        session.in_flight_bytes -= done;
        session.recent_reply_bytes = reply.len().max(session.recent_reply_bytes - session.recent_reply_bytes / 8);
        let room = session.replies.len() <= session.window() / 2 && session.in_flight_bytes <= IN_FLIGHT_BYTES_MAX / 2;
        let (resume, close) = match session.held {
            Some(Hold::InFlight) if room => {
                session.held = None;
                (true, false)
            }
            Some(Hold::Blocked) if session.replies.is_empty() => {
                session.held = None;
                (true, false)
            }
            Some(Hold::Closing) => (false, session.replies.is_empty()),
            _ => (false, false),
        };
        if resume {
            self.resume.push(conn);
        }
        if close {
            self.withdraw(conn);
            self.close_after_write.push(conn);
        }
        if waited {
            self.waited(conn);
        }
        self.mark_dirty(conn);
    }

    /// A command ran: counts it, and sees whether it was slow.
    pub(super) fn finished(
        &mut self,
        client: (ConnId, ShardId),
        row: &Row,
        args: &Args<'_>,
        began: u64,
        failed: Option<&CommandError>,
    ) {
        self.finished_with(client, row, args, began, failed.map(CommandError::code));
    }

    /// As [`Self::finished`], `failed` being the code of the error.
    pub(super) fn finished_with(
        &mut self,
        client: (ConnId, ShardId),
        row: &Row,
        args: &Args<'_>,
        began: u64,
        failed: Option<&[u8]>,
    ) {
        let (conn, home) = client;
        let micros = self.lap(began);
        let slow = self.account(row, micros, failed);
        let redacted = std::mem::take(&mut self.redacted);
        if !slow {
            return;
        }
        let slow =
            SlowCommand { conn, command: row.id, args: shortened(args, &redacted), at: self.clock.now(), micros };
        if home == self.id {
            self.log_slow(slow);
        } else {
            self.answers[home.index()].slow.push(slow);
        }
    }

    /// A command ran and found nothing to take. The slow log is told when it is served.
    pub(super) fn came_to_wait(&mut self, row: &Row, began: u64) {
        let micros = self.lap(began);
        self.account(row, micros, None);
        self.redacted.clear();
    }

    /// A command that waited was served, which took so long.
    pub(super) fn was_served(&mut self, client: (ConnId, ShardId), row: &Row, args: &Args<'_>, micros: u64) {
        let limit = self.shard.config.slowlog_log_slower_than;
        if limit < 0 || (micros as i64) < limit || row.command.flags.has(Flag::SkipSlowlog) {
            return;
        }
        let (conn, home) = client;
        let slow = SlowCommand { conn, command: row.id, args: shortened(args, &[]), at: self.clock.now(), micros };
        if home == self.id {
            self.log_slow(slow);
        } else {
            self.answers[home.index()].slow.push(slow);
        }
    }

    /// Microseconds since `began`; the next command begins now.
    pub(super) fn lap(&mut self, began: u64) -> u64 {
        let now = self.clock.micros();
        self.last_micros = now;
        now - began.min(now)
    }

    /// Counts a command that ran, and failed with an error of code `failed` if there is one. True if it was slow.
    pub(super) fn account(&mut self, row: &Row, micros: u64, failed: Option<&[u8]>) -> bool {
        let counted = std::mem::take(&mut self.error_is_counted);
        if let Some(code) = failed.filter(|_| !counted) {
            self.stats.error(code);
        }
        let config = &self.shard.config;
        let (latencies, limit) = (config.latency_tracking, config.slowlog_log_slower_than);
        self.stats.ran(row.id, micros, failed.is_some(), latencies);
        let threshold = config.latency_monitor_threshold as u64;
        if threshold > 0 && micros / 1000 >= threshold {
            let fast = row.command.flags.has(Flag::Fast);
            let event = if fast { LatencyEvent::FastCommand } else { LatencyEvent::Command };
            self.latency.record(event, self.clock.now().0 / 1000, micros / 1000);
        }
        limit >= 0 && micros as i64 >= limit && !row.command.flags.has(Flag::SkipSlowlog)
    }

    /// One part of a command ran: tells the client's core how long, which counts the whole.
    pub(super) fn part_finished(&mut self, from: ShardId, head: &Head, began: u64) {
        let time = PartTime { conn: head.conn, seq: head.seq, micros: self.lap(began) };
        if from == self.id {
            self.note_part(time);
        } else {
            self.answers[from.index()].times.push(time);
        }
    }

    fn note_part(&mut self, time: PartTime) {
        let gather = self.session(time.conn).and_then(|session| session.replies.gather(time.seq));
        if let Some(gather) = gather {
            gather.micros = gather.micros.max(time.micros);
        }
    }

    /// A command of several parts ran: counts it as one, and sees whether it was slow.
    pub(super) fn whole_finished(&mut self, conn: ConnId, row: &Row, micros: u64, reply: &[u8], shown: OwnedArgs) {
        if self.account(row, micros, error_code(reply)) && shown != OwnedArgs::default() {
            self.log_slow(SlowCommand { conn, command: row.id, args: shown, at: self.clock.now(), micros });
        }
    }

    /// What the slow log would show of a command of several parts; nothing if it is not to be logged anyway.
    pub(super) fn shown(&mut self, row: &Row, args: &Args<'_>) -> OwnedArgs {
        let redacted = std::mem::take(&mut self.redacted);
        if self.shard.config.slowlog_log_slower_than < 0 || row.command.flags.has(Flag::SkipSlowlog) {
            return OwnedArgs::default();
        }
        shortened(args, &redacted)
    }

    pub(super) fn log_slow(&mut self, slow: SlowCommand) {
        let max = self.shard.config.slowlog_max_len as usize;
        let (address, name) = match self.session(slow.conn) {
            Some(session) => (crate::session::address(&session.info.endpoint), session.info.name.clone()),
            None => (String::new(), Vec::new()),
        };
        let SlowCommand { args, at, micros, .. } = slow;
        let args = args.as_args().from(0).map(<[u8]>::to_vec).collect();
        let id = self.shared.next_slow();
        self.slowlog.push_front(SlowEntry { id, at, micros, args, address, name });
        self.slowlog.truncate(max);
    }
}

/// The code of a reply that is an error.
pub(super) fn error_code(reply: &[u8]) -> Option<&[u8]> {
    let text = reply.strip_prefix(b"-")?;
    text.split(|byte| matches!(byte, b' ' | b'\r')).next()
}

fn shortened(args: &Args<'_>, redacted: &[usize]) -> OwnedArgs {
    let mut kept = OwnedArgs::default();
    for (i, arg) in args.from(0).enumerate() {
        if i == SLOWLOG_ARGS_MAX - 1 && args.len() > SLOWLOG_ARGS_MAX {
            kept.push(format!("... ({} more arguments)", args.len() - i).as_bytes());
            break;
        }
        if redacted.contains(&i) {
            kept.push(b"(redacted)");
        } else if arg.len() <= SLOWLOG_ARG_BYTES_MAX {
            kept.push(arg);
        } else {
            let more = format!("... ({} more bytes)", arg.len() - SLOWLOG_ARG_BYTES_MAX);
            kept.push(&[&arg[..SLOWLOG_ARG_BYTES_MAX], more.as_bytes()].concat());
        }
    }
    kept
}
