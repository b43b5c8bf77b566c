//! Integers as text: the strict canonical form that Redis accepts, and the fastest way to write it.

/// The longest canonical text of an `i64`: `-9223372036854775808`.
pub const INTEGER_TEXT_BYTES_MAX: usize = 20;

/// Reads an integer as Redis's `string2ll` does: decimal digits, one optional leading minus, nothing else; no leading
/// zeros, no plus sign, no minus zero, no blanks. Every text this accepts is the one [`write_i64`] writes.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (&first, rest) = text.split_first()?;
    if text.len() > INTEGER_TEXT_BYTES_MAX {
        return None;
    }
    let negative = first == b'-';
    let (&lead, digits) = if negative { rest.split_first()? } else { (&first, rest) };
    match lead {
        b'1'..=b'9' => {}
        b'0' if !negative && digits.is_empty() => return Some(0),
        _ => return None,
    }
    let mut magnitude = u64::from(lead - b'0');
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Reads an unsigned integer by the same rules, for cursors and the like.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    let (&lead, digits) = text.split_first()?;
    match lead {
        b'1'..=b'9' => {}
        b'0' if digits.is_empty() => return Some(0),
        _ => return None,
    }
    digits.iter().try_fold(u64::from(lead - b'0'), |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

/// How many characters the decimal text of `number` has.
pub const fn integer_text_len(number: i64) -> usize {
    let digits = match number.unsigned_abs() {
        0 => 1,
        magnitude => magnitude.ilog10() as usize + 1,
    };
    digits + (number < 0) as usize
}

const DIGIT_PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0;
    while number < 100 {
        pairs[number * 2] = b'0' + (number / 10) as u8;
        pairs[number * 2 + 1] = b'0' + (number % 10) as u8;
        number += 1;
    }
    pairs
};

/// Writes the decimal text of `number` to the end of `buffer` and returns it.
pub fn write_i64(number: i64, buffer: &mut [u8; INTEGER_TEXT_BYTES_MAX]) -> &[u8] {
    let mut rest = number.unsigned_abs();
    let mut start = buffer.len();
    while rest >= 100 {
        let pair = (rest % 100) as usize * 2;
        rest /= 100;
        start -= 2;
        buffer[start..start + 2].copy_from_slice(&DIGIT_PAIRS[pair..pair + 2]);
    }
    if rest >= 10 {
        let pair = rest as usize * 2;
        start -= 2;
        buffer[start..start + 2].copy_from_slice(&DIGIT_PAIRS[pair..pair + 2]);
    } else {
        start -= 1;
        buffer[start] = b'0' + rest as u8;
    }
    if number < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    &buffer[start..]
}
