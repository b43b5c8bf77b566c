//! The index: from the hash of a member to the leaf it is in.
//!
//! ```text
//! hash    31 ......... | ............................
//!         directory       position in the segment
//!              │                  │
//!   segment ◄──┘                  ▼ home
//!   ┌───────────────┬───┬───────────────┬───────────────┬───┬─ ─ ─
//!   │ 1a05c2… leaf 7│   │ 1a2290… leaf 2│ 1a2291… leaf 7│   │            8 bytes a slot: 32 bits of hash, number of a leaf
//!   └───────────────┴───┴───────────────┴───────────────┴───┴─ ─ ─
//! ```
//!
//! A segment is a sorted array with gaps. The home of an entry is where its hash would be if all hashes were evenly spread;
//! it lies there, or behind it with no gap in between. So a search begins at the home and ends at the first gap or larger
//! hash, mostly within a cache line; and since the entries carry their hash, are sorted, and homes ascend with it, growing,
//! splitting and merging segments are copies from left to right that look at no member.
//!
//! Segments are found by the first bits of the hash (extendible hashing). One has at most some thousand entries and grows
//! on its own, so no insertion does more than to copy or split one.
//!
//! A scan cursor is a hash: the order of the entries never changes, so each is seen once.

use crate::encoding::prefetch::prefetch;
use crate::types::shape::HashShape;

/// Segments with this many slots are split rather than enlarged.
const SEGMENT_SLOTS_MAX: usize = 8_192;
const SEGMENT_SLOTS_MIN: usize = 16;

/// Slots that fill a page of the kernel.
const PAGE_SLOTS: usize = 4_096 / size_of::<u64>();

/// No segment is told from others by more bits of the hash.
const DEPTH_MAX: u32 = 24;

/// No entry is this, since leaf numbers are lower.
const EMPTY: u64 = u64::MAX;

const HASH_BITS: u32 = 32;

/// A multiset of pairs of hash and leaf.
#[derive(Clone, Debug, Default)]
pub struct Index {
    segments: Vec<Segment>,
    /// Segment numbers by the first `directory_bits` bits of the hash; empty as long as nothing was ever inserted.
    directory: Vec<u32>,
    directory_bits: u32,
    entries: usize,
    /// Slots of all segments.
    slots: usize,
}

#[derive(Clone, Debug)]
struct Segment {
    slots: Box<[u64]>,
    /// Number of homes; the slots behind the last home catch what overflows there.
    homes: u32,
    entries: u32,
    /// How many bits of the hash all entries have in common.
    depth: u32,
}

#[inline]
const fn entry(hash: u32, leaf: u32) -> u64 {
    (hash as u64) << HASH_BITS | leaf as u64
}

#[inline]
const fn hash_of(entry: u64) -> u32 {
    (entry >> HASH_BITS) as u32
}

impl Segment {
    /// A segment with these entries, which are sorted, and room for more.
    fn with_entries(depth: u32, entries: &[u64]) -> Self {
        let size = slots_for(entries.len());
        let homes = homes_in(size) as u32;
        let mut segment = Self { slots: Box::default(), homes, entries: entries.len() as u32, depth };
        let mut slots = Vec::with_capacity(size);
        for &entry in entries {
            let home = segment.home(hash_of(entry));
            if slots.len() < home {
                slots.resize(home, EMPTY);
            }
            slots.push(entry);
        }
        // The last slot stays empty for searches to end there, and one more lets the next insertion succeed.
        let size = size.max(slots.len() + 2);
        slots.resize(size, EMPTY);
        segment.slots = slots.into_boxed_slice();
        segment
    }

    #[inline]
    const fn home(&self, hash: u32) -> usize {
        let position = hash << self.depth;
        ((position as u64 * self.homes as u64) >> HASH_BITS) as usize
    }

    /// The first slot that is empty or has an entry of this hash or a higher one.
    #[inline]
    fn lower_bound(&self, hash: u32) -> usize {
        let mut slot = self.home(hash);
        while hash_of(self.slots[slot]) < hash {
            slot += 1;
        }
        slot
    }

