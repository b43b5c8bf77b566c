//! CRC64 with the polynomial of Jones, as Redis uses it: bits reflected, nothing inverted at the beginning or end.
//!
//! Eight bytes are taken at a time, through eight tables made by the compiler. Since the checksum is linear, those of two
//! pieces combine into that of the whole ([`crc64_combine`]): many cores can write one file. So does one core with long
//! input: each step waits for the one before, but those of three lanes side by side do not wait for each other.
//!
//! ```text
//!   │◄── LANE_BYTES ──►│◄── LANE_BYTES ──►│◄── LANE_BYTES ──►│ next three …
//!   │ first            │ second           │ third            │     first * x^(16 L) + second * x^(8 L) + third
//! ```

#[cfg(test)]
mod tests;

/// The polynomial, its bits reflected: the highest bit is the coefficient of x^0.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// `TABLES[k][b]` is the checksum of the byte `b` followed by `k` zero bytes.
static TABLES: [[u64; 256]; 8] = make_tables();

const fn make_tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = times_x(crc);
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < 8 {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[zeros - 1][byte];
            tables[zeros][byte] = tables[0][(crc & 0xff) as usize] ^ (crc >> 8);
            byte += 1;
        }
        zeros += 1;
    }
    tables
}

/// Bytes of one of the lanes that are gone through side by side.
const LANE_BYTES: usize = 4 << 10;

/// x^(8 * LANE_BYTES): what a lane behind it multiplies a checksum by.
const LANE_SHIFT: u64 = shift_by(LANE_BYTES as u64);

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
pub fn crc64(mut crc: u64, bytes: &[u8]) -> u64 {
    let mut lanes = bytes.chunks_exact(3 * LANE_BYTES);
    for three in &mut lanes {
        let (first, others) = three.split_at(LANE_BYTES);
        let (second, third) = others.split_at(LANE_BYTES);
        let mut sums = [crc, 0, 0];
        for ((first, second), third) in first.as_chunks().0.iter().zip(second.as_chunks().0).zip(third.as_chunks().0) {
            sums = [step(sums[0], *first), step(sums[1], *second), step(sums[2], *third)];
        }
        crc = times(times(sums[0], LANE_SHIFT) ^ sums[1], LANE_SHIFT) ^ sums[2];
    }
    let mut rest = lanes.remainder();
    while let Some((group, behind)) = rest.split_first_chunk() {
        crc = step(crc, *group);
        rest = behind;
    }
    rest.iter().fold(crc, |crc, &byte| TABLES[0][(crc as u8 ^ byte) as usize] ^ (crc >> 8))
}

/// The checksum of what `crc` is the checksum of, followed by eight bytes.
#[inline]
fn step(crc: u64, group: [u8; 8]) -> u64 {
    let word = (crc ^ u64::from_le_bytes(group)).to_le_bytes();
    (0..8).fold(0, |crc, index| crc ^ TABLES[7 - index][word[index] as usize])
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
