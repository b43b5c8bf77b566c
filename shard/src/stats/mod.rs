//! What one core counts: commands, errors, latencies, traffic. Answers for INFO are sums over cores.

pub mod histogram;
pub mod latency;

use hashbrown::HashMap;

pub use histogram::Histogram;
pub use latency::{LatencyEvent, LatencyLog};

use crate::spec::{CommandId, CommandTable};

/// Counts of one command.
#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    /// Calls that ran.
    pub calls: u64,
    /// Microseconds they took.
    pub micros: u64,
    /// Calls refused before they ran.
    pub rejected: u64,
    /// Calls that ran and failed.
    pub failed: u64,
    /// Latencies, once there was one and `latency-tracking` is on.
    pub latency: Option<Box<Histogram>>,
}

impl CommandStats {
    fn add(&mut self, other: &CommandStats) {
        self.calls += other.calls;
        self.micros += other.micros;
        self.rejected += other.rejected;
        self.failed += other.failed;
        if let Some(latency) = &other.latency {
            self.latency.get_or_insert_default().add(latency);
        }
    }
}

/// Counts of one core.
#[derive(Clone, Debug)]
pub struct CoreStats {
    /// Per command, by its number.
    pub commands: Vec<CommandStats>,
    /// Replies that were errors, by code.
    pub errors: HashMap<Vec<u8>, u64>,
    /// Error replies in all.
    pub error_replies: u64,
    /// Commands that ran for clients of this core.
    pub commands_processed: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Pieces in which they came.
    pub reads: u64,
    /// Pieces in which bytes were sent.
    pub writes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Connections closed for a limit on clients' output.
    pub output_limit_disconnections: u64,
    /// Connections closed for the query buffer's limit.
    pub query_limit_disconnections: u64,
    /// Ticks.
    pub ticks: u64,
    /// Microseconds spent in ticks.
    pub tick_micros: u64,
    /// Messages from other cores' batches and the own one.
    pub messages: u64,
    /// Pushes that were put off for a lock.
    pub put_off: u64,
    /// Times that keys of this shard were held for a plan, until it released them.
    pub holds: u64,
    /// Microseconds that they were.
    pub held_micros: u64,
    /// Clients closed for `maxmemory-clients`.
    pub evicted_clients: u64,
    /// Microseconds spent in the expiry sweep.
    pub expire_micros: u64,
    /// Slices of the sweep that ended before it was through.
    pub expire_cut_short: u64,
}

/// More different error codes than this are not told apart, as in Redis.
const ERROR_CODES_MAX: usize = 128;

impl Default for CoreStats {
    fn default() -> Self {
        Self {
            commands: vec![CommandStats::default(); CommandTable::global().rows().len()],
            errors: HashMap::new(),
            error_replies: 0,
            commands_processed: 0,
            connections: 0,
            received_bytes: 0,
            reads: 0,
            writes: 0,
            sent_bytes: 0,
            output_limit_disconnections: 0,
            query_limit_disconnections: 0,
            ticks: 0,
            tick_micros: 0,
            messages: 0,
            put_off: 0,
            holds: 0,
            held_micros: 0,
            evicted_clients: 0,
            expire_micros: 0,
            expire_cut_short: 0,
        }
    }
}

impl CoreStats {
    /// A command ran in `micros`.
    #[inline]
    pub fn ran(&mut self, command: CommandId, micros: u64, failed: bool, latencies: bool) {
        let stats = &mut self.commands[command.index()];
        stats.calls += 1;
        stats.micros += micros;
        stats.failed += u64::from(failed);
        if latencies {
            stats.latency.get_or_insert_default().record(micros * 1000);
        }
    }

    /// Counts an error reply by its code.
    pub fn error(&mut self, code: &[u8]) {
        self.error_replies += 1;
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
        } else if self.errors.len() < ERROR_CODES_MAX {
            self.errors.insert(code.to_vec(), 1);
        }
    }

    /// All counts but those of single commands, which are many.
    #[must_use]
    pub fn without_commands(&self) -> CoreStats {
        CoreStats { commands: Vec::new(), errors: self.errors.clone(), ..*self }
    }

    /// Adds another core's counts.
    pub fn add(&mut self, other: &CoreStats) {
        if self.commands.len() < other.commands.len() {
            self.commands.resize(other.commands.len(), CommandStats::default());
        }
        self.commands.iter_mut().zip(&other.commands).for_each(|(own, other)| own.add(other));
        for (code, count) in &other.errors {
            *self.errors.entry_ref(code.as_slice()).or_default() += count;
        }
        self.error_replies += other.error_replies;
        self.commands_processed += other.commands_processed;
        self.connections += other.connections;
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
        self.reads += other.reads;
        self.writes += other.writes;
        self.output_limit_disconnections += other.output_limit_disconnections;
        self.query_limit_disconnections += other.query_limit_disconnections;
        self.ticks += other.ticks;
        self.tick_micros += other.tick_micros;
        self.messages += other.messages;
        self.put_off += other.put_off;
        self.holds += other.holds;
        self.held_micros += other.held_micros;
        self.evicted_clients += other.evicted_clients;
        self.expire_micros += other.expire_micros;
        self.expire_cut_short += other.expire_cut_short;
    }

    /// What CONFIG RESETSTAT resets.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
