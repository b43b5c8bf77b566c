//! What the commands of one shard have done to its keys, for the clients that track.
//!
//! A command that replaces, removes or stores a key says that it *changed*. One that takes a key up for changing says that
//! it *touched* it, for it may leave the key as it was (SADD of a member that is there); when the command is over, the
//! touched keys have changed if it counted a change of the data set. Both cost nothing while nobody tracks.
//!
//! Whoever has read a key before it changed is told, and whoever reads it afterwards is not, though both may happen in one
//! transaction, and clients are told when that is over. So before a read is remembered, the readers of what has changed
//! until then are *settled*: taken out of the table, to be told later.

use std::sync::Arc;

use net::Args;

use super::{Broadcast, ReadTable, Readers, Reads, Registry};
use crate::ids::ClientId;
use crate::spec::Flag;
use crate::spec::table::Row;

/// A key that was changed, and who had read it by then, as far as that is settled.
pub type Change = (Vec<u8>, Option<Readers>);

/// The keys of one shard, as far as clients that track care.
#[derive(Debug)]
pub struct KeyTracking {
    registry: Arc<Registry>,
    /// Who has read what.
    pub table: ReadTable,
    touched: Vec<Vec<u8>>,
    changed: Vec<Vec<u8>>,
    /// What has changed before the last read that was remembered.
    settled: Vec<Change>,
    is_flushed: bool,
    /// Reads were remembered since the table was last held to its limit, or that is another one.
    has_grown: bool,
    /// What those are to be told who track by prefixes, at the end of the tick.
    pub broadcast: Broadcast,
}

impl KeyTracking {
    /// Of a shard, or of a place where keys of several shards come together.
    pub fn new(registry: Arc<Registry>) -> KeyTracking {
        let table = ReadTable::new(Arc::clone(&registry));
        KeyTracking {
            registry,
            table,
            touched: Vec::new(),
            changed: Vec::new(),
            settled: Vec::new(),
            is_flushed: false,
            has_grown: false,
            broadcast: Broadcast::default(),
        }
    }

    /// Of another place of the same server.
    #[must_use]
    pub fn for_borrowed(&self) -> KeyTracking {
        KeyTracking::new(Arc::clone(&self.registry))
    }

    /// Whether it matters what happens to keys.
    #[inline]
    fn is_active(&self) -> bool {
        self.registry.is_active() || !self.table.is_empty()
    }

    /// `key` is taken up for changing.
    #[inline]
    pub fn touch(&mut self, key: &[u8]) {
        if self.is_active() {
            self.touched.push(key.to_vec());
        }
    }

    /// `key` is no longer what it was.
    #[inline]
    pub fn change(&mut self, key: &[u8]) {
        if self.is_active() {
            self.changed.push(key.to_vec());
        }
    }

    /// All keys are gone.
    pub fn flush(&mut self) {
        if self.is_active() {
            self.table.clear();
            self.is_flushed = true;
        }
    }

    /// A command is over, which `changed` something or not.
    #[inline]
    pub fn settle(&mut self, changed: bool) {
        if self.touched.is_empty() {
            return;
        }
        if changed {
            self.changed.append(&mut self.touched);
        } else {
            self.touched.clear();
        }
    }

    /// Whether there is something to be told.
    #[inline]
    pub fn has_news(&self) -> bool {
        !self.changed.is_empty() || !self.settled.is_empty() || self.is_flushed || self.has_grown
    }

    /// Settles who had read the keys that have changed.
    fn settle_changed(&mut self) {
        for key in std::mem::take(&mut self.changed) {
            let readers = self.table.remove(&key);
            self.settled.push((key, readers));
        }
    }

    /// The keys that have changed, and who had read them: forgotten by that.
    pub fn take_changed(&mut self) -> Vec<Change> {
        self.settle_changed();
        std::mem::take(&mut self.settled)
    }

    /// What happened here to `keys`, which are about to return to their shard: those that were changed, and those that
    /// clients have read.
    pub fn take_out(&mut self, keys: &[Vec<u8>]) -> (Vec<Change>, Reads) {
        self.settle_changed();
        let changed = self.settled.extract_if(.., |(key, _)| keys.contains(key)).collect();
        let reads = if self.table.is_empty() {
            Vec::new()
        } else {
            keys.iter().filter_map(|key| Some((key.clone(), self.table.remove(key)?))).collect()
        };
        (changed, reads)
    }

    /// What happened elsewhere to keys of this shard: changes, of what some had read there before, and reads behind them.
    pub fn take_in(&mut self, changed: Vec<Change>, reads: Reads) {
        for (key, readers) in changed {
            if let Some(readers) = readers {
                self.remember_all(&key, &readers);
            }
            self.changed.push(key);
        }
        for (key, readers) in reads {
            self.remember_all(&key, &readers);
        }
    }

    fn remember_all(&mut self, key: &[u8], readers: &Readers) {
        for reader in readers.as_slice() {
            self.remember_key(*reader, key);
        }
    }

    /// What happened to the whole shard while it was away.
    pub fn take_over(&mut self, away: &mut KeyTracking) {
        if std::mem::take(&mut away.is_flushed) {
            self.flush();
        }
        self.take_in(away.take_changed(), away.table.drain());
    }

    /// The table is to be held to its limit, which may have been lowered.
    pub fn look_at_limit(&mut self) {
        self.has_grown |= !self.table.is_empty();
    }

    /// Whether the table is to be held to its limit; only once.
    pub fn take_grown(&mut self) -> bool {
        std::mem::take(&mut self.has_grown)
    }

    /// `client` has read `key`.
    pub fn remember_key(&mut self, client: ClientId, key: &[u8]) {
        self.settle_changed();
        self.table.add(key, client);
        self.has_grown = true;
    }

    /// Whether all keys are gone; only once.
    pub fn take_flushed(&mut self) -> bool {
        std::mem::take(&mut self.is_flushed)
    }

    /// `client` has called this command, and wants to be told when what it has read changes.
    pub fn remember(&mut self, client: ClientId, row: &Row, args: &Args<'_>) {
        if row.command.flags.has(Flag::Readonly) {
            row.command.visit_keys(args, |place| self.remember_key(client, args.at(place)));
        }
    }
}
