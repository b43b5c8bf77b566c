//! Receive buffers: one pool a core, lent to the kernel, so that an idle connection holds none.
//!
//! ```text
//!            offer                       receive                    give back
//!   free ──────────────► offered ──────────────────► filled ──────────────────► free
//!   (stack: the last     (a ring shared with         (with us, for the rest
//!    used comes first)    the kernel, a queue)        of the tick)
//! ```
//!
//! The kernel takes offered buffers in turn. Were all of them on offer, all would be used in turn: thousands of pages that
//! miss every cache. So only a *window* of them is offered, 128 at first; it doubles when a burst used it up and shrinks
//! when bursts stay small, and buffers that leave it give their memory back. So do all when nothing comes in any more and
//! long pieces came before.
//!
//! A [`Filled`] buffer is a token: it is made from a completion alone and is given back by value, so nobody can read
//! a buffer that the kernel may be writing to.

pub(crate) mod map;

use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::cqueue;
use io_uring::types::BufRingEntry;

use crate::limits::{BUFFER_BYTES, BUFFERS, BUFFERS_OFFERED_MIN, SHORT_PIECE_BYTES};
use map::Mapping;

/// Refills between two looks at whether the window is too large.
const REFILLS_PER_REVIEW: u32 = 4096;

/// A received piece of a stream, in a buffer that is ours until it is given back.
#[derive(Debug)]
pub(crate) struct Filled {
    buffer: u16,
    len: u32,
}

impl Filled {
    /// Length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }
}

/// The buffers of one core and the ring that offers them to the kernel.
pub(crate) struct Buffers {
    /// The ring of offers, read by the kernel up to its tail.
    offers: Mapping,
    /// The buffers, one behind the other.
    memory: Mapping,
    /// Our copy of the ring's tail.
    tail: u16,
    /// Buffers that are neither offered nor filled.
    free: Vec<u16>,
    /// Buffers offered and not seen in a completion yet.
    offered: usize,
    /// How many should be offered.
    window: usize,
    /// A receive found no buffer since the last refill.
    starved: bool,
    /// The window grew, or a long piece came, since all buffers last gave their memory back.
    grew: bool,
    /// Most buffers that were missing at a refill since the last review.
    peak: usize,
    refills: u32,
}

