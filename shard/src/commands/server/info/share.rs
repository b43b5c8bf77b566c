//! What each core tells for INFO, and the sum of it.

use super::section::{Section, Sections};
use crate::commands::server::memory::CoreMemory;
use crate::core::{Core, Rates};
use crate::exec::ctx::KeyspaceCounters;
use crate::ids::ShardId;
use crate::os::{CpuOf, CpuTime, cpu_time};
use crate::session::Hold;
use crate::stats::{CommandStats, CoreStats};

/// What one core tells.
#[derive(Clone, Debug)]
pub(super) struct CoreShare {
    pub id: ShardId,
    /// Counts; those of commands only where they are asked for.
    pub stats: CoreStats,
    pub rates: Rates,
    pub counters: KeyspaceCounters,
    pub databases: Vec<DatabaseShare>,
    pub memory: CoreMemory,
    pub clients: Clients,
    /// Values that wait to be freed.
    pub garbage: usize,
    /// Processor time of the core's thread.
    pub cpu: CpuTime,
}

/// One database on one core, or on all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DatabaseShare {
    pub keys: usize,
    pub expires: usize,
    pub avg_ttl_millis: i64,
}

/// The clients of one core, or of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clients {
    pub connected: usize,
    /// Held back by CLIENT PAUSE.
    pub blocked: usize,
    pub input_bytes_max: usize,
    pub output_bytes_max: usize,
}

impl CoreShare {
    /// What `core` tells for these sections.
    pub(super) fn of(core: &Core, sections: Sections) -> CoreShare {
        let per_command = sections.has(Section::Commandstats) || sections.has(Section::Latencystats);
        let databases = core.shard.databases.iter().map(|database| DatabaseShare {
            keys: database.len(),
            expires: database.expires(),
            avg_ttl_millis: if sections.has(Section::Keyspace) { database.avg_ttl() } else { 0 },
        });
        CoreShare {
            id: core.id,
            stats: if per_command { core.stats.clone() } else { core.stats.without_commands() },
            rates: core.rates,
            counters: core.shard.counters,
            databases: databases.collect(),
            memory: CoreMemory::of(core),
            clients: Clients::of(core),
            garbage: core.shard.garbage.len(),
            cpu: cpu_time(CpuOf::Thread),
        }
    }

    /// Keys of all databases.
    pub(super) fn keys(&self) -> usize {
        self.databases.iter().map(|database| database.keys).sum()
    }

    /// Keys of all databases that have an expiry.
    pub(super) fn expires(&self) -> usize {
        self.databases.iter().map(|database| database.expires).sum()
    }
}

impl Clients {
    fn of(core: &Core) -> Clients {
        let mut clients = Clients::default();
        for session in core.sessions().filter(|session| !session.closing) {
            clients.connected += 1;
            clients.blocked += usize::from(session.blocked.is_some() || matches!(session.held, Some(Hold::Paused(_))));
            clients.input_bytes_max = clients.input_bytes_max.max(session.info.input.query_capacity);
            clients.output_bytes_max = clients.output_bytes_max.max(session.unsent_bytes());
        }
        clients
    }

    fn add(&mut self, other: &Clients) {
        self.connected += other.connected;
        self.blocked += other.blocked;
        self.input_bytes_max = self.input_bytes_max.max(other.input_bytes_max);
        self.output_bytes_max = self.output_bytes_max.max(other.output_bytes_max);
    }
}

/// All cores together.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub stats: CoreStats,
    pub rates: Rates,
    pub counters: KeyspaceCounters,
    pub databases: Vec<DatabaseShare>,
    pub memory: CoreMemory,
    pub clients: Clients,
    pub garbage: usize,
}

impl Totals {
    /// The sum of `shares`.
    pub(super) fn of(shares: &[CoreShare]) -> Totals {
        let mut totals = Totals {
            stats: CoreStats::default().without_commands(),
            rates: Rates::default(),
            counters: KeyspaceCounters::default(),
            databases: Vec::new(),
            memory: CoreMemory::default(),
            clients: Clients::default(),
            garbage: 0,
        };
        for share in shares {
            totals.add(share);
        }
        totals
    }

    fn add(&mut self, share: &CoreShare) {
        self.stats.add(&share.stats);
        self.rates.ops += share.rates.ops;
        self.rates.input_bytes += share.rates.input_bytes;
        self.rates.output_bytes += share.rates.output_bytes;
        let (counters, more) = (&mut self.counters, &share.counters);
        counters.hits += more.hits;
        counters.misses += more.misses;
        counters.expired_keys += more.expired_keys;
        counters.expired_fields += more.expired_fields;
        counters.evicted_keys += more.evicted_keys;
        counters.lazyfreed_objects += more.lazyfreed_objects;
        counters.dirty += more.dirty;
        self.databases.resize(share.databases.len().max(self.databases.len()), DatabaseShare::default());
        self.databases.iter_mut().zip(&share.databases).for_each(|(sum, more)| sum.add(more));
        self.memory.add(&share.memory);
        self.clients.add(&share.clients);
        self.garbage += share.garbage;
    }

    /// Counts of each command, by its number; empty unless they were asked for.
    pub(super) fn commands(&self) -> &[CommandStats] {
        &self.stats.commands
    }
}

impl DatabaseShare {
    /// The mean time to live is that of all keys that have one.
    fn add(&mut self, more: &DatabaseShare) {
        let expires = self.expires + more.expires;
        let sum = |share: &DatabaseShare| i128::from(share.avg_ttl_millis) * share.expires as i128;
        let mean = (sum(self) + sum(more)).checked_div(expires as i128);
        self.avg_ttl_millis = mean.unwrap_or(0) as i64;
        self.keys += more.keys;
        self.expires = expires;
    }
}