    /// Inserts an entry; false if it does not fit where it belongs.
    fn insert(&mut self, new: u64) -> bool {
        let slot = self.lower_bound(hash_of(new));
        let last = self.slots.len() - 1;
        let Some(gap) = self.slots[slot..last].iter().position(|&entry| entry == EMPTY) else { return false };
        self.slots.copy_within(slot..slot + gap, slot + 1);
        self.slots[slot] = new;
        self.entries += 1;
        true
    }

    fn slot_of(&self, wanted: u64) -> Option<usize> {
        let start = self.lower_bound(hash_of(wanted));
        let run = self.slots[start..].iter().take_while(|&&entry| entry != EMPTY && hash_of(entry) == hash_of(wanted));
        run.zip(start..).find(|&(&entry, _)| entry == wanted).map(|(_, slot)| slot)
    }

    fn remove(&mut self, slot: usize) {
        let mut gap = slot;
        while self.slots[gap + 1] != EMPTY && self.home(hash_of(self.slots[gap + 1])) <= gap {
            self.slots[gap] = self.slots[gap + 1];
            gap += 1;
        }
        self.slots[gap] = EMPTY;
        self.entries -= 1;
    }

    fn sorted_entries(&self) -> Vec<u64> {
        let mut entries = Vec::with_capacity(self.entries as usize);
        entries.extend(self.slots.iter().filter(|&&entry| entry != EMPTY));
        entries
    }

    /// Whether one more entry keeps it within its load.
    const fn has_room(&self) -> bool {
        fits(self.entries as usize + 1, self.homes as usize)
    }

    /// Whether it has far more slots than it needs.
    const fn is_sparse(&self) -> bool {
        self.slots.len() > SEGMENT_SLOTS_MIN && (self.entries as usize) < self.slots.len() / 2
    }
}

impl Index {
    /// Number of entries.
    pub const fn len(&self) -> usize {
        self.entries
    }

    /// Bytes of its memory.
    pub fn heap_bytes(&self) -> usize {
        self.slots * size_of::<u64>()
            + self.segments.capacity() * size_of::<Segment>()
            + self.directory.capacity() * size_of::<u32>()
    }

    #[inline]
    fn number_of(&self, hash: u32) -> usize {
        self.directory[(u64::from(hash) >> (HASH_BITS - self.directory_bits)) as usize] as usize
    }

    /// The leaves that have members of this hash.
    #[inline]
    pub fn leaves(&self, hash: u32) -> impl Iterator<Item = u32> {
        let slots = if self.entries == 0 {
            &[][..]
        } else {
            let segment = &self.segments[self.number_of(hash)];
            &segment.slots[segment.lower_bound(hash)..]
        };
        let run = slots.iter().take_while(move |&&entry| entry != EMPTY && hash_of(entry) == hash);
        run.map(|&entry| entry as u32)
    }

    /// Inserts an entry.
    pub fn insert(&mut self, hash: u32, leaf: u32) {
        if self.directory.is_empty() {
            self.add_segment(Segment::with_entries(0, &[]));
            self.directory.push(0);
        }
        self.entries += 1;
        loop {
            let number = self.number_of(hash);
            let segment = &mut self.segments[number];
            if segment.has_room() && segment.insert(entry(hash, leaf)) {
                return;
            }
            self.grow(number, hash);
        }
    }

    /// Enlarges or splits the segment of a hash.
    #[cold]
    fn grow(&mut self, number: usize, hash: u32) {
        let segment = &self.segments[number];
        let (depth, entries) = (segment.depth, segment.sorted_entries());
        if segment.slots.len() < SEGMENT_SLOTS_MAX || depth == DEPTH_MAX || segment.has_room() {
            self.replace_segment(number, Segment::with_entries(depth, &entries));
            return;
        }
        if depth == self.directory_bits {
            self.directory = self.directory.iter().flat_map(|&number| [number, number]).collect();
            self.directory_bits += 1;
        }
        let bit = 1 << (HASH_BITS - 1 - depth);
        let (low, high) = entries.split_at(entries.partition_point(|&entry| hash_of(entry) & bit == 0));
        let new_number = self.segments.len() as u32;
        self.replace_segment(number, Segment::with_entries(depth + 1, low));
        self.add_segment(Segment::with_entries(depth + 1, high));
        let share = self.share(hash | bit, depth + 1);
        self.directory[share].fill(new_number);
    }

