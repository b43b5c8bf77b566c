//! Input and output on their way: what counts of no core's memory against `maxmemory`.
//!
//! A reply takes memory until a socket has it, and most clients take theirs at once: keys that were evicted for replies
//! would be gone for nothing. The same goes for what clients are told of evicted keys, which would have more keys go and
//! more be told. So each way from a shard to a socket is counted here, and left out of the account:
//!
//! ```text
//!   shard                       between two cores               home of the client
//!   ───────────────────────┬──────────────────────────────┬──────────────────────────────────────────► socket
//!   answers (unoffered)    │ passing, until the home has  │ parts (gathered) ─► output (unoffered) ─► kept
//!   notices made since then│ told its numbers (arrived)   │
//!   (told, broadcast)      │                              │
//! ```
//!
//! Commands that wait for their turn are gone as soon. A server of one thread leaves them in the socket until then; here
//! they are taken out by a core that may have to hand them to another:
//!
//! ```text
//!   socket ──► query buffer (waiting) ──► batch (unoffered) ──► passing, until the shard that ran it has told (arrived)
//! ```
//!
//! What is half received counts, as do commands behind one that waits for a key. What a socket was offered and did not
//! take counts from the next look on, as it does in Redis. Emptied buffers that the network loop keeps for the next output
//! are free room, as gaps in pages are, and so are emptied batches.
//!
//! Each number is of buffers that are there, and is looked at anew while memory is short; none is a guess about time. Two
//! of them may mean one buffer for a moment, so that less counts, never more.

use net::ConnId;
use net::size::allocated;

use super::Core;
use crate::memory;
use crate::mesh::{Batch, ReplyBatch};

/// A batch that takes less counts where it is, in bytes.
const PASSING_BYTES_MIN: usize = 16 << 10;

/// What of a core's memory is input and output on its way, in bytes.
#[derive(Debug, Default)]
pub(super) struct Underway {
    /// Emptied buffers that the network loop keeps.
    kept: usize,
    /// Query buffers of commands that wait for their turn.
    waiting: usize,
    /// Output that no socket has been offered yet, and what is for other cores, when that was looked at last.
    unoffered: usize,
    /// What was made since then for clients who are told of changed keys.
    told: i64,
    /// Names of changed keys that those who track by prefixes are told of at the end of the tick.
    broadcast: i64,
    /// Parts of replies that wait for the other parts.
    gathered: usize,
    /// Free room of the batch whose commands run.
    room: usize,
    /// Taken from other cores, which counts as passing until this core tells what it holds.
    arrived: usize,
}

impl Underway {
    /// The network loop keeps emptied buffers of so many bytes.
    pub(super) const fn keep(&mut self, bytes: usize) {
        self.kept = bytes;
    }

    /// Bytes that are free room.
    pub(super) const fn kept(&self) -> usize {
        self.kept
    }

    /// Bytes that are about to leave.
    pub(super) fn leaving(&self) -> usize {
        self.waiting + self.unoffered + self.gathered + usize::try_from(self.told + self.broadcast).unwrap_or(0)
    }

    /// The commands of a batch with so much free room run now; 0 once they have.
    pub(super) const fn run_in(&mut self, room: usize) {
        self.room = room;
    }

    /// Free room of the batch whose commands run. The account leaves out the whole batch, as passing.
    pub(super) const fn room(&self) -> usize {
        self.room
    }

    /// A batch has come from another core, of which so many bytes count as passing.
    pub(super) const fn arrive(&mut self, bytes: usize) {
        self.arrived += bytes;
    }

    /// The query buffer of a connection with commands that wait takes other room than before.
    #[inline]
    pub(super) const fn wait(&mut self, before: usize, now: usize) {
        self.waiting = self.waiting - before + now;
    }

    /// Bytes that have come, and that other cores take to be on their way still.
    pub(super) const fn arrived(&self) -> usize {
        self.arrived
    }

    /// A part of a reply has come.
    pub(super) const fn gather(&mut self, bytes: usize) {
        self.gathered += bytes;
    }

    /// All parts of a reply have come, or nobody waits for them any more.
    pub(super) const fn ungather(&mut self, bytes: usize) {
        self.gathered -= bytes;
    }

