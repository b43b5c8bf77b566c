//! `maxmemory-clients`: closing the clients that take most memory, while all of them take more than they may.
//!
//! A core knows what its clients take: whoever was heard, answered or written to in a tick is counted again at its end.
//! The sum over cores stands in the account ([`crate::budget`]), with the largest client of each core. Over the limit the
//! core with the largest client of all closes it; a core that finds that it is another's turn wakes that one.
//!
//! `CLIENT NO-EVICT` takes a client out of the sum and out of danger.

use net::ConnId;

use super::Core;
use crate::session::{Hold, Session};

impl Session {
    /// What it counts for, in bytes.
    fn evictable_bytes(&self) -> usize {
        if self.no_evict || self.closing { 0 } else { self.memory_bytes() }
    }
}

impl Core {
    /// The limit in bytes; 0 is none.
    fn client_memory_limit(&self) -> u64 {
        let config = &self.shard.config;
        config.maxmemory_clients.bytes_of(self.shared.budget.limit())
    }

    /// What a client takes may have changed: it is counted at the end of the tick.
    #[inline]
    pub(super) fn note_client_memory(&mut self, conn: ConnId) {
        if self.counts_clients {
            self.uncounted.push(conn);
        }
    }

    /// The limit may have changed: counts all clients, or none from now on.
    pub(super) fn recount_clients(&mut self) {
        self.counts_clients = self.client_memory_limit() > 0;
        self.uncounted.clear();
        if !self.counts_clients {
            if self.clients_bytes > 0 {
                self.clients_bytes = 0;
                self.shared.budget.tell_clients(self.id, 0, 0);
            }
            return;
        }
        self.clients_bytes = 0;
        for session in self.sessions.iter_mut().flatten() {
            session.info.counted_bytes = session.evictable_bytes();
            self.clients_bytes += session.info.counted_bytes;
        }
        self.uncounted.extend(self.sessions.iter().flatten().map(|session| session.conn));
        self.limit_client_memory();
    }

    /// What clients of all cores take above their limit: it is about to be freed.
    pub(super) fn client_memory_excess(&mut self) -> i64 {
        if !self.counts_clients {
            return 0;
        }
        self.uncounted.extend(self.dirty.iter().chain(&self.audience));
        self.count_clients();
        (self.shared.budget.clients() as u64).saturating_sub(self.client_memory_limit()) as i64
    }

    /// Counts who was heard or written to in this tick, and closes the largest clients if all together take too much.
    pub(super) fn limit_client_memory(&mut self) {
        if !self.counts_clients {
            return;
        }
        self.count_clients();
        if self.is_over_client_memory() {
            self.evict_clients();
        }
    }

    fn count_clients(&mut self) {
        let mut uncounted = std::mem::take(&mut self.uncounted);
        for conn in uncounted.drain(..) {
            let Some(session) = self.session(conn) else { continue };
            let (before, after) = (session.info.counted_bytes, session.evictable_bytes());
            session.info.counted_bytes = after;
            self.clients_bytes = self.clients_bytes + after - before;
            self.largest_client = self.largest_client.max(after);
        }
        self.uncounted = uncounted;
        self.shared.budget.tell_clients(self.id, self.clients_bytes, self.largest_client);
    }

    fn is_over_client_memory(&self) -> bool {
        self.shared.budget.clients() as u64 > self.client_memory_limit()
    }

    #[cold]
    fn evict_clients(&mut self) {
        let sizes = self.sessions().map(|session| (session.evictable_bytes(), session.conn));
        let mut sizes: Vec<(usize, ConnId)> = sizes.filter(|(bytes, _)| *bytes > 0).collect();
        sizes.sort_unstable_by_key(|(bytes, _)| *bytes);
        while self.is_over_client_memory() {
            self.largest_client = sizes.last().map_or(0, |(bytes, _)| *bytes);
            self.shared.budget.tell_clients(self.id, self.clients_bytes, self.largest_client);
            let (first, largest) = self.shared.budget.largest_client();
            if first != self.id && largest >= self.largest_client {
                if self.shared.budget.ask(first) {
                    self.shared.mesh.wake(first);
                }
                return;
            }
            let Some((bytes, conn)) = sizes.pop() else { return };
            self.evict_client(conn, bytes);
        }
        self.largest_client = sizes.last().map_or(0, |(bytes, _)| *bytes);
        self.shared.budget.tell_clients(self.id, self.clients_bytes, self.largest_client);
    }

    fn evict_client(&mut self, conn: ConnId, bytes: usize) {
        let Some(session) = self.session(conn) else { return };
        let (id, counted) = (session.id, std::mem::take(&mut session.info.counted_bytes));
        tracing::info!("Evicting client id={}, which takes {bytes} bytes.", id.0);
        session.held = Some(Hold::Closing);
        session.out = Vec::new();
        self.clients_bytes -= counted;
        self.shared.budget.tell_clients(self.id, self.clients_bytes, self.largest_client);
        self.stats.evicted_clients += 1;
        self.kill(conn);
    }

    /// A client is gone.
    pub(super) fn uncount_client(&mut self, conn: ConnId) {
        let counted = self.session(conn).map_or(0, |session| std::mem::take(&mut session.info.counted_bytes));
        if counted > 0 && self.counts_clients {
            self.clients_bytes -= counted;
        }
    }
}
