//! A client's connection as its home core sees it.
//!
//! A session keeps what belongs to the protocol (database, version, name, authentication) and puts the replies of its
//! commands into their order ([`replies`]): commands of one pipeline may run on several shards at once.

mod gated;
pub mod places;
pub mod replies;

use std::sync::Arc;

use net::service::{Endpoint, InFlight, InputUsage};
use net::{ConnId, OwnedArgs, Resp};
use storage::UnixMillis;

use crate::acl::{Access, User, Users};
use crate::core::Blocked;

pub use gated::Gated;
pub use replies::{Gather, Gathered, Replies};

use crate::ids::{ClientId, DbId};
use crate::limits::{IN_FLIGHT_COMMANDS_MAX, REPLIES_IN_FLIGHT_BYTES, REPLY_BYTES_GUESS};
use crate::pubsub::Subscriptions;
use crate::spec::{CommandId, CommandTable, Flag};
use crate::tracking::Mode;
use crate::txn::Transaction;

/// What `CLIENT REPLY` asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReplyMode {
    /// Every reply is sent.
    #[default]
    On,
    /// None is.
    Off,
    /// The next command's reply is not sent.
    SkipNext,
    /// The reply of the command that is looked at now is not sent.
    SkipThis,
}

/// What is told about a client, and not needed to serve it.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Both ends of the connection.
    pub endpoint: Endpoint,
    /// The socket's number.
    pub fd: i32,
    /// `CLIENT SETNAME`.
    pub name: Vec<u8>,
    /// `CLIENT SETINFO LIB-NAME`.
    pub lib_name: Vec<u8>,
    /// `CLIENT SETINFO LIB-VER`.
    pub lib_ver: Vec<u8>,
    /// When it connected.
    pub connected_at: UnixMillis,
    /// When it last sent a command.
    pub active_at: UnixMillis,
    /// Its last command.
    pub last_command: Option<CommandId>,
    /// The input buffer.
    pub input: InputUsage,
    /// Bytes sent so far.
    pub sent_bytes: u64,
    /// What is on its way in the ring.
    pub in_flight: InFlight,
    /// The most output that was to be sent at once lately, in bytes; fades with every piece that is sent.
    pub output_peak: usize,
    /// What it counts for among `maxmemory-clients`, in bytes.
    pub counted_bytes: usize,
    /// When its output first passed the soft limit.
    pub soft_limit_since: Option<UnixMillis>,
    /// Its transaction runs at this moment.
    pub executes: Option<Executing>,
    /// Replies written so far (`tot-cmds` of CLIENT LIST and statistics).
    pub commands: u64,
}

/// A transaction that runs.
#[derive(Clone, Copy, Debug)]
pub struct Executing {
    /// How many commands it has.
    pub commands: usize,
    /// The barrier of the log behind all that its client had written before; none if some of that was still on its way.
    pub recorded: Option<u64>,
}

