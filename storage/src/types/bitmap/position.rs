//! BITPOS: where the first bit of a kind is.

use super::BitRange;

/// Bytes that are skipped together: a line of the cache.
const STEP_BYTES: usize = 64;

/// The first bit in a range that is set (or clear, if `wanted` is false).
///
/// What BITPOS replies where there is none is up to what the client said: -1, or, for a clear bit and a range without an
/// explicit end, the first bit behind the string.
pub fn position(bytes: &[u8], wanted: bool, range: BitRange) -> Option<u64> {
    let (touched, first_mask, last_mask) = range.cut(bytes);
    // Bytes are looked at as if a set bit was wanted, and without the bits that are not in the range.
    let flip = if wanted { 0 } else { 0xff };
    let last = touched.len() - 1;
    let first_at = |index: usize, byte: u8| {
        let mask = if index == 0 { first_mask } else { 0xff } & if index == last { last_mask } else { 0xff };
        let candidates = (byte ^ flip) & mask;
        (candidates != 0).then(|| (range.start() / 8 + index as u64) * 8 + u64::from(candidates.leading_zeros()))
    };
    let start = first_at(0, touched[0]);
    if start.is_some() || last == 0 {
        return start;
    }
    let skipped = 1 + uniform_len(&touched[1..last], flip);
    (skipped..=last).take(2).find_map(|index| first_at(index, touched[index]))
}

/// How many bytes at the beginning are all of one value. Differences are gathered over a step, and judged once.
fn uniform_len(bytes: &[u8], value: u8) -> usize {
    let (steps, _) = bytes.as_chunks::<STEP_BYTES>();
    let pattern = u64::from_ne_bytes([value; 8]);
    let uniform = |step: &&[u8; STEP_BYTES]| {
        let (words, _) = step.as_chunks::<8>();
        words.iter().fold(0, |differing, word| differing | (u64::from_ne_bytes(*word) ^ pattern)) == 0
    };
    let skipped = steps.iter().take_while(uniform).count() * STEP_BYTES;
    skipped + bytes[skipped..].iter().take_while(|byte| **byte == value).count()
}
