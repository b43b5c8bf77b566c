//! The order of replies.
//!
//! Each command of a connection gets the next sequence number. A reply that is made when nothing is outstanding goes
//! straight into the output; every other one takes a place in a queue, and leaves it when all before it have left.
//! Bytes of replies that came too early stand in one arena, which is emptied whenever the queue is.
//!
//! Messages that nobody asked for (of channels, invalidations, MONITOR) stand between replies. One that comes while replies
//! are outstanding is told behind how many of them it belongs, and leaves when those have left.

use std::collections::VecDeque;

use net::size::allocated;
use net::{OwnedArgs, Resp, append};

use crate::exec::Share;
use crate::exec::merge::Part;
use crate::mesh::inbox::Received;
use crate::spec::CommandId;

/// A reply to be made of several parts.
pub struct Gather {
    /// The command.
    pub command: CommandId,
    /// Its arguments, if merging needs them.
    pub args: OwnedArgs,
    /// What the slow log shows of them.
    pub shown: OwnedArgs,
    /// Microseconds that the longest of its parts ran. They run side by side, so that is the command's time.
    pub micros: u64,
    /// The client's protocol version when it was sent.
    pub resp: Resp,
    /// The parts.
    pub parts: Gathered,
    /// Parts still to come.
    pub missing: usize,
}

impl Gather {
    /// What the parts that have come take of memory.
    pub fn bytes(&self) -> usize {
        match &self.parts {
            Gathered::Replies(parts) => parts.iter().map(|part| allocated(part.reply.len())).sum(),
            Gathered::Shares(_) => 0,
        }
    }
}

/// Parts as they come in.
pub enum Gathered {
    /// Replies in RESP.
    Replies(Vec<Part>),
    /// Shares of cores.
    Shares(Vec<Option<Share>>),
}

enum Place {
    /// Not yet answered. Discarded on arrival if the client asked for no reply.
    Waiting { discard: bool, bytes_in_flight: u32 },
    /// To be made of parts.
    Gathering { gather: Box<Gather>, discard: bool, bytes_in_flight: u32 },
    /// The number of clients that receive what was published, to be told by so many cores.
    Receiving { receiving: Box<Receiving>, discard: bool, bytes_in_flight: u32 },
    /// Answered too early: these bytes of the arena.
    Ready { start: u32, len: u32 },
    /// Answered too early with much: bytes of their own.
    Big(Vec<u8>),
}

/// How many receive what was published, as far as cores have told.
pub struct Receiving {
    /// The command.
    pub command: CommandId,
    /// The clients.
    pub clients: usize,
    /// The longest that one of the cores took, in microseconds.
    pub micros: u64,
    /// What the slow log shows of the command.
    pub shown: OwnedArgs,
    /// Cores still to tell.
    missing: usize,
}

impl Receiving {
    /// So many cores are to tell.
    pub fn new(command: CommandId, cores: usize, shown: OwnedArgs) -> Receiving {
        Receiving { command, clients: 0, micros: 0, shown, missing: cores }
    }
}

/// Bytes that stand between two replies.
struct Interposed {
    /// The number of the reply that they stand before.
    before: u32,
    bytes: Vec<u8>,
}

/// A reply above this size does not go through the arena.
const ARENA_REPLY_BYTES_MAX: usize = 64 * 1024;

/// Places that are kept while nothing is outstanding.
const PLACES_KEPT: usize = 32;

/// Bytes of the arena that are kept while nothing is outstanding.
const ARENA_BYTES_KEPT: usize = 1024;

/// The most that is allocated for replies ahead of them.
const OUT_BYTES_AT_ONCE: usize = 4096;

const _: () = assert!(PLACES_KEPT * size_of::<Place>() + ARENA_BYTES_KEPT <= 2048, "an idle connection is small");

/// The replies of one connection that are outstanding.
#[derive(Default)]
pub struct Replies {
    first: u32,
    /// So many of the outstanding ones are of commands on their way, other than those that publish.
    commands: u32,
    places: VecDeque<Place>,
    arena: Vec<u8>,
    big_bytes: usize,
    /// In the order in which they leave. A box, for few connections ever have any.
    #[expect(clippy::box_collection, reason = "eight bytes a connection")]
    interposed: Option<Box<VecDeque<Interposed>>>,
    interposed_bytes: usize,
}

