//! Places and distances as Redis prints them.

use super::{Cell, Point, STEP_MAX};

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
/// Characters of a standard geohash. 52 bits are enough for ten; the last is always the first of the alphabet.
const GEOHASH_CHARACTERS: u32 = 11;
const CHARACTER_BITS: u32 = 5;
/// Parts of a unit in which distances are printed.
const DISTANCE_PARTS: u64 = 10_000;

impl Point {
    /// The standard geohash, as GEOHASH replies: its map reaches to the poles, so it is not the score in other letters.
    pub fn geohash(self) -> [u8; GEOHASH_CHARACTERS as usize] {
        let bits = Cell::within(self, STEP_MAX, &(-180.0..=180.0), &(-90.0..=90.0)).bits();
        std::array::from_fn(|index| {
            let shift = (2 * STEP_MAX).checked_sub((index as u32 + 1) * CHARACTER_BITS);
            ALPHABET[shift.map_or(0, |shift| (bits >> shift) as usize % ALPHABET.len())]
        })
    }
}

/// A longitude or latitude as GEOPOS replies it to clients of RESP2: at most 17 digits behind the point.
pub fn coordinate(degrees: f64) -> String {
    let mut text = fixed(degrees).unwrap_or_else(|| format!("{degrees:.17}"));
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    if text == "-0" { "0".into() } else { text }
}

/// `{:.17}` of a number in the range of coordinates, which `format!` must search for among all numbers: its fraction is
/// the quotient of an integer and a power of two, and so are 10^17 of it, which fit 128 bits.
fn fixed(degrees: f64) -> Option<String> {
    /// Bits of a double's fraction, and what is added to its exponent.
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    const BIAS: u32 = 1023;
    const UNIT: u128 = 10_u128.pow(17);
    let bits = degrees.abs().to_bits();
    let significand = (bits % (1 << FRACTION_BITS)) | (1 << FRACTION_BITS);
    // The number is `significand / 2^shift`. Below 2^-54 and from 2^52 on it is left to others, and so are zero and NaN.
    let shift = (BIAS + FRACTION_BITS).checked_sub((bits >> FRACTION_BITS) as u32)?;
    if !(1..=2 * FRACTION_BITS + 2).contains(&shift) {
        return None;
    }
    let whole = u128::from(significand) >> shift;
    let scaled = (u128::from(significand) - (whole << shift)) * UNIT;
    // Rounded to the nearest, half to even.
    let (quotient, rest, half) = (scaled >> shift, scaled & ((1 << shift) - 1), 1_u128 << (shift - 1));
    let digits = whole * UNIT + quotient + u128::from(rest > half || rest == half && quotient % 2 == 1);
    let sign = if degrees < 0.0 { "-" } else { "" };
    Some(format!("{sign}{}.{:017}", (digits / UNIT) as u64, (digits % UNIT) as u64))
}

/// A distance as GEODIST replies it: four digits behind the point, rounded as a binary number, half to even. (The decimal
/// number that the double stands for is rounded differently once in 100,000 times.)
pub fn distance(distance: f64) -> String {
    let parts = (distance * DISTANCE_PARTS as f64).round_ties_even() as u64;
    format!("{}.{:04}", parts / DISTANCE_PARTS, parts % DISTANCE_PARTS)
}
