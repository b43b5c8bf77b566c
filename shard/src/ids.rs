//! The small numbers that name things, as types that cannot be mixed up.

/// Most shards one process can have.
pub const SHARDS_MAX: usize = 1024;

/// One shard, and the core that owns it: 0 up to the number of shards less one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

impl ShardId {
    /// As an index into per-shard arrays.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A client's number: unique in the life of the process, never reused (`CLIENT ID`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// A logical database's number (`SELECT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DbId(pub u32);

impl DbId {
    /// As an index into per-database arrays.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
