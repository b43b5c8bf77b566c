//! Pending entries: delivered, and not acknowledged yet.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::sorted::{Record, Sorted};
use super::{ConsumerId, StreamId};
use crate::keyspace::UnixMillis;

/// What a group knows of an entry that it delivered and nobody acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its id.
    pub id: StreamId,
    /// When it was delivered last.
    pub delivered: UnixMillis,
    /// How often it was delivered.
    pub deliveries: u32,
    /// To whom.
    pub consumer: ConsumerId,
}

const _: () = assert!(size_of::<Pending>() == 32);

impl Pending {
    /// For how many milliseconds nothing has happened to it.
    pub const fn idle(&self, now: UnixMillis) -> i64 {
        let idle = now.0.saturating_sub(self.delivered.0);
        if idle < 0 { 0 } else { idle }
    }
}

impl Record for Pending {
    type Key = StreamId;

    fn key(&self) -> StreamId {
        self.id
    }

    fn level(&self) -> i64 {
        self.delivered.0
    }
}

/// The ids that one consumer has pending.
impl Record for StreamId {
    type Key = Self;

    fn key(&self) -> Self {
        *self
    }
}

/// XPENDING in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingSummary {
    /// How many entries are pending.
    pub len: usize,
    /// The smallest and the largest id, if there are any.
    pub bounds: Option<(StreamId, StreamId)>,
}

impl Sorted<Pending> {
    /// Up to `count` entries that were delivered at `delivered_max` or before, the longest ago first.
    ///
    /// The chunks are looked at in the order of their low-water marks, until no other can have an older one.
    pub fn oldest(&mut self, delivered_max: UnixMillis, count: usize) -> Vec<Pending> {
        let marks = self.lows().filter(|&(low, _)| low <= delivered_max.0).map(Reverse);
        let mut marks: BinaryHeap<_> = marks.collect::<Vec<_>>().into();
        // The youngest of those found is on top.
        let mut found: BinaryHeap<(i64, StreamId)> = BinaryHeap::new();
        while let Some(Reverse((low, chunk))) = marks.pop() {
            let full = found.len() >= count;
            if full && found.peek().is_none_or(|&(youngest, _)| youngest < low) {
                break;
            }
            for pending in self.chunk_by_level(chunk) {
                if pending.delivered > delivered_max {
                    continue;
                }
                found.push((pending.delivered.0, pending.id));
                if found.len() > count {
                    found.pop();
                }
            }
        }
        let found = found.into_sorted_vec();
        found.into_iter().map(|(_, id)| *self.get(id).expect("it was met above")).collect()
    }
}
