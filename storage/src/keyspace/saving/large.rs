//! A value that is saved in pieces, and a long string that changes before all of it is saved.
//!
//! Nobody waits who changes a long string. What stands in the file is the head, written when the change comes, and the bytes
//! as they were at the cut, from wherever they are by now:
//!
//! ```text
//!                    written                left                    at the cut   since
//!   the string  ├──────────────────┼─────────────────────────────────────────┼───────────┤
//!                                     │▒▒▒▒│        │▒▒▒▒│                      APPEND
//!                                       └ SETRANGE ──┘
//!                                         copies of these granules, as they were
//! ```
//!
//! - what overwrites some of it (SETRANGE, SETBIT) has the granules copied that it touches and that are not written yet;
//! - what makes it longer, or changes its expiry, takes nothing away from it;
//! - what removes it or puts another value in its place (DEL, SET) leaves its buffer here, uncopied, until it is written.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::Entry;
use crate::encoding::table::{Place, Table};
use crate::snapshot::file::{Pieces, Records};

/// Before some of a string is overwritten so many bytes are copied at a time.
const GRANULE_BYTES: usize = 16 << 10;

/// A value that is saved in pieces.
#[derive(Debug)]
pub(super) struct Large {
    pub key: Vec<u8>,
    pub hash: u64,
    pub pieces: Pieces,
    /// Parts of a string that were overwritten, as they were.
    granules: BTreeMap<usize, Vec<u8>>,
    /// A string that is under its key no more.
    buffer: Option<Vec<u8>>,
}

impl Large {
    /// Begins with an entry that suits; its head is written.
    pub fn begin(records: &Records, entry: &Entry<'_>, hash: u64) -> Self {
        let pieces = Pieces::begin(records.for_pieces(), entry);
        Self { key: entry.key().to_vec(), hash, pieces, granules: BTreeMap::new(), buffer: None }
    }

    /// Whether the value is under its key, as far as this value knows.
    pub const fn is_in_table(&self) -> bool {
        self.buffer.is_none()
    }

    /// Where the value is in the table; `None` if it is not there, or a snapshot with that mark has nothing to save of what is.
    pub fn place(&self, table: &Table, mark: bool) -> Option<Place> {
        let found = self.is_in_table().then(|| table.find(self.hash, &self.key)).flatten();
        found.filter(|&place| table.block(place).saved() != mark)
    }

    /// Writes about so many bytes more. `place` is where the value is, unless its buffer is here.
    pub fn write(&mut self, table: &Table, place: Option<Place>, bytes_max: usize) {
        let entry = place.map(|place| Entry::new(table.block(place)));
        let Some(left) = self.pieces.string_left() else {
            let entry = entry.expect("what is saved in pieces is not removed");
            return self.pieces.write(&entry, bytes_max);
        };
        let stored = entry.and_then(|entry| entry.value().as_string()?.stored_bytes());
        let bytes = self.buffer.as_deref().or(stored).expect("the string is here or there");
        let (mut at, end) = (left.start, left.end.min(left.start.saturating_add(bytes_max)));
        while at < end {
            let granule = at / GRANULE_BYTES;
            let to = end.min((granule + 1) * GRANULE_BYTES);
            let piece = match self.granules.get(&granule) {
                Some(copy) => &copy[at % GRANULE_BYTES..][..to - at],
                None => &bytes[at..to],
            };
            self.pieces.put_string(piece);
            at = to;
        }
        self.granules = self.granules.split_off(&(end / GRANULE_BYTES));
    }

    /// Copies what is about to be overwritten of the string in `entry`; how many bytes that is.
    pub fn keep_range(&mut self, entry: &Entry<'_>, range: Range<usize>) -> usize {
        let (Some(left), Some(string)) = (self.pieces.string_left(), entry.value().as_string()) else { return 0 };
        let bytes = string.stored_bytes().expect("a long string is no integer");
        let (start, end) = (range.start.max(left.start), range.end.min(left.end));
        let mut copied = 0;
        for granule in start / GRANULE_BYTES..end.div_ceil(GRANULE_BYTES).max(start / GRANULE_BYTES) {
            let from = granule * GRANULE_BYTES;
            self.granules.entry(granule).or_insert_with(|| {
                let copy = bytes[from..left.end.min(from + GRANULE_BYTES)].to_vec();
                copied += copy.len();
                copy
            });
        }
        copied
    }

    /// The string leaves its key: its bytes stay here until they are written.
    pub fn keep_buffer(&mut self, buffer: Vec<u8>) {
        self.buffer = Some(buffer);
    }

    /// The buffer that was kept.
    pub fn into_buffer(self) -> Option<Vec<u8>> {
        self.buffer
    }
}
