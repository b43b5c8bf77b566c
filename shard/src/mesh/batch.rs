//! What one core has for one shard at the end of a tick.
//!
//! A batch keeps its commands flat: one byte vector with all arguments, one vector with their places, one with a small
//! head per command. Routing a command copies its arguments once and allocates nothing; batches are reused.

use std::sync::Arc;

use net::service::Socket;
use net::size::allocated;
use net::{Args, ConnId, OwnedArgs, Span};
use storage::UnixMillis;

use super::inbox::PlanId;
use super::locks::Claims;
use crate::aof::Barrier;
use crate::core::{Errand, Settling};
use crate::exec::hop::HopOp;
use crate::ids::{ClientId, DbId, ShardId};
use crate::pubsub::Published;
use crate::snapshot::Job;
use crate::spec::CommandId;

/// One command, or one part of one, on its way to a shard.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The connection at its home core.
    pub conn: ConnId,
    /// The client.
    pub client: ClientId,
    /// Which of the connection's replies this is for.
    pub seq: u32,
    /// Which part of that reply.
    pub part: u16,
    /// The command.
    pub command: CommandId,
    /// The client's database.
    pub db: DbId,
    /// First of its spans in the batch.
    pub first_span: u32,
    /// Number of its spans: its arguments.
    pub spans: u32,
    /// RESP3 is spoken.
    pub resp3: bool,
    /// `CLIENT NO-TOUCH` is on.
    pub no_touch: bool,
    /// The client is to be told when what it reads now changes.
    pub tracks: bool,
    /// It is one part of several: the client's core counts the whole.
    pub is_part: bool,
}

/// A part of a plan, which waits for its keys and holds them.
pub struct HopPart {
    /// The plan at its coordinator.
    pub plan: PlanId,
    /// What it holds.
    pub claims: Claims,
    /// The database it works on.
    pub db: DbId,
    /// `CLIENT NO-TOUCH` is on.
    pub no_touch: bool,
    /// The client whose command it is.
    pub client: ClientId,
    /// The keys of this shard that the command reads, if the client is to be told when they change.
    pub reads: Vec<Vec<u8>>,
    /// What it does when it is granted, before it answers.
    pub first: Option<(usize, HopOp)>,
}

/// One message of a batch.
pub enum Message {
    /// A command for the shard's data.
    Command(Head),
    /// A command for the core.
    Everywhere(Head),
    /// A command for the shard's data with arguments too big to be copied once more.
    Large(Box<(Head, OwnedArgs)>),
    /// Several commands that run as one.
    Errand(Box<Errand>),
    /// A part of a plan.
    Hop(Box<HopPart>),
    /// The cut of a snapshot, for the whole shard.
    Cut(Arc<Job>),
    /// The end of an epoch of the log, for the whole shard.
    Barrier(Arc<Barrier>),
    /// A socket that this core shall serve, with the client's number: numbers follow the order of connecting.
    Adopt(Box<(Socket, ClientId)>),
    /// What is published, for subscribers of this core; the publisher's connection and the number of its reply, if it
    /// wants to know how many there are.
    Publish(Arc<Published>, Option<(ConnId, u32)>),
    /// A client of this core changes its subscriptions.
    Settle(Box<Settling>),
    /// Bytes for a client of this core that nobody asked for.
    Tell(Box<(ConnId, Box<[u8]>)>),
    /// A client of this core, subscribed to something, has sent commands elsewhere: all of them below this number stand
    /// before what comes behind this.
    Passed(ConnId, u32),
    /// A script that a client of this core debugs was asked to end.
    Killed,
}

/// Messages of one core for one shard, in order.
#[derive(Default)]
pub struct Batch {
    /// The core that routed them.
    pub from: ShardId,
    /// The time of the push.
    pub now: UnixMillis,
    /// The messages.
    pub messages: Vec<Message>,
    spans: Vec<Span>,
    bytes: Vec<u8>,
    /// Bytes of arguments too big to be copied.
    large_bytes: usize,
    /// Bytes of it that count as passing between two cores, since it was pushed.
    pub passing: usize,
}

/// A command with more bytes of arguments does not share the batch's byte vector: it stays below 4 GiB even if every
/// connection of a full core routes a tick's worth of commands to one shard.
const SHARED_ARGS_BYTES_MAX: usize = 64 * 1024;

