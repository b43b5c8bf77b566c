//! The x86's extended floating point numbers, in software: 64 bits of significand, 15 of exponent, rounding to nearest even.
//!
//! INCRBYFLOAT and HINCRBYFLOAT read both numbers with `strtold`, add them, and print the sum with `%.17Lf`, without the
//! zeros at its end. The replies that clients see depend on every one of the 64 bits (`0.1 + 0.2` is `0.3` because of them),
//! so this module computes with them. There is no NaN, and infinity only where it was spelled out: no sum is infinite.
//!
//! ```text
//! value = (-1)^negative * significand * 2^exponent        significand: 0, or its highest bit is set;
//!                                                          smaller only for numbers below 2^-16382
//! infinity: exponent i32::MAX
//! ```

use super::decimal::Natural;

/// The longest text that is read as a number.
pub const LONG_DOUBLE_TEXT_BYTES_MAX: usize = 5 * 1024 - 1;

/// The exponent of the lowest bit of the smallest numbers.
const EXPONENT_MIN: i32 = -16_445;

/// The exponent of the lowest bit of the largest numbers.
const EXPONENT_MAX: i32 = 16_383 - 63;

/// Digits printed behind the point.
const FRACTION_DIGITS: usize = 17;

/// Decimal exponents beyond this are out of range whatever the digits are.
const DECIMAL_EXPONENT_MAX: i64 = 20_000;

/// An 80-bit floating point number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    significand: u64,
    exponent: i32,
}

impl LongDouble {
    /// Zero.
    pub const ZERO: Self = Self { negative: false, significand: 0, exponent: 0 };

    /// Positive infinity.
    pub const INFINITY: Self = Self { negative: false, significand: 1 << 63, exponent: i32::MAX };

    /// Reads a number as Redis does: the forms of C (decimal or hexadecimal, with or without an exponent, or infinity spelled
    /// out), no blanks, nothing behind it, no NaN, in range. `None` is "value is not a valid float".
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > LONG_DOUBLE_TEXT_BYTES_MAX {
            return None;
        }
        let (negative, magnitude) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let number = if magnitude.eq_ignore_ascii_case(b"inf") || magnitude.eq_ignore_ascii_case(b"infinity") {
            Self::INFINITY
        } else if let [b'0', b'x' | b'X', digits @ ..] = magnitude {
            parse_hexadecimal(digits)?
        } else {
            parse_decimal(magnitude)?
        };
        Some(Self { negative, ..number })
    }

    /// Whether it is infinite.
    pub const fn is_infinite(self) -> bool {
        self.exponent == i32::MAX
    }

    /// The number closest to an integer, which is the integer itself.
    pub fn from_i64(number: i64) -> Self {
        let magnitude = Natural::from_u64(number.unsigned_abs());
        let rounded = round(&magnitude, 0, false).expect("integers are in range");
        Self { negative: number < 0, ..rounded }
    }

    /// The rounded sum, or `None` if it is infinite or no number at all.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.is_infinite() || other.is_infinite() {
            return None;
        }
        if other.significand == 0 {
            let negative = self.negative && (self.significand != 0 || other.negative);
            return Some(Self { negative, ..self });
        }
        if self.significand == 0 {
            return Some(other);
        }
        let (high, low) = if self.magnitude_order() >= other.magnitude_order() { (self, other) } else { (other, self) };
        // Both as multiples of the same power of two; what is more than 66 bits below only matters as "a little more".
        let distance = (high.exponent - low.exponent) as u32;
        let wide_high = u128::from(high.significand) << 62;
        let (wide_low, lost) = if distance > 62 + 64 {
            (0, true)
        } else {
            let wide = u128::from(low.significand) << 62;
            (wide >> distance, distance > 0 && wide << (128 - distance) != 0)
        };
        let mut wide =
            if high.negative == low.negative { wide_high + wide_low } else { wide_high - wide_low - u128::from(lost) };
        wide = wide << 1 | u128::from(lost);
        if wide == 0 {
            return Some(Self::ZERO);
        }
        let sum = round(&Natural::from_u128(wide), high.exponent - 63, false)?;
        Some(Self { negative: high.negative, ..sum })
    }

    /// Numbers ordered by magnitude.
    fn magnitude_order(self) -> (i32, u64) {
        let shift = self.significand.leading_zeros();
        (self.exponent - shift as i32, self.significand << shift)
    }

    /// The text that Redis prints: at most 17 digits behind the point, no zeros at its end, no exponent.
    pub fn to_text(self) -> Vec<u8> {
        if self.is_infinite() {
            return if self.negative { b"-inf".to_vec() } else { b"inf".to_vec() };
        }
        let mut scaled = Natural::from_u64(self.significand);
        scaled.scale_by_ten(FRACTION_DIGITS);
        if self.exponent >= 0 {
            scaled.shift_left(self.exponent as usize);
        } else {
            let bits = self.exponent.unsigned_abs() as usize;
            let half = scaled.bit(bits - 1);
            let below = scaled.clone().shift_right(bits - 1);
            scaled.shift_right(bits);
            if half && (below || scaled.bit(0)) {
                scaled.multiply_add(1, 1);
            }
        }
        let mut digits = scaled.to_decimal();
        if digits.len() <= FRACTION_DIGITS {
            digits.splice(0..0, std::iter::repeat_n(b'0', FRACTION_DIGITS + 1 - digits.len()));
        }
        let point = digits.len() - FRACTION_DIGITS;
        digits.insert(point, b'.');
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.last() == Some(&b'.') {
            digits.pop();
        }
        if self.negative && digits != b"0" {
            digits.insert(0, b'-');
        }
        digits
    }
}

