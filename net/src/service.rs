//! The one trait through which this crate meets the server.
//!
//! A *tick* of a core's loop calls it in this order:
//!
//! 1. the ring is collected: [`Service::opened`], [`Service::closed`] for what happened to sockets;
//! 2. [`Service::begin`] once;
//! 3. [`Service::command`] for each complete command of each connection that has input, at most
//!    `limits::COMMANDS_PER_TICK` of one connection;
//! 4. [`Service::end`] once, which fills [`Actions`];
//! 5. every connection of `actions.write` is written once from [`Service::output`].
//!
//! Before the loop sleeps it calls [`Service::park`], and after waking [`Service::unpark`].

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use crate::link::{LinkDone, LinkRequest};
use crate::resp::{Args, Upcoming};

/// A connection of this core: a slot that is reused, and a generation that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnId {
    /// Index into the core's table of connections.
    pub slot: u32,
    /// Counts the uses of the slot; a reference with another generation is stale and ignored.
    pub generation: u32,
}

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// A TCP socket: the peer's and our own address.
    Tcp {
        /// The client's address.
        peer: SocketAddr,
        /// The address it connected to.
        local: SocketAddr,
    },
    /// The Unix socket at this path.
    Unix(String),
}

/// A connected socket on its way to the core that shall serve it.
#[derive(Debug)]
pub struct Socket {
    /// The socket, in blocking mode: a ring request on a non-blocking one fails instead of waiting.
    pub fd: OwnedFd,
    /// Both ends.
    pub endpoint: Endpoint,
}

/// What becomes of a connection after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on with the next command.
    Continue,
    /// Keep the rest of the input until [`Actions::resume`] names this connection.
    Hold,
    /// Discard the rest of the input, write what is in the output, then close.
    Close,
}

/// What is done with a file.
#[derive(Debug)]
pub enum FileOp {
    /// The bytes are written behind so many of the file.
    Write {
        /// Where they begin.
        offset: u64,
        /// What is written.
        bytes: Vec<u8>,
        /// When all of it is written the file is synced, before anybody is told.
        syncs: bool,
    },
    /// What was written is to survive the machine.
    Sync,
}

/// Something to be done with a file, without waiting for it.
#[derive(Debug)]
pub struct FileRequest {
    /// The service's name for it.
    pub number: u32,
    /// The file.
    pub file: Arc<File>,
    /// What is to be done.
    pub op: FileOp,
}

/// What became of a [`FileRequest`].
#[derive(Debug)]
pub struct FileDone {
    /// Its name.
    pub number: u32,
    /// How many bytes were written, which may be fewer than all; or why nothing was done.
    pub result: io::Result<usize>,
    /// The bytes that were to be written.
    pub bytes: Vec<u8>,
    /// What became of the sync behind a write; none if it was not asked for, or not all was written before it.
    pub synced: Option<io::Result<()>>,
}

/// What the service wants done with connections at the end of a tick. The vectors are emptied by the loop.
#[derive(Debug, Default)]
pub struct Actions {
    /// Connections whose output is to be written (duplicates and stale ids are harmless).
    pub write: Vec<ConnId>,
    /// Held connections that may go on; their buffered input is looked at in the next tick.
    pub resume: Vec<ConnId>,
    /// Connections to close after their output is written; no more input is taken from them.
    pub close_after_write: Vec<ConnId>,
    /// Connections to close at once, their output discarded.
    pub close_now: Vec<ConnId>,
    /// Sockets that another core accepted and handed to this one; each becomes [`Service::opened`] in this tick.
    pub adopt: Vec<Socket>,
    /// What is to be done with files; each request is answered by [`Service::file_done`].
    pub files: Vec<FileRequest>,
    /// What is to be done with links to other servers; each request is answered by [`Service::link_done`].
    pub links: Vec<LinkRequest>,
    /// Connections to shut down entirely: the loop stops accepting, writes what it can and ends.
    pub stop: bool,
}

/// The buffers of one connection, for `CLIENT LIST` and the limits on clients' memory. The loop keeps it up to date.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputUsage {
    /// Bytes received and not yet executed.
    pub query_bytes: usize,
    /// Capacity of the query buffer in bytes; 0 while the connection holds none.
    pub query_capacity: usize,
    /// What an allocator takes for that buffer if commands in it only wait for their turn, else 0.
    pub waiting_bytes: usize,
    /// Bytes received since the connection opened.
    pub received_bytes: u64,
}

/// Whether the loop may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Park {
    /// There is work: poll the ring and go on.
    Busy,
    /// Nothing to do until the ring has something, another core wakes this one, or this much time has passed.
    Sleep(Option<Duration>),
}

