//! Writing the page of a segment anew: to make room, to close holes, to split and to merge.

use super::{Outside, Segment, tag_of};
use crate::encoding::members::page::{Geometry, bucket_bits};
use crate::encoding::members::{hash_of, record};

/// A record that is going to be written into another page.
#[derive(Clone, Copy, Debug)]
struct Moving {
    hash: u64,
    source: usize,
    start: usize,
    len: usize,
}

/// What is left of a segment that is taken apart.
#[derive(Debug)]
struct Source {
    page: Box<[u8]>,
    outside: Option<Box<Outside>>,
}

/// The members of segments that are taken apart.
#[derive(Debug, Default)]
pub struct Gathered {
    sources: Vec<Source>,
    records: Vec<Moving>,
}

impl Gathered {
    /// Takes a segment apart.
    pub fn add<const VALUES: bool>(&mut self, segment: Segment<VALUES>) {
        self.records.reserve(segment.len());
        for slot in 0..segment.len() {
            let start = segment.offset(slot);
            let (_, len) = record::value_range::<VALUES>(&segment.page[start..]);
            self.records.push(Moving { hash: hash_of(segment.field(slot)), source: self.sources.len(), start, len });
        }
        self.sources.push(Source { page: segment.page, outside: segment.outside });
    }

    /// Makes a segment of those members for whose hash `belongs` holds; `depth` bits of the hash lead to it.
    pub fn build<const VALUES: bool>(&mut self, depth: u32, belongs: impl Fn(u64) -> bool) -> Segment<VALUES> {
        let records: Vec<Moving> = self.records.iter().copied().filter(|moving| belongs(moving.hash)).collect();
        let record_bytes: usize = records.iter().map(|moving| moving.len).sum();
        let (geometry, page_bytes) = Geometry::fit(bucket_bits(records.len()), records.len(), record_bytes);
        let mut segment = Segment::with_page(geometry, page_bytes);
        segment.count = records.len() as u32;
        let mut next = count_buckets(&mut segment, records.iter().map(|moving| moving.hash << depth));
        for moving in records {
            let bucket = geometry.bucket(moving.hash << depth);
            let start = segment.slot_start(next[bucket]);
            next[bucket] += 1;
            segment.page[start] = tag_of(moving.hash);
            geometry.set_offset(&mut segment.page, start, segment.data_end as usize);
            self.append(&mut segment, moving);
        }
        segment
    }

    /// Brings a record and its buffers into a segment.
    fn append<const VALUES: bool>(&mut self, segment: &mut Segment<VALUES>, moving: Moving) {
        let Source { page, outside } = &mut self.sources[moving.source];
        let start = segment.data_end as usize;
        let target = &mut segment.page[start..start + moving.len];
        target.copy_from_slice(&page[moving.start..moving.start + moving.len]);
        if let Some(outside) = outside {
            record::renumber_outside::<VALUES>(target, |number| {
                segment.outside.get_or_insert_default().put(outside.take(number))
            });
        }
        if let Some(at) = record::expire_at(target) {
            segment.earliest = segment.earliest.min(at);
        }
        segment.data_end += moving.len as u32;
    }
}

/// Writes the ends of all buckets; returns the first slot of each.
fn count_buckets<const VALUES: bool>(
    segment: &mut Segment<VALUES>,
    positions: impl Iterator<Item = u64>,
) -> Vec<usize> {
    let geometry = segment.geometry;
    let mut next = vec![0; 1 << geometry.bucket_bits];
    for position in positions {
        next[geometry.bucket(position)] += 1;
    }
    let mut end = 0;
    for (bucket, count) in next.iter_mut().enumerate() {
        end += *count;
        geometry.set_end(&mut segment.page, bucket, end);
        *count = end - *count;
    }
    next
}

impl<const VALUES: bool> Segment<VALUES> {
    /// Makes room for so many more bytes of records and for more slots.
    #[cold]
    pub(super) fn make_room(&mut self, record_bytes: usize, slots: usize) {
        self.rewrite(record_bytes, slots);
    }

    /// Whether the segment has so many more members than when its page was last built that it should have more buckets.
    pub fn wants_buckets(&self) -> bool {
        bucket_bits(self.len()) > self.geometry.bucket_bits
    }

    /// Writes the page anew without holes, with room for what is announced. When there were holes, some room is left, or
    /// a full page with a few of them would be rewritten again and again.
    pub(super) fn rewrite(&mut self, more_record_bytes: usize, more_slots: usize) {
        let mut record_bytes = self.record_bytes() + more_record_bytes;
        if self.dead > 0 {
            record_bytes += (record_bytes + self.len() * self.geometry.slot_bytes()) / 16;
        }
        let bits = self.geometry.bucket_bits;
        let (geometry, page_bytes) = Geometry::fit(bits, self.len() + more_slots, record_bytes);
        let mut new = Self::with_page(geometry, page_bytes);
        new.count = self.count;
        new.earliest = self.earliest;
        new.outside = self.outside.take();
        if geometry == self.geometry {
            let ends = geometry.ends_bytes();
            new.page[..ends].copy_from_slice(&self.page[..ends]);
        } else {
            for bucket in 0..1 << bits {
                geometry.set_end(&mut new.page, bucket, self.geometry.end(&self.page, bucket));
            }
        }
        if geometry == self.geometry && self.dead == 0 {
            let (slots, data) = (self.len() * geometry.slot_bytes(), geometry.ends_bytes()..self.data_end as usize);
            new.page[data.clone()].copy_from_slice(&self.page[data]);
            new.page[page_bytes - slots..].copy_from_slice(&self.page[self.page.len() - slots..]);
            new.data_end = self.data_end;
        } else {
            self.copy_records(&mut new);
        }
        *self = new;
    }

    /// Copies the records one by one, in the order of the slots.
    fn copy_records(&self, new: &mut Self) {
        for slot in 0..self.len() {
            let from = self.slot_start(slot);
            let offset = self.geometry.offset(&self.page, from);
            let (_, len) = record::value_range::<VALUES>(&self.page[offset..]);
            let (start, to) = (new.data_end as usize, new.slot_start(slot));
            new.page[start..start + len].copy_from_slice(&self.page[offset..offset + len]);
            new.page[to] = self.page[from];
            new.geometry.set_offset(&mut new.page, to, start);
            new.data_end += len as u32;
        }
    }
}