/// The number nearest to `magnitude * 2^exponent`, plus a little if `sticky`; `None` if it is out of range.
fn round(magnitude: &Natural, exponent: i32, sticky: bool) -> Option<LongDouble> {
    let excess = (magnitude.bits() as i32 - 64).max(EXPONENT_MIN - exponent);
    let mut kept = magnitude.clone();
    if excess <= 0 {
        // It fits; bring its highest bit up as far as the exponent allows.
        let significand = kept.to_u64().expect("it has at most 64 bits");
        if significand == 0 {
            return Some(LongDouble::ZERO);
        }
        let shift = (significand.leading_zeros() as i32).min(-excess);
        return finite(significand << shift, exponent - shift);
    }
    let half = magnitude.bit(excess as usize - 1);
    let below = magnitude.clone().shift_right(excess as usize - 1) || sticky;
    kept.shift_right(excess as usize);
    let significand = kept.to_u64().expect("it has at most 64 bits");
    if half && (below || significand & 1 == 1) {
        return match significand.checked_add(1) {
            Some(significand) => finite(significand, exponent + excess),
            None => finite(1 << 63, exponent + excess + 1),
        };
    }
    finite(significand, exponent + excess)
}

fn finite(significand: u64, exponent: i32) -> Option<LongDouble> {
    (exponent <= EXPONENT_MAX).then_some(LongDouble { negative: false, significand, exponent })
}

/// Splits digits into those before and behind the point, and what follows them.
fn split_digits(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> Option<(&[u8], &[u8], &[u8])> {
    let whole = text.iter().take_while(|&byte| is_digit(byte)).count();
    let (whole, rest) = text.split_at(whole);
    let (fraction, rest) = match rest {
        [b'.', behind @ ..] => behind.split_at(behind.iter().take_while(|&byte| is_digit(byte)).count()),
        _ => (&[][..], rest),
    };
    (!whole.is_empty() || !fraction.is_empty()).then_some((whole, fraction, rest))
}

/// The exponent behind `e` or `p`, or 0 if nothing is there.
fn parse_exponent(text: &[u8], mark: u8) -> Option<i64> {
    let [first, rest @ ..] = text else { return Some(0) };
    if !first.eq_ignore_ascii_case(&mark) {
        return None;
    }
    let (negative, digits) = match rest {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        _ => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |number: i64, digit: &u8| number.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    let exponent = digits.iter().fold(0, add);
    Some(if negative { -exponent } else { exponent })
}

/// Reads decimal digits, a point, an exponent. Out of range (also: not zero, but rounded to zero) is no number.
fn parse_decimal(text: &[u8]) -> Option<LongDouble> {
    let (whole, fraction, rest) = split_digits(text, u8::is_ascii_digit)?;
    let exponent = parse_exponent(rest, b'e')?.saturating_sub(fraction.len() as i64);
    let mut digits = Natural::default();
    for &byte in whole.iter().chain(fraction) {
        digits.multiply_add(10, u32::from(byte - b'0'));
    }
    if digits.is_zero() {
        return Some(LongDouble::ZERO);
    }
    if exponent.abs() > DECIMAL_EXPONENT_MAX {
        return None;
    }
    let number = if exponent >= 0 {
        digits.scale_by_ten(exponent as usize);
        round(&digits, 0, false)?
    } else {
        // Scale by a power of two such that the quotient has 65 or 66 bits.
        let mut divisor = Natural::from_u64(1);
        divisor.scale_by_ten(exponent.unsigned_abs() as usize);
        let shift = 66 + divisor.bits() as i32 - digits.bits() as i32;
        if shift >= 0 {
            digits.shift_left(shift as usize);
        } else {
            divisor.shift_left(shift.unsigned_abs() as usize);
        }
        let (quotient, remainder) = digits.divide(&divisor);
        round(&Natural::from_u128(quotient), -shift, remainder)?
    };
    (number.significand != 0).then_some(number)
}

/// Reads hexadecimal digits, a point, a binary exponent.
fn parse_hexadecimal(text: &[u8]) -> Option<LongDouble> {
    let (whole, fraction, rest) = split_digits(text, u8::is_ascii_hexdigit)?;
    let exponent = parse_exponent(rest, b'p')?.saturating_sub(fraction.len() as i64 * 4);
    let mut digits = Natural::default();
    for &byte in whole.iter().chain(fraction) {
        digits.multiply_add(16, char::from(byte).to_digit(16).expect("it is a hexadecimal digit"));
    }
    if digits.is_zero() {
        return Some(LongDouble::ZERO);
    }
    if exponent.abs() > DECIMAL_EXPONENT_MAX * 4 {
        return None;
    }
    let number = round(&digits, exponent as i32, false)?;
    (number.significand != 0).then_some(number)
}
