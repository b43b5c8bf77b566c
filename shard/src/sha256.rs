//! Digests of passwords, by SHA-256: what is kept of a password, in the form in which files of users have it.

use sha2::{Digest as _, Sha256};

/// A digest.
pub type Digest = [u8; 32];

/// The digest of `message`.
pub fn sha256(message: &[u8]) -> Digest {
    Sha256::digest(message).into()
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The digest that 64 hexadecimal digits stand for, which are lower case.
pub fn from_hex(text: &[u8]) -> Option<Digest> {
    let mut digest = Digest::default();
    if text.len() != 2 * digest.len() {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(digest)
}

/// Whether two digests are the same, in a time that does not tell where they differ.
pub fn is_same(one: &Digest, other: &Digest) -> bool {
    let different = one.iter().zip(other).fold(0, |different, (one, other)| different | (one ^ other));
    std::hint::black_box(different) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_that_redis_keeps() {
        let known = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        assert_eq!(hex(&sha256(b"secret")), known);
    }

    #[test]
    fn digests_are_read_as_they_are_written() {
        let digest = sha256(b"secret");
        assert_eq!(from_hex(hex(&digest).as_bytes()), Some(digest));
        let upper = hex(&digest).to_ascii_uppercase();
        for wrong in ["", "ab", "g", upper.as_str(), &hex(&digest)[1..], &format!("{}0", hex(&digest))] {
            assert_eq!(from_hex(wrong.as_bytes()), None, "{wrong}");
        }
        assert!(is_same(&digest, &digest) && !is_same(&digest, &sha256(b"Secret")));
    }
}
