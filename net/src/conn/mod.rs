//! Connections: what the loop knows about each, and the table of a core's connections.
//!
//! ```text
//!            adopt                 shutdown(2)               last completions in
//!   (free) ─────────► open ───────────────────────► closing ─────────────────────► (free, next generation)
//!                      │  draining: no more input,     ▲
//!                      └─ closes once all is written ──┘
//! ```
//!
//! An open connection has one multishot receive in the kernel, unless its reading is paused ([`receive`] says when),
//! and at most one send. While idle that is all: no buffer of either direction, no parser, and at most 128 bytes in this table.

pub(crate) mod output;
pub(crate) mod pipeline;
pub(crate) mod query;
mod receive;
pub(crate) mod spare;

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::limits::{COMMANDS_PER_TICK, CONNECTIONS_MAX, INPUT_BYTES_PER_TICK};
use crate::resp::Parser;
use crate::service::{ConnId, InFlight, InputUsage};
use crate::size::allocated;
use query::Query;

/// What a connection has used of its turn in a tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    /// The tick this is about.
    tick: u32,
    commands: u32,
    bytes: usize,
}

impl Budget {
    /// One more command, of this many bytes.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.commands += 1;
        self.bytes += bytes;
    }

    /// Whether the turn is over.
    pub(crate) fn is_spent(&self) -> bool {
        self.commands >= COMMANDS_PER_TICK || self.bytes >= INPUT_BYTES_PER_TICK
    }
}

/// One connection.
#[derive(Default)]
pub(crate) struct Conn {
    /// `None` while the slot is free.
    socket: Option<OwnedFd>,
    generation: u32,
    /// Input that could not be executed where it was received: the beginning of a command, or commands that wait.
    pub(crate) query: Query,
    /// The state of the command that the query begins with, if the parser has looked at it.
    pub(crate) parser: Option<Box<Parser>>,
    /// Length of the query from which on there is anything new to find in it.
    pub(crate) needed: usize,
    pub(crate) received_bytes: u64,
    /// The send in flight.
    pub(crate) in_flight: InFlight,
    pub(crate) budget: Budget,
    /// A receive is in the kernel.
    pub(crate) receiving: bool,
    /// It is one into the query buffer, which it holds meanwhile.
    pub(crate) filling: bool,
    /// It is a multishot receive that was cancelled and whose last completion is still to come.
    pub(crate) cancelling: bool,
    /// A send is in the kernel.
    pub(crate) sending: bool,
    /// The service told to keep the rest of the input.
    pub(crate) held: bool,
    /// There is too much output that the peer does not read.
    pub(crate) stalled: bool,
    /// The connection stands in the list of those with commands to execute.
    pub(crate) queued: bool,
    /// The peer sends nothing more.
    pub(crate) ended: bool,
    /// The service knows that, and has replies to come.
    pub(crate) end_told: bool,
    /// No more input is taken; the connection closes when its output is written.
    pub(crate) draining: bool,
    /// The socket was shut down.
    pub(crate) closing: bool,
    /// The service was told of the close.
    pub(crate) closed_told: bool,
}

impl Conn {
    /// The descriptor.
    pub(crate) fn fd(&self) -> RawFd {
        self.socket.as_ref().expect("a connection that is not free has a socket").as_raw_fd()
    }

    /// Makes the budget that of `tick`.
    pub(crate) fn begin_turn(&mut self, tick: u32) {
        if self.budget.tick != tick {
            self.budget = Budget { tick, ..Budget::default() };
        }
    }

    /// Whether commands may be executed now.
    pub(crate) fn may_run(&self) -> bool {
        !(self.held || self.stalled || self.draining || self.closing || self.budget.is_spent())
    }

    /// Whether the query may hold a complete command.
    pub(crate) fn has_commands(&self) -> bool {
        !self.query.is_empty() && self.query.len() >= self.needed
    }

    /// Whether the kernel knows nothing of this connection any more.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.receiving && !self.sending
    }

    /// What the service is told about the buffers.
    pub(crate) fn usage(&self) -> InputUsage {
        let waits = self.has_commands() && !self.stalled;
        InputUsage {
            query_bytes: self.query.len(),
            query_capacity: self.query.capacity() + self.parser.as_ref().map_or(0, |parser| parser.heap_bytes()),
            waiting_bytes: if waits { allocated(self.query.capacity()) } else { 0 },
            received_bytes: self.received_bytes,
        }
    }
}

/// The connections of one core, by slot.
#[derive(Default)]
pub(crate) struct Table {
    slots: Vec<Conn>,
    free: Vec<u32>,
}

impl Table {
    /// Gives `socket` a slot; `None` if there are no more.
    pub(crate) fn insert(&mut self, socket: OwnedFd) -> Option<ConnId> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.slots.len() < CONNECTIONS_MAX => {
                self.slots.push(Conn::default());
                self.slots.len() as u32 - 1
            }
            None => return None,
        };
        let conn = &mut self.slots[slot as usize];
        conn.socket = Some(socket);
        Some(ConnId { slot, generation: conn.generation })
    }

    /// The connection `id`, unless it is gone.
    pub(crate) fn at(&mut self, id: ConnId) -> Option<&mut Conn> {
        let conn = self.slots.get_mut(id.slot as usize)?;
        (conn.generation == id.generation && conn.socket.is_some()).then_some(conn)
    }

    /// The connection `id`, unless it is gone or about to go.
    pub(crate) fn open(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.at(id).filter(|conn| !conn.closing)
    }

    /// Closes the socket and frees the slot; references to this use of it are stale from now on.
    pub(crate) fn remove(&mut self, id: ConnId) {
        let conn = self.at(id).expect("the connection is there");
        assert!(conn.is_quiet() && conn.closing && conn.closed_told, "a slot is freed when nobody refers to it");
        *conn = Conn { generation: id.generation.wrapping_add(1), ..Conn::default() };
        self.free.push(id.slot);
    }

    /// Number of connections.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// All connections.
    pub(crate) fn ids(&self) -> Vec<ConnId> {
        let open = self.slots.iter().enumerate().filter(|(_, conn)| conn.socket.is_some());
        open.map(|(slot, conn)| ConnId { slot: slot as u32, generation: conn.generation }).collect()
    }
}

const _: () = assert!(size_of::<Conn>() <= 128, "an idle connection is small");
