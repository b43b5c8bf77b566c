//! A sorted sequence in chunks: the index of a stream's blocks, and the lists of pending entries.
//!
//! ```text
//!   chunks     ┌─────────┬─────────┬─────────┐      each chunk: up to 256 records in the order of their keys, and
//!              │ chunk 0 │ chunk 1 │ chunk 2 │      a low-water mark: no record in it has a lower level than that
//!              └────┬────┴────┬────┴────┬────┘
//!   records      1 3 4 9    12 15     20 22 23
//! ```
//!
//! Two levels are enough: ten million records are forty thousand chunks, and to open a gap among those moves less than a
//! megabyte. Everything else touches one chunk. Records come and go at the ends most of the time (entries are appended
//! and trimmed, deliveries are acknowledged in order), so both levels are rings.
//!
//! A chunk that is full when a record is appended behind it stays full: a sequence that only grows at its end has no
//! gaps. A record that goes into the middle of a full chunk splits it; neighbours that are half empty merge.

use std::collections::VecDeque;

/// The most records in a chunk.
pub(super) const CHUNK_RECORDS_MAX: usize = 256;

/// Chunks that have no more records together become one.
const MERGED_RECORDS_MAX: usize = CHUNK_RECORDS_MAX / 2;

/// What a sorted sequence can hold.
pub(super) trait Record {
    /// What the records are sorted by. No two have the same.
    type Key: Copy + Ord;

    /// The key of the record.
    fn key(&self) -> Self::Key;

    /// What the low-water marks keep track of, if anything.
    fn level(&self) -> i64 {
        i64::MAX
    }
}

/// A sorted sequence of records.
#[derive(Debug)]
pub(super) struct Sorted<T> {
    chunks: VecDeque<Chunk<T>>,
    len: usize,
    /// Records that the chunks have room for.
    room: usize,
}

#[derive(Clone, Debug)]
struct Chunk<T> {
    records: VecDeque<T>,
    /// A lower bound of the levels.
    low: i64,
}

/// Where a record is, or would be. Insertions and removals make it stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    chunk: usize,
    index: usize,
}

impl Position {
    /// The place of the first record.
    pub const START: Self = Self { chunk: 0, index: 0 };
}

impl<T> Sorted<T> {
    /// A sequence without records.
    pub const fn new() -> Self {
        Self { chunks: VecDeque::new(), len: 0, room: 0 }
    }
}

impl<T: Clone> Clone for Sorted<T> {
    fn clone(&self) -> Self {
        let chunks = self.chunks.clone();
        // The copies have no room to spare, so they may be smaller.
        let room = chunks.iter().map(|chunk| chunk.records.capacity()).sum();
        Self { chunks, room, ..*self }
    }
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Record> Chunk<T> {
    fn single(record: T) -> Self {
        let mut chunk = Self { records: VecDeque::new(), low: i64::MAX };
        chunk.insert(0, record);
        chunk
    }

    fn insert(&mut self, index: usize, record: T) {
        if self.records.is_empty() {
            // Most sequences have one record, and should not pay for four.
            self.records.reserve_exact(1);
        }
        self.low = self.low.min(record.level());
        self.records.insert(index, record);
    }

    fn first_key(&self) -> T::Key {
        self.records.front().expect("no chunk is empty").key()
    }

    fn last_key(&self) -> T::Key {
        self.records.back().expect("no chunk is empty").key()
    }

    fn exact_low(&self) -> i64 {
        self.records.iter().map(Record::level).min().unwrap_or(i64::MAX)
    }
}

impl<T: Record> Sorted<T> {
    /// Number of records.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The record with the smallest key.
    pub fn first(&self) -> Option<&T> {
        self.chunks.front().and_then(|chunk| chunk.records.front())
    }

    /// The record with the largest key.
    pub fn last(&self) -> Option<&T> {
        self.chunks.back().and_then(|chunk| chunk.records.back())
    }

    /// The place of the last record, if there is one.
    pub fn last_position(&self) -> Option<Position> {
        let chunk = self.chunks.len().checked_sub(1)?;
        Some(Position { chunk, index: self.chunks[chunk].records.len() - 1 })
    }

    /// The place of the first record whose key is at least `key`; behind the last record if there is none.
    pub fn lower_bound(&self, key: T::Key) -> Position {
        let chunk = match self.chunks.back() {
            Some(last) if last.first_key() <= key => self.chunks.len() - 1,
            _ => self.chunks.partition_point(|chunk| chunk.last_key() < key),
        };
        let index =
            self.chunks.get(chunk).map_or(0, |chunk| chunk.records.partition_point(|record| record.key() < key));
        if self.chunks.get(chunk).is_some_and(|found| found.records.len() == index) {
            return Position { chunk: chunk + 1, index: 0 };
        }
        Position { chunk, index }
    }

