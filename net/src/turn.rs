//! One tick of the loop, in the order that [`Service`] describes.
//!
//! ```text
//!   wait ─► collect ─► begin ─► feed pieces, run what waited ─► end ─► act ─► write ─► settle, offer buffers ─► background
//!    │  sleeps if there is nothing to do and it may              └─ Service ─┘                                  └ Service ┘
//! ```
//!
//! A sleep submits what the last tick queued and returns with the first completion: one system call a tick for the ring,
//! however many connections are busy, and one `send` a connection.

use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::acceptor::Acceptor;
use crate::io::ring::{Completion, Wait};
use crate::io::{Op, socket, wake};
use crate::limits::{
    COMMANDS_ANNOUNCED, COMPLETIONS_PER_ENTER, COMPLETIONS_PER_TICK, RECEIVED_BYTES_PER_TICK, STOP_GRACE,
};
use crate::resp::peek::look_ahead;
use crate::runtime::{Loop, Piece};
use crate::service::{ConnId, Flow, Park, Service, Socket};

/// Whether a turn may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleep {
    /// If there is nothing to do and the service agrees.
    Allowed,
    /// Not at all: there is other work on this thread.
    Poll,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Something happened on a socket, or input was executed.
    pub worked: bool,
    /// There is input left to execute: the next turn is due at once.
    pub more: bool,
    /// The loop has stopped as the service told it to.
    pub stopped: bool,
}

impl<S: Service> Loop<S> {
    /// One tick: waits for something to do if `sleep` allows it, then does it.
    pub fn turn(&mut self, sleep: Sleep) -> Turn {
        self.tick = self.tick.wrapping_add(1);
        self.accept_more();
        self.wait(sleep);
        self.feeding = true;
        let mut worked = self.collect();
        self.service.kept(self.spare.bytes());
        self.service.begin();
        worked |= self.run_commands();
        self.service.kept(self.spare.bytes());
        self.service.end(&mut self.actions);
        self.act();
        self.write_all();
        while let Some(id) = self.unsettled.pop() {
            self.settle(id);
            self.settle_end(id);
        }
        self.buffers.refill();
        let Self { service, ring, .. } = self;
        service.background(&mut || ring.has_more());
        Turn { worked, more: !self.ready.is_empty(), stopped: self.has_stopped() }
    }