/// A batch whose vectors grew beyond this gives them back instead of keeping them for reuse: what a burst took would stay
/// with every batch that it went through.
const KEPT_BYTES_MAX: usize = 512 * 1024;

impl Batch {
    /// An empty batch of core `from`.
    pub fn new(from: ShardId) -> Batch {
        Batch { from, ..Batch::default() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Copies `args` in; returns the place of its spans.
    fn copy_in(&mut self, args: impl Iterator<Item = (usize, usize)>, source: &[u8]) -> (u32, u32) {
        let first = self.spans.len();
        for (start, len) in args {
            let at = u32::try_from(self.bytes.len()).expect("what all connections route in a tick is below 4 GiB");
            self.bytes.extend_from_slice(&source[start..start + len]);
            self.spans.push(Span { start: at, len: len as u32 });
        }
        (first as u32, (self.spans.len() - first) as u32)
    }

    /// Adds a command; `places` are the arguments it takes of `args`.
    pub fn push(&mut self, head: Head, args: &Args<'_>, places: impl Iterator<Item = usize>, everywhere: bool) {
        if args.total_bytes() > SHARED_ARGS_BYTES_MAX && !everywhere {
            let owned: OwnedArgs = places.map(|place| args.at(place)).collect();
            self.large_bytes += owned.as_args().total_bytes();
            self.messages.push(Message::Large(Box::new((head, owned))));
            return;
        }
        let spans = args.spans();
        let chosen = places.map(|i| (spans[i].start as usize, spans[i].len as usize));
        let (first_span, count) = self.copy_in(chosen, args.bytes());
        let head = Head { first_span, spans: count, ..head };
        self.messages.push(if everywhere { Message::Everywhere(head) } else { Message::Command(head) });
    }

    /// The arguments of `head`, which is in this batch.
    pub fn args(&self, head: &Head) -> Args<'_> {
        let first = head.first_span as usize;
        Args::new(&self.bytes, &self.spans[first..first + head.spans as usize])
    }

    /// Empties it for the next use.
    pub fn reset(&mut self) {
        self.messages.clear();
        self.spans.clear();
        self.bytes.clear();
        self.large_bytes = 0;
        self.passing = 0;
        if self.heap_bytes() > KEPT_BYTES_MAX {
            self.forget_memory();
        }
    }

    /// Bytes of memory held for messages and their arguments, as the allocator counts them. They stay the same from the
    /// push until the first message is taken out.
    pub fn memory_bytes(&self) -> usize {
        self.heap_bytes() + self.large_bytes
    }

    /// The same, besides what big commands hold.
    fn heap_bytes(&self) -> usize {
        let messages = allocated(self.messages.capacity() * size_of::<Message>());
        messages + allocated(self.spans.capacity() * size_of::<Span>()) + allocated(self.bytes.capacity())
    }

    /// Bytes of that which nothing is in: a batch keeps what the fullest one before took.
    pub fn room_bytes(&self) -> usize {
        let messages = self.messages.len() * size_of::<Message>();
        self.heap_bytes().saturating_sub(messages + self.spans.len() * size_of::<Span>() + self.bytes.len())
    }

    /// An empty batch gives its memory back.
    pub fn forget_memory(&mut self) {
        debug_assert!(self.is_empty());
        self.messages = Vec::new();
        self.spans = Vec::new();
        self.bytes = Vec::new();
    }
}

/// Emptied batches that a core keeps for what it routes next.
#[derive(Default)]
pub struct Spare {
    batches: Vec<Batch>,
    bytes: usize,
}

/// So many bytes of memory are kept in emptied batches at most.
const SPARE_BYTES_MAX: usize = 4 << 20;
const _: () = assert!(SPARE_BYTES_MAX >= 4 * KEPT_BYTES_MAX);

impl Spare {
    /// Keeps an empty batch, if they are fewer than `most` and do not take too much memory.
    pub fn put(&mut self, batch: Batch, most: usize) {
        debug_assert!(batch.is_empty());
        let bytes = batch.heap_bytes();
        if self.batches.len() < most && self.bytes + bytes <= SPARE_BYTES_MAX {
            self.bytes += bytes;
            self.batches.push(batch);
        }
    }

    /// One of them, or a new one.
    pub fn take(&mut self) -> Batch {
        let batch = self.batches.pop().unwrap_or_default();
        self.bytes -= batch.heap_bytes();
        batch
    }

    /// Bytes of memory that they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