/// Why input is not RESP. The connection is closed after the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// `Protocol error: ...`, the text without that prefix. It may quote a byte of the client, so it is no UTF-8.
    Syntax(Vec<u8>),
    /// The input buffer outgrew `client-query-buffer-limit`: closed without a reply, as Redis does.
    QueryBufferLimit,
    /// The request looks like HTTP (`POST` or `Host:`): closed at once, against cross-protocol scripting.
    SecurityAttack,
}

/// What of a connection's output is on its way in the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Bytes that the socket has not taken.
    pub unsent_bytes: usize,
    /// The buffer that they stand in, with what of it is sent.
    pub buffer_bytes: usize,
}

/// Limits that configuration can change while the server runs.
#[derive(Clone, Copy, Debug)]
pub struct InputLimits {
    /// `proto-max-bulk-len`, in bytes.
    pub bulk_bytes_max: u64,
    /// `client-query-buffer-limit`, in bytes.
    pub query_buffer_bytes_max: u64,
    /// Whether the client has not authenticated: such a client may send 10 arguments of 16,384 bytes, as in Redis.
    pub unauthenticated: bool,
}

/// One core of the server, as its network loop sees it. No method blocks or does I/O.
pub trait Service {
    /// A connection was opened on this core. `Flow::Close` refuses it after its output is written.
    fn opened(&mut self, conn: ConnId, endpoint: &Endpoint, fd: i32) -> Flow;

    /// A listening socket of this core yielded `socket`. The service gives it to a core: back as
    /// [`Actions::adopt`], here or there.
    fn accepted(&mut self, socket: Socket);

    /// The connection's socket is gone; nothing about it is asked again. Called once for each `opened`.
    fn closed(&mut self, conn: ConnId);

    /// The peer will send nothing more, and what it sent was executed as far as it is complete, or the connection is held.
    /// `Flow::Close`, the default, closes it when its output is written, as Redis does at the end of a client's stream.
    /// `Flow::Hold` keeps it, for replies that are still to come: it is asked again after a resume, and otherwise closed
    /// by [`Actions::close_after_write`].
    fn input_ended(&mut self, conn: ConnId) -> Flow {
        let _ = conn;
        Flow::Close
    }

    /// A request on a file has ended.
    fn file_done(&mut self, done: FileDone) {
        let _ = done;
    }

    /// A request on a link has ended.
    fn link_done(&mut self, done: LinkDone) {
        let _ = done;
    }

    /// The loop keeps emptied buffers of so many bytes for the next use. Told before a tick begins and before it ends.
    fn kept(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// The tick begins: read the clock and the inbox's tail, run what is in the inbox up to it.
    fn begin(&mut self);

    /// One complete command (at least a name).
    fn command(&mut self, conn: ConnId, args: &Args<'_>) -> Flow;

    /// A command is about to come. This has no effect but on the caches.
    fn announce(&mut self, conn: ConnId, upcoming: Upcoming<'_>) {
        let _ = (conn, upcoming);
    }

    /// All that was announced is about to come in its order: the further rounds of prefetching.
    fn announced(&mut self) {}

    /// The input cannot be parsed: the service writes the error's reply; the loop closes the connection after it.
    fn malformed(&mut self, conn: ConnId, error: &ProtocolError);

    /// The limits for this connection's input now.
    fn input_limits(&self, conn: ConnId) -> InputLimits;

    /// The tick ends: push what was routed, take in replies, tell what to write.
    fn end(&mut self, actions: &mut Actions);

    /// What the tick had to say is sent: time for work that nobody waits for. It should end soon when `is_wanted` says that
    /// something has come meanwhile. What it leaves to send is left to the next tick; [`Self::park`] sees to it that there
    /// is one.
    fn background(&mut self, is_wanted: &mut dyn FnMut() -> bool) {
        let _ = is_wanted;
    }

    /// The bytes waiting to be sent to `conn`. The loop takes them from the front or as a whole.
    fn output(&mut self, conn: ConnId) -> Option<&mut Vec<u8>>;

    /// Bytes that are still to be sent to `conn`: those of `output`, and what the service holds back for now. A connection
    /// that is to close when all is written waits for them, too.
    fn unsent(&mut self, conn: ConnId) -> usize {
        self.output(conn).map_or(0, |output| output.len())
    }

    /// `sent` more bytes left for the peer, and `in_flight` is on its way in the ring, no longer in `output`.
    fn output_progress(&mut self, conn: ConnId, sent: usize, in_flight: InFlight);

    /// The buffers of `conn` changed.
    fn input_usage(&mut self, conn: ConnId, usage: InputUsage);

    /// The loop would like to sleep. On `Park::Sleep` other cores wake it from now on until `unpark`.
    fn park(&mut self) -> Park;

    /// The loop is awake.
    fn unpark(&mut self);
}
