//! What an element of a listpack is to its readers.

use crate::number::{INTEGER_TEXT_BYTES_MAX, integer_text_len, parse_i64, write_i64};

/// Room for the text of an integer.
pub type IntBuf = [u8; INTEGER_TEXT_BYTES_MAX];

/// An element: bytes as they lie in the listpack, or an integer that stands for its decimal text.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A string.
    Bytes(&'a [u8]),
    /// An integer.
    Int(i64),
}

impl<'a> Item<'a> {
    /// The length of the text in bytes.
    pub fn len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Int(number) => integer_text_len(number),
        }
    }

    /// Whether the text has no bytes.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text. That of an integer is written into `buffer`; everything else is borrowed from the listpack.
    #[inline]
    pub fn as_bytes<'b>(self, buffer: &'b mut IntBuf) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Int(number) => write_i64(number, buffer),
        }
    }

    /// Appends the text.
    pub fn write_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]));
    }

    /// A copy of the text.
    pub fn to_vec(self) -> Vec<u8> {
        self.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec()
    }

    /// The integer that the text reads as, by the strict rules of [`parse_i64`].
    pub fn as_int(self) -> Option<i64> {
        match self {
            Self::Bytes(bytes) => parse_i64(bytes),
            Self::Int(number) => Some(number),
        }
    }

    /// Whether the text is `text`.
    pub fn eq_bytes(self, text: &[u8]) -> bool {
        self.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]) == text
    }
}

/// Items are equal when their texts are.
impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Int(number), Self::Bytes(text)) | (Self::Bytes(text), Self::Int(number)) => {
                parse_i64(text) == Some(number)
            }
        }
    }
}

impl Eq for Item<'_> {}
