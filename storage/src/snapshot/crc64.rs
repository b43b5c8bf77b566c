//! The checksum of RDB files and payloads: CRC64 with Jones's polynomial, reflected, initial value 0, no final xor.
//!
//! Eight bytes are taken in at a time with eight tables ("slicing by eight", Kounavis and Berry 2005). Checksums of two
//! pieces combine without their bytes: appending n bytes multiplies a checksum by x^(8n) modulo the polynomial.

/// Jones's polynomial, its bits reversed.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

const TABLES: [[u64; 256]; 8] = {
    let mut tables = [[0u64; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
};

/// The checksum of what `crc` is the checksum of, followed by `bytes`.
pub fn crc64(crc: u64, bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let mut crc = crc;
    for chunk in &mut chunks {
        let word = crc ^ u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes"));
        crc = (0..8).fold(0, |sum, i| sum ^ TABLES[7 - i][(word >> (8 * i)) as usize & 0xff]);
    }
    chunks.remainder().iter().fold(crc, |crc, &byte| (crc >> 8) ^ TABLES[0][(crc as u8 ^ byte) as usize])
}

/// The checksum of two pieces one after the other, from the checksums of each and the length in bytes of the second.
pub fn crc64_combine(first: u64, second: u64, second_bytes: u64) -> u64 {
    // x^8, then its powers by squaring. In reflected order the constant 1 is the top bit.
    let mut power = 1u64 << (63 - 8);
    let mut shifted = first;
    let mut left = second_bytes;
    while left != 0 {
        if left & 1 == 1 {
            shifted = multiply(shifted, power);
        }
        power = multiply(power, power);
        left >>= 1;
    }
    shifted ^ second
}

/// The product of two polynomials modulo Jones's, all reflected.
fn multiply(left: u64, right: u64) -> u64 {
    let (mut product, mut left) = (0, left);
    for bit in (0..64).rev() {
        if right >> bit & 1 == 1 {
            product ^= left;
        }
        left = if left & 1 == 1 { (left >> 1) ^ POLYNOMIAL } else { left >> 1 };
    }
    product
}
