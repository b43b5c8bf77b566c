//! Appending to an output, long texts piece by piece.
//!
//! The C library copies from about 4 KiB on with one string instruction (`rep movsb`). On processors of the Zen family
//! that is slower by a factor of ten or more where the target stands 1 to 15 bytes further in its page than the source
//! in its own. A long value begins with a page, and so does a new output buffer, with `$102400\r\n` before the value:
//! the longest replies would be copied that way, each of them. Short pieces are copied in vector registers.

use std::ops::RangeInclusive;

/// Length of a piece in bytes: less than what is copied by a string instruction.
const PIECE_BYTES: usize = 2000;
/// Lengths that are copied in pieces. Longer ones were mostly faster as a whole.
const LONG_BYTES: RangeInclusive<usize> = 4000..=1 << 20;

/// Appends `bytes` to `out`.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    if LONG_BYTES.contains(&bytes.len()) {
        append_pieces(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
}

#[cold]
fn append_pieces(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len());
    for piece in bytes.chunks(PIECE_BYTES) {
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_and_all_of_the_text_is_in_the_output() {
        for len in [0, 1, 3999, 4000, 4001, 3 * PIECE_BYTES, 102_401, 1 << 20, (1 << 20) + 1] {
            let text: Vec<u8> = (0..len).map(|i| (i * 31 % 251) as u8).collect();
            let mut out = b"$1\r\n".to_vec();
            append(&mut out, &text);
            assert_eq!(out[..4], *b"$1\r\n");
            assert_eq!(out[4..], text);
        }
    }
}
