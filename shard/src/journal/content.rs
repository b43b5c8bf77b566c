//! Values as the commands that make them: what a record says of a key whose history is elsewhere, and what an append-only
//! file begins with when its base is no snapshot.
//!
//! ```text
//! string      SET key value                      list   RPUSH key element...       set   SADD key member...
//! sorted set  ZADD key score member...           hash   HSET key field value...    HPEXPIREAT key time FIELDS n field...
//! stream      XADD key id field value...         XSETID key id ENTRIESADDED n MAXDELETEDID id
//!             XGROUP CREATE key group id ENTRIESREAD n      XGROUP CREATECONSUMER key group consumer
//!             XCLAIM key group consumer 0 id TIME t RETRYCOUNT n JUSTID FORCE
//! any         PEXPIREAT key time
//! ```

use storage::number::{INTEGER_TEXT_BYTES_MAX, format_f64};
use storage::types::hash::HashRef;
use storage::types::list::{End, ListRef};
use storage::types::set::SetRef;
use storage::types::stream::{Group, Stream, StreamId};
use storage::types::zset::ZSetRef;
use storage::{UnixMillis, Value};

use super::record::{Word, put_words};

/// So many elements of a collection are in one command, as in Redis.
const ELEMENTS_PER_COMMAND: usize = 64;

/// Writes the commands that make `value` at `key`, where nothing is. `now` decides which fields of a hash are past.
pub fn put_content(out: &mut Vec<u8>, key: &[u8], value: Value<'_>, expire_at: Option<UnixMillis>, now: UnixMillis) {
    put_content_with(key, value, expire_at, now, &mut |words| put_words(out, words));
}

/// As [`put_content`], a command at a time.
pub(super) fn put_content_with(
    key: &[u8],
    value: Value<'_>,
    expire_at: Option<UnixMillis>,
    now: UnixMillis,
    put: &mut dyn FnMut(&[Word<'_>]),
) {
    match value {
        Value::String(string) => {
            let text = &mut [0; INTEGER_TEXT_BYTES_MAX];
            put(&["SET".into(), key.into(), string.as_bytes(text).into()]);
        }
        Value::List(list) => put_list(key, list, put),
        Value::Set(set) => put_set(key, set, put),
        Value::SortedSet(set) => put_sorted_set(key, set, put),
        Value::Hash(hash) => put_hash(key, hash.live_at(now), put),
        Value::Stream(stream) => put_stream(key, stream, put),
        other => unreachable!("a {} is made by other commands", other.value_type().name()),
    }
    if let Some(at) = expire_at {
        put(&["PEXPIREAT".into(), key.into(), at.0.into()]);
    }
}

/// Commands of the form `name key word...` with so many words at most.
struct Rows<'p> {
    head: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    words_max: usize,
    put: &'p mut dyn FnMut(&[Word<'_>]),
}

impl<'p> Rows<'p> {
    fn new(name: &str, key: &[u8], words_max: usize, put: &'p mut dyn FnMut(&[Word<'_>])) -> Rows<'p> {
        Rows { head: vec![name.as_bytes().to_vec(), key.to_vec()], words: Vec::new(), words_max, put }
    }

    fn push(&mut self, row: &[&[u8]]) {
        self.words.extend(row.iter().map(|word| word.to_vec()));
        if self.words.len() >= self.words_max {
            self.end();
        }
    }

    fn end(&mut self) {
        if !self.words.is_empty() {
            let words: Vec<Word<'_>> = self.head.iter().chain(&self.words).map(Word::from).collect();
            (self.put)(&words);
            self.words.clear();
        }
    }
}

fn put_list(key: &[u8], list: ListRef<'_>, put: &mut dyn FnMut(&[Word<'_>])) {
    let mut rows = Rows::new("RPUSH", key, ELEMENTS_PER_COMMAND, put);
    let mut walk = list.walk(End::Head, 0);
    while let Some(item) = walk.next() {
        rows.push(&[item.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])]);
    }
    rows.end();
}

