//! BITCOUNT: how many bits are set.

use super::BitRange;

/// Bytes of a step; its four words are counted independently of each other.
const STEP_BYTES: usize = 32;

/// The number of bits set in a range.
pub fn count(bytes: &[u8], range: BitRange) -> u64 {
    let (touched, first_mask, last_mask) = range.cut(bytes);
    match touched {
        [] => 0,
        [only] => u64::from((only & first_mask & last_mask).count_ones()),
        [first, middle @ .., last] => {
            count_bytes(middle) + u64::from((first & first_mask).count_ones() + (last & last_mask).count_ones())
        }
    }
}

fn count_bytes(bytes: &[u8]) -> u64 {
    let (steps, rest) = bytes.as_chunks::<STEP_BYTES>();
    let mut ones = 0;
    for step in steps {
        let (words, _) = step.as_chunks::<8>();
        ones += words.iter().map(|word| u64::from_ne_bytes(*word).count_ones()).sum::<u32>() as usize;
    }
    (ones + rest.iter().map(|byte| byte.count_ones() as usize).sum::<usize>()) as u64
}
