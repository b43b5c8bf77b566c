//! The commands that make an entry: a base in Redis's own words, for those who want one that a person can read.
//!
//! ```text
//! key     value                 commands
//! a       "x"                   SET a x
//! l       a list of 100         RPUSH l e1 … e64 · RPUSH l e65 … e100
//! h       a hash                HSET h f v …, and HPEXPIREAT h time FIELDS 1 f for a field that expires
//! t       a stream              XADD t id f v … for each entry · XSETID t last ENTRIESADDED n MAXDELETEDID id
//!                               XGROUP CREATE t g id ENTRIESREAD n · XGROUP CREATECONSUMER t g c
//!                               XCLAIM t g c 0 id TIME ms RETRYCOUNT n JUSTID FORCE for each pending entry
//! any     that expires          … PEXPIREAT key time
//! ```
//!
//! An element is in one command with at most [`ITEMS_PER_COMMAND`] others, so that none takes long when it is replayed.

use super::record::put_record;
use crate::encoding::listpack::Item;
use crate::keyspace::UnixMillis;
use crate::number::format_f64;
use crate::types::Value;
use crate::types::hash::HashRef;
use crate::types::list::{End, ListRef};
use crate::types::set::SetRef;
use crate::types::stream::{Group, Stream, StreamId};
use crate::types::zset::ZSetRef;

/// So many elements are in one command at most.
const ITEMS_PER_COMMAND: usize = 64;

/// In the place of a number of entries that is not known.
const ENTRIES_READ_UNKNOWN: &str = "-1";

/// Appends the commands that make `key` what it is.
pub fn put_commands(out: &mut Vec<u8>, key: &[u8], value: Value<'_>, expire_at: Option<UnixMillis>) {
    match value {
        Value::String(string) => put(out, &[b"SET", key, &string.to_owned().into_bytes()]),
        Value::List(list) => put_list(out, key, list),
        Value::Hash(hash) => put_hash(out, key, hash),
        Value::Set(set) => put_set(out, key, set),
        Value::SortedSet(set) => put_sorted_set(out, key, set),
        Value::Stream(stream) => put_stream(out, key, stream),
    }
    if let Some(at) = expire_at {
        put(out, &[b"PEXPIREAT", key, text(&at.0).as_bytes()]);
    }
}

fn put(out: &mut Vec<u8>, words: &[&[u8]]) {
    put_record(out, words.iter().copied());
}

fn text(number: &impl ToString) -> String {
    number.to_string()
}

/// A command that takes any number of elements, as it grows.
struct Growing<'a> {
    out: &'a mut Vec<u8>,
    name: &'static [u8],
    key: &'a [u8],
    words: Vec<Vec<u8>>,
    items: usize,
}

impl<'a> Growing<'a> {
    fn new(out: &'a mut Vec<u8>, name: &'static str, key: &'a [u8]) -> Self {
        Growing { out, name: name.as_bytes(), key, words: Vec::new(), items: 0 }
    }

    /// Adds the words of one element.
    fn add<const N: usize>(&mut self, words: [Vec<u8>; N]) {
        self.words.extend(words);
        self.items += 1;
        if self.items == ITEMS_PER_COMMAND {
            self.end();
        }
    }

    fn end(&mut self) {
        if !self.words.is_empty() {
            let words: Vec<&[u8]> =
                [self.name, self.key].into_iter().chain(self.words.iter().map(Vec::as_slice)).collect();
            put(self.out, &words);
        }
        self.words.clear();
        self.items = 0;
    }
}

fn put_list(out: &mut Vec<u8>, key: &[u8], list: ListRef<'_>) {
    let mut command = Growing::new(out, "RPUSH", key);
    let mut walk = list.walk(End::Head, 0);
    while let Some(item) = walk.next() {
        command.add([item.to_vec()]);
    }
    command.end();
}

fn put_hash(out: &mut Vec<u8>, key: &[u8], hash: HashRef<'_>) {
    let mut command = Growing::new(out, "HSET", key);
    for field in hash.iter() {
        command.add([field.name.to_vec(), field.value.to_vec()]);
    }
    command.end();
    for field in hash.iter() {
        if let Some(at) = field.expire_at {
            put(out, &[b"HPEXPIREAT", key, text(&at.0).as_bytes(), b"FIELDS", b"1", &field.name.to_vec()]);
        }
    }
}

fn put_set(out: &mut Vec<u8>, key: &[u8], set: SetRef<'_>) {
    let mut command = Growing::new(out, "SADD", key);
    for member in set.iter() {
        command.add([member.to_vec()]);
    }
    command.end();
}

fn put_sorted_set(out: &mut Vec<u8>, key: &[u8], set: ZSetRef<'_>) {
    let mut command = Growing::new(out, "ZADD", key);
    for record in set.iter() {
        command.add([format_f64(record.score), record.member.to_vec()]);
    }
    command.end();
}

fn put_stream(out: &mut Vec<u8>, key: &[u8], stream: &Stream) {
    for entry in stream.range(StreamId::MIN, StreamId::MAX) {
        let id = text(&entry.id);
        let mut words: Vec<Vec<u8>> = vec![b"XADD".to_vec(), key.to_vec(), id.into_bytes()];
        words.extend(entry.fields().flat_map(|(name, value)| [name, value]).map(Item::to_vec));
        put_record(out, words.iter().map(Vec::as_slice));
    }
    if stream.is_empty() {
        // A stream without entries is made with one, which is trimmed away. It must have an id above 0-0.
        let id = text(&stream.last_id().max(StreamId::new(0, 1)));
        put(out, &[b"XADD", key, b"MAXLEN", b"0", id.as_bytes(), b"x", b"y"]);
    }
    let (last, deleted) = (text(&stream.last_id()), text(&stream.max_deleted_id()));
    let added = text(&stream.entries_added());
    let (last, deleted, added) = (last.as_bytes(), deleted.as_bytes(), added.as_bytes());
    put(out, &[b"XSETID", key, last, b"ENTRIESADDED", added, b"MAXDELETEDID", deleted]);
    for (name, group) in stream.groups() {
        put_group(out, key, name, group);
    }
}

fn put_group(out: &mut Vec<u8>, key: &[u8], name: &[u8], group: &Group) {
    let read = group.entries_read().map_or_else(|| ENTRIES_READ_UNKNOWN.to_owned(), |read| text(&read));
    let last = text(&group.last_id());
    put(out, &[b"XGROUP", b"CREATE", key, name, last.as_bytes(), b"ENTRIESREAD", read.as_bytes()]);
    for (id, consumer) in group.consumers() {
        put(out, &[b"XGROUP", b"CREATECONSUMER", key, name, consumer.name()]);
        for pending in group.consumer_pending_range(id, StreamId::MIN, StreamId::MAX) {
            let (id, delivered) = (text(&pending.id), text(&pending.delivered.0));
            let deliveries = text(&pending.deliveries);
            let what: [&[u8]; 6] = [b"XCLAIM", key, name, consumer.name(), b"0", id.as_bytes()];
            let when: [&[u8]; 6] =
                [b"TIME", delivered.as_bytes(), b"RETRYCOUNT", deliveries.as_bytes(), b"JUSTID", b"FORCE"];
            put(out, &[what, when].concat());
        }
    }
}