impl Buffers {
    /// A pool with its first window of buffers on offer, to be registered with a ring.
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut buffers = Self {
            offers: Mapping::new(BUFFERS * size_of::<BufRingEntry>())?,
            memory: Mapping::new(BUFFERS * BUFFER_BYTES)?,
            tail: 0,
            free: (0..BUFFERS as u16).rev().collect(),
            offered: 0,
            window: BUFFERS_OFFERED_MIN,
            starved: false,
            grew: false,
            peak: 0,
            refills: 0,
        };
        buffers.refill();
        Ok(buffers)
    }

    /// Where the ring of offers is, for its registration.
    pub(crate) fn offers_address(&self) -> u64 {
        self.offers.start() as u64
    }

    /// The buffer that a completion with this result and these flags filled, if it used one.
    pub(crate) fn claim(&mut self, result: i32, flags: u32) -> Option<Filled> {
        let buffer = cqueue::buffer_select(flags)?;
        assert!((buffer as usize) < BUFFERS, "the kernel names a buffer that was never offered");
        self.offered -= 1;
        let len = u32::try_from(result).unwrap_or(0).min(BUFFER_BYTES as u32);
        self.grew |= len as usize > SHORT_PIECE_BYTES;
        Some(Filled { buffer, len })
    }

    /// What was received.
    pub(crate) fn bytes(&self, filled: &Filled) -> &[u8] {
        // SAFETY: the buffer is within the mapping, as `claim` asserted; the kernel is done with it since it named it in
        // a completion, and cannot get it again before `give_back` consumes the token.
        unsafe {
            let start = self.memory.start().add(filled.buffer as usize * BUFFER_BYTES);
            std::slice::from_raw_parts(start, filled.len())
        }
    }

    /// The piece is done with.
    #[expect(clippy::needless_pass_by_value, reason = "the token is spent")]
    pub(crate) fn give_back(&mut self, filled: Filled) {
        self.free.push(filled.buffer);
    }

    /// A receive found no buffer: the window is too small for what comes in. The next refill doubles it.
    pub(crate) fn starved(&mut self) {
        self.starved = true;
    }

    /// Offers as many buffers as the window has room for; once a tick, when all filled ones were given back.
    pub(crate) fn refill(&mut self) {
        if std::mem::take(&mut self.starved) {
            self.window = (self.window * 2).min(BUFFERS);
            self.grew = true;
        }
        let missing = self.window.saturating_sub(self.offered);
        self.peak = self.peak.max(missing);
        if missing > 0 {
            for _ in 0..missing {
                let Some(buffer) = self.free.pop() else { break };
                self.offer(buffer);
            }
            self.publish();
        }
        self.refills += 1;
        if self.refills == REFILLS_PER_REVIEW {
            self.review();
        }
    }

    /// Halves the window if no burst needed a quarter of it, and gives back the memory of the buffers that are free.
    fn review(&mut self) {
        if self.window > BUFFERS_OFFERED_MIN && self.peak * 4 <= self.window {
            self.window = (self.window / 2).max(BUFFERS_OFFERED_MIN);
            self.forget_free();
        }
        self.refills = 0;
        self.peak = 0;
    }

    /// Nothing comes in: the window becomes small again, and buffers that were used give their memory back. Those on offer
    /// do so, too: the kernel fills them while we are in it and at no other time. Not to be called while any is filled.
    pub(crate) fn rest(&mut self) {
        self.window = BUFFERS_OFFERED_MIN;
        if std::mem::take(&mut self.grew) {
            assert_eq!(self.free.len() + self.offered, BUFFERS, "what was received is not forgotten");
            self.memory.forget(0, BUFFERS * BUFFER_BYTES);
        }
    }

    fn forget_free(&mut self) {
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        for run in self.free.chunk_by(|a, b| *a == *b + 1) {
            let lowest = run[run.len() - 1] as usize;
            self.memory.forget(lowest * BUFFER_BYTES, run.len() * BUFFER_BYTES);
        }
    }

    /// Writes a buffer into the ring of offers; the kernel sees it with the next `publish`.
    fn offer(&mut self, buffer: u16) {
        let slot = self.tail as usize & (BUFFERS - 1);
        let address = self.memory.start() as u64 + (buffer as usize * BUFFER_BYTES) as u64;
        #[expect(clippy::cast_ptr_alignment, reason = "a mapping is aligned to a page")]
        let entries = self.offers.start().cast::<BufRingEntry>();
        // SAFETY: `slot` is within the mapping, which has BUFFERS entries and is aligned to a page. The kernel reads only
        // entries between its head and the published tail; this one is behind the tail, for at most BUFFERS buffers
        // exist. The setters leave the two bytes alone that, in the first entry, are the tail.
        unsafe {
            let entry = &mut *entries.add(slot);
            entry.set_addr(address);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(buffer);
        }
        self.tail = self.tail.wrapping_add(1);
        self.offered += 1;
    }

    /// Lets the kernel see what was offered.
    fn publish(&self) {
        // SAFETY: the ring's first entry exists and is initialised (the mapping is zeroed); its tail is an aligned u16
        // that the kernel only reads.
        unsafe {
            let tail = BufRingEntry::tail(self.offers.start().cast()).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }

    /// Leaves the memory to the kernel for ever: it did not say that it is done with it.
    pub(crate) fn leak(&mut self) {
        self.offers.leak();
        self.memory.leak();
    }

    /// Panics if a buffer was lost or is in two places.
    pub(crate) fn check_invariants(&self, filled: usize) {
        assert_eq!(self.free.len() + self.offered + filled, BUFFERS);
        let mut free = self.free.clone();
        free.sort_unstable();
        free.dedup();
        assert_eq!(free.len(), self.free.len());
    }
}

#[cfg(test)]
mod tests;
