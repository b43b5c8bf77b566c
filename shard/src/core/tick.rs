//! The order of a tick: collect, clock, tail, drain, deliver, run, push.
//!
//! The network loop has collected what came from sockets before it calls [`Service::begin`]; that order is what makes a
//! reply seen by one client hold for what another client asks afterwards.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use net::link::LinkDone;
use net::service::{Actions, Endpoint, FileDone, InFlight, InputLimits, InputUsage, Park, ProtocolError, Socket};
use net::{Args, ConnId, Flow, Reply, Service, Upcoming};

use super::Core;
use super::prefetch::PREFETCHED;
use crate::acl::Access;
use crate::ids::{ClientId, ShardId};
use crate::limits::WITHHELD_BYTES_MAX;
use crate::mesh::{Batch, Message, Pushed, Rule};
use crate::session::places::Place;
use crate::session::{Hold, Session, address};
use crate::shared::Stop;

/// Emptied batches that a core keeps, for each shard.
const SPARE_BATCHES_PER_SHARD: usize = 4;

impl Core {
    /// First half of a tick's beginning: reads the clock, then takes the answers and the inbox up to its tail.
    pub fn take(&mut self) {
        self.tick_began = self.clock.micros();
        self.last_micros = self.tick_began;
        self.tick_time = self.clock.now();
        self.publisher.tail_version = self.shared.registry.version();
        self.shared.mesh.take(self.id, &mut self.taken);
        self.take_addresses();
        // Behind the taking: a command in it that followed a change of the configuration is to see that change.
        self.refresh_config();
        // A lower limit of what is remembered counts before the next command.
        self.tell_of_expiry();
    }

    /// Takes the configuration as it is now, and the users, if they changed.
    pub fn refresh_config(&mut self) {
        self.refresh_users();
        if self.config_version != self.shared.config_version() {
            self.config_version = self.shared.config_version();
            self.shard.config = self.shared.config();
            self.shard.tracking.look_at_limit();
            self.refresh_limits();
            self.heed_log();
            self.evict_by_new_settings();
            self.tell_memory();
            self.judge_memory();
            self.recount_clients();
        }
    }

    /// Takes what decides between the encodings of collections: the configuration, and what DEBUG has said besides.
    pub fn refresh_limits(&mut self) {
        let mut limits = self.shard.config.limits();
        let plain_from = self.shared.packed_threshold_bytes.load(std::sync::atomic::Ordering::Relaxed);
        limits.list = limits.list.with_plain_from(usize::try_from(plain_from).unwrap_or(usize::MAX));
        self.shard.limits = limits;
    }

    /// Second half: runs what was in the inbox, then delivers the answers.
    pub fn drain(&mut self) {
        self.run_hops();
        let mut batches = std::mem::take(&mut self.taken.batches);
        for mut batch in batches.drain(..) {
            self.underway.run_in(batch.room_bytes());
            self.drain_batch(&mut batch);
            self.underway.run_in(0);
            // Not before it is empty: what is told meanwhile is told with it.
            self.underway.arrive(batch.passing);
            batch.reset();
            self.spare.put(batch, SPARE_BATCHES_PER_SHARD * self.shard.shards);
        }
        self.taken.batches = batches;
        let mut replies = std::mem::take(&mut self.taken.replies);
        for mut batch in replies.drain(..) {
            self.worked = true;
            self.underway.arrive(batch.passing_bytes());
            self.deliver_batch(&mut batch);
            batch.reset();
            if self.spare_answers.len() < self.shard.shards {
                self.spare_answers.push(batch);
            }
        }
        self.taken.replies = replies;
        // Not before the drain: every part of a command judges expiry by the time of its push, on all its shards.
        self.see_time(self.tick_time);
        self.end_waits(self.tick_time);
        self.heed_pause();
    }

    /// A socket is to become a connection of this core at the tick's end.
    fn adopt_as(&mut self, socket: Socket, id: ClientId) {
        self.adopted.insert(socket.fd.as_raw_fd(), id);
        self.adopt.push(socket);
    }

