//! Intsets: sorted integers of one width, in Redis's byte format.
//!
//! ```text
//!  0       4        8
//! ┌───────┬────────┬──────────┬──────────┬───┐     all little-endian
//! │ width │ count  │ smallest │    …     │   │     width 2, 4 or 8: the bytes of each integer
//! └───────┴────────┴──────────┴──────────┴───┘
//! ```
//!
//! All integers have the width of the widest that was ever added. An integer that needs a wider one is smaller or larger
//! than all that are there, so widening rewrites the set once and puts the new one at an end. The width never shrinks.
//! Searching is binary; inserting moves what is behind.

use super::listpack::Malformed;

#[cfg(test)]
mod tests;

const HEADER_BYTES: usize = 8;
const COUNT_OFFSET: usize = 4;

/// The most integers a set may have, as in Redis: their bytes stay far from 32 bits.
pub const LEN_MAX: usize = 1 << 30;

/// A view of a well-formed intset.
#[derive(Clone, Copy)]
pub struct Intset<'a> {
    width: usize,
    integers: &'a [u8],
}

impl<'a> Intset<'a> {
    /// A view of bytes that this module wrote, or [`validate`] has checked.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        debug_assert!(matches!(bytes[0], 2 | 4 | 8));
        Self { width: usize::from(bytes[0]), integers: &bytes[HEADER_BYTES..] }
    }

    /// The number of integers.
    #[inline]
    pub const fn len(self) -> usize {
        self.integers.len() / self.width
    }

    /// The integer at an index, in ascending order.
    #[inline]
    pub fn at(self, index: usize) -> i64 {
        read(&self.integers[index * self.width..(index + 1) * self.width])
    }

    /// The index of a number, or the one it would have.
    #[inline]
    fn search(self, number: i64) -> Result<usize, usize> {
        match self.width {
            2 => search_in(self.integers, number, |bytes| i64::from(i16::from_le_bytes(bytes))),
            4 => search_in(self.integers, number, |bytes| i64::from(i32::from_le_bytes(bytes))),
            _ => search_in(self.integers, number, i64::from_le_bytes),
        }
    }

    /// Whether a number is in the set.
    #[inline]
    pub fn contains(self, number: i64) -> bool {
        width_of(number) <= self.width && self.search(number).is_ok()
    }

    /// The numbers in ascending order.
    pub fn iter(self) -> Iter<'a> {
        Iter { integers: self.integers.chunks_exact(self.width) }
    }
}

impl std::fmt::Debug for Intset<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

/// The integers of an intset in ascending order, from both ends.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    integers: std::slice::ChunksExact<'a, u8>,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        self.integers.next().map(read)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.integers.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<i64> {
        self.integers.next_back().map(read)
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// A set without integers.
pub fn create() -> Vec<u8> {
    vec![2, 0, 0, 0, 0, 0, 0, 0]
}

/// Adds a number; whether it was not there yet.
pub fn insert(bytes: &mut Vec<u8>, number: i64) -> bool {
    let set = Intset::new(bytes);
    if width_of(number) > set.width {
        widen(bytes, number);
        return true;
    }
    let Err(index) = set.search(number) else { return false };
    let (width, at) = (set.width, HEADER_BYTES + index * set.width);
    let end = bytes.len();
    bytes.resize(end + width, 0);
    bytes.copy_within(at..end, at + width);
    bytes[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
    set_count(bytes, width);
    true
}

/// Removes a number; whether it was there.
pub fn remove(bytes: &mut Vec<u8>, number: i64) -> bool {
    let set = Intset::new(bytes);
    if width_of(number) > set.width {
        return false;
    }
    let Ok(index) = set.search(number) else { return false };
    let (width, at) = (set.width, HEADER_BYTES + index * set.width);
    bytes.drain(at..at + width);
    set_count(bytes, width);
    true
}

/// Checks bytes from outside: the integers fill them exactly and ascend.
pub fn validate(bytes: &[u8]) -> Result<Intset<'_>, Malformed> {
    let (width, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    let (count, integers) = rest.split_first_chunk().ok_or(Malformed)?;
    let width = u32::from_le_bytes(*width) as usize;
    let count = u32::from_le_bytes(*count) as usize;
    if !matches!(width, 2 | 4 | 8) || count > LEN_MAX || integers.len() != count * width {
        return Err(Malformed);
    }
    let set = Intset { width, integers };
    if set.iter().zip(set.iter().skip(1)).any(|(one, next)| one >= next) {
        return Err(Malformed);
    }
    Ok(set)
}

/// The narrowest width for a number.
const fn width_of(number: i64) -> usize {
    match number {
        -0x8000..=0x7fff => 2,
        -0x8000_0000..=0x7fff_ffff => 4,
        _ => 8,
    }
}

#[inline]
fn read(bytes: &[u8]) -> i64 {
    let (width, mut number) = (bytes.len(), [0; 8]);
    number[..width].copy_from_slice(bytes);
    let unused_bits = u64::BITS - 8 * width as u32;
    i64::from_le_bytes(number) << unused_bits >> unused_bits
}

/// The search among integers whose width the compiler knows.
#[inline]
fn search_in<const WIDTH: usize>(
    integers: &[u8],
    number: i64,
    read: impl Fn([u8; WIDTH]) -> i64,
) -> Result<usize, usize> {
    integers.as_chunks::<WIDTH>().0.binary_search_by_key(&number, |bytes| read(*bytes))
}

/// Rewrites the set with the width of a number that is smaller or larger than all others, and adds it.
fn widen(bytes: &mut Vec<u8>, number: i64) {
    let set = Intset::new(bytes);
    let width = width_of(number);
    let mut wider = Vec::with_capacity(HEADER_BYTES + (set.len() + 1) * width);
    wider.extend_from_slice(&(width as u32).to_le_bytes());
    wider.extend_from_slice(&[0; HEADER_BYTES - COUNT_OFFSET]);
    let (before, behind) = if number < 0 { (Some(number), None) } else { (None, Some(number)) };
    for number in before.into_iter().chain(set.iter()).chain(behind) {
        wider.extend_from_slice(&number.to_le_bytes()[..width]);
    }
    set_count(&mut wider, width);
    *bytes = wider;
}

fn set_count(bytes: &mut [u8], width: usize) {
    let count = u32::try_from((bytes.len() - HEADER_BYTES) / width).expect("an intset has at most 2^30 integers");
    bytes[COUNT_OFFSET..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
}
