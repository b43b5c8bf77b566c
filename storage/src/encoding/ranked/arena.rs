//! Numbered boxes: nodes name each other by 32-bit numbers instead of pointers.
//!
//! ```text
//! chunks ─► [ live │ live │ free ─┐ live ]  [ live │ free ◄┘ … ]        a free slot holds the number of the next free one
//! ```
//!
//! Slots lie in chunks, so that growing never copies more than one of them, and a number stays good until it is removed.

/// The number that no slot has.
pub const NONE: u32 = u32::MAX;

const CHUNK_SLOTS: usize = 256;

#[derive(Clone, Debug)]
enum Slot<T> {
    Live(T),
    Free(u32),
}

/// A growing set of numbered slots.
#[derive(Clone, Debug)]
pub struct Arena<T> {
    chunks: Vec<Vec<Slot<T>>>,
    free: u32,
    live: usize,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), free: NONE, live: 0 }
    }
}

impl<T> Arena<T> {
    /// How many slots are live.
    pub const fn len(&self) -> usize {
        self.live
    }

    /// Bytes of the slots, without what lies behind them.
    pub fn heap_bytes(&self) -> usize {
        // All chunks but the last are full.
        let last = self.chunks.last().map_or(0, Vec::capacity);
        let slots = self.chunks.len().saturating_sub(1) * CHUNK_SLOTS + last;
        slots * size_of::<Slot<T>>() + self.chunks.capacity() * size_of::<Vec<Slot<T>>>()
    }

    /// Puts a value into a free slot; returns its number.
    pub fn insert(&mut self, value: T) -> u32 {
        self.live += 1;
        if self.free != NONE {
            let number = self.free;
            let slot = &mut self.chunks[number as usize / CHUNK_SLOTS][number as usize % CHUNK_SLOTS];
            let Slot::Free(next) = std::mem::replace(slot, Slot::Live(value)) else {
                unreachable!("the list of free slots holds free slots")
            };
            self.free = next;
            return number;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK_SLOTS) {
            self.chunks.push(Vec::new());
        }
        let before = self.chunks.len() - 1;
        let chunk = self.chunks.last_mut().expect("there is a chunk with room now");
        chunk.push(Slot::Live(value));
        let number = u32::try_from(before * CHUNK_SLOTS + chunk.len() - 1).ok().filter(|&number| number != NONE);
        number.expect("less than 2^32 nodes fit into memory")
    }

    /// Takes the value out of a live slot.
    pub fn remove(&mut self, number: u32) -> T {
        let slot = &mut self.chunks[number as usize / CHUNK_SLOTS][number as usize % CHUNK_SLOTS];
        let Slot::Live(value) = std::mem::replace(slot, Slot::Free(self.free)) else {
            unreachable!("a slot is removed once")
        };
        self.free = number;
        self.live -= 1;
        value
    }

    /// Drops up to `max` slots of an arena that is not used any more, the last first; returns how many.
    pub fn drop_some(&mut self, max: usize) -> usize {
        let mut dropped = 0;
        while dropped < max {
            let Some(chunk) = self.chunks.last_mut() else { break };
            let keep = chunk.len().saturating_sub(max - dropped);
            dropped += chunk.len() - keep;
            chunk.truncate(keep);
            if keep == 0 {
                self.chunks.pop();
            }
        }
        dropped
    }

    /// All live values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten().filter_map(|slot| match slot {
            Slot::Live(value) => Some(value),
            Slot::Free(_) => None,
        })
    }

    /// Panics if the list of free slots contradicts the slots.
    pub fn check_invariants(&self) {
        let slots: usize = self.chunks.iter().map(Vec::len).sum();
        let (mut free, mut next) = (0, self.free);
        while next != NONE {
            let Slot::Free(following) = self.chunks[next as usize / CHUNK_SLOTS][next as usize % CHUNK_SLOTS] else {
                panic!("a live slot is in the list of free ones")
            };
            (free, next) = (free + 1, following);
        }
        assert_eq!(self.live + free, slots, "slots are live or free");
        assert_eq!(self.values().count(), self.live, "live slots");
    }
}

impl<T> std::ops::Index<u32> for Arena<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        match &self.chunks[number as usize / CHUNK_SLOTS][number as usize % CHUNK_SLOTS] {
            Slot::Live(value) => value,
            Slot::Free(_) => unreachable!("numbers of nodes in use are live"),
        }
    }
}

impl<T> std::ops::IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        match &mut self.chunks[number as usize / CHUNK_SLOTS][number as usize % CHUNK_SLOTS] {
            Slot::Live(value) => value,
            Slot::Free(_) => unreachable!("numbers of nodes in use are live"),
        }
    }
}