    /// Whether nothing is left of the last tick.
    pub(crate) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.gone.is_empty() && self.dirty.is_empty()
    }

    /// How long the loop may sleep if the service says `limit`.
    pub(crate) fn limit_sleep(&self, limit: Option<Duration>) -> Option<Duration> {
        let deadlines = self.acceptors.iter().filter_map(Acceptor::retry_at).chain(self.stopping);
        let own = deadlines.min().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        limit.into_iter().chain(own).min()
    }

    /// Enters the ring: submits, makes completions, sleeps if there is nothing else to do.
    fn wait(&mut self, sleep: Sleep) {
        self.end_outside();
        let idle = sleep == Sleep::Allowed && self.is_idle();
        if !idle || self.ring.has_more() {
            self.ring.enter(Wait::No);
        }
        if !idle || self.ring.has_completions() {
            return;
        }
        let Park::Sleep(limit) = self.service.park() else {
            return self.ring.enter(Wait::No);
        };
        self.ring.enter(match self.limit_sleep(limit) {
            Some(limit) => Wait::AtMost(limit),
            None => Wait::Forever,
        });
        self.service.unpark();
        if !self.ring.has_completions() {
            self.rest();
        }
    }

    /// A whole sleep went by without anything to do: buffers kept for the next one in need of them are freed.
    fn rest(&mut self) {
        self.spare.clear();
        self.buffers.rest();
    }

    /// Takes completions out of the ring and attends to all but the received bytes, which are kept for the commands' turn.
    fn collect(&mut self) -> bool {
        let mut completions = std::mem::take(&mut self.completions);
        self.ring.collect(&mut completions);
        // An enter that made fewer than it may has made all; what came since is left to the next one, which then has more.
        let mut before = 0;
        while completions.len() >= before + COMPLETIONS_PER_ENTER
            && completions.len() < COMPLETIONS_PER_TICK
            && self.ring.has_more()
            && received_bytes(&completions) < RECEIVED_BYTES_PER_TICK
        {
            before = completions.len();
            self.ring.enter(Wait::No);
            self.ring.collect(&mut completions);
        }
        if self.ring.take_tore() {
            self.files.tear();
        }
        let worked = !completions.is_empty();
        for completion in completions.drain(..) {
            match completion.token.op {
                Op::Recv => self.received(completion),
                Op::Fill => self.filled(completion),
                Op::Send => self.sent(completion.token.id, completion.result),
                Op::Accept => self.accepted(completion),
                Op::Wake if !completion.more() => wake::submit(&mut self.ring, self.waker.fd()),
                Op::File => {
                    if let Some(done) = self.files.finish(completion.token.id.slot, completion.result) {
                        self.service.file_done(done);
                    }
                }
                Op::Link => {
                    let slot = completion.token.id.slot;
                    if let Some(done) = self.links.finish(&mut self.ring, slot, completion.result) {
                        self.service.link_done(done);
                    }
                }
                Op::Wake | Op::Cancel => {}
            }
        }
        self.completions = completions;
        self.tell_closed();
        worked
    }

    /// Tells the service of the connections that closed.
    fn tell_closed(&mut self) {
        while let Some(id) = self.gone.pop() {
            self.service.closed(id);
            if let Some(conn) = self.conns.at(id) {
                conn.closed_told = true;
            }
            self.release(id);
        }
    }

    /// Executes what was received, and what had to wait.
    fn run_commands(&mut self) -> bool {
        let mut waiting = std::mem::take(&mut self.ready);
        let mut pieces = std::mem::take(&mut self.pieces);
        let worked = !waiting.is_empty() || !pieces.is_empty();
        for id in waiting.drain(..) {
            self.run_waiting(id);
        }
        let mut announced = 0;
        for index in 0..pieces.len() {
            if index == announced && pieces.len() > 1 {
                announced = self.announce_pieces(&pieces, index);
            }
            let Piece { id, .. } = pieces[index];
            self.feed(id, &pieces[index].filled);
        }
        for Piece { filled, .. } in pieces.drain(..) {
            self.buffers.give_back(filled);
        }
        if self.ready.is_empty() {
            self.ready = waiting;
        }
        self.pieces = pieces;
        self.feeding = false;
        worked
    }

    /// Announces the first command of each of the next few pieces; returns the index behind the last of them.
    fn announce_pieces(&mut self, pieces: &[Piece], from: usize) -> usize {
        let end = pieces.len().min(from + COMMANDS_ANNOUNCED);
        let Self { service, buffers, .. } = self;
        for Piece { id, filled } in &pieces[from..end] {
            look_ahead(buffers.bytes(filled), 1, |upcoming| service.announce(*id, upcoming));
        }
        service.announced();
        end
    }

    /// Does what the service wants done.
    fn act(&mut self) {
        let mut actions = std::mem::take(&mut self.actions);
        if !actions.files.is_empty() {
            for request in actions.files.drain(..) {
                self.files.submit(&mut self.ring, request);
            }
            // The disk works while sockets are written.
            self.ring.submit();
        }
        for request in actions.links.drain(..) {
            self.links.submit(&mut self.ring, request);
        }
        for socket in actions.adopt.drain(..) {
            if self.stopping.is_none() {
                self.adopt(socket);
            }
        }
        for id in actions.resume.drain(..) {
            if let Some(conn) = self.conns.open(id) {
                conn.held = false;
                conn.end_told = false;
                self.unsettled.push(id);
            }
        }
        for id in actions.close_after_write.drain(..) {
            self.drain(id);
        }
        for id in actions.close_now.drain(..) {
            self.close(id);
        }
        if actions.stop && self.stopping.is_none() {
            self.stop();
        }
        self.dirty.append(&mut actions.write);
        actions.stop = false;
        self.actions = actions;
    }

    /// Takes no more input from a connection, and closes it when its output is written.
    pub(crate) fn drain(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.open(id) {
            conn.draining = true;
            conn.query.clear(&mut self.spare);
            conn.parser = None;
            self.settle(id);
            self.dirty.push(id);
        }
    }

    /// Makes a socket a connection of this core.
    fn adopt(&mut self, Socket { fd, endpoint }: Socket) {
        let raw = fd.as_raw_fd();
        if let Err(error) = socket::set_blocking(raw) {
            tracing::warn!(%error, "a connection cannot be adopted");
            return;
        }
        let Some(id) = self.conns.insert(fd) else {
            tracing::warn!("a core has no room for another connection");
            return;
        };
        match self.service.opened(id, &endpoint, raw) {
            Flow::Close => self.drain(id),
            Flow::Hold => {
                self.conns.open(id).expect("it was just made").held = true;
                self.settle(id);
            }
            Flow::Continue => self.settle(id),
        }
    }

    /// Writes every connection that has something to write, once.
    fn write_all(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for id in dirty.drain(..) {
            self.write(id);
        }
        // A write that fails closes, it makes nothing dirty; a list that was filled anyway is kept for the next tick.
        if self.dirty.is_empty() {
            self.dirty = dirty;
        }
    }

    /// Begins to stop: no new connections, no new input, what is to be written is written.
    fn stop(&mut self) {
        self.stopping = Some(Instant::now() + STOP_GRACE);
        self.stop_accepting();
        for id in self.conns.ids() {
            self.drain(id);
        }
    }

    /// Whether a stop has come to its end.
    fn has_stopped(&self) -> bool {
        self.stopping.is_some_and(|deadline| self.conns.len() == 0 || Instant::now() >= deadline)
    }
}

/// Bytes in the pieces among these completions.
fn received_bytes(completions: &[Completion]) -> usize {
    let pieces = completions.iter().filter(|completion| completion.token.op == Op::Recv);
    pieces.map(|piece| usize::try_from(piece.result).unwrap_or(0)).sum()
}
