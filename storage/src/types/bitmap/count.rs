//! BITCOUNT: how many bits are set.

use super::BitRange;
use crate::encoding::ones::count_ones;

/// The number of bits set in a range.
pub fn count(bytes: &[u8], range: BitRange) -> u64 {
    let (touched, first_mask, last_mask) = range.cut(bytes);
    match touched {
        [] => 0,
        [only] => u64::from((only & first_mask & last_mask).count_ones()),
        [first, middle @ .., last] => {
            count_ones(middle) + u64::from((first & first_mask).count_ones() + (last & last_mask).count_ones())
        }
    }
}