fn put_set(key: &[u8], set: SetRef<'_>, put: &mut dyn FnMut(&[Word<'_>])) {
    let mut rows = Rows::new("SADD", key, ELEMENTS_PER_COMMAND, put);
    for member in set.iter() {
        rows.push(&[member.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])]);
    }
    rows.end();
}

fn put_sorted_set(key: &[u8], set: ZSetRef<'_>, put: &mut dyn FnMut(&[Word<'_>])) {
    let mut rows = Rows::new("ZADD", key, 2 * ELEMENTS_PER_COMMAND, put);
    for record in set.iter() {
        let text = &mut [0; INTEGER_TEXT_BYTES_MAX];
        rows.push(&[&format_f64(record.score), record.member.as_bytes(text)]);
    }
    rows.end();
}

fn put_hash(key: &[u8], hash: HashRef<'_>, put: &mut dyn FnMut(&[Word<'_>])) {
    let mut rows = Rows::new("HSET", key, 2 * ELEMENTS_PER_COMMAND, &mut *put);
    let mut expiring = Vec::new();
    for field in hash.iter() {
        let name = field.name.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec();
        rows.push(&[&name, field.value.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])]);
        expiring.extend(field.expire_at.map(|at| (at, name)));
    }
    rows.end();
    for (at, name) in expiring {
        put(&["HPEXPIREAT".into(), key.into(), at.0.into(), "FIELDS".into(), 1.into(), (&name).into()]);
    }
}

fn put_stream(key: &[u8], stream: &Stream, put: &mut dyn FnMut(&[Word<'_>])) {
    if stream.is_empty() {
        // No other command makes a stream without entries that has no group.
        let id = if stream.last_id() == StreamId::MIN { StreamId::new(0, 1) } else { stream.last_id() };
        let max_len = ["MAXLEN".into(), 0.into(), id.into(), "x".into(), "y".into()];
        put(&[&["XADD".into(), key.into()][..], &max_len].concat());
    }
    for entry in stream.range(StreamId::MIN, StreamId::MAX) {
        let fields: Vec<Vec<u8>> = entry
            .fields()
            .flat_map(|(name, value)| [name, value])
            .map(|item| item.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec())
            .collect();
        let head = ["XADD".into(), key.into(), Word::Id(entry.id)];
        let words: Vec<Word<'_>> = head.into_iter().chain(fields.iter().map(Word::from)).collect();
        put(&words);
    }
    put(&[
        "XSETID".into(),
        key.into(),
        stream.last_id().into(),
        "ENTRIESADDED".into(),
        (stream.entries_added() as i64).into(),
        "MAXDELETEDID".into(),
        stream.max_deleted_id().into(),
    ]);
    for (name, group) in stream.groups() {
        put_group(key, name, group, put);
    }
}

fn put_group(key: &[u8], name: &[u8], group: &Group, put: &mut dyn FnMut(&[Word<'_>])) {
    put(&[
        "XGROUP".into(),
        "CREATE".into(),
        key.into(),
        name.into(),
        group.last_id().into(),
        "ENTRIESREAD".into(),
        group.entries_read().map_or(-1, |read| read as i64).into(),
    ]);
    for (id, consumer) in group.consumers() {
        put(&["XGROUP".into(), "CREATECONSUMER".into(), key.into(), name.into(), consumer.name().into()]);
        for pending in group.consumer_pending_range(id, StreamId::MIN, StreamId::MAX) {
            put(&[
                "XCLAIM".into(),
                key.into(),
                name.into(),
                consumer.name().into(),
                0.into(),
                pending.id.into(),
                "TIME".into(),
                pending.delivered.0.into(),
                "RETRYCOUNT".into(),
                i64::from(pending.deliveries).into(),
                "JUSTID".into(),
                "FORCE".into(),
            ]);
        }
    }
}
