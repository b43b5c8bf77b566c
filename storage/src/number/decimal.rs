//! Big natural numbers, as far as exact conversion between decimal and binary needs them.

use std::cmp::Ordering;

/// A natural number of any size: 32-bit digits, the lowest first, the highest not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Natural(Vec<u32>);

impl Natural {
    pub(super) fn from_u64(number: u64) -> Self {
        let mut natural = Self(vec![number as u32, (number >> 32) as u32]);
        natural.trim();
        natural
    }

    pub(super) fn from_u128(number: u128) -> Self {
        let mut natural = Self((0..4).map(|digit| (number >> (digit * 32)) as u32).collect());
        natural.trim();
        natural
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of its binary digits.
    pub(super) fn bits(&self) -> usize {
        self.0.last().map_or(0, |high| self.0.len() * 32 - high.leading_zeros() as usize)
    }

    /// `self * factor + addend`.
    pub(super) fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(factor);
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        self.trim();
    }

    /// Multiplies by a power of ten.
    pub(super) fn scale_by_ten(&mut self, mut power: usize) {
        while power >= 9 {
            self.multiply_add(1_000_000_000, 0);
            power -= 9;
        }
        self.multiply_add(10_u32.pow(power as u32), 0);
    }

    /// Divides by a small number and returns the remainder.
    pub(super) fn divide_small(&mut self, divisor: u32) -> u32 {
        let mut rest = 0_u64;
        for digit in self.0.iter_mut().rev() {
            rest = rest << 32 | u64::from(*digit);
            *digit = (rest / u64::from(divisor)) as u32;
            rest %= u64::from(divisor);
        }
        self.trim();
        rest as u32
    }

    pub(super) fn shift_left(&mut self, bits: usize) {
        if self.is_zero() {
            return;
        }
        self.multiply_add(1 << (bits % 32), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, bits / 32));
    }

    /// Shifts right; whether a one was shifted out.
    pub(super) fn shift_right(&mut self, bits: usize) -> bool {
        let words = (bits / 32).min(self.0.len());
        let lost_words = self.0.drain(..words).fold(0, |all, digit| all | digit);
        let lost_bits = self.divide_small(1 << (bits % 32));
        lost_words != 0 || lost_bits != 0
    }

    /// The bit at a place.
    pub(super) fn bit(&self, place: usize) -> bool {
        self.0.get(place / 32).is_some_and(|digit| digit >> (place % 32) & 1 == 1)
    }

    /// Its value, if it is below 2^64.
    pub(super) fn to_u64(&self) -> Option<u64> {
        match self.0.as_slice() {
            [] => Some(0),
            [low] => Some(u64::from(*low)),
            [low, high] => Some(u64::from(*high) << 32 | u64::from(*low)),
            _ => None,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (index, digit) in self.0.iter_mut().enumerate() {
            let (difference, first) = digit.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (difference, second) = difference.overflowing_sub(u32::from(borrow));
            *digit = difference;
            borrow = first || second;
        }
        self.trim();
    }

    /// The quotient, which is below 2^66, and whether a remainder was left. Schoolbook division, bit by bit.
    pub(super) fn divide(mut self, divisor: &Self) -> (u128, bool) {
        let mut quotient = 0;
        let top = (self.bits() + 1).saturating_sub(divisor.bits());
        let mut shifted = divisor.clone();
        shifted.shift_left(top);
        for _ in 0..=top {
            quotient <<= 1;
            if self.compare(&shifted) != Ordering::Less {
                self.subtract(&shifted);
                quotient |= 1;
            }
            shifted.divide_small(2);
        }
        (quotient, !self.is_zero())
    }

    /// Its decimal text.
    pub(super) fn to_decimal(&self) -> Vec<u8> {
        let mut rest = self.clone();
        let mut text = Vec::new();
        while !rest.is_zero() {
            let mut group = rest.divide_small(1_000_000_000);
            for _ in 0..9 {
                text.push(b'0' + (group % 10) as u8);
                group /= 10;
            }
        }
        while text.last() == Some(&b'0') {
            text.pop();
        }
        if text.is_empty() {
            text.push(b'0');
        }
        text.reverse();
        text
    }
}