    fn drain_batch(&mut self, batch: &mut Batch) {
        self.worked = true;
        self.see_push_time(batch);
        self.stats.messages += batch.messages.len() as u64;
        let mut messages = std::mem::take(&mut batch.messages);
        let mut coming = messages.drain(..);
        let mut prefetched = 0;
        loop {
            if prefetched == 0 {
                self.prefetch_batch(batch, coming.as_slice());
                prefetched = PREFETCHED;
            }
            prefetched -= 1;
            let Some(message) = coming.next() else { break };
            self.receive(batch, message);
        }
        drop(coming);
        batch.messages = messages;
    }

    /// One message of `batch`, then what other cores said about plans meanwhile.
    #[inline]
    pub(super) fn receive(&mut self, batch: &Batch, message: Message) {
        let from = batch.from;
        match message {
            Message::Command(head) => {
                let args = batch.args(&head);
                self.heed_memory_for_command(&args);
                self.arrive(from, &head, &args);
            }
            Message::Large(large) => {
                let args = large.1.as_args();
                self.heed_memory_for_command(&args);
                self.arrive(from, &large.0, &args);
            }
            Message::Everywhere(head) => self.share(from, &head, batch.args(&head)),
            Message::Errand(errand) => self.arrive_errand(from, *errand),
            Message::Hop(part) => self.arrive_part(*part),
            Message::Cut(job) => self.arrive_cut(job),
            Message::Barrier(barrier) => self.arrive_barrier(barrier),
            Message::Adopt(adopted) => self.adopt_as(adopted.0, adopted.1),
            Message::Publish(message, reply) => self.receive_published(from, &message, reply),
            Message::Settle(settling) => self.settle(&settling),
            Message::Tell(told) => self.tell(told.0, &told.1),
            Message::Passed(conn, next) => self.passed(conn, next),
            Message::Killed => self.wake_killed(),
        }
        self.run_hops();
    }

    pub(super) fn see_push_time(&mut self, batch: &Batch) {
        let travels = self.shared.mesh.holds(Rule::TimeTravelsWithBatch);
        self.see_time(if travels { batch.now } else { self.tick_time });
    }

    /// A shard's clock is the largest time seen.
    pub(super) fn see_time(&mut self, now: storage::UnixMillis) {
        self.shard.clock = self.shard.clock.max(now);
    }

    /// Links what was routed to the inboxes, all at one point, or puts it off to the next tick.
    pub fn push(&mut self) -> Pushed {
        self.tell_events();
        self.note_gate();
        if self.batches.iter().all(Batch::is_empty) {
            return Pushed::Done;
        }
        #[cfg(feature = "simulation")]
        if let Some(shard) = self.pushed_alone() {
            return self.push_alone(shard);
        }
        self.let_batches_pass();
        let pushed = self.push_if_current();
        match pushed {
            Pushed::Done => {
                self.push_number += 1;
                self.put_off = false;
                for batch in &mut self.batches {
                    batch.from = self.id;
                }
            }
            Pushed::PutOff => {
                self.put_off = true;
                self.keep_batches();
                self.stats.put_off += 1;
            }
            Pushed::Outdated => unreachable!("what is outdated is made up for"),
            #[cfg(feature = "simulation")]
            Pushed::Partly => unreachable!("the mesh pushes all or nothing"),
        }
        pushed
    }

    /// Says which connections are to be written. One whose next reply is on its way from another shard waits for it, but
    /// not for long: most of a pipeline's replies then leave in one write, not the few first ones in a write of their own.
    fn write_or_withhold(&mut self, write: &mut Vec<ConnId>) {
        // Replies go first: the clients' next commands come while the rest is written, and find themselves in one tick.
        for conn in self.dirty.drain(..).chain(self.audience.drain(..)) {
            let Some(session) = self.sessions[conn.slot as usize].as_mut().filter(|s| s.conn == conn) else { continue };
            session.dirty = false;
            if session.replies.is_empty() || session.out.len() > WITHHELD_BYTES_MAX {
                session.withheld_since = None;
                write.push(conn);
            } else if !session.out.is_empty() && session.withheld_since.is_none() {
                let now = self.clock.micros();
                session.withheld_since = Some(now);
                self.withheld.push_back((conn, now));
            }
        }
        while let Some((conn, since)) = self.withheld.front().copied() {
            let slot = self.sessions[conn.slot as usize].as_mut();
            if let Some(session) = slot.filter(|s| s.conn == conn && s.withheld_since == Some(since)) {
                if self.clock.micros() - since < self.withheld_micros_max {
                    break;
                }
                session.withheld_since = None;
                write.push(conn);
            }
            self.withheld.pop_front();
        }
    }