    /// The place of the last record whose key is at most `key`.
    pub fn floor(&self, key: T::Key) -> Option<Position> {
        let position = self.lower_bound(key);
        match self.at(position) {
            Some(record) if record.key() == key => Some(position),
            _ => self.previous(position),
        }
    }

    /// The place of the record with this key.
    pub fn find(&self, key: T::Key) -> Option<Position> {
        let position = self.lower_bound(key);
        self.at(position).is_some_and(|record| record.key() == key).then_some(position)
    }

    /// The record with this key.
    pub fn get(&self, key: T::Key) -> Option<&T> {
        self.find(key).and_then(|position| self.at(position))
    }

    /// The record at a place; none behind the last one.
    pub fn at(&self, position: Position) -> Option<&T> {
        self.chunks.get(position.chunk)?.records.get(position.index)
    }

    /// The place behind this one, whether there is a record or not.
    pub fn next(&self, position: Position) -> Position {
        let Position { chunk, index } = position;
        match self.chunks.get(chunk) {
            Some(found) if index + 1 < found.records.len() => Position { chunk, index: index + 1 },
            _ => Position { chunk: chunk + 1, index: 0 },
        }
    }

    /// The place before this one, if there is one.
    pub fn previous(&self, position: Position) -> Option<Position> {
        if let Some(index) = position.index.checked_sub(1) {
            return Some(Position { chunk: position.chunk, index });
        }
        let chunk = position.chunk.checked_sub(1)?;
        Some(Position { chunk, index: self.chunks[chunk].records.len() - 1 })
    }

    /// Changes a record without changing its place in the order.
    pub fn edit<R>(&mut self, position: Position, change: impl FnOnce(&mut T) -> R) -> R {
        let chunk = &mut self.chunks[position.chunk];
        let record = &mut chunk.records[position.index];
        let result = change(record);
        chunk.low = chunk.low.min(record.level());
        result
    }

    /// Inserts a record; false, and nothing changed, if there is one with this key.
    pub fn insert(&mut self, record: T) -> bool {
        let key = record.key();
        if self.last().is_none_or(|last| last.key() < key) {
            self.push(record);
            return true;
        }
        let Position { chunk, index } = self.lower_bound(key);
        let records = &self.chunks[chunk].records;
        if records[index].key() == key {
            return false;
        }
        let (chunk, index) = if records.len() < CHUNK_RECORDS_MAX {
            (chunk, index)
        } else {
            self.split(chunk);
            let half = self.chunks[chunk].records.len();
            if index <= half { (chunk, index) } else { (chunk + 1, index - half) }
        };
        self.change(chunk, |chunk| chunk.insert(index, record));
        self.len += 1;
        true
    }

    /// Appends a record whose key is larger than all others.
    pub fn push(&mut self, record: T) {
        debug_assert!(self.last().is_none_or(|last| last.key() < record.key()));
        match self.chunks.back() {
            Some(chunk) if chunk.records.len() < CHUNK_RECORDS_MAX => {
                self.change(self.chunks.len() - 1, |chunk| chunk.insert(chunk.records.len(), record));
            }
            _ => {
                if self.chunks.is_empty() {
                    self.chunks.reserve_exact(1);
                }
                let chunk = Chunk::single(record);
                self.room += chunk.records.capacity();
                self.chunks.push_back(chunk);
            }
        }
        self.len += 1;
    }

    /// Removes the record at a place where there is one.
    pub fn remove(&mut self, position: Position) -> T {
        let chunk = &mut self.chunks[position.chunk];
        let record = chunk.records.remove(position.index).expect("the caller found a record there");
        self.len -= 1;
        self.tidy(position.chunk);
        record
    }

    /// Removes the record with this key.
    pub fn remove_key(&mut self, key: T::Key) -> Option<T> {
        self.find(key).map(|position| self.remove(position))
    }

    /// Keeps the records that satisfy a condition; returns how many went.
    pub fn retain(&mut self, mut condition: impl FnMut(&T) -> bool) -> usize {
        let before = self.len;
        for chunk in &mut self.chunks {
            chunk.records.retain(&mut condition);
        }
        self.chunks.retain(|chunk| !chunk.records.is_empty());
        self.len = self.chunks.iter().map(|chunk| chunk.records.len()).sum();
        self.room = self.chunks.iter().map(|chunk| chunk.records.capacity()).sum();
        for chunk in (0..self.chunks.len()).rev() {
            if chunk < self.chunks.len() {
                self.tidy(chunk);
            }
        }
        self.give_back();
        before - self.len
    }

