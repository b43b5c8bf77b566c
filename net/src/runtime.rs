//! One core's network loop: what it is made of, how it begins and how it ends.

use std::io;
use std::time::{Duration, Instant};

use crate::acceptor::Acceptor;
use crate::buf::{Buffers, Filled};
use crate::conn::Table;
use crate::conn::spare::Spare;
use crate::io::file::Files;
use crate::io::fill::Fills;
use crate::io::link::Links;
use crate::io::ring::{Completion, Ring, Wait};
use crate::io::send::Sends;
use crate::io::{cancel, socket, wake};
use crate::limits::TEARDOWN_GRACE;
use crate::listen::Listeners;
use crate::outside::Bell;
use crate::resp::Parser;
use crate::service::{Actions, ConnId, InFlight, Service};
use crate::turn::Sleep;
use crate::waker::Waker;

/// What a loop is told when it is made.
#[derive(Debug)]
pub struct LoopConfig {
    /// The sockets this core accepts from; none on a core that is only handed connections.
    pub listeners: Listeners,
    /// What wakes this core.
    pub waker: Waker,
}

impl LoopConfig {
    /// A loop without listeners.
    pub fn new(waker: Waker) -> Self {
        Self { listeners: Listeners::default(), waker }
    }
}

/// A received piece that waits for its connection's turn.
pub(crate) struct Piece {
    pub(crate) id: ConnId,
    pub(crate) filled: Filled,
}

/// The network loop of one core. It belongs to the thread that made it.
pub struct Loop<S: Service> {
    pub(crate) service: S,
    pub(crate) ring: Ring,
    pub(crate) sends: Sends,
    pub(crate) fills: Fills,
    pub(crate) files: Files,
    pub(crate) links: Links,
    pub(crate) conns: Table,
    pub(crate) listeners: Listeners,
    /// The version of `listeners` that `acceptors` are those of.
    pub(crate) listeners_version: u64,
    pub(crate) acceptors: Vec<Acceptor>,
    pub(crate) waker: Waker,
    /// Counts the ticks; it may wrap.
    pub(crate) tick: u32,
    /// What this tick collected.
    pub(crate) completions: Vec<Completion>,
    /// What this tick received, in the order of arrival.
    pub(crate) pieces: Vec<Piece>,
    /// Pieces of this tick are not all in their queries yet.
    pub(crate) feeding: bool,
    /// Connections whose query holds commands that may be executed in the next tick.
    pub(crate) ready: Vec<ConnId>,
    /// Connections whose state must be looked at when this tick's input was.
    pub(crate) unsettled: Vec<ConnId>,
    /// Connections to write beside those that the service names.
    pub(crate) dirty: Vec<ConnId>,
    /// Connections that closed and that the service was not told of.
    pub(crate) gone: Vec<ConnId>,
    pub(crate) actions: Actions,
    /// A descriptor was freed: an accept that ran out of them may try again.
    pub(crate) descriptors_freed: bool,
    /// For sleeps outside of the ring.
    pub(crate) bell: Option<Bell>,
    /// When the stopping loop gives up on its clients.
    pub(crate) stopping: Option<Instant>,
    /// The parser of commands that are complete where they were received.
    pub(crate) parser: Parser,
    pub(crate) spare: Spare,
    /// Behind the ring, so that it is dropped after it.
    pub(crate) buffers: Buffers,
}

impl<S: Service> Loop<S> {
    /// Makes the loop of the calling thread's core.
    pub fn new(service: S, config: LoopConfig) -> io::Result<Self> {
        let mut ring = Ring::new()?;
        let buffers = Buffers::new()?;
        ring.register_buffers(&buffers)?;
        wake::submit(&mut ring, config.waker.fd());
        config.listeners.accepted_by(&config.waker);
        Ok(Self {
            service,
            ring,
            sends: Sends::default(),
            fills: Fills::default(),
            files: Files::default(),
            links: Links::default(),
            conns: Table::default(),
            listeners: config.listeners,
            listeners_version: 0,
            acceptors: Vec::new(),
            waker: config.waker,
            tick: 0,
            completions: Vec::new(),
            pieces: Vec::new(),
            feeding: false,
            ready: Vec::new(),
            unsettled: Vec::new(),
            dirty: Vec::new(),
            gone: Vec::new(),
            actions: Actions::default(),
            descriptors_freed: false,
            bell: None,
            stopping: None,
            parser: Parser::new(),
            spare: Spare::default(),
            buffers,
        })
    }

    /// Turns until the service says stop.
    pub fn run(&mut self) {
        while !self.turn(Sleep::Allowed).stopped {}
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The service, to be changed between turns.
    pub fn service_mut(&mut self) -> &mut S {
        &mut self.service
    }

    /// Number of connections of this core.
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    /// Panics if the loop's own books do not agree; for tests, between turns.
    pub fn check_invariants(&mut self) {
        self.buffers.check_invariants(self.pieces.len());
        assert!(self.pieces.is_empty() && self.completions.is_empty());
        for id in self.conns.ids() {
            let conn = self.conns.at(id).expect("it is listed");
            assert!(conn.sending || conn.in_flight == InFlight::default(), "bytes in flight are in a send");
            assert!(conn.receiving || !conn.cancelling, "only a receive is cancelled");
            assert!(conn.receiving || !conn.filling, "a fill is a receive");
            assert!(!conn.filling || conn.query.is_empty(), "a lent buffer is not here");
            assert!(!conn.query.is_empty() || conn.query.capacity() == 0, "an idle connection holds no buffer");
        }
    }

    /// What wakes this core.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

/// Ends all requests before their memory goes. What the kernel does not let go of in time is leaked: better that than
/// bytes written to memory that belongs to somebody else by then.
impl<S: Service> Drop for Loop<S> {
    fn drop(&mut self) {
        for id in self.conns.ids() {
            if let Some(conn) = self.conns.at(id) {
                let _ = socket::shutdown(conn.fd());
            }
        }
        cancel::submit_all(&mut self.ring);
        let deadline = Instant::now() + TEARDOWN_GRACE;
        let mut completions = Vec::new();
        while self.ring.in_flight() > 0 && Instant::now() < deadline {
            self.ring.enter(Wait::AtMost(Duration::from_millis(10)));
            self.ring.collect(&mut completions);
            completions.clear();
        }
        if self.ring.in_flight() > 0 {
            tracing::warn!(requests = self.ring.in_flight(), "requests did not end; their memory is leaked");
            self.sends.leak();
            self.fills.leak();
            self.files.leak();
            self.links.leak();
            self.buffers.leak();
        }
    }
}