/// A client's connection.
pub struct Session {
    /// The connection.
    pub conn: ConnId,
    /// The client's number.
    pub id: ClientId,
    /// The selected database.
    pub db: DbId,
    /// The protocol version.
    pub resp: Resp,
    /// Who the client is.
    pub user: Arc<User>,
    /// It has said so itself, or need not have.
    pub authenticated: bool,
    /// What it may do, by its user's rules.
    pub access: Access,
    /// `CLIENT REPLY`.
    pub reply_mode: ReplyMode,
    /// `CLIENT NO-TOUCH`.
    pub no_touch: bool,
    /// `CLIENT NO-EVICT`.
    pub no_evict: bool,
    /// `CLIENT TRACKING`.
    pub tracking: Option<Box<Mode>>,
    /// The client is to be told when what the command that is looked at now reads changes.
    pub tracks: bool,
    /// `MONITOR`.
    pub monitors: bool,
    /// Bytes to be sent.
    pub out: Vec<u8>,
    /// What of that may leave, if anything has ever had to wait for the log.
    pub gated: Option<Box<Gated>>,
    /// Replies that wait for their turn.
    pub replies: Replies,
    /// The push that its last routed command belongs to: while that is still to come, nothing runs in place.
    pub routed_in: u64,
    /// Bytes of arguments and commands on their way to other shards.
    pub in_flight_bytes: usize,
    /// The largest of its recent replies from other shards, in bytes; fades with every reply.
    pub recent_reply_bytes: usize,
    /// What it keeps for EXEC, and what it watches.
    pub transaction: Option<Box<Transaction>>,
    /// How it debugs scripts, and what it has ordered.
    pub debugging: Option<Box<Debugging>>,
    /// It waits for keys.
    pub blocked: Option<Box<Blocked>>,
    /// The loop was told to hold its input.
    pub held: Option<Hold>,
    /// The connection is to be closed once its replies are written.
    pub closing: bool,
    /// It is in the list of sessions to be written in this tick.
    pub dirty: bool,
    /// Since when its output waits for replies that are on their way, in the clock's microseconds.
    pub withheld_since: Option<u64>,
    /// Its subscriptions, if it has any.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// Of a subscribed client: its commands with replies below this number stand before whatever is published now.
    pub passed: u32,
    /// What is told about it.
    pub info: Box<ClientInfo>,
}

/// What `SCRIPT DEBUG` asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DebugMode {
    /// Scripts run as ever.
    #[default]
    Off,
    /// The next EVAL opens a session, whose changes stay.
    Keep,
    /// It opens one whose changes nobody sees.
    Discard,
}

/// How a client debugs scripts.
#[derive(Debug, Default)]
pub struct Debugging {
    /// `SCRIPT DEBUG`.
    pub mode: DebugMode,
    /// An order that its script has not taken yet.
    pub order: Option<OwnedArgs>,
    /// It sends nothing more.
    pub has_ended: bool,
}

/// Why input is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Too much of it is in flight.
    InFlight,
    /// `CLIENT PAUSE`: this command waits for the end of the pause.
    Paused(OwnedArgs),
    /// Its last command may wait: nothing behind it is executed before its reply.
    Blocked,
    /// It debugs the script that its last command runs: what it sends is for the debugger.
    Debugging,
    /// It is closing: nothing more is executed.
    Closing,
}

impl Session {
    /// A fresh connection, of the default user.
    pub fn new(conn: ConnId, id: ClientId, endpoint: Endpoint, fd: i32, now: UnixMillis, users: &Users) -> Session {
        let default = users.default_user();
        let mut session = Session {
            conn,
            id,
            db: DbId(0),
            resp: Resp::V2,
            user: Arc::clone(default),
            authenticated: default.is_open(),
            access: Access::Nothing,
            reply_mode: ReplyMode::On,
            no_touch: false,
            no_evict: false,
            tracking: None,
            tracks: false,
            monitors: false,
            out: Vec::new(),
            gated: None,
            replies: Replies::default(),
            routed_in: 0,
            in_flight_bytes: 0,
            recent_reply_bytes: REPLY_BYTES_GUESS,
            transaction: None,
            debugging: None,
            blocked: None,
            held: None,
            closing: false,
            dirty: false,
            withheld_since: None,
            subscriptions: None,
            passed: 0,
            info: Box::new(ClientInfo {
                endpoint,
                fd,
                name: Vec::new(),
                lib_name: Vec::new(),
                lib_ver: Vec::new(),
                connected_at: now,
                active_at: now,
                last_command: None,
                input: InputUsage::default(),
                sent_bytes: 0,
                in_flight: InFlight::default(),
                output_peak: 0,
                counted_bytes: 0,
                soft_limit_since: None,
                executes: None,
                commands: 0,
            }),
        };
        session.become_user(default, session.authenticated, users);
        session
    }

    /// Whether its scripts are debugged.
    pub fn debugs_scripts(&self) -> bool {
        self.debugging.as_ref().is_some_and(|debugging| debugging.mode != DebugMode::Off)
    }