    fn add_segment(&mut self, segment: Segment) {
        self.slots += segment.slots.len();
        self.segments.push(segment);
    }

    fn replace_segment(&mut self, number: usize, segment: Segment) {
        self.slots = self.slots + segment.slots.len() - self.segments[number].slots.len();
        self.segments[number] = segment;
    }

    /// The part of the directory for hashes that have the first `depth` bits in common with this one.
    fn share(&self, hash: u32, depth: u32) -> std::ops::Range<usize> {
        let prefix = (u64::from(hash) >> (HASH_BITS - depth)) as usize;
        let shift = self.directory_bits - depth;
        prefix << shift..(prefix + 1) << shift
    }

    /// Removes an entry, which is there.
    pub fn remove(&mut self, hash: u32, leaf: u32) {
        let number = self.number_of(hash);
        let segment = &mut self.segments[number];
        let slot = segment.slot_of(entry(hash, leaf)).expect("each record has an entry");
        segment.remove(slot);
        self.entries -= 1;
        if segment.is_sparse() {
            self.shrink(number, hash);
        }
    }

    /// Makes the segment of a hash smaller, or merges it with its sibling.
    #[cold]
    fn shrink(&mut self, number: usize, hash: u32) {
        let (depth, mut entries) = (self.segments[number].depth, self.segments[number].sorted_entries());
        if depth > 0 {
            let bit = 1 << (HASH_BITS - depth);
            let sibling_number = self.number_of(hash ^ bit);
            let sibling = &self.segments[sibling_number];
            if sibling.depth == depth && sibling.entries as usize + entries.len() < SEGMENT_SLOTS_MAX / 4 {
                let others = sibling.sorted_entries();
                let at = if hash & bit == 0 { entries.len() } else { 0 };
                entries.splice(at..at, others);
                self.replace_segment(number, Segment::with_entries(depth - 1, &entries));
                let share = self.share(hash, depth - 1);
                self.directory[share].fill(number as u32);
                self.drop_segment(sibling_number);
                return;
            }
        }
        self.replace_segment(number, Segment::with_entries(depth, &entries));
    }

    /// Drops a segment that the directory does not name any more; the last one gets its number.
    fn drop_segment(&mut self, number: usize) {
        self.slots -= self.segments.swap_remove(number).slots.len();
        let moved_from = self.segments.len() as u32;
        let Some(moved) = self.segments.get(number) else { return };
        // A segment may be empty, so that its hashes do not tell its place; it is in the directory all the same.
        let depth = moved.depth;
        let start = match moved.slots.iter().find(|&&entry| entry != EMPTY) {
            Some(&entry) => self.share(hash_of(entry), depth).start,
            None => self.directory.iter().position(|&entry| entry == moved_from).expect("all segments are named"),
        };
        let shift = self.directory_bits - depth;
        self.directory[start..start + (1 << shift)].fill(number as u32);
    }

    /// Asks for the slots of a hash, which are going to be looked at.
    #[inline]
    pub fn prefetch(&self, hash: u32) {
        if self.entries == 0 {
            return;
        }
        let segment = &self.segments[self.number_of(hash)];
        prefetch(&segment.slots[segment.home(hash)]);
    }

    /// Notes that the member of a hash has moved from one leaf to another.
    #[inline]
    pub fn relocate(&mut self, hash: u32, from: u32, to: u32) {
        let number = self.number_of(hash);
        let segment = &mut self.segments[number];
        let slot = segment.slot_of(entry(hash, from)).expect("each record has an entry");
        segment.slots[slot] = entry(hash, to);
    }