    /// Hands the answers to other cores' clients to their homes.
    pub fn answer(&mut self) {
        self.note_gate();
        if self.has_notices {
            #[cfg(feature = "simulation")]
            if self.answers_without_notices() {
                return;
            }
            return self.answer_with_notices();
        }
        for home in 0..self.answers.len() {
            if !self.answers[home].is_empty() {
                let replies = std::mem::replace(&mut self.answers[home], self.spare_answers.pop().unwrap_or_default());
                self.shared.budget.depart(replies.passing_bytes());
                self.shared.mesh.answer(ShardId(home as u16), replies);
            }
        }
    }

    /// Whether another tick has something to do by itself.
    pub fn is_busy(&self) -> bool {
        self.put_off
            || !self.own_hops.is_empty()
            || self.has_notices
            || !self.long.is_empty()
            || !self.adopt.is_empty()
            || !self.resume.is_empty()
            || !self.close_now.is_empty()
            || !self.shard.garbage.is_empty()
            || self.evicting.goes_on
            || self.is_saving()
            || self.batches.iter().any(|batch| !batch.is_empty())
    }
}

impl Service for Core {
    fn opened(&mut self, conn: ConnId, endpoint: &Endpoint, fd: i32) -> Flow {
        self.worked = true;
        self.stats.connections += 1;
        let now = self.clock.now();
        let id = self.adopted.remove(&fd).unwrap_or_else(|| self.shared.next_client());
        let config = self.shared.config();
        self.refresh_users();
        tracing::debug!("Accepted {}", address(endpoint));
        let session = Session::new(conn, id, endpoint.clone(), fd, now, &self.users);
        let slot = conn.slot as usize;
        if self.sessions.len() <= slot {
            self.sessions.resize_with(slot + 1, || None);
        }
        assert!(self.sessions[slot].is_none(), "a slot is free when a connection is opened in it");
        self.sessions[slot] = Some(session);
        self.shared.places.enter(id, Place { core: self.id, conn });
        self.admit_client(conn, endpoint, &config)
    }

    fn accepted(&mut self, socket: Socket) {
        let core = self.shared.next_core();
        let id = self.shared.next_client();
        if core == self.id {
            self.adopt_as(socket, id);
        } else {
            self.batches[core.index()].messages.push(Message::Adopt(Box::new((socket, id))));
        }
    }

    fn closed(&mut self, conn: ConnId) {
        self.forget_wait(conn);
        self.wake_debugged(conn);
        self.withdraw(conn);
        self.drop_transaction(conn);
        self.uncount_client(conn);
        self.drop_underway(conn);
        if let Some(session) = self.session(conn) {
            let was_cut = session.held == Some(Hold::Closing);
            if !was_cut && tracing::enabled!(tracing::Level::DEBUG) {
                tracing::debug!("Client closed connection {}", self.client_line(conn, None));
            }
            self.sessions[conn.slot as usize] = None;
        }
    }

    fn input_ended(&mut self, conn: ConnId) -> Flow {
        let Some(session) = self.session(conn) else { return Flow::Close };
        match session.held {
            Some(Hold::Debugging) => {
                self.end_orders(conn);
                Flow::Hold
            }
            None if session.replies.is_empty() => Flow::Close,
            // It is asked again when the hold ends.
            Some(Hold::InFlight | Hold::Paused(_)) => Flow::Hold,
            // Unless it is being served: what was taken for it is delivered.
            Some(Hold::Blocked) if session.blocked.as_ref().is_some_and(|blocked| blocked.claim.end()) => Flow::Close,
            None | Some(Hold::Blocked | Hold::Closing) => {
                session.held = Some(Hold::Closing);
                Flow::Hold
            }
        }
    }

