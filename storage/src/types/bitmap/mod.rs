//! Bitmaps: strings seen as arrays of bits, and of integers of any width.
//!
//! ```text
//! byte        0               1               2
//!        7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0 7 6 …          bit of the byte, 7 the most significant
//! bit    0 1 2 3 4 5 6 7 8 9 …                          bit of the bitmap
//!              └────u5───┘
//!              a field at offset 3, most significant bit first
//! ```
//!
//! Bits are numbered from the most significant bit of the first byte, and so are the bits of a field: a bitmap reads like a
//! number written out. What lies beyond the end of the string is zero, for reading; whoever writes makes it long enough
//! first.
//!
//! There is no value type here: a bitmap is a string. These are functions on its bytes.
//!
//! - [`bit`], [`set_bit`]: GETBIT and SETBIT.
//! - [`BitRange`], [`count`], [`position`]: BITCOUNT and BITPOS, over ranges in bytes or in bits.
//! - [`FieldType`], [`field`], [`set_field`]: BITFIELD's integers, and what happens when they overflow ([`Overflow`]).
//! - [`combine`] is BITOP.
//!
//! Counting runs at the speed of memory: 32 bytes a step of independent population counts. Combining takes all sources
//! through one block of the result that stays in the first-level cache, so each byte of memory is touched once.

mod combine;
mod count;
mod field;
mod position;
mod range;
#[cfg(test)]
mod tests;

pub use combine::{Operation, combine};
pub use count::count;
pub use field::{FieldType, Overflow, field, set_field};
pub use position::position;
pub use range::{BitRange, Unit};

/// A bit; zero beyond the end.
#[inline]
pub fn bit(bytes: &[u8], offset: u64) -> bool {
    usize::try_from(offset / 8).ok().and_then(|at| bytes.get(at)).is_some_and(|byte| byte & mask(offset) != 0)
}

/// Sets a bit, and returns what it was. The bytes reach to the bit.
#[inline]
pub fn set_bit(bytes: &mut [u8], offset: u64, value: bool) -> bool {
    let byte = &mut bytes[(offset / 8) as usize];
    let before = *byte & mask(offset) != 0;
    if value {
        *byte |= mask(offset);
    } else {
        *byte &= !mask(offset);
    }
    before
}

const fn mask(offset: u64) -> u8 {
    0x80 >> (offset % 8)
}
