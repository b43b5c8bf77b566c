//! Doubles as text: what scores and the like look like in replies, and what is accepted as one.

use super::integer::{INTEGER_TEXT_BYTES_MAX, write_i64};

/// Integers up to this magnitude are printed as such.
const EXACT_INTEGER_MAX: f64 = (1_u64 << 52) as f64;

/// Reads a double as Redis does: the forms of C, no blanks, nothing behind it, no NaN; infinity only where it is spelled out,
/// and zero only where all digits are zero.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let (sign, magnitude) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        _ => (1.0, text),
    };
    if let [b'0', b'x' | b'X', digits @ ..] = magnitude {
        return parse_hexadecimal(digits).map(|number| number * sign);
    }
    let digits = match magnitude.first()? {
        b'0'..=b'9' | b'.' => magnitude.iter().take_while(|byte| !byte.eq_ignore_ascii_case(&b'e')),
        b'i' | b'I' => return is_infinity(magnitude).then_some(f64::INFINITY * sign),
        _ => return None,
    };
    let all_zero = !digits.copied().any(|byte| matches!(byte, b'1'..=b'9'));
    let number: f64 = std::str::from_utf8(magnitude).ok()?.parse().ok()?;
    (number.is_finite() && (number != 0.0 || all_zero)).then_some(number * sign)
}

fn is_infinity(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

/// Reads hexadecimal digits, a point, a binary exponent. At most 64 significant bits are looked at one by one, the rest only
/// decides ties, so the result is correctly rounded for normal numbers.
fn parse_hexadecimal(text: &[u8]) -> Option<f64> {
    let mark = text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'p'));
    let (digits, exponent) = match mark {
        Some(mark) => (&text[..mark], parse_exponent(&text[mark + 1..])?),
        None => (text, 0),
    };
    let (mut significand, mut scale, mut behind_point, mut any) = (0_u128, exponent, false, false);
    for &byte in digits {
        if byte == b'.' && !behind_point {
            behind_point = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        any = true;
        if significand >> 64 == 0 {
            significand = significand << 4 | u128::from(digit);
            scale -= if behind_point { 4 } else { 0 };
        } else {
            significand |= u128::from(digit != 0);
            scale += if behind_point { 0 } else { 4 };
        }
    }
    if !any {
        return None;
    }
    // Two halves, so that no intermediate result is subnormal or infinite unless the result is.
    let scale = scale.clamp(-4_000, 4_000) as i32;
    let number = significand as f64 * 2_f64.powi(scale / 2) * 2_f64.powi(scale - scale / 2);
    (number.is_finite() && (number != 0.0 || significand == 0)).then_some(number)
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.parse().unwrap_or(1_i64 << 40);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Writes a double as Redis does in replies: integers as integers, else the 17 significant digits of `%.17g`.
pub fn format_f64(number: f64) -> Vec<u8> {
    if number.is_nan() {
        return b"nan".to_vec();
    }
    if number.is_infinite() {
        return if number > 0.0 { b"inf".to_vec() } else { b"-inf".to_vec() };
    }
    match as_integer(number) {
        Some(integer) => write_i64(integer, &mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec(),
        None if number == 0.0 => b"-0".to_vec(),
        None => format_general(number),
    }
}

/// The integer that has the same text, if one has. The negative zero is none, as it is written with its sign.
#[inline]
pub fn as_integer(number: f64) -> Option<i64> {
    let integer = number as i64;
    let is_same = (integer as f64).to_bits() == number.to_bits();
    (is_same && number.abs() < EXACT_INTEGER_MAX).then_some(integer)
}

/// `%.17g`: 17 significant digits, no zeros at the end, an exponent if it is below -4 or above 16.
fn format_general(number: f64) -> Vec<u8> {
    let scientific = format!("{number:.16e}");
    let (digits, exponent) = scientific.split_once('e').expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("it is a small integer");
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let digits: String = digits.chars().filter(|&digit| digit != '.').collect();
    let digits = digits.trim_end_matches('0');
    let text = match exponent {
        -4..0 => format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        0..17 => {
            let whole = exponent as usize + 1;
            if digits.len() <= whole {
                format!("{sign}{digits:0<whole$}")
            } else {
                format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
            }
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let point = if rest.is_empty() { "" } else { "." };
            let mark = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{first}{point}{rest}e{mark}{:02}", exponent.unsigned_abs())
        }
    };
    text.into_bytes()
}