impl Replies {
    /// Whether nothing is outstanding: a reply may go straight to the output.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Number of outstanding replies.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether a command is still on its way, other than those that publish.
    pub fn awaits_commands(&self) -> bool {
        self.commands > 0
    }

    /// Whether all replies before `seq` have come.
    pub fn is_first(&self, seq: u32) -> bool {
        self.first == seq
    }

    /// Bytes of replies that wait for their turn.
    pub fn held_bytes(&self) -> usize {
        self.arena.len() + self.big_bytes + self.interposed_bytes
    }

    /// The number that the next reply will have.
    pub fn next(&self) -> u32 {
        self.first.wrapping_add(self.places.len() as u32)
    }

    /// Takes the next place for a reply that will come; returns its number.
    pub fn expect(&mut self, discard: bool, bytes_in_flight: usize) -> u32 {
        let seq = self.next();
        self.commands += 1;
        self.places.push_back(Place::Waiting { discard, bytes_in_flight: bytes_in_flight as u32 });
        seq
    }

    /// Takes the next place for a reply to be made of parts; returns its number.
    pub fn expect_parts(&mut self, gather: Box<Gather>, discard: bool, bytes_in_flight: usize) -> u32 {
        let seq = self.next();
        self.commands += 1;
        self.places.push_back(Place::Gathering { gather, discard, bytes_in_flight: bytes_in_flight as u32 });
        seq
    }

    /// Takes the next place for the number of clients that receive what was published; returns its number.
    pub fn expect_received(&mut self, receiving: Receiving, discard: bool, bytes_in_flight: usize) -> u32 {
        let seq = self.next();
        let receiving = Box::new(receiving);
        self.places.push_back(Place::Receiving { receiving, discard, bytes_in_flight: bytes_in_flight as u32 });
        seq
    }

    fn receiving(&mut self, seq: u32) -> &mut Receiving {
        match self.places.get_mut(seq.wrapping_sub(self.first) as usize) {
            Some(Place::Receiving { receiving, .. }) => receiving,
            _ => panic!("receivers are counted until all cores have told"),
        }
    }

    /// One core more is to tell.
    pub fn expect_one_more(&mut self, seq: u32) {
        self.receiving(seq).missing += 1;
    }

    /// A core has told; what came together when all have.
    pub fn count_received(&mut self, received: &Received) -> Option<Receiving> {
        let receiving = self.receiving(received.seq);
        receiving.clients += received.clients;
        receiving.micros = receiving.micros.max(received.micros);
        receiving.missing -= 1;
        let shown = std::mem::take(&mut receiving.shown);
        if receiving.missing > 0 {
            receiving.shown = shown;
            return None;
        }
        let Receiving { command, clients, micros, missing, .. } = *receiving;
        Some(Receiving { command, clients, micros, shown, missing })
    }

    /// Puts a reply that was made at once behind the outstanding ones.
    pub fn push_ready(&mut self, reply: &[u8]) {
        let place = self.store(reply);
        self.places.push_back(place);
    }

    /// Adds a message that nobody asked for, behind the outstanding replies below the number `before` and behind the
    /// messages that came earlier. It goes straight to `out` if all those have left.
    pub fn interpose(&mut self, before: u32, message: &[&[u8]], out: &mut Vec<u8>) {
        // Those below `before` may have left already, and others with them.
        let ahead = usize::try_from(before.wrapping_sub(self.first) as i32).unwrap_or(0).min(self.places.len());
        let last = self.interposed.as_ref().and_then(|waiting| waiting.back());
        let ahead = last.map_or(0, |last| last.before.wrapping_sub(self.first) as usize).max(ahead);
        if ahead == 0 {
            for piece in message {
                out.extend_from_slice(piece);
            }
            return;
        }
        let before = self.first.wrapping_add(ahead as u32);
        let waiting = self.interposed.get_or_insert_default();
        if waiting.back().is_none_or(|last| last.before != before) {
            waiting.push_back(Interposed { before, bytes: Vec::new() });
        }
        let last = waiting.back_mut().expect("one was pushed just now, or there was one");
        for piece in message {
            last.bytes.extend_from_slice(piece);
            self.interposed_bytes += piece.len();
        }
    }

