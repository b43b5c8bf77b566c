//! A session's transaction: what it watches, and the commands behind MULTI.
//!
//! ```text
//!   bytes    the arguments of all commands, one behind the other
//!   spans    where each argument stands
//!   queued   which command, and its first span
//! ```
//!
//! Keeping a command thus copies its arguments once and allocates nothing by itself, and EXEC moves the whole to wherever
//! it runs.

use std::sync::Arc;

use net::{Args, Span};

use super::watch::{DbKey, Watch};
use crate::spec::Flags;
use crate::spec::table::Row;

/// What a session has of transactions. One that has none of it costs a null pointer.
#[derive(Default)]
pub struct Transaction {
    /// MULTI was called.
    pub is_open: bool,
    /// A command was refused: EXEC will be, too.
    pub is_broken: bool,
    /// The commands.
    pub queue: Queue,
    /// What is watched, if anything.
    pub watching: Option<Watching>,
}

/// The keys that a client watches.
pub struct Watching {
    /// What it shares with the keys' shards.
    pub watch: Arc<Watch>,
    /// The keys, each once.
    pub keys: Vec<DbKey>,
}

/// Commands in the order in which they came.
#[derive(Default)]
pub struct Queue {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    queued: Vec<Queued>,
    /// The flags of all its commands.
    pub flags: Flags,
}

#[derive(Clone, Copy)]
struct Queued {
    row: &'static Row,
    first: u32,
}

impl Queue {
    /// Keeps a command, of which `flags` tell what it may do. False if there is no room for it.
    pub fn push(&mut self, row: &'static Row, flags: Flags, args: &Args<'_>) -> bool {
        let room = u32::MAX as usize - self.bytes.len();
        if args.total_bytes() > room || self.spans.len() + args.len() > u32::MAX as usize {
            return false;
        }
        self.queued.push(Queued { row, first: self.spans.len() as u32 });
        for arg in args.from(0) {
            self.spans.push(Span { start: self.bytes.len() as u32, len: arg.len() as u32 });
            self.bytes.extend_from_slice(arg);
        }
        self.flags = self.flags.or(flags);
        true
    }

    /// Takes all commands out; the room for them stays.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.queued.clear();
        self.flags = Flags::default();
    }

    /// Number of commands.
    pub fn len(&self) -> usize {
        self.queued.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.queued.is_empty()
    }

    /// Bytes of the commands' arguments.
    pub fn argument_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory that it takes.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>() + self.queued.capacity() * size_of::<Queued>()
    }

    /// A command by its number.
    pub fn at(&self, index: usize) -> (&'static Row, Args<'_>) {
        let first = self.queued[index].first as usize;
        let end = self.queued.get(index + 1).map_or(self.spans.len(), |next| next.first as usize);
        (self.queued[index].row, Args::new(&self.bytes, &self.spans[first..end]))
    }

    /// The commands.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Row, Args<'_>)> {
        (0..self.len()).map(|index| self.at(index))
    }
}

impl Transaction {
    /// Bytes of memory that it takes.
    pub fn heap_bytes(&self) -> usize {
        let watched = self.watching.iter().flat_map(|watching| &watching.keys);
        size_of::<Transaction>() + self.queue.heap_bytes() + watched.map(|(_, key)| key.capacity() + 64).sum::<usize>()
    }

    /// Whether a key that is watched was changed, as far as is known here.
    pub fn is_spoilt(&self) -> bool {
        self.watching.as_ref().is_some_and(|watching| watching.watch.is_spoilt())
    }
}
