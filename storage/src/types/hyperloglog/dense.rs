//! Dense registers: 6 bits each, the first in the low bits of the first byte.

use super::REGISTERS;

const REGISTER_BITS: usize = 6;
const MASK: u16 = (1 << REGISTER_BITS) - 1;

/// Bytes of all registers.
pub(super) const REGISTER_BYTES: usize = REGISTERS * REGISTER_BITS / 8;

/// All values in order: each three bytes are four registers.
pub(super) fn registers(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let (groups, _) = bytes.as_chunks::<3>();
    groups.iter().flat_map(|&[low, middle, high]| {
        let bits = u32::from_le_bytes([low, middle, high, 0]);
        [0, 6, 12, 18].map(|shift| (bits >> shift) as u8 & MASK as u8)
    })
}

/// Raises a register to a value; whether it was lower.
pub(super) fn raise(bytes: &mut [u8], index: usize, value: u8) -> bool {
    let (at, shift) = (index * REGISTER_BITS / 8, index * REGISTER_BITS % 8);
    // The last register ends with the last byte, so there is not always a second one.
    let second = bytes.get(at + 1).copied().unwrap_or(0);
    let pair = u16::from_le_bytes([bytes[at], second]);
    if (pair >> shift & MASK) as u8 >= value {
        return false;
    }
    let [low, high] = (pair & !(MASK << shift) | u16::from(value) << shift).to_le_bytes();
    bytes[at] = low;
    if let Some(second) = bytes.get_mut(at + 1) {
        *second = high;
    }
    true
}
