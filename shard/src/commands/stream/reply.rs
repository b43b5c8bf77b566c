//! Ids and entries in replies.

use net::{Reply, Resp};
use storage::types::stream::{Entry, Fields, IntBuf, StreamId};

/// An id.
pub(super) fn put_id(reply: &mut Reply<'_>, id: StreamId) {
    reply.bulk_text(format_args!("{id}"));
}

/// An array of ids.
pub(super) fn put_ids(reply: &mut Reply<'_>, ids: &[StreamId]) {
    reply.array(ids.len());
    for id in ids {
        put_id(reply, *id);
    }
}

/// `[id [field value ...]]`
pub(super) fn put_entry(reply: &mut Reply<'_>, entry: &Entry<'_>) {
    reply.array(2);
    put_id(reply, entry.id);
    put_fields(reply, entry.fields());
}

/// `[field value ...]`
pub(super) fn put_fields(reply: &mut Reply<'_>, fields: Fields<'_>) {
    reply.array(fields.len() * 2);
    for (name, value) in fields {
        let mut buffer = IntBuf::default();
        reply.bulk(name.as_bytes(&mut buffer));
        reply.bulk(value.as_bytes(&mut buffer));
    }
}

/// Elements of an array whose length is known when all of them are written.
#[derive(Debug, Default)]
pub(super) struct Elements {
    bytes: Vec<u8>,
    len: usize,
}

impl Elements {
    /// Writes one more.
    pub(super) fn put(&mut self, resp: Resp, write: impl FnOnce(&mut Reply<'_>)) {
        write(&mut Reply::new(&mut self.bytes, resp));
        self.len += 1;
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The elements without a head.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes the array.
    pub(super) fn put_array(self, reply: &mut Reply<'_>) {
        reply.array(self.len);
        reply.raw(&self.bytes);
    }
}

/// An array of entries.
pub(super) fn put_entries<'e>(reply: &mut Reply<'_>, entries: impl Iterator<Item = Entry<'e>>) {
    let mut elements = Elements::default();
    for entry in entries {
        elements.put(reply.resp(), |reply| put_entry(reply, &entry));
    }
    elements.put_array(reply);
}
