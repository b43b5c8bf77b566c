//! CRC64 with the polynomial of Jones, as Redis uses it: bits reflected, nothing inverted at the beginning or end. The
//! crate `crc-fast` computes it with carry-less multiplications.
//!
//! Since the checksum is linear, those of two pieces combine into that of the whole ([`crc64_combine`]): many cores can
//! write one file. That is done here, by squaring, in a fortieth of the time that the crate takes for it.

use crc_fast::{CrcAlgorithm, Digest};

#[cfg(test)]
mod tests;

/// The polynomial, its bits reflected: the highest bit is the coefficient of x^0.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// A polynomial times x.
const fn times_x(polynomial: u64) -> u64 {
    if polynomial & 1 == 1 { polynomial >> 1 ^ POLYNOMIAL } else { polynomial >> 1 }
}

/// The product of two polynomials.
const fn times(mut left: u64, mut right: u64) -> u64 {
    let mut product = 0;
    while left != 0 {
        if left >> 63 == 1 {
            product ^= right;
        }
        left <<= 1;
        right = times_x(right);
    }
    product
}

/// The checksum of what `crc` is the checksum of, followed by `bytes`. The checksum of nothing is 0.
pub fn crc64(crc: u64, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc64Redis, crc);
    digest.update(bytes);
    digest.finalize()
}

/// The checksum of two pieces, one after the other, from their checksums and the length of the second.
pub const fn crc64_combine(first: u64, second: u64, second_len: u64) -> u64 {
    times(first, shift_by(second_len)) ^ second
}

/// x^(8 * len), by squaring.
const fn shift_by(mut len: u64) -> u64 {
    let (mut shift, mut power) = (1 << 63, 1 << (63 - 8));
    while len != 0 {
        if len & 1 == 1 {
            shift = times(shift, power);
        }
        power = times(power, power);
        len >>= 1;
    }
    shift
}