    /// Lets the messages go whose turn it is.
    fn release_interposed(&mut self, out: &mut Vec<u8>) {
        let Some(waiting) = &mut self.interposed else { return };
        if let Some(message) = waiting.front().filter(|message| message.before == self.first) {
            self.interposed_bytes -= message.bytes.len();
            out.extend_from_slice(&message.bytes);
            waiting.pop_front();
        }
        if waiting.is_empty() {
            self.interposed = None;
        }
    }

    fn store(&mut self, reply: &[u8]) -> Place {
        if reply.len() > ARENA_REPLY_BYTES_MAX || self.arena.len() + reply.len() > u32::MAX as usize {
            self.big_bytes += reply.len();
            return Place::Big(reply.to_vec());
        }
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(reply);
        Place::Ready { start, len: reply.len() as u32 }
    }

    /// The reply `seq` has come. Writes it to `out` if it is its turn, and all that were waiting for it. Returns the
    /// argument bytes that are no longer in flight.
    pub fn fill(&mut self, seq: u32, reply: &[u8], out: &mut Vec<u8>) -> usize {
        let index = seq.wrapping_sub(self.first) as usize;
        let (discard, bytes) = match self.places.get(index).expect("a reply is for an outstanding command") {
            Place::Waiting { discard, bytes_in_flight }
            | Place::Gathering { discard, bytes_in_flight, .. }
            | Place::Receiving { discard, bytes_in_flight, .. } => (*discard, *bytes_in_flight as usize),
            Place::Ready { .. } | Place::Big(_) => panic!("a command is answered once"),
        };
        self.commands -= u32::from(!matches!(self.places[index], Place::Receiving { .. }));
        let reply = if discard { &[] } else { reply };
        if index > 0 {
            self.places[index] = self.store(reply);
            return bytes;
        }
        if out.capacity() == 0 {
            // What stands behind it is likely to be as long and to leave with it.
            out.reserve(reply.len().max((reply.len() * self.places.len()).min(OUT_BYTES_AT_ONCE)));
        }
        append(out, reply);
        self.leave(out);
        while let Some(place) = self.places.front() {
            match place {
                Place::Ready { start, len } => {
                    append(out, &self.arena[*start as usize..(*start + *len) as usize]);
                }
                Place::Big(reply) => {
                    self.big_bytes -= reply.len();
                    append(out, reply);
                }
                Place::Waiting { .. } | Place::Gathering { .. } | Place::Receiving { .. } => break,
            }
            self.leave(out);
        }
        if self.places.is_empty() {
            self.rest();
        }
        bytes
    }

    fn leave(&mut self, out: &mut Vec<u8>) {
        self.places.pop_front();
        self.first = self.first.wrapping_add(1);
        self.release_interposed(out);
    }

    /// The parts of reply `seq`, which is being gathered.
    pub fn gather(&mut self, seq: u32) -> Option<&mut Gather> {
        match self.places.get_mut(seq.wrapping_sub(self.first) as usize) {
            Some(Place::Gathering { gather, .. }) => Some(gather),
            _ => None,
        }
    }

    /// What all parts that wait for others take of memory.
    pub fn gathered_bytes(&self) -> usize {
        let of = |place: &Place| match place {
            Place::Gathering { gather, .. } => gather.bytes(),
            _ => 0,
        };
        self.places.iter().map(of).sum()
    }

    /// Takes the parts of reply `seq` out, all of which have come; its place then waits for the merged reply.
    pub fn take_gather(&mut self, seq: u32) -> Box<Gather> {
        let place = &mut self.places[seq.wrapping_sub(self.first) as usize];
        let Place::Gathering { discard, bytes_in_flight, .. } = *place else {
            panic!("parts belong to a reply that is being gathered")
        };
        match std::mem::replace(place, Place::Waiting { discard, bytes_in_flight }) {
            Place::Gathering { gather, .. } => gather,
            _ => unreachable!("it was matched above"),
        }
    }

