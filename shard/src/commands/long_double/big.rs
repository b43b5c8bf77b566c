//! Unbounded natural numbers, as far as reading and printing numbers needs them.

use std::cmp::Ordering;

/// A natural number: 32-bit limbs, the lowest first, the highest not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BigUint(Vec<u32>);

/// The largest power of ten in a limb.
const LIMB_DIGITS: usize = 9;

impl From<u128> for BigUint {
    fn from(number: u128) -> BigUint {
        let mut big = BigUint((0..4).map(|limb| (number >> (32 * limb)) as u32).collect());
        big.trim();
        big
    }
}

impl BigUint {
    /// The number with these decimal digits (each 0 to 9, no text).
    pub(super) fn from_digits(digits: &[u8]) -> BigUint {
        let mut big = BigUint(Vec::with_capacity(digits.len() / LIMB_DIGITS + 1));
        for chunk in digits.chunks(LIMB_DIGITS) {
            let value = chunk.iter().fold(0, |value, digit| value * 10 + u32::from(*digit));
            big.multiply_add(10_u32.pow(chunk.len() as u32), value);
        }
        big
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of bits, without leading zeros.
    pub(super) fn bits(&self) -> u32 {
        self.0.last().map_or(0, |high| self.0.len() as u32 * 32 - high.leading_zeros())
    }

    /// Multiplies by `10^power`.
    pub(super) fn multiply_by_power_of_ten(&mut self, power: u32) {
        for _ in 0..power / LIMB_DIGITS as u32 {
            self.multiply_add(10_u32.pow(LIMB_DIGITS as u32), 0);
        }
        self.multiply_add(10_u32.pow(power % LIMB_DIGITS as u32), 0);
    }

    fn multiply_add(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Multiplies by `2^bits`.
    pub(super) fn shift_left(&mut self, bits: u32) {
        if self.is_zero() {
            return;
        }
        let (limbs, bits) = (bits as usize / 32, bits % 32);
        if bits > 0 {
            self.multiply_add(1 << bits, 0);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, limbs));
    }

    /// The highest 128 bits, how many bits stand below them, and whether any of those is set.
    pub(super) fn top(&self) -> (u128, u32, bool) {
        let below = self.bits().saturating_sub(128);
        let (limbs, bits) = (below as usize / 32, below % 32);
        let limb = |index: usize| u128::from(self.0.get(limbs + index).copied().unwrap_or(0));
        let low = limb(0) | limb(1) << 32 | limb(2) << 64 | limb(3) << 96;
        let high = if bits == 0 { 0 } else { limb(4) << (128 - bits) };
        let lost = self.0[..limbs].iter().any(|limb| *limb != 0) || limb(0) & ((1 << bits) - 1) != 0;
        (low >> bits | high, below, lost)
    }

    /// Takes `other` away if it is not larger; says whether it did.
    pub(super) fn subtract_if_fits(&mut self, other: &BigUint) -> bool {
        if self.compare(other) == Ordering::Less {
            return false;
        }
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let (difference, first) = limb.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            *limb = difference;
            borrow = first || second;
        }
        self.trim();
        true
    }

    fn compare(&self, other: &BigUint) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// The decimal text.
    pub(super) fn into_decimal(mut self) -> Vec<u8> {
        let mut chunks = Vec::new();
        while !self.is_zero() {
            chunks.push(self.divide_by_limb(10_u32.pow(LIMB_DIGITS as u32)));
        }
        let mut text = chunks.pop().unwrap_or(0).to_string().into_bytes();
        for chunk in chunks.iter().rev() {
            text.extend(format!("{chunk:09}").bytes());
        }
        text
    }

    /// Divides, and returns the rest.
    fn divide_by_limb(&mut self, divisor: u32) -> u32 {
        let mut rest = 0;
        for limb in self.0.iter_mut().rev() {
            let dividend = rest << 32 | u64::from(*limb);
            *limb = (dividend / u64::from(divisor)) as u32;
            rest = dividend % u64::from(divisor);
        }
        self.trim();
        rest as u32
    }
}
