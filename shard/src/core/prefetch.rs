//! Overlapping the cache misses of commands to come.
//!
//! Looking a key up touches a line of the table and then the key's block; both are rarely in the cache. The network loop
//! announces the commands of a pipeline, and of the connections that are ready in one tick, before it runs them: their
//! lines are asked for together, then their blocks, and then what leads to the one element of a large collection that many
//! commands look for. A batch from another core is treated alike.

use net::{ConnId, Upcoming};
use storage::ElementAhead;

use super::Core;
use crate::ids::DbId;
use crate::mesh::{Batch, Message};

/// Commands of a batch whose memory is asked for together.
pub(super) const PREFETCHED: usize = 16;

/// Names that are surely not followed by a key. A wrong guess costs a useless prefetch, nothing else.
const KEYLESS: [&[u8]; 4] = [b"client", b"config", b"select", b"hello"];

/// What a command looks for in the collection at its key: one of the arguments behind that, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    /// A field of a hash, or a member of a set.
    Field(usize),
    /// A member of a sorted set.
    Ranked(usize),
}

/// The longest name in [`element_of`].
const ELEMENT_NAME_BYTES_MAX: usize = 12;

/// A wrong guess costs a useless prefetch, nothing else: options of ZADD are taken for a score.
fn element_of(name: &[u8]) -> Option<Element> {
    if !matches!(name.first()? | 0x20, b'h' | b's' | b'z') {
        return None;
    }
    let mut lower = [0; ELEMENT_NAME_BYTES_MAX];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    match &*lower {
        b"sadd" | b"srem" | b"sismember" | b"smismember" | b"hset" | b"hget" | b"hdel" | b"hexists" | b"hincrby"
        | b"hincrbyfloat" | b"hmget" | b"hmset" | b"hsetnx" | b"hstrlen" => Some(Element::Field(1)),
        b"zscore" | b"zmscore" | b"zrank" | b"zrevrank" | b"zrem" => Some(Element::Ranked(1)),
        b"zadd" | b"zincrby" => Some(Element::Ranked(2)),
        _ => None,
    }
}

/// What is to be asked for in further rounds.
#[derive(Default)]
pub(super) struct Announced {
    keys: Vec<(DbId, u64)>,
    /// In the database of the first of them: those of another are not looked for together with them.
    elements: Vec<ElementAhead>,
    elements_db: Option<DbId>,
}

impl Core {
    /// First round, for a command that is about to come from a client of this core.
    pub(super) fn prefetch(&mut self, conn: ConnId, upcoming: Upcoming<'_>) {
        let Upcoming { name, args } = upcoming;
        if KEYLESS.iter().any(|keyless| keyless.eq_ignore_ascii_case(name))
            || self.shared.slots.owner(args[0]) != self.id
        {
            return;
        }
        let Some(session) = self.session(conn) else { return };
        let db = session.db;
        self.prefetch_key(db, name, |index| args.get(index).copied());
    }

    fn prefetch_key<'a>(&mut self, db: DbId, name: &[u8], arg: impl Fn(usize) -> Option<&'a [u8]>) {
        let Some(key) = arg(0) else { return };
        let hash = storage::key_hash(key);
        self.shard.databases[db.index()].prefetch_line(hash);
        self.announced.keys.push((db, hash));
        let Some(element) = element_of(name) else { return };
        if *self.announced.elements_db.get_or_insert(db) != db {
            return;
        }
        let (Element::Field(place) | Element::Ranked(place)) = element;
        let Some(bytes) = arg(place) else { return };
        self.announced.elements.push(match element {
            Element::Field(_) => ElementAhead::field(hash, bytes),
            Element::Ranked(_) => ElementAhead::ranked(hash, bytes),
        });
    }

    /// The further rounds, for all keys of the first.
    pub(super) fn prefetch_values(&mut self) {
        let Announced { keys, elements, elements_db } = &mut self.announced;
        for (db, hash) in keys.drain(..) {
            self.shard.databases[db.index()].prefetch_block(hash);
        }
        if let Some(db) = elements_db.take() {
            self.shard.databases[db.index()].prefetch_elements(elements);
            elements.clear();
        }
    }

    /// All rounds, for the next commands of a batch.
    pub(super) fn prefetch_batch(&mut self, batch: &Batch, messages: &[Message]) {
        for message in messages.iter().take(PREFETCHED) {
            if let Message::Command(head) = message {
                let args = batch.args(head);
                self.prefetch_key(head.db, args.at(0), |index| args.get(index + 1));
            }
        }
        self.prefetch_values();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_where_their_commands_have_them() {
        assert_eq!(element_of(b"HGET"), Some(Element::Field(1)));
        assert_eq!(element_of(b"ZADD"), Some(Element::Ranked(2)));
        assert_eq!(element_of(b"hIncrByFloat"), Some(Element::Field(1)));
        for none in [&b"SET"[..], b"GET", b"", b"ZRANGE", b"smembers", b"hincrbyfloats"] {
            assert_eq!(element_of(none), None);
        }
    }
}
