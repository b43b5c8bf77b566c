//! Which cores have subscribers of what: shared by all cores, read by publishers.
//!
//! A core is in the list of a name from before its first subscriber's point until after its last one's. The version
//! changes behind every change of a list: a publisher that has looked remembers the version it saw before, and asks under
//! the locks of its push whether it is still that one.
//!
//! The lists also tell how many clients of a core have subscribed, for those who must know without asking all cores.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashMap;
use storage::glob::{Case, glob_match};

use super::{Kind, Space};
use crate::ids::ShardId;

/// The subscribers of one name on one core.
#[derive(Clone, Copy, Debug)]
struct Place {
    core: ShardId,
    clients: usize,
}

type Names = HashMap<Arc<[u8]>, Vec<Place>>;

/// All names of one kind.
#[derive(Default)]
struct Lists {
    names: RwLock<Names>,
    /// How many names, for a quick look.
    len: AtomicUsize,
}

impl Lists {
    fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().expect("no one panics while changing a list of cores")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Names> {
        self.names.write().expect("no one panics while changing a list of cores")
    }

    fn is_empty(&self) -> bool {
        self.len.load(Ordering::Acquire) == 0
    }
}

/// Which cores have subscribers of what.
#[derive(Default)]
pub struct Registry {
    version: AtomicU64,
    lists: [Lists; 3],
}

impl Registry {
    fn lists(&self, kind: Kind) -> &Lists {
        &self.lists[kind as usize]
    }

    /// Changes with every change of which cores have subscribers of something.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether nobody is subscribed to any channel or pattern of PUBLISH.
    #[inline]
    pub fn is_silent(&self) -> bool {
        self.lists(Kind::Channel).is_empty() && self.lists(Kind::Pattern).is_empty()
    }

    /// Number of names of a kind that have subscribers.
    pub fn names(&self, kind: Kind) -> usize {
        self.lists(kind).len.load(Ordering::Acquire)
    }

    /// Core `core` is about to have a subscriber of `name`, and has had none.
    pub fn enter(&self, kind: Kind, name: &Arc<[u8]>, core: ShardId) {
        let lists = self.lists(kind);
        let mut names = lists.write();
        names.entry(Arc::clone(name)).or_default().push(Place { core, clients: 0 });
        lists.len.store(names.len(), Ordering::Release);
        drop(names);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Core `core` has so many subscribers of `name` now.
    pub fn count(&self, kind: Kind, name: &[u8], core: ShardId, clients: usize) {
        let mut names = self.lists(kind).write();
        let places = names.get_mut(name).expect("a core enters before it counts");
        places.iter_mut().find(|place| place.core == core).expect("a core enters before it counts").clients = clients;
    }

    /// Core `core` has no subscriber of `name` any more.
    pub fn leave(&self, kind: Kind, name: &[u8], core: ShardId) {
        let lists = self.lists(kind);
        let mut names = lists.write();
        let places = names.get_mut(name).expect("a core enters before it leaves");
        places.retain(|place| place.core != core);
        if places.is_empty() {
            names.remove(name);
        }
        lists.len.store(names.len(), Ordering::Release);
        drop(names);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Visits the places of all whom a message for `channel` is for.
    fn visit(&self, space: Space, channel: &[u8], mut visit: impl FnMut(&Place)) {
        let direct = self.lists(space.kind());
        if !direct.is_empty() {
            direct.read().get(channel).into_iter().flatten().for_each(&mut visit);
        }
        let patterns = self.lists(Kind::Pattern);
        if space == Space::Channels && !patterns.is_empty() {
            let names = patterns.read();
            let matching = names.iter().filter(|(pattern, _)| glob_match(pattern, channel, Case::Sensitive));
            matching.flat_map(|(_, places)| places).for_each(&mut visit);
        }
    }

    /// The cores with a subscriber who hears `channel`, in order.
    pub fn cores_of(&self, space: Space, channel: &[u8]) -> Vec<ShardId> {
        let mut cores = Vec::new();
        self.visit(space, channel, |place| cores.push(place.core));
        cores.sort_unstable();
        cores.dedup();
        cores
    }

    /// How many receive what is published at `channel`, a client that hears it in several ways counted for each.
    pub fn receivers(&self, space: Space, channel: &[u8]) -> usize {
        let mut receivers = 0;
        self.visit(space, channel, |place| receivers += place.clients);
        receivers
    }
}
