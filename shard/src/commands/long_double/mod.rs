//! Numbers of INCRBYFLOAT and HINCRBYFLOAT: the 80-bit extended precision of x86, in integer arithmetic.
//!
//! Redis adds in C's `long double` and prints 17 digits behind the point, which hides the error of binary fractions:
//! `10.5 + 0.1` is `10.6`, not `10.59999999999999964`. So that a value is the same on every machine and the same as in
//! Redis, the type is built here of what it consists of:
//!
//! ```text
//!   value = ± significand × 2^exponent      significand: 64 bits, the highest one set (or all zero)
//! ```
//!
//! Reading, adding and printing each round once, to nearest, ties to even, as the C library and the processor do.
//! Numbers below the smallest normal one keep all 64 bits here; no printed digit can show that.
//!
//! [`big`] has the unbounded integers for numbers that do not fit 128 bits on the way.

mod big;
mod read;
#[cfg(test)]
mod tests;

use big::BigUint;

/// Digits that are printed behind the point, at most.
const FRACTION_DIGITS: u32 = 17;

/// `10^FRACTION_DIGITS`.
const FRACTION_SCALE: u128 = 10_u128.pow(FRACTION_DIGITS);

/// The first power of two that is too large.
const OVERFLOW_EXPONENT: i32 = 16_384;

/// The exponent of infinity.
const INFINITE: i32 = i32::MAX;

/// A number in extended precision, or infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    significand: u64,
    exponent: i32,
}

impl LongDouble {
    /// Nought.
    pub const ZERO: LongDouble = LongDouble { negative: false, significand: 0, exponent: 0 };

    /// Reads a number as `strtold` does: decimal or hexadecimal, with or without an exponent, or `inf`. The whole text
    /// must be a number, without blanks; one too large or too small to be told from infinity or nought is none.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        read::parse(text)
    }

    /// Whether it is not infinite.
    pub fn is_finite(self) -> bool {
        self.exponent != INFINITE
    }

    /// The sum. One that is infinite, or infinity less infinity, is not finite.
    #[must_use]
    pub fn plus(self, other: LongDouble) -> LongDouble {
        if !self.is_finite() || other.significand == 0 {
            return self;
        }
        if !other.is_finite() || self.significand == 0 {
            return other;
        }
        // Both have their highest bit set, so the larger exponent is the larger magnitude.
        let self_is_larger = (self.exponent, self.significand) >= (other.exponent, other.significand);
        let (large, small) = if self_is_larger { (self, other) } else { (other, self) };
        // One bit above for a carry, 63 below for what rounding must know.
        let (a, b) = (u128::from(large.significand) << 63, u128::from(small.significand) << 63);
        let distance = large.exponent.abs_diff(small.exponent);
        let shifted = b.checked_shr(distance).unwrap_or(0);
        let lost = shifted.checked_shl(distance).unwrap_or(0) != b;
        let exponent = large.exponent - 63;
        if large.negative == small.negative {
            return Self::rounded(large.negative, a + shifted, exponent, lost);
        }
        // What was lost makes the subtrahend larger: one unit less, and something above it remains.
        Self::rounded(large.negative, a - shifted - u128::from(lost), exponent, lost)
    }

    /// Its decimal text: 17 digits behind the point, without the zeros at their end. Infinity has none.
    pub fn to_text(self) -> Vec<u8> {
        assert!(self.is_finite(), "the caller refuses what is not finite");
        let magnitude = if self.exponent >= 0 { self.whole_text() } else { self.fraction_text() };
        let sign: &[u8] = if self.negative && magnitude != b"0" { b"-" } else { b"" };
        [sign, &magnitude].concat()
    }

    /// The magnitude of a number without a fraction.
    fn whole_text(self) -> Vec<u8> {
        let mut number = BigUint::from(u128::from(self.significand));
        number.shift_left(self.exponent.unsigned_abs());
        number.into_decimal()
    }

    /// The magnitude of a number with digits behind the point.
    fn fraction_text(self) -> Vec<u8> {
        // Below 2^64 * 10^17, so 121 bits hold it.
        let scaled = u128::from(self.significand) * FRACTION_SCALE;
        let units = shift_right_rounded(scaled, self.exponent.unsigned_abs());
        let text = format!("{}.{:017}", units / FRACTION_SCALE, units % FRACTION_SCALE);
        text.trim_end_matches('0').trim_end_matches('.').as_bytes().to_vec()
    }

    /// `significand × 2^exponent` and, if `sticky`, a little more, rounded to 64 bits.
    fn rounded(negative: bool, significand: u128, exponent: i32, sticky: bool) -> LongDouble {
        let bits = 128 - significand.leading_zeros();
        if bits == 0 {
            return Self::ZERO;
        }
        assert!(bits > 65 || !sticky, "what was cut off lies below the bit that decides");
        let (mut kept, mut exponent) = if bits <= 64 {
            ((significand as u64) << (64 - bits), exponent - (64 - bits as i32))
        } else {
            ((significand >> (bits - 64)) as u64, exponent + (bits as i32 - 64))
        };
        if bits > 64 && rounds_up(significand, bits - 64, sticky) {
            let (sum, carried) = kept.overflowing_add(1);
            kept = if carried { 1 << 63 } else { sum };
            exponent += i32::from(carried);
        }
        if exponent + 63 >= OVERFLOW_EXPONENT {
            return Self::infinity(negative);
        }
        LongDouble { negative, significand: kept, exponent }
    }

    fn infinity(negative: bool) -> LongDouble {
        LongDouble { negative, significand: 1 << 63, exponent: INFINITE }
    }
}

/// Whether `number` without its lowest `dropped` bits (1 to 127) is to be rounded up: to nearest, ties to even.
fn rounds_up(number: u128, dropped: u32, sticky: bool) -> bool {
    let rest = number & ((1 << dropped) - 1);
    let half = 1 << (dropped - 1);
    rest > half || (rest == half && (sticky || (number >> dropped) & 1 == 1))
}

/// `number / 2^bits`, rounded to nearest, ties to even. `number` is below 2^127.
fn shift_right_rounded(number: u128, bits: u32) -> u128 {
    if bits >= 128 {
        return 0;
    }
    (number >> bits) + u128::from(rounds_up(number, bits, false))
}
