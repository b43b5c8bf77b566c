//! Reading RDB: lengths and strings, from bytes that may be damaged or made up.
//!
//! Nothing is allocated on the word of a length alone: it is compared with the bytes that are there first.

use std::borrow::Cow;

use super::stream::Detail;
use super::{LENGTH_32, LENGTH_64, SPECIAL, SPECIAL_INT8, SPECIAL_INT16, SPECIAL_INT32, SPECIAL_LZF, lzf};
use super::{
    TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_TTL, TYPE_HASH_LISTPACK_TTL_OLD, TYPE_HASH_TTL,
    TYPE_HASH_TTL_OLD, TYPE_HASH_ZIPLIST, TYPE_HASH_ZIPMAP, TYPE_LIST, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2,
    TYPE_LIST_ZIPLIST, TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK, TYPE_STREAM, TYPE_STREAM_2, TYPE_STREAM_3,
    TYPE_STRING, TYPE_ZSET, TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
};
use crate::number::{INTEGER_TEXT_BYTES_MAX, write_i64};
use crate::types::string::OwnedString;
use crate::types::{Limits, OwnedValue};

/// The bytes are no RDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads RDB from bytes in memory.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Bytes that were asked for beyond the end.
    missing: usize,
    /// What is wrong, as far as more is known than that it is.
    fault: Option<&'static str>,
}

/// What is wrong with bytes of which no more is known.
const BAD_FORMAT: &str = "Bad data format";

/// What a length turns out to be.
enum Length {
    Plain(u64),
    Special(u8),
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, missing: 0, fault: None }
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// By how many bytes at least what failed went beyond the end; 0 if it failed for another reason.
    pub const fn missing_bytes(&self) -> usize {
        self.missing
    }

    /// What is wrong, for the log, if something failed.
    pub fn fault(&self) -> &'static str {
        self.fault.unwrap_or(BAD_FORMAT)
    }

    /// Says what it is that `result` found wrong.
    pub(super) fn blame<T, E>(&mut self, fault: &'static str, result: Result<T, E>) -> Result<T, Malformed> {
        result.map_err(|_| {
            self.fault = Some(fault);
            Malformed
        })
    }

    /// Reads so many bytes as they are.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let Some((bytes, rest)) = self.rest.split_at_checked(len) else {
            self.missing = len - self.rest.len();
            return Err(Malformed);
        };
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let Some((bytes, rest)) = self.rest.split_first_chunk() else {
            self.missing = N - self.rest.len();
            return Err(Malformed);
        };
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

    /// So many strings, or as many as the bytes that are here may hold: what may be believed before they are read.
    pub(super) fn at_most(&self, strings: u64) -> usize {
        usize::try_from(strings).unwrap_or(usize::MAX).min(self.rest.len())
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
            Length::Special(SPECIAL_LZF) => OwnedString::encode(self.decompressed()?),
            Length::Special(_) => return Err(Malformed),
        })
    }

    /// Reads a string as bytes: as they lie there, unless they are compressed or an integer.
    pub(super) fn text(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        let number = match self.length_or_special()? {
            Length::Plain(len) => {
                let len = usize::try_from(len).map_err(|_| Malformed)?;
                return self.bytes(len).map(Cow::Borrowed);
            }
            Length::Special(SPECIAL_LZF) => return self.decompressed().map(Cow::Owned),
            Length::Special(SPECIAL_INT8) => i64::from(i8::from_le_bytes(self.array()?)),
            Length::Special(SPECIAL_INT16) => i64::from(i16::from_le_bytes(self.array()?)),
            Length::Special(SPECIAL_INT32) => i64::from(i32::from_le_bytes(self.array()?)),
            Length::Special(_) => return Err(Malformed),
        };
        Ok(Cow::Owned(write_i64(number, &mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec()))
    }

    fn decompressed(&mut self) -> Result<Vec<u8>, Malformed> {
        let compressed_len = self.length_in_memory()?;
        let len = self.length_in_memory()?;
        let compressed = self.bytes(compressed_len)?;
        lzf::decompress(compressed, len).ok_or(Malformed)
    }

    /// Reads a value of the type that `type_byte` announces. A collection without items is no value.
    pub fn value(&mut self, type_byte: u8, limits: &Limits) -> Result<OwnedValue, Malformed> {
        let value = self.value_or_empty(type_byte, limits)?;
        if value.as_value().is_empty_collection() { Err(Malformed) } else { Ok(value) }
    }

    /// As [`Self::value`], collections without items included.
    pub fn value_or_empty(&mut self, type_byte: u8, limits: &Limits) -> Result<OwnedValue, Malformed> {
        Ok(match type_byte {
            TYPE_STRING => OwnedValue::String(self.string()?),
            TYPE_LIST => OwnedValue::List(self.list_of_elements(limits.list)?),
            TYPE_LIST_ZIPLIST => OwnedValue::List(self.list_ziplist(limits.list)?),
            TYPE_LIST_QUICKLIST => OwnedValue::List(self.list_of_ziplists(limits.list)?),
            TYPE_LIST_QUICKLIST_2 => OwnedValue::List(self.list_of_nodes(limits.list)?),
            TYPE_SET => OwnedValue::Set(self.set_members(&limits.set)?),
            TYPE_SET_INTSET => OwnedValue::Set(self.set_intset(&limits.set)?),
            TYPE_SET_LISTPACK => OwnedValue::Set(self.set_listpack(&limits.set)?),
            TYPE_ZSET => OwnedValue::SortedSet(self.sorted_set_records(false, &limits.zset)?),
            TYPE_ZSET_2 => OwnedValue::SortedSet(self.sorted_set_records(true, &limits.zset)?),
            TYPE_ZSET_ZIPLIST => OwnedValue::SortedSet(self.sorted_set_ziplist(&limits.zset)?),
            TYPE_ZSET_LISTPACK => OwnedValue::SortedSet(self.sorted_set_listpack(&limits.zset)?),
            TYPE_HASH => OwnedValue::Hash(self.hash_fields(&limits.hash)?),
            TYPE_HASH_ZIPMAP => OwnedValue::Hash(self.hash_zipmap(&limits.hash)?),
            TYPE_HASH_ZIPLIST => OwnedValue::Hash(self.hash_ziplist(&limits.hash)?),
            TYPE_HASH_LISTPACK => OwnedValue::Hash(self.hash_listpack(&limits.hash)?),
            TYPE_HASH_TTL_OLD => OwnedValue::Hash(self.hash_fields_ttl(false, &limits.hash)?),
            TYPE_HASH_TTL => OwnedValue::Hash(self.hash_fields_ttl(true, &limits.hash)?),
            TYPE_HASH_LISTPACK_TTL_OLD => OwnedValue::Hash(self.hash_listpack_ttl(false, &limits.hash)?),
            TYPE_HASH_LISTPACK_TTL => OwnedValue::Hash(self.hash_listpack_ttl(true, &limits.hash)?),
            TYPE_STREAM => OwnedValue::Stream(Box::new(self.stream(Detail::Entries)?)),
            TYPE_STREAM_2 => OwnedValue::Stream(Box::new(self.stream(Detail::Counters)?)),
            TYPE_STREAM_3 => OwnedValue::Stream(Box::new(self.stream(Detail::ActiveTimes)?)),
            _ => return Err(Malformed),
        })
    }
}