    /// The records from a place on.
    pub fn iter_from(&self, position: Position) -> impl Iterator<Item = &T> + Clone {
        let first = self.chunks.get(position.chunk).map(|chunk| chunk.records.range(position.index..));
        first.into_iter().flatten().chain(self.chunks.iter().skip(position.chunk + 1).flat_map(|chunk| &chunk.records))
    }

    /// All records.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.chunks.iter().flat_map(|chunk| &chunk.records)
    }

    /// The low-water marks of the chunks, each with its number.
    pub fn lows(&self) -> impl Iterator<Item = (i64, usize)> {
        self.chunks.iter().enumerate().map(|(number, chunk)| (chunk.low, number))
    }

    /// The records of a chunk whose levels are looked at; its low-water mark is exact from then on.
    pub fn chunk_by_level(&mut self, number: usize) -> impl Iterator<Item = &T> {
        let chunk = &mut self.chunks[number];
        chunk.low = chunk.exact_low();
        chunk.records.iter()
    }

    /// Removes up to `records` records, the first ones first; returns how many. For freeing in slices.
    pub fn free_some(&mut self, records: usize) -> usize {
        let mut freed = 0;
        while freed < records {
            let Some(chunk) = self.chunks.front_mut() else { break };
            let part = chunk.records.len().min(records - freed);
            drop(chunk.records.drain(..part));
            if chunk.records.is_empty() {
                self.room -= chunk.records.capacity();
                self.chunks.pop_front();
            }
            freed += part;
        }
        self.len -= freed;
        freed
    }

    /// Bytes of heap memory, without what the records themselves own.
    pub fn heap_bytes(&self) -> usize {
        self.room * size_of::<T>() + self.chunks.capacity() * size_of::<Chunk<T>>()
    }

    /// Changes a chunk in a way that may change what it has room for.
    fn change<R>(&mut self, number: usize, change: impl FnOnce(&mut Chunk<T>) -> R) -> R {
        let chunk = &mut self.chunks[number];
        let before = chunk.records.capacity();
        let result = change(chunk);
        self.room = self.room - before + chunk.records.capacity();
        result
    }

    /// Gives a full chunk room by splitting it in halves.
    fn split(&mut self, number: usize) {
        let low = self.chunks[number].low;
        let upper = self.change(number, |chunk| chunk.records.split_off(chunk.records.len() / 2));
        self.room += upper.capacity();
        self.chunks.insert(number + 1, Chunk { records: upper, low });
    }

    /// After removals from a chunk: drops it if it is empty, merges it with a neighbour, gives memory back.
    fn tidy(&mut self, number: usize) {
        let len = self.chunks[number].records.len();
        if len == 0 {
            self.room -= self.chunks[number].records.capacity();
            self.chunks.remove(number);
            self.give_back();
            return;
        }
        let small_with =
            |other: usize| self.chunks.get(other).is_some_and(|o| o.records.len() + len <= MERGED_RECORDS_MAX);
        if small_with(number + 1) {
            self.merge(number);
        } else if number > 0 && small_with(number - 1) {
            self.merge(number - 1);
        } else if len * 4 <= self.chunks[number].records.capacity() {
            self.change(number, |chunk| chunk.records.shrink_to(len * 2));
        }
    }

    fn merge(&mut self, number: usize) {
        let mut upper = self.chunks.remove(number + 1).expect("the caller looked at it");
        self.room -= upper.records.capacity();
        self.change(number, |chunk| {
            chunk.records.append(&mut upper.records);
            chunk.low = chunk.low.min(upper.low);
        });
        self.give_back();
    }

    /// Gives back the room of chunks that are gone.
    fn give_back(&mut self) {
        if self.chunks.len() * 4 <= self.chunks.capacity() {
            self.chunks.shrink_to(self.chunks.len() * 2);
        }
    }

    /// Checks order, counts and marks.
    pub fn check_invariants(&self) {
        assert_eq!(self.len, self.chunks.iter().map(|chunk| chunk.records.len()).sum());
        assert_eq!(self.room, self.chunks.iter().map(|chunk| chunk.records.capacity()).sum());
        for chunk in &self.chunks {
            assert!(!chunk.records.is_empty() && chunk.records.len() <= CHUNK_RECORDS_MAX);
            assert!(chunk.low <= chunk.exact_low());
        }
        assert!(self.iter().zip(self.iter().skip(1)).all(|(one, next)| one.key() < next.key()));
    }
}

impl<T: Record + PartialEq> PartialEq for Sorted<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<T: Record + Eq> Eq for Sorted<T> {}
