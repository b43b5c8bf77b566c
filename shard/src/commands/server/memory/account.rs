//! The account of memory.

use std::sync::atomic::Ordering;

use storage::Memory;

use crate::budget::Told;
use crate::core::Core;
use crate::memory::{self, AllocatorStats};
use crate::os;
use crate::shared::Shared;

/// What one core takes, in bytes.
#[derive(Clone, Debug, Default)]
pub struct CoreMemory {
    /// Of each numbered database: its keys, and what they take.
    pub databases: Vec<(usize, Memory)>,
    /// Connections.
    pub clients: usize,
    /// What its thread holds in all.
    pub held: Told,
}

impl CoreMemory {
    /// What `core` takes now.
    pub fn of(core: &Core) -> CoreMemory {
        CoreMemory {
            databases: core.shard.databases.iter().map(|database| (database.len(), database.memory())).collect(),
            clients: core.sessions().map(crate::session::Session::memory_bytes).sum(),
            held: core.memory_held_to_tell(),
        }
    }

    /// Adds what another core takes.
    pub fn add(&mut self, other: &CoreMemory) {
        self.clients += other.clients;
        self.held.bytes += other.held.bytes;
        self.held.gaps += other.held.gaps;
        self.held.leaving += other.held.leaving;
        if self.databases.len() < other.databases.len() {
            self.databases.resize(other.databases.len(), Default::default());
        }
        for ((keys, memory), (more_keys, more)) in self.databases.iter_mut().zip(&other.databases) {
            *keys += more_keys;
            memory.table += more.table;
            memory.blocks += more.blocks;
            memory.pages += more.pages;
            memory.outside += more.outside;
        }
    }
}

/// What the server takes, in bytes.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// All cores together.
    pub cores: CoreMemory,
    /// The allocator's figures.
    pub allocator: AllocatorStats,
    /// In use: what the allocator has handed out, gaps in the pages of entries apart.
    pub used: usize,
    /// What is compared with `maxmemory`, if that is set.
    pub counted: usize,
    /// In the machine's memory.
    pub resident: usize,
    /// The most that was ever in use.
    pub peak: usize,
    /// In use when the server had started.
    pub startup: usize,
    /// Lua states and texts of EVAL, and of functions.
    pub scripts: [usize; 2],
}

impl Account {
    /// The account of a server whose cores together take `cores`.
    pub fn of(shared: &Shared, cores: CoreMemory) -> Account {
        let allocator = memory::allocator();
        let budget = &shared.budget;
        // The allocator's count is higher: it has the blocks that threads keep for their next allocations.
        let held = if allocator.allocated > 0 { cores.held.bytes + memory::elsewhere() } else { 0 };
        let used = usize::try_from(held - cores.held.gaps as i64).unwrap_or(0);
        let counted = if budget.limit() > 0 { usize::try_from(budget.counted()).unwrap_or(0) } else { 0 };
        let peak = shared.peak_memory.fetch_max(used, Ordering::Relaxed).max(used);
        let registry = &shared.scripts;
        let texts = [registry.scripts().1, registry.libraries().source_bytes()];
        let scripts = [0, 1].map(|kind| registry.vm_bytes[kind].load(Ordering::Relaxed) + texts[kind]);
        let startup = shared.startup_memory.load(Ordering::Relaxed);
        Account { cores, allocator, used, counted, resident: os::resident_bytes(), peak, startup, scripts }
    }

    /// In use.
    pub const fn used(&self) -> usize {
        self.used
    }

    /// Number of keys.
    pub fn keys(&self) -> usize {
        self.cores.databases.iter().map(|(keys, _)| keys).sum()
    }

    /// Hash tables of all databases.
    pub fn tables(&self) -> usize {
        self.cores.databases.iter().map(|(_, memory)| memory.table).sum()
    }

    /// What is no data: what the server took before it had any, tables, connections, scripts.
    pub fn overhead(&self) -> usize {
        self.startup + self.tables() + self.cores.clients + self.scripts.iter().sum::<usize>()
    }

    /// Data.
    pub fn dataset(&self) -> usize {
        self.used().saturating_sub(self.overhead())
    }

    /// Data, as a share of what is in use beyond the start.
    pub fn dataset_percentage(&self) -> f64 {
        percentage(self.dataset(), self.used().saturating_sub(self.startup))
    }

    /// What is in use, as a share of the most that ever was.
    pub fn peak_percentage(&self) -> f64 {
        percentage(self.used(), self.peak)
    }

    /// How much more the allocator's pages hold than is in use: factor and bytes.
    pub fn fragmentation_of_allocator(&self) -> (f64, i64) {
        excess(self.allocator.active, self.used)
    }

    /// How much more is resident than is in the allocator's pages: factor and bytes.
    pub fn resident_of_allocator(&self) -> (f64, i64) {
        excess(self.allocator.resident, self.allocator.active)
    }

    /// How much more is resident than what the allocator knows of: factor and bytes.
    pub fn resident_elsewhere(&self) -> (f64, i64) {
        excess(self.resident, self.allocator.resident)
    }

    /// How much more is resident than is in use: factor and bytes.
    pub fn fragmentation(&self) -> (f64, i64) {
        excess(self.resident, self.used())
    }
}

fn percentage(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn excess(larger: usize, smaller: usize) -> (f64, i64) {
    let factor = if smaller == 0 { 0.0 } else { larger as f64 / smaller as f64 };
    (factor, larger as i64 - smaller as i64)
}
