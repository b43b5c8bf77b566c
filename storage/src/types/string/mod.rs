//! Strings: bytes of any content, integers kept as integers, and the names Redis gives to both.
//!
//! # Encodings
//!
//! A string whose text is exactly the canonical decimal form of an `i64` (no sign but a leading minus, no leading zero,
//! at most 20 characters) is kept as an integer of 1, 2, 4 or 8 bytes. All others are kept as bytes: in the key's own
//! block up to a few KiB, above that in a buffer of their own that grows in place.
//!
//! OBJECT ENCODING answers as Redis does: `int` for integers, `embstr` for at most 44 bytes, `raw` above. A string that
//! was changed in place (APPEND, SETRANGE, SETBIT) is `raw` whatever it holds, until it is set anew; this is one flag
//! bit in the header, [`StringRef::modified`].
//!
//! # Three faces of a string
//!
//! - [`StringValue`] is a string on its way into a database: borrowed bytes, or an owned buffer that moves in uncopied.
//! - [`StringRef`] is the view of a stored one.
//! - [`OwnedString`] is one that left a database.

use crate::number::{self, INTEGER_TEXT_BYTES_MAX};

#[cfg(test)]
mod tests;

/// The longest string that Redis reports as `embstr`.
pub const EMBSTR_BYTES_MAX: usize = 44;

/// The names of OBJECT ENCODING for a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringEncoding {
    /// A canonical 64-bit integer.
    Int,
    /// A short string.
    Embstr,
    /// A long string, or one that was changed in place.
    Raw,
}

impl StringEncoding {
    /// The name that OBJECT ENCODING replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Embstr => "embstr",
            Self::Raw => "raw",
        }
    }
}

/// A string on its way into a database.
#[derive(Clone, Debug)]
pub enum StringValue<'a> {
    /// Bytes as a client sent them: become an integer if they are the canonical text of one.
    Bytes(&'a [u8]),
    /// Bytes that stay bytes, even if they read as an integer (what INCRBYFLOAT stores).
    Text(&'a [u8]),
    /// Bytes that count as changed in place and are reported as `raw` (SETRANGE on a missing key, for example).
    Raw(&'a [u8]),
    /// An integer.
    Int(i64),
    /// An owned string; a long one moves in without being copied.
    Owned(OwnedString),
}

impl StringValue<'_> {
    /// A view of the string in the form in which it is going to be stored.
    pub(crate) fn as_ref(&self) -> StringRef<'_> {
        match self {
            Self::Bytes(bytes) => StringRef::encode(bytes),
            Self::Text(bytes) => StringRef::from_bytes(bytes, false),
            Self::Raw(bytes) => StringRef::from_bytes(bytes, true),
            Self::Int(number) => StringRef::from_int(*number),
            Self::Owned(string) => string.as_ref(),
        }
    }
}

impl<'a> From<&'a [u8]> for StringValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

/// A view of a stored string.
#[derive(Clone, Copy, Debug)]
pub struct StringRef<'a>(Repr<'a>);

#[derive(Clone, Copy, Debug)]
enum Repr<'a> {
    Int(i64),
    Bytes { bytes: &'a [u8], modified: bool },
}

impl<'a> StringRef<'a> {
    pub(crate) const fn from_int(number: i64) -> Self {
        Self(Repr::Int(number))
    }

    pub(crate) const fn from_bytes(bytes: &'a [u8], modified: bool) -> Self {
        Self(Repr::Bytes { bytes, modified })
    }

    /// The string as SET stores it: an integer if the bytes are the canonical text of one.
    pub(crate) fn encode(bytes: &'a [u8]) -> Self {
        match number::parse_i64(bytes) {
            Some(number) => Self::from_int(number),
            None => Self::from_bytes(bytes, false),
        }
    }

    /// What OBJECT ENCODING calls it.
    pub const fn encoding(self) -> StringEncoding {
        match self.0 {
            Repr::Int(_) => StringEncoding::Int,
            Repr::Bytes { bytes, modified: false } if bytes.len() <= EMBSTR_BYTES_MAX => StringEncoding::Embstr,
            Repr::Bytes { .. } => StringEncoding::Raw,
        }
    }

    /// Whether the string was changed in place since it was set.
    pub const fn modified(self) -> bool {
        matches!(self.0, Repr::Bytes { modified: true, .. })
    }

    /// Its length in bytes, as STRLEN counts it.
    pub fn len(self) -> usize {
        match self.0 {
            Repr::Int(number) => number::integer_text_len(number),
            Repr::Bytes { bytes, .. } => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Its bytes. An integer is written into `scratch`; everything else is borrowed from the database.
    pub fn as_bytes<'s>(self, scratch: &'s mut [u8; INTEGER_TEXT_BYTES_MAX]) -> &'s [u8]
    where
        'a: 's,
    {
        match self.0 {
            Repr::Int(number) => number::write_i64(number, scratch),
            Repr::Bytes { bytes, .. } => bytes,
        }
    }

    /// Its bytes, if they lie in memory as they are (that is, if it is not kept as an integer).
    pub const fn stored_bytes(self) -> Option<&'a [u8]> {
        match self.0 {
            Repr::Int(_) => None,
            Repr::Bytes { bytes, .. } => Some(bytes),
        }
    }

    /// Its value as an integer, for INCR and its kin: kept as one, or bytes that are the canonical text of one.
    pub fn as_int(self) -> Option<i64> {
        match self.0 {
            Repr::Int(number) => Some(number),
            Repr::Bytes { bytes, .. } => number::parse_i64(bytes),
        }
    }

    /// The integer it is kept as, without a look at bytes that might read as one.
    pub const fn stored_int(self) -> Option<i64> {
        match self.0 {
            Repr::Int(number) => Some(number),
            Repr::Bytes { .. } => None,
        }
    }

    /// A copy of its bytes.
    pub fn to_vec(self) -> Vec<u8> {
        self.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec()
    }

    /// A copy that does not borrow from the database.
    pub fn to_owned(self) -> OwnedString {
        match self.0 {
            Repr::Int(number) => OwnedString::Int(number),
            Repr::Bytes { bytes, modified } => OwnedString::Bytes { bytes: bytes.to_vec(), modified },
        }
    }
}

/// A string outside any database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedString {
    /// An integer.
    Int(i64),
    /// Bytes.
    Bytes {
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether they were changed in place since they were set.
        modified: bool,
    },
}

impl OwnedString {
    /// The string as SET stores it: an integer if the bytes are the canonical text of one.
    pub fn encode(bytes: Vec<u8>) -> Self {
        match number::parse_i64(&bytes) {
            Some(number) => Self::Int(number),
            None => Self::Bytes { bytes, modified: false },
        }
    }

    /// A view of the string, the same as of a stored one.
    pub fn as_ref(&self) -> StringRef<'_> {
        match self {
            Self::Int(number) => StringRef::from_int(*number),
            Self::Bytes { bytes, modified } => StringRef::from_bytes(bytes, *modified),
        }
    }

    /// The bytes, an integer written out as text.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Int(number) => number::write_i64(number, &mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec(),
            Self::Bytes { bytes, .. } => bytes,
        }
    }

    /// Bytes of heap memory that the string holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Int(_) => 0,
            Self::Bytes { bytes, .. } => bytes.capacity(),
        }
    }
}
