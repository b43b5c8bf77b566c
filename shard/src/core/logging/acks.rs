//! Clients that wait for their writes to be synced: WAITAOF.
//!
//! What a client has written belongs to epochs up to that of the last record which any shard had made when the client was
//! answered. It is synced when the barrier behind that is complete, and every shard has synced what it had written up to
//! there. So nothing has to be remembered of those who never ask; the writes of others up to that moment are waited for
//! too, which takes no longer, since one sync is for all.

use net::ConnId;

use crate::core::Core;
use crate::exec::CommandError;

/// WAITAOF asks for this server's own files, which it has not.
pub const NO_LOG: CommandError =
    CommandError::new("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");

/// What is known of a client's wait.
pub(super) struct Ack {
    conn: ConnId,
    seq: u32,
    /// It waits for this server's own files.
    wants_local: bool,
    /// It waits for replicas too, of which there are none: its time will end the wait.
    wants_replicas: bool,
    /// The barrier up to which all is to be synced; none before all its earlier commands were answered.
    barrier: Option<u64>,
}

impl Core {
    /// Whether all that this client has written up to now is synced.
    pub fn is_synced(&mut self, conn: ConnId) -> bool {
        let Some(session) = self.session(conn) else { return false };
        let recorded = match session.info.executes {
            // What the transaction itself has written is not asked for.
            Some(executing) => executing.recorded,
            None => session.replies.is_empty().then(|| self.last_recorded()),
        };
        recorded.is_some_and(|barrier| self.shared.log.is_synced(barrier))
    }

    /// The barrier behind all that this client has written before its transaction, which begins here now; none if something
    /// of that was not answered yet.
    pub fn recorded_before_exec(&mut self, conn: ConnId) -> Option<u64> {
        // The transaction itself has the last place, unless it runs where it was received.
        let is_answered = self.session(conn).is_some_and(|session| session.replies.len() <= 1);
        is_answered.then(|| self.last_recorded())
    }

    /// The reply of place `seq` comes when the writes of `conn` are synced.
    pub fn wait_for_sync(&mut self, conn: ConnId, seq: u32, wants_local: bool, wants_replicas: bool) {
        self.log.acks.push(Ack { conn, seq, wants_local, wants_replicas, barrier: None });
    }

    /// The barrier behind all that was recorded by now, as far as anybody can know of it.
    fn last_recorded(&mut self) -> u64 {
        self.note_gate();
        self.log.wanted.max(self.shared.log.epochs.last_recorded())
    }

    /// Answers whoever waits no longer, in order.
    pub(super) fn answer_acks(&mut self) {
        if self.log.acks.is_empty() {
            return;
        }
        let mut acks = std::mem::take(&mut self.log.acks);
        acks.retain_mut(|ack| self.still_waits(ack));
        self.log.acks = acks;
    }

    fn still_waits(&mut self, ack: &mut Ack) -> bool {
        let Some(session) = self.session(ack.conn) else { return false };
        if session.blocked.as_ref().is_none_or(|blocked| blocked.seq != ack.seq) {
            return false;
        }
        let is_next = session.replies.is_first(ack.seq);
        if ack.wants_local && !self.shared.log.is_on() {
            return !self.end_sync_wait(ack.conn, Err(NO_LOG));
        }
        if ack.barrier.is_none() && is_next {
            ack.barrier = Some(self.last_recorded());
        }
        let is_over = ack.barrier.is_some_and(|barrier| self.shared.log.is_synced(barrier)) && !ack.wants_replicas;
        !(is_over && self.end_sync_wait(ack.conn, Ok(())))
    }

    /// What is to be said of a wait whose time is over.
    pub(in crate::core) fn is_wait_synced(&self, conn: ConnId, seq: u32) -> bool {
        let ack = self.log.acks.iter().find(|ack| ack.conn == conn && ack.seq == seq);
        ack.and_then(|ack| ack.barrier).is_some_and(|barrier| self.shared.log.is_synced(barrier))
    }

    /// Whether somebody who waits can be answered.
    pub(super) fn may_ack(&self) -> bool {
        let log = &self.shared.log;
        self.log.acks.iter().any(|ack| {
            let is_synced = ack.barrier.is_some_and(|barrier| log.is_synced(barrier));
            (is_synced && !ack.wants_replicas) || (ack.wants_local && !log.is_on())
        })
    }
}
