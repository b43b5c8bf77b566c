//! Numbers as configuration writes them.
//!
//! Four notations exist, each with its own strictness, because files written for Redis must mean the same here: plain
//! integers (no sign `+`, no leading zeros, no spaces), sizes with a unit (`10`, `10b`, `10k` = 10,000, `10kb` =
//! 10,240, and so on to `g`/`gb`; an empty number is 0), octal permissions, and the lenient numbers of C's `strtoll`
//! inside `save` and a few others.

/// A plain decimal integer of 64 bits: only the canonical form is taken.
pub fn integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A number of bytes with an optional unit. Digits beyond 64 bits give the largest number; a unit may wrap around.
pub fn memory(text: &[u8]) -> Option<u64> {
    /// The longest number that is looked at; longer ones are refused.
    const DIGITS_MAX: usize = 127;
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = text.split_at(length);
    let factor: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1_000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    if digits.len() > DIGITS_MAX {
        return None;
    }
    let number = digits.iter().fold(0u64, |number, digit| {
        number.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0'))).unwrap_or(u64::MAX)
    });
    Some(number.wrapping_mul(factor))
}

/// A number of bytes with the largest unit that divides it, as `CONFIG REWRITE` writes it.
pub fn memory_with_unit(bytes: u64) -> String {
    for (shift, unit) in [(30, "gb"), (20, "mb"), (10, "kb")] {
        if bytes != 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// A number in base eight, with an optional sign.
pub fn octal(text: &[u8]) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    i64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

/// A number as C's `strtoll` reads it: leading white space and a sign are taken, nothing at all is 0, and what is too
/// large becomes the largest. `None` if something follows the number.
pub fn lenient(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    if text.is_empty() {
        return Some(0);
    }
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let overflow = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(text.parse().unwrap_or(overflow))
}
