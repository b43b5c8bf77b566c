//! Keys as commands hand them in: bytes, hashed once.

use crate::encoding::hash::key_hash;

/// A key together with its hash, so that a command hashes it once. A reference to anything that is bytes converts into
/// one.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    bytes: &'k [u8],
    hash: u64,
}

impl<'k> Key<'k> {
    /// Hashes the key.
    #[inline]
    pub fn new(bytes: &'k [u8]) -> Self {
        Self { bytes, hash: key_hash(bytes) }
    }

    /// A key whose [`key_hash`] is known already.
    #[inline]
    pub fn with_hash(bytes: &'k [u8], hash: u64) -> Self {
        debug_assert_eq!(hash, key_hash(bytes));
        Self { bytes, hash }
    }

    /// The key's bytes.
    #[inline]
    pub const fn bytes(self) -> &'k [u8] {
        self.bytes
    }

    /// The key's hash.
    #[inline]
    pub const fn hash(self) -> u64 {
        self.hash
    }
}

impl<'k, T: AsRef<[u8]> + ?Sized> From<&'k T> for Key<'k> {
    #[inline]
    fn from(bytes: &'k T) -> Self {
        Self::new(bytes.as_ref())
    }
}