    /// Nothing is outstanding: keeps what the next small pipeline needs, for the connection may be idle from now on.
    fn rest(&mut self) {
        self.arena.clear();
        if self.arena.capacity() > ARENA_BYTES_KEPT {
            self.arena = Vec::new();
        }
        if self.places.capacity() > PLACES_KEPT {
            self.places = VecDeque::new();
        }
    }

    /// Bytes of memory it takes besides itself.
    pub fn heap_bytes(&self) -> usize {
        self.arena.capacity() + self.places.capacity() * size_of::<Place>() + self.big_bytes + self.interposed_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::CommandTable;

    #[test]
    fn replies_leave_in_the_order_of_their_commands() {
        let mut replies = Replies::default();
        let mut out = Vec::new();
        let a = replies.expect(false, 10);
        let b = replies.expect(true, 20);
        replies.push_ready(b"c");
        let d = replies.expect(false, 0);
        assert_eq!(replies.fill(b, b"b", &mut out), 20);
        assert_eq!(out, b"");
        assert_eq!(replies.fill(a, b"a", &mut out), 10);
        assert_eq!(out, b"ac");
        assert_eq!(replies.len(), 1);
        replies.fill(d, b"d", &mut out);
        assert_eq!(out, b"acd");
        assert!(replies.is_empty());
        assert_eq!(replies.held_bytes(), 0);
    }

    #[test]
    fn what_publishes_is_no_command_on_its_way() {
        let mut replies = Replies::default();
        let mut out = Vec::new();
        let receiving = Receiving::new(CommandTable::global().rows()[0].id, 1, OwnedArgs::default());
        let published = replies.expect_received(receiving, false, 0);
        assert!(!replies.awaits_commands());
        let command = replies.expect(false, 0);
        assert!(replies.awaits_commands());
        replies.fill(command, b"early", &mut out);
        assert!(!replies.awaits_commands(), "its reply waits, but it has run");
        replies.fill(published, b":1", &mut out);
        assert_eq!(out, b":1early");
    }

    #[test]
    fn messages_stand_between_replies() {
        let mut replies = Replies::default();
        let mut out = Vec::new();
        replies.interpose(replies.next(), &[b"0"], &mut out);
        assert_eq!(out, b"0", "nothing is outstanding");
        let a = replies.expect(false, 0);
        let b = replies.expect(false, 0);
        replies.interpose(b, &[b"1", b"2"], &mut out);
        let c = replies.expect(false, 0);
        replies.interpose(b, &[b"3"], &mut out);
        replies.interpose(replies.next(), &[b"4"], &mut out);
        replies.interpose(b, &[b"5"], &mut out);
        assert_eq!(replies.held_bytes(), 5);
        replies.fill(b, b"b", &mut out);
        assert_eq!(out, b"0");
        replies.fill(a, b"a", &mut out);
        assert_eq!(out, b"0a123b");
        replies.fill(c, b"c", &mut out);
        assert_eq!(out, b"0a123bc45", "a message never overtakes an earlier one");
        assert_eq!(replies.held_bytes(), 0);
    }

    #[test]
    fn a_message_passes_replies_that_it_does_not_follow() {
        let mut replies = Replies::default();
        let mut out = Vec::new();
        let a = replies.expect(false, 0);
        replies.interpose(a, &[b"1"], &mut out);
        assert_eq!(out, b"1");
        replies.fill(a, b"a", &mut out);
        let b = replies.expect(false, 0);
        replies.interpose(a, &[b"2"], &mut out);
        assert_eq!(out, b"1a2", "the reply that it was to stand before has left");
        replies.fill(b, b"b", &mut out);
        assert_eq!(out, b"1a2b");
    }

    #[test]
    fn an_idle_connection_keeps_little() {
        let mut replies = Replies::default();
        let mut out = Vec::new();
        let places: Vec<u32> = (0..1000).map(|_| replies.expect(false, 0)).collect();
        for place in places.into_iter().rev() {
            replies.fill(place, &[b'x'; 100], &mut out);
        }
        assert_eq!(out.len(), 100_000);
        assert!(replies.heap_bytes() <= 2048, "{}", replies.heap_bytes());
    }
}