    /// Clients are about to be told of a key: what this thread holds before that, for [`Self::end_telling`].
    #[inline]
    pub(super) fn begin_telling() -> i64 {
        memory::thread_bytes().unwrap_or(0)
    }

    /// They were.
    #[inline]
    pub(super) fn end_telling(&mut self, before: i64) {
        self.told += Self::begin_telling() - before;
    }

    /// A key was noted for those who track by prefixes.
    #[inline]
    pub(super) fn end_noting(&mut self, before: i64) {
        self.broadcast += Self::begin_telling() - before;
    }

    /// All that was noted for them is about to be told.
    pub(super) const fn begin_broadcast(&mut self) {
        self.broadcast = 0;
    }
}

impl Core {
    /// Looks anew at what no socket was offered yet, if memory is `short`.
    pub(super) fn look_at_unoffered(&mut self, short: bool) {
        self.underway.told = 0;
        self.underway.unoffered = if short { self.unoffered_bytes() } else { 0 };
    }

    /// Clients may have been told of evicted keys since this core has told its numbers, and those be on their way by now.
    pub(super) fn account_told(&mut self) {
        let budget = &self.shared.budget;
        if self.underway.told != 0 && budget.limit() > 0 {
            let short = budget.counted() + self.underway.leaving() as i64 > budget.low_mark();
            self.look_at_unoffered(short);
            self.tell_memory();
        }
    }

    /// What has arrived is part of what this core has told.
    pub(super) fn settle_arrived(&mut self) {
        self.shared.budget.arrive(std::mem::take(&mut self.underway.arrived));
    }

    /// Bytes of output that is to be sent at the end of this tick, or handed to other cores.
    fn unoffered_bytes(&self) -> usize {
        let withheld = self.withheld.iter().map(|(conn, since)| (conn, Some(*since)));
        let listed = self.dirty.iter().chain(&self.audience).map(|conn| (conn, None)).chain(withheld);
        let of_clients = listed.filter_map(|(conn, since)| {
            let session = self.sessions.get(conn.slot as usize)?.as_ref().filter(|session| session.conn == *conn)?;
            // One that has not taken what it was offered is not offered more; one that was withheld may be listed again.
            let is_listed = since.map_or(session.dirty, |_| !session.dirty && session.withheld_since == since);
            let is_offered = session.info.in_flight.unsent_bytes == 0 && is_listed;
            is_offered.then(|| allocated(session.out.capacity()))
        });
        let answers = self.answers.iter().filter(|answers| !answers.is_empty()).map(ReplyBatch::passing_bytes);
        let commands = self.batches.iter().filter(|batch| !batch.is_empty()).map(Batch::memory_bytes);
        of_clients.chain(answers).chain(commands).sum()
    }

    /// Bytes that empty batches take.
    pub(super) fn spare_bytes(&self) -> usize {
        let empty = self.batches.iter().filter(|batch| batch.is_empty());
        self.spare.bytes() + empty.map(Batch::memory_bytes).sum::<usize>()
    }

    /// What was routed is about to be handed over: it passes from now on.
    pub(super) fn let_batches_pass(&mut self) {
        if self.shared.budget.limit() == 0 {
            return;
        }
        let mut sum = 0;
        for batch in self.batches.iter_mut().filter(|batch| !batch.is_empty()) {
            let bytes = batch.memory_bytes();
            batch.passing = if bytes >= PASSING_BYTES_MIN { bytes } else { 0 };
            sum += batch.passing;
        }
        self.shared.budget.depart(sum);
    }

    /// It was not handed over after all.
    pub(super) fn keep_batches(&mut self) {
        let kept = self.batches.iter_mut().map(|batch| std::mem::take(&mut batch.passing));
        self.shared.budget.arrive(kept.sum());
    }

    /// The client of `conn` is gone, and with it its commands and the parts of its replies.
    pub(super) fn drop_underway(&mut self, conn: ConnId) {
        if let Some(session) = self.session(conn) {
            let (gathered, waiting) = (session.replies.gathered_bytes(), session.info.input.waiting_bytes);
            self.underway.ungather(gathered);
            self.underway.wait(waiting, 0);
        }
    }
}
