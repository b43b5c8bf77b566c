//! What one client is subscribed to.
//!
//! These sets belong to the connection: they change when a command is looked at, so that the next command of a pipeline
//! finds them changed, and the counts in the replies come from them. Who is sent messages stands in the core's table, which
//! changes at the command's point.

use std::sync::Arc;

use hashbrown::HashSet;

/// What a subscription is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A channel (SUBSCRIBE).
    Channel,
    /// All channels whose names match (PSUBSCRIBE).
    Pattern,
    /// A channel of the other kind, which Cluster assigns to slots (SSUBSCRIBE).
    ShardChannel,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Channel, Kind::Pattern, Kind::ShardChannel];
}

/// A change of a client's subscriptions, on its way to the core's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub kind: Kind,
    /// The channel or pattern.
    pub name: Arc<[u8]>,
    /// Subscribed, or not any more.
    pub subscribes: bool,
}

/// The subscriptions of one client.
#[derive(Debug, Default)]
pub struct Subscriptions {
    channels: HashSet<Arc<[u8]>>,
    patterns: HashSet<Arc<[u8]>>,
    shard_channels: HashSet<Arc<[u8]>>,
}

impl Subscriptions {
    fn set(&self, kind: Kind) -> &HashSet<Arc<[u8]>> {
        match kind {
            Kind::Channel => &self.channels,
            Kind::Pattern => &self.patterns,
            Kind::ShardChannel => &self.shard_channels,
        }
    }

    fn set_mut(&mut self, kind: Kind) -> &mut HashSet<Arc<[u8]>> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::ShardChannel => &mut self.shard_channels,
        }
    }

    /// Adds one; false if it was there.
    pub fn add(&mut self, kind: Kind, name: &Arc<[u8]>) -> bool {
        self.set_mut(kind).insert(Arc::clone(name))
    }

    /// Removes one, if it was there.
    pub fn remove(&mut self, kind: Kind, name: &[u8]) -> Option<Arc<[u8]>> {
        self.set_mut(kind).take(name)
    }

    /// Those of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Arc<[u8]>> {
        self.set(kind).iter()
    }

    /// How many of one kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.set(kind).len()
    }

    /// The number that a reply about `kind` ends with: channels and patterns count together.
    pub fn told(&self, kind: Kind) -> usize {
        match kind {
            Kind::ShardChannel => self.shard_channels.len(),
            Kind::Channel | Kind::Pattern => self.channels.len() + self.patterns.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        Kind::ALL.iter().all(|&kind| self.count(kind) == 0)
    }

    /// Bytes of memory; a name that several clients share counts with each.
    pub fn memory_bytes(&self) -> usize {
        let set = |kind| {
            let set = self.set(kind);
            set.allocation_size() + set.iter().map(|name| name.len()).sum::<usize>()
        };
        size_of::<Self>() + Kind::ALL.into_iter().map(set).sum::<usize>()
    }
}
