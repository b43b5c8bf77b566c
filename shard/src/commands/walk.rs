//! Walks over the elements of one collection (HSCAN, SSCAN, ZSCAN): how far a call goes, what it finds, what it replies.

use net::{Reply, Resp};
use storage::glob::{Case, glob_match};
use storage::types::hash::{IntBuf, Item};

use super::item::bulk_item;
use super::parse::ScanOptions;

/// A call goes at most so many steps for each element that it wants, where steps find none.
const STEPS_PER_ELEMENT: usize = 10;

/// What a call has come by.
pub struct Found<'a> {
    pattern: Option<&'a [u8]>,
    /// Elements that it has looked at.
    seen: usize,
    /// The second part of the reply, and how many words are in it.
    words: Vec<u8>,
    count: usize,
    resp: Resp,
}

impl Found<'_> {
    /// Looks at an element; whether it is among those that are asked for.
    pub fn admits(&mut self, name: Item<'_>) -> bool {
        self.seen += 1;
        let mut buffer = IntBuf::default();
        self.pattern.is_none_or(|pattern| glob_match(pattern, name.as_bytes(&mut buffer), Case::Sensitive))
    }

    /// Adds a word to the reply.
    pub fn put(&mut self, word: Item<'_>) {
        bulk_item(&mut Reply::new(&mut self.words, self.resp), word);
        self.count += 1;
    }
}

/// Replies as to a walk over nothing.
pub fn reply_nothing(reply: &mut Reply<'_>) {
    reply.array(2);
    reply.bulk(b"0");
    reply.array(0);
}

/// Goes on from a cursor, a step at a time, until about as many elements are seen as are wanted; replies with the cursor to go
/// on with, or 0, and with what was found.
pub fn reply_walk(
    reply: &mut Reply<'_>,
    mut cursor: u64,
    options: &ScanOptions<'_>,
    mut step: impl FnMut(u64, &mut Found<'_>) -> u64,
) {
    let mut found = Found { pattern: options.pattern, seen: 0, words: Vec::new(), count: 0, resp: reply.resp() };
    for _ in 0..options.count.saturating_mul(STEPS_PER_ELEMENT) {
        cursor = step(cursor, &mut found);
        if cursor == 0 || found.seen >= options.count {
            break;
        }
    }
    reply.array(2);
    reply.bulk(cursor.to_string().as_bytes());
    reply.array(found.count);
    reply.raw(&found.words);
}
