//! Overlapping the cache misses of commands to come.
//!
//! Looking a key up touches a line of the table and then the key's block; both are rarely in the cache. The network loop
//! announces the commands of a pipeline, and of the connections that are ready in one tick, before it runs them: their
//! lines are asked for together, then their blocks. A batch from another core is treated alike.

use net::ConnId;

use super::Core;
use crate::ids::DbId;
use crate::mesh::{Batch, Message};

/// Commands of a batch whose memory is asked for together.
pub(super) const PREFETCHED: usize = 16;

/// Names that are surely not followed by a key. A wrong guess costs a useless prefetch, nothing else.
const KEYLESS: [&[u8]; 4] = [b"client", b"config", b"select", b"hello"];

impl Core {
    /// First round, for a command that is about to come from a client of this core.
    pub(super) fn prefetch(&mut self, conn: ConnId, name: &[u8], first: &[u8]) {
        if KEYLESS.iter().any(|keyless| keyless.eq_ignore_ascii_case(name)) || self.shared.slots.owner(first) != self.id
        {
            return;
        }
        let Some(session) = self.session(conn) else { return };
        let db = session.db;
        self.prefetch_key(db, first);
    }

    fn prefetch_key(&mut self, db: DbId, key: &[u8]) {
        let hash = storage::key_hash(key);
        self.shard.databases[db.index()].prefetch_line(hash);
        self.announced.push((db, hash));
    }

    /// Second round, for all keys of the first.
    pub(super) fn prefetch_values(&mut self) {
        for (db, hash) in self.announced.drain(..) {
            self.shard.databases[db.index()].prefetch_block(hash);
        }
    }

    /// Both rounds, for the next commands of a batch.
    pub(super) fn prefetch_batch(&mut self, batch: &Batch, messages: &[Message]) {
        for message in messages.iter().take(PREFETCHED) {
            if let Message::Command(head) = message
                && let Some(key) = batch.args(head).get(1)
            {
                self.prefetch_key(head.db, key);
            }
        }
        self.prefetch_values();
    }
}
