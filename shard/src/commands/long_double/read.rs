//! Reading a number's text.

use super::LongDouble;
use super::big::BigUint;

/// A text so long or longer is no number, as in Redis.
const TEXT_BYTES_MAX: usize = 5 * 1024;

/// Below half of 2 to this power nothing can be told from nought.
const UNDERFLOW_EXPONENT: i32 = -16_445;

/// Decimal exponents beyond these are out of range whatever the digits are.
const DECIMAL_EXPONENT_MIN: i32 = -4_970;
const DECIMAL_EXPONENT_MAX: i32 = 4_940;

/// Exponents are read up to here, more than any number of digits could make up for.
const EXPONENT_MAX: i32 = 1_000_000;

/// The powers of ten that divide 128 bits and leave enough of them.
const EXACT_POWER_MAX: u32 = 18;

/// Steps of a long division: 64 bits, what rounding must know, and some to spare.
const QUOTIENT_BITS: u32 = 68;

pub(super) fn parse(text: &[u8]) -> Option<LongDouble> {
    if text.len() >= TEXT_BYTES_MAX {
        return None;
    }
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
        return Some(LongDouble::infinity(negative));
    }
    let number = match text {
        [b'0', b'x' | b'X', rest @ ..] => hexadecimal(negative, rest)?,
        _ => decimal(negative, text)?,
    };
    let top = number.exponent.saturating_add(63);
    let vanishes = top < UNDERFLOW_EXPONENT - 1 || (top == UNDERFLOW_EXPONENT - 1 && number.significand == 1 << 63);
    if number.significand != 0 && (vanishes || !number.is_finite()) {
        return None;
    }
    Some(number)
}

/// The digits of a number, and the exponent that puts the point behind the last of them.
struct Scanned {
    digits: Vec<u8>,
    exponent: i32,
}

/// Splits a number into digits (of `radix`, the point taken out, no leading zeros) and exponent. A digit behind the
/// point is worth `per_digit` of the exponent.
fn scan(text: &[u8], radix: u32, marks: [u8; 2], per_digit: i32) -> Option<Scanned> {
    let end = text.iter().position(|byte| marks.contains(byte)).unwrap_or(text.len());
    let exponent = if end < text.len() { exponent(&text[end + 1..])? } else { 0 };
    let (mut digits, mut behind, mut any) = (Vec::with_capacity(end), None, false);
    for &byte in &text[..end] {
        if byte == b'.' && behind.is_none() {
            behind = Some(0);
            continue;
        }
        let digit = char::from(byte).to_digit(radix)? as u8;
        any = true;
        if digit != 0 || !digits.is_empty() {
            digits.push(digit);
        }
        behind = behind.map(|count| count + per_digit);
    }
    any.then(|| Scanned { digits, exponent: exponent - behind.unwrap_or(0) })
}

/// The number behind `e` or `p`, cut off where it makes no difference any more.
fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0, |number: i32, digit| {
        number.saturating_mul(10).saturating_add(i32::from(digit - b'0')).min(EXPONENT_MAX)
    });
    Some(if negative { -magnitude } else { magnitude })
}

fn hexadecimal(negative: bool, text: &[u8]) -> Option<LongDouble> {
    let Scanned { digits, exponent } = scan(text, 16, [b'p', b'P'], 4)?;
    let taken = digits.len().min(32);
    let significand = digits[..taken].iter().fold(0, |number, digit| number << 4 | u128::from(*digit));
    let sticky = digits[taken..].iter().any(|digit| *digit != 0);
    let exponent = exponent + 4 * (digits.len() - taken) as i32;
    Some(LongDouble::rounded(negative, significand, exponent, sticky))
}

fn decimal(negative: bool, text: &[u8]) -> Option<LongDouble> {
    let Scanned { digits, exponent } = scan(text, 10, [b'e', b'E'], 1)?;
    if digits.is_empty() {
        return Some(LongDouble { negative, ..LongDouble::ZERO });
    }
    let magnitude = digits.len() as i32 + exponent;
    if !(DECIMAL_EXPONENT_MIN..=DECIMAL_EXPONENT_MAX).contains(&magnitude) {
        return None;
    }
    let power = exponent.unsigned_abs();
    if digits.len() <= 19 && exponent <= 0 && power <= EXACT_POWER_MAX {
        return Some(small(negative, &digits, power));
    }
    let mut number = BigUint::from_digits(&digits);
    if exponent >= 0 {
        number.multiply_by_power_of_ten(power);
        let (top, below, sticky) = number.top();
        return Some(LongDouble::rounded(negative, top, below as i32, sticky));
    }
    let mut divisor = BigUint::from(1);
    divisor.multiply_by_power_of_ten(power);
    Some(quotient(negative, number, divisor))
}

/// `digits / 10^power`, both within 64 bits.
fn small(negative: bool, digits: &[u8], power: u32) -> LongDouble {
    let number = digits.iter().fold(0_u128, |number, digit| number * 10 + u128::from(*digit));
    let divisor = 10_u128.pow(power);
    // The quotient keeps at least 128 - 60 bits.
    let shift = number.leading_zeros();
    let (quotient, rest) = ((number << shift) / divisor, (number << shift) % divisor);
    LongDouble::rounded(negative, quotient, -(shift as i32), rest != 0)
}

/// `number / divisor`, neither being zero, by long division.
fn quotient(negative: bool, mut number: BigUint, mut divisor: BigUint) -> LongDouble {
    // Both are brought to the same length, so the quotient lies between a half and two.
    let exponent = number.bits() as i32 - divisor.bits() as i32;
    if exponent > 0 {
        divisor.shift_left(exponent.unsigned_abs());
    } else {
        number.shift_left(exponent.unsigned_abs());
    }
    let mut quotient = 0_u128;
    for _ in 0..QUOTIENT_BITS {
        quotient = quotient << 1 | u128::from(number.subtract_if_fits(&divisor));
        number.shift_left(1);
    }
    LongDouble::rounded(negative, quotient, exponent - (QUOTIENT_BITS as i32 - 1), !number.is_zero())
}