    /// Visits some entries from the cursor on, at least `count` if there are as many in the segment, and returns the
    /// cursor to go on with, 0 after the last.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(u32, u32)) -> u64 {
        let Ok(hash) = u32::try_from(cursor) else { return 0 };
        if self.entries == 0 {
            return 0;
        }
        let segment = &self.segments[self.number_of(hash)];
        let (mut visited, mut before) = (0, None);
        for &entry in segment.slots[segment.home(hash)..].iter().filter(|&&entry| entry != EMPTY) {
            let found = hash_of(entry);
            if found < hash {
                continue;
            }
            if visited >= count && before != Some(found) {
                return u64::from(found);
            }
            visit(found, entry as u32);
            (visited, before) = (visited + 1, Some(found));
        }
        let end = (self.share(hash, segment.depth).end as u64) << (HASH_BITS - self.directory_bits);
        if end >> HASH_BITS == 0 { end } else { 0 }
    }

    /// Drops the last segment of an index that is not used any more; returns how many entries that were.
    pub fn drop_last_segment(&mut self) -> Option<usize> {
        let segment = self.segments.pop()?;
        self.directory = Vec::new();
        self.entries -= segment.entries as usize;
        self.slots -= segment.slots.len();
        Some(segment.entries as usize)
    }

    /// How many entries have each home.
    pub fn shape(&self) -> HashShape {
        let mut shape = HashShape { segments: self.segments.len(), ..HashShape::default() };
        for segment in &self.segments {
            let homes =
                segment.slots.iter().filter(|&&entry| entry != EMPTY).map(|&entry| segment.home(hash_of(entry)));
            let mut counts = vec![0_u32; segment.homes as usize];
            homes.for_each(|home| counts[home] += 1);
            for count in counts {
                shape.add_place(count as usize);
            }
        }
        shape
    }

    /// Panics if entries do not lie where they are found, or the directory does not lead there.
    pub fn check_invariants(&self) {
        assert_eq!(self.directory.len(), if self.segments.is_empty() { 0 } else { 1 << self.directory_bits });
        let mut place = 0;
        while place < self.directory.len() {
            let number = self.directory[place];
            let segment = &self.segments[number as usize];
            let share = 1_usize << (self.directory_bits - segment.depth);
            assert!(self.directory[place..place + share].iter().all(|&other| other == number), "share of a segment");
            segment.check_invariants((place / share) as u64);
            place += share;
        }
        let entries: usize = self.segments.iter().map(|segment| segment.entries as usize).sum();
        assert_eq!(entries, self.entries, "entries of the index");
        let slots: usize = self.segments.iter().map(|segment| segment.slots.len()).sum();
        assert_eq!(slots, self.slots, "slots of the index");
    }
}

impl Segment {
    fn check_invariants(&self, prefix: u64) {
        let (mut last, mut count) = (0, 0);
        for (slot, &entry) in self.slots.iter().enumerate().filter(|&(_, &entry)| entry != EMPTY) {
            let hash = hash_of(entry);
            assert_eq!(u64::from(hash) >> (HASH_BITS - self.depth), prefix, "an entry is in the right segment");
            assert!(hash >= last, "entries are sorted");
            let home = self.home(hash);
            assert!(home <= slot && self.slots[home..slot].iter().all(|&entry| entry != EMPTY), "no gap behind a home");
            (last, count) = (hash, count + 1);
        }
        assert_eq!(count, self.entries, "entries of a segment");
        assert_eq!(self.slots.last(), Some(&EMPTY), "searches end in the last slot");
    }
}

/// Whether so many entries are within the load that so many homes may have: seven eighths.
const fn fits(entries: usize, homes: usize) -> bool {
    entries * 8 <= homes * 7
}

/// How many of so many slots are homes.
const fn homes_in(slots: usize) -> usize {
    slots - slots / 64 - 2
}

/// The smallest number of slots for so many entries and one more: the size classes of common allocators, four for each power
/// of two, and whole pages of the kernel where those are coarser, since what is not touched of a large class is not resident.
fn slots_for(entries: usize) -> usize {
    let mut slots = SEGMENT_SLOTS_MIN;
    while !fits(entries + 1, homes_in(slots)) {
        slots += ((1 << slots.ilog2()) / 4).min(PAGE_SLOTS);
    }
    slots
}
