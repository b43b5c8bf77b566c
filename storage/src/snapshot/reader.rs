//! Reading RDB: lengths and strings, from bytes that may be damaged or made up.
//!
//! Nothing is allocated on the word of a length alone: it is compared with the bytes that are there first.

use super::{LENGTH_32, LENGTH_64, SPECIAL, SPECIAL_INT8, SPECIAL_INT16, SPECIAL_INT32, SPECIAL_LZF, lzf};
use super::{
    TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_LIST, TYPE_LIST_QUICKLIST_2, TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK,
    TYPE_STRING, TYPE_ZSET_2, TYPE_ZSET_LISTPACK,
};
use crate::types::hash::Hash;
use crate::types::set::Set;
use crate::types::string::OwnedString;
use crate::types::zset::ZSet;
use crate::types::{Limits, OwnedValue};

/// The bytes are no RDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads RDB from bytes in memory.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// What a length turns out to be.
enum Length {
    Plain(u64),
    Special(u8),
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads so many bytes as they are.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Reads one byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn length_or_special(&mut self) -> Result<Length, Malformed> {
        let first = self.byte()?;
        Ok(Length::Plain(match first {
            0..0x40 => u64::from(first),
            0x40..0x80 => u64::from(first & 0x3f) << 8 | u64::from(self.byte()?),
            LENGTH_32 => u64::from(u32::from_be_bytes(self.array()?)),
            LENGTH_64 => u64::from_be_bytes(self.array()?),
            SPECIAL.. => return Ok(Length::Special(first)),
            _ => return Err(Malformed),
        }))
    }

    /// Reads a length.
    pub fn length(&mut self) -> Result<u64, Malformed> {
        match self.length_or_special()? {
            Length::Plain(len) => Ok(len),
            Length::Special(_) => Err(Malformed),
        }
    }

    fn length_in_memory(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.length()?).map_err(|_| Malformed)
    }

    /// Reads a string. Whatever reads as an integer is kept as one.
    pub fn string(&mut self) -> Result<OwnedString, Malformed> {
        Ok(match self.length_or_special()? {
            Length::Plain(len) => {
                let len = usize::try_from(len).map_err(|_| Malformed)?;
                OwnedString::encode(self.bytes(len)?.to_vec())
            }
            Length::Special(SPECIAL_INT8) => OwnedString::Int(i64::from(i8::from_le_bytes(self.array()?))),
            Length::Special(SPECIAL_INT16) => OwnedString::Int(i64::from(i16::from_le_bytes(self.array()?))),
            Length::Special(SPECIAL_INT32) => OwnedString::Int(i64::from(i32::from_le_bytes(self.array()?))),
            Length::Special(SPECIAL_LZF) => {
                let compressed_len = self.length_in_memory()?;
                let len = self.length_in_memory()?;
                let compressed = self.bytes(compressed_len)?;
                OwnedString::encode(lzf::decompress(compressed, len).ok_or(Malformed)?)
            }
            Length::Special(_) => return Err(Malformed),
        })
    }

    /// Reads a value of the type that `type_byte` announces. A collection without items is no value.
    pub fn value(&mut self, type_byte: u8, limits: &Limits) -> Result<OwnedValue, Malformed> {
        let value = match type_byte {
            TYPE_STRING => OwnedValue::String(self.string()?),
            TYPE_LIST => OwnedValue::List(self.list_of_elements(limits.list)?),
            TYPE_SET => OwnedValue::Set(self.set_members(&limits.set)?),
            TYPE_HASH => OwnedValue::Hash(self.hash_fields(&limits.hash)?),
            TYPE_ZSET_2 => OwnedValue::SortedSet(self.sorted_set_records(&limits.zset)?),
            TYPE_SET_INTSET => OwnedValue::Set(Set::from_intset(self.string()?.into_bytes()).map_err(|_| Malformed)?),
            TYPE_HASH_LISTPACK => {
                OwnedValue::Hash(Hash::from_packed(self.string()?.into_bytes()).map_err(|_| Malformed)?)
            }
            TYPE_ZSET_LISTPACK => {
                let set = ZSet::from_listpack(self.string()?.into_bytes(), &limits.zset);
                OwnedValue::SortedSet(set.map_err(|_| Malformed)?)
            }
            TYPE_SET_LISTPACK => OwnedValue::Set(Set::from_packed(self.string()?.into_bytes()).map_err(|_| Malformed)?),
            TYPE_LIST_QUICKLIST_2 => OwnedValue::List(self.list_of_nodes(limits.list)?),
            _ => return Err(Malformed),
        };
        if value.as_value().is_empty_collection() { Err(Malformed) } else { Ok(value) }
    }
}