    fn kept(&mut self, bytes: usize) {
        self.underway.keep(bytes);
    }

    fn begin(&mut self) {
        self.take();
        self.drain();
    }

    fn command(&mut self, conn: ConnId, args: &Args<'_>) -> Flow {
        self.worked = true;
        self.route(conn, args)
    }

    fn announce(&mut self, conn: ConnId, upcoming: Upcoming<'_>) {
        self.prefetch(conn, upcoming);
    }

    fn announced(&mut self) {
        self.prefetch_values();
    }

    fn malformed(&mut self, conn: ConnId, error: &ProtocolError) {
        match error {
            ProtocolError::Syntax(text) => {
                self.stats.error(b"ERR");
                self.answer_now(conn, |_, reply: &mut Reply<'_>| {
                    reply.error(&[b"ERR Protocol error: ", text.as_slice()].concat());
                });
                if tracing::enabled!(tracing::Level::DEBUG) {
                    let (text, client) = (String::from_utf8_lossy(text), self.client_line(conn, None));
                    tracing::debug!("Protocol error ({text}) from client: {client}");
                }
            }
            ProtocolError::QueryBufferLimit => {
                self.stats.query_limit_disconnections += 1;
                tracing::warn!("Closing client that reached max query buffer length: {}", self.client_line(conn, None));
            }
            ProtocolError::SecurityAttack => {
                tracing::warn!(
                    "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to \
                     Tessera. This is likely due to an attacker attempting to use Cross Protocol Scripting to \
                     compromise your server. Connection aborted."
                );
            }
        }
    }

    fn input_limits(&self, conn: ConnId) -> InputLimits {
        let config = &self.shard.config;
        let session = self.sessions.get(conn.slot as usize).and_then(Option::as_ref);
        InputLimits {
            bulk_bytes_max: config.proto_max_bulk_len,
            query_buffer_bytes_max: config.client_query_buffer_limit,
            unauthenticated: session.is_some_and(|session| session.access == Access::Nothing),
        }
    }

    fn end(&mut self, actions: &mut Actions) {
        self.run_hops();
        if !self.long.is_empty() {
            self.drive_long();
        }
        if !self.last_of_tick.is_empty() {
            self.share_last();
        }
        self.push();
        self.tell_of_expiry();
        self.tell_broadcast();
        let is_late = self.events_are_late();
        if !is_late {
            self.answer();
        }
        self.housekeep();
        if !is_late {
            // What has expired meanwhile is not to wait for the next tick.
            self.tell_before_answering();
        }
        self.account_told();
        self.note_gate();
        self.turn_epoch();
        self.tend_log();
        self.check_outputs();
        self.limit_client_memory();
        if !is_late {
            self.write_or_withhold(&mut actions.write);
        }
        self.gate_output(&mut actions.write);
        actions.files.append(&mut self.log.requests);
        actions.links.append(&mut self.dialogues.requests);
        actions.resume.append(&mut self.resume);
        actions.close_after_write.append(&mut self.close_after_write);
        actions.close_now.append(&mut self.close_now);
        actions.adopt.append(&mut self.adopt);
        if self.dialogues_may_end() && !self.stopped && self.log_may_end() && self.others_may_end() {
            self.stopped = true;
            actions.stop = true;
        }
        self.stats.ticks += 1;
        self.stats.tick_micros += self.last_micros.saturating_sub(self.tick_began);
    }

    fn background(&mut self, is_wanted: &mut dyn FnMut() -> bool) {
        self.free_garbage();
        if self.shard.snapshot.is_some() {
            let (shared, id) = (Arc::clone(&self.shared), self.id);
            self.save_some(&mut || is_wanted() || shared.mesh.has_some(id));
        }
    }

    fn output(&mut self, conn: ConnId) -> Option<&mut Vec<u8>> {
        let gates = self.log.gates;
        let session = self.session(conn)?;
        let has_ready = session.gated.as_ref().is_some_and(|gated| !gated.ready.is_empty());
        if gates || has_ready { Some(&mut session.gated.get_or_insert_default().ready) } else { Some(&mut session.out) }
    }

    fn unsent(&mut self, conn: ConnId) -> usize {
        let session = self.sessions.get(conn.slot as usize).and_then(Option::as_ref).filter(|s| s.conn == conn);
        session.map_or(0, |session| session.out.len() + session.gated.as_ref().map_or(0, |gated| gated.ready.len()))
    }

    fn file_done(&mut self, done: FileDone) {
        self.worked = true;
        self.log_request_done(done);
    }

    fn link_done(&mut self, done: LinkDone) {
        self.worked = true;
        self.link_request_done(done);
    }

    fn output_progress(&mut self, conn: ConnId, sent: usize, in_flight: InFlight) {
        self.stats.sent_bytes += sent as u64;
        self.stats.writes += 1;
        self.note_client_memory(conn);
        if let Some(session) = self.session(conn) {
            session.output_left(sent, in_flight);
        }
    }

    fn input_usage(&mut self, conn: ConnId, usage: InputUsage) {
        self.note_client_memory(conn);
        let Some(session) = self.session(conn) else { return };
        let received = usage.received_bytes - session.info.input.received_bytes;
        let waited = session.info.input.waiting_bytes;
        session.info.input = usage;
        // Who waits for anything but its turn may do so for ever.
        if !matches!(session.held, None | Some(Hold::InFlight)) {
            session.info.input.waiting_bytes = 0;
        }
        let waiting = session.info.input.waiting_bytes;
        self.underway.wait(waited, waiting);
        self.stats.received_bytes += received;
        self.stats.reads += u64::from(received > 0);
    }

    fn park(&mut self) -> Park {
        if self.is_busy() || self.shared.mesh.has_hops(self.id) {
            return Park::Busy;
        }
        let ends = self.shared.stop() != Stop::No && !self.stopped;
        if (ends && self.log.requests.is_empty() && !self.log_ends()) || !self.log_may_sleep() {
            return Park::Busy;
        }
        if !self.shared.mesh.park(self.id, self.is_idle_for_log()) {
            return Park::Busy;
        }
        let now = self.clock.now();
        let pause_ends = (!self.paused.is_empty()).then(|| self.shared.pause(now).map_or(now, |pause| pause.until));
        // The millisecond of a deadline is still in time.
        let late = |deadline: storage::UnixMillis| storage::UnixMillis(deadline.0.saturating_add(1));
        let deadline = self.deadlines.first().map_or(self.next_cron, |(deadline, ..)| late(*deadline));
        let next = pause_ends.map_or(self.next_cron, |end| end.min(self.next_cron)).min(deadline);
        let next = self.log_deadline().map_or(next, |at| next.min(storage::UnixMillis(at)));
        let wait = Duration::from_millis(next.0.saturating_sub(now.0).max(1) as u64);
        let wait = self.rest_of_window().map_or(wait, |micros| wait.min(Duration::from_micros(micros)));
        let wait = self.rest_of_saving().map_or(wait, |micros| wait.min(Duration::from_micros(micros)));
        let Some((_, since)) = self.withheld.front() else {
            return Park::Sleep(Some(wait));
        };
        let due = (since + self.withheld_micros_max).saturating_sub(self.clock.micros()).max(1);
        Park::Sleep(Some(wait.min(Duration::from_micros(due))))
    }

    fn unpark(&mut self) {
        let barrier = self.shared.mesh.unpark(self.id);
        self.passed_by(barrier);
    }
}

impl Core {
    /// Reads a hold off a session: what a resumed connection has to do first.
    pub(super) fn take_hold(&mut self, conn: ConnId) -> Option<Hold> {
        self.session(conn).and_then(|session| session.held.take())
    }
}
