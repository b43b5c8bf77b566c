//! The subscribers of one core.
//!
//! A client is in the table of its own core from the point of its SUBSCRIBE to that of its UNSUBSCRIBE. A name stays in the
//! registry as long as somebody here has subscribed or is about to: what is on its way to its point is counted.

use std::sync::Arc;

use hashbrown::HashMap;
use net::ConnId;
use storage::glob::{Case, glob_match};

use super::{Kind, Registry, Space};
use crate::ids::ShardId;

/// Who has subscribed to one name.
#[derive(Debug, Default)]
struct Subscribers {
    clients: Vec<ConnId>,
    /// How many are on their way to their point.
    coming: u32,
}

/// The subscribers of one core.
pub struct SubscriberTable {
    core: ShardId,
    registry: Arc<Registry>,
    names: [HashMap<Arc<[u8]>, Subscribers>; 3],
}

impl SubscriberTable {
    /// The table of `core`, without subscribers.
    pub fn new(core: ShardId, registry: Arc<Registry>) -> SubscriberTable {
        SubscriberTable { core, registry, names: Default::default() }
    }

    /// `name`, as it is kept here if it is.
    pub fn shared_name(&self, kind: Kind, name: &[u8]) -> Arc<[u8]> {
        self.names[kind as usize].get_key_value(name).map_or_else(|| Arc::from(name), |(kept, _)| Arc::clone(kept))
    }

    /// A subscription is on its way to its point.
    pub fn expect(&mut self, kind: Kind, name: &Arc<[u8]>) {
        let subscribers = self.names[kind as usize].entry(Arc::clone(name)).or_insert_with(|| {
            self.registry.enter(kind, name, self.core);
            Subscribers::default()
        });
        subscribers.coming += 1;
    }

    /// A subscription that was expected is at its point; its client may be gone.
    pub fn admit(&mut self, kind: Kind, name: &[u8], client: Option<ConnId>) {
        let subscribers = self.names[kind as usize].get_mut(name).expect("a subscription is expected before it comes");
        subscribers.coming -= 1;
        if let Some(client) = client {
            subscribers.clients.push(client);
            self.registry.count(kind, name, self.core, subscribers.clients.len());
        } else {
            self.forget_if_unused(kind, name);
        }
    }

    /// A client is not subscribed any more, if it was.
    pub fn remove(&mut self, kind: Kind, name: &[u8], client: ConnId) {
        let Some(subscribers) = self.names[kind as usize].get_mut(name) else { return };
        let Some(place) = subscribers.clients.iter().position(|of| *of == client) else { return };
        subscribers.clients.remove(place);
        self.registry.count(kind, name, self.core, subscribers.clients.len());
        self.forget_if_unused(kind, name);
    }

    fn forget_if_unused(&mut self, kind: Kind, name: &[u8]) {
        let names = &mut self.names[kind as usize];
        let subscribers = &names[name];
        if subscribers.clients.is_empty() && subscribers.coming == 0 {
            names.remove(name);
            self.registry.leave(kind, name, self.core);
        }
    }

    /// The names of a kind that have subscribers here, with their number.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = (&Arc<[u8]>, usize)> {
        let names = self.names[kind as usize].iter();
        names.map(|(name, of)| (name, of.clients.len())).filter(|(_, clients)| *clients > 0)
    }

    /// How many have subscribed to one name.
    pub fn count(&self, kind: Kind, name: &[u8]) -> usize {
        self.names[kind as usize].get(name).map_or(0, |subscribers| subscribers.clients.len())
    }

    /// The subscribers of a channel by its name.
    pub fn of_channel(&self, space: Space, channel: &[u8]) -> &[ConnId] {
        self.names[space.kind() as usize].get(channel).map_or(&[], |subscribers| &subscribers.clients)
    }

    /// The patterns that a channel matches, with their subscribers.
    pub fn of_patterns(&self, space: Space, channel: &[u8]) -> impl Iterator<Item = (&[u8], &[ConnId])> {
        let patterns = &self.names[Kind::Pattern as usize];
        let heard = patterns.iter().filter(move |_| space == Space::Channels);
        let matching = heard.filter(move |(pattern, _)| glob_match(pattern, channel, Case::Sensitive));
        matching.map(|(pattern, subscribers)| (&**pattern, subscribers.clients.as_slice()))
    }

    /// How many of this core receive what is published at `channel`.
    pub fn receivers(&self, space: Space, channel: &[u8]) -> usize {
        let patterns: usize = self.of_patterns(space, channel).map(|(_, clients)| clients.len()).sum();
        self.of_channel(space, channel).len() + patterns
    }

    /// Whether nobody has subscribed and nobody is about to.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(HashMap::is_empty)
    }
}