    /// Whether replies to what it has sent before are still to come, or to be sent.
    pub fn has_replies_to_come(&self) -> bool {
        !self.out.is_empty() || !self.replies.is_empty()
    }

    /// Whether its commands are kept for EXEC.
    #[inline]
    pub fn in_transaction(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.is_open)
    }

    /// Bytes of memory that the connection takes, in all its buffers.
    pub fn memory_bytes(&self) -> usize {
        let info = &self.info;
        let names = info.name.capacity() + info.lib_name.capacity() + info.lib_ver.capacity();
        let gated = self.gated.as_ref().map_or(0, |gated| size_of::<Gated>() + gated.ready.capacity());
        let output = self.out.capacity() + gated + info.in_flight.buffer_bytes + self.replies.heap_bytes();
        let order = self.debugging.as_ref().and_then(|debugging| debugging.order.as_ref());
        let held = self.held_arguments().or(order).map_or(0, OwnedArgs::heap_bytes) + self.in_flight_bytes;
        let held = held + self.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.memory_bytes());
        let held = held + self.tracking.as_ref().map_or(0, |mode| mode.heap_bytes());
        let kept = self.transaction.as_ref().map_or(0, |transaction| transaction.heap_bytes());
        size_of::<Session>() + size_of::<ClientInfo>() + names + output + held + kept + info.input.query_capacity
    }

    /// Whether it is subscribed to anything: it counts as a client of the class `pubsub`.
    pub fn is_subscribed(&self) -> bool {
        self.subscriptions.is_some()
    }

    /// The number of the reply that a message would stand before, if all that the client has sent has had its point. What
    /// waits for a key has not: a message passes it.
    pub fn place_of_messages(&self) -> u32 {
        let next = self.replies.next();
        let may_wait = |id| CommandTable::global().row(id).command.flags.has(Flag::Blocking);
        let waits = !self.replies.is_empty() && self.info.last_command.is_some_and(may_wait);
        next.wrapping_sub(u32::from(waits))
    }

    /// Whether few commands are allowed: without a type of their own, messages could not be told from other replies.
    pub fn is_restricted(&self) -> bool {
        self.is_subscribed() && self.resp == Resp::V2
    }

    /// The command that CLIENT PAUSE holds back.
    pub fn held_arguments(&self) -> Option<&OwnedArgs> {
        match &self.held {
            Some(Hold::Paused(args)) => Some(args),
            _ => None,
        }
    }

    /// `sent` bytes left, and `in_flight` is on its way in the ring.
    pub fn output_left(&mut self, sent: usize, in_flight: InFlight) {
        let info = &mut self.info;
        info.sent_bytes += sent as u64;
        info.in_flight = in_flight;
        info.output_peak = (sent + in_flight.unsent_bytes).max(info.output_peak - info.output_peak / 8);
    }

    /// How many replies may be outstanding before its input is held.
    pub fn window(&self) -> usize {
        (REPLIES_IN_FLIGHT_BYTES / self.recent_reply_bytes.max(1)).clamp(1, IN_FLIGHT_COMMANDS_MAX)
    }

    /// Bytes of output that the client has not taken: ours, the ring's, and replies that wait for their turn.
    pub fn unsent_bytes(&self) -> usize {
        let ready = self.gated.as_ref().map_or(0, |gated| gated.ready.len());
        self.out.len() + ready + self.info.in_flight.unsent_bytes + self.replies.held_bytes()
    }
}

/// Whether a client is on this machine, as far as its address tells.
pub fn is_local(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Unix(_) => true,
        Endpoint::Tcp { peer, .. } => peer.ip().to_canonical().is_loopback(),
    }
}

/// The client's end as CLIENT LIST shows it: `ip:port`, or the socket's path and `:0`.
pub fn address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp { peer, .. } => peer.to_string(),
        Endpoint::Unix(path) => format!("{path}:0"),
    }
}

/// Our end as CLIENT LIST shows it.
pub fn local_address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp { local, .. } => local.to_string(),
        Endpoint::Unix(path) => format!("{path}:0"),
    }
}
