//! Writing RDB: lengths and strings.

use super::hash::hash_type;
use super::lzf::Compressor;
use super::set::set_type;
use super::sorted_set::sorted_set_type;
use super::stream::stream_type;
use super::{LENGTH_6, LENGTH_14, LENGTH_32, LENGTH_64, SPECIAL_INT8, SPECIAL_INT16, SPECIAL_INT32, SPECIAL_LZF};
use super::{TYPE_LIST_QUICKLIST_2, TYPE_STRING, lzf};
use crate::number::{INTEGER_TEXT_BYTES_MAX, parse_i64, write_i64};
use crate::types::Value;
use crate::types::list::{IntBuf, Item};
use crate::types::string::StringRef;

/// Strings longer than this are compressed if that saves something.
const COMPRESS_ABOVE_BYTES: usize = 20;

/// Bytes that compression must save.
const COMPRESSION_SAVING_MIN: usize = 4;

/// The longest text of an integer of 32 bits.
const INT32_TEXT_BYTES_MAX: usize = 11;

/// Collects RDB bytes.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    compressor: Option<lzf::Compressor>,
}

impl Writer {
    /// An empty writer. Long strings are compressed if `compression` (`rdbcompression`) is on.
    pub fn new(compression: bool) -> Self {
        Self { bytes: Vec::new(), compressor: compression.then(Compressor::new) }
    }

    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written; the writer begins anew.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// As [`Self::take`]; what is written next goes into `spare`.
    pub fn take_for(&mut self, spare: Vec<u8>) -> Vec<u8> {
        std::mem::replace(&mut self.bytes, spare)
    }

    /// Writes bytes as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a length.
    pub fn put_length(&mut self, len: u64) {
        match len {
            0..0x40 => self.bytes.push(LENGTH_6 | len as u8),
            0x40..0x4000 => self.put(&[LENGTH_14 | (len >> 8) as u8, len as u8]),
            0x4000..=0xffff_ffff => {
                self.bytes.push(LENGTH_32);
                self.put(&(len as u32).to_be_bytes());
            }
            _ => {
                self.bytes.push(LENGTH_64);
                self.put(&len.to_be_bytes());
            }
        }
    }

    /// Writes bytes as a string: as an integer if they read as a small one, compressed if they are long and it saves
    /// something.
    pub fn put_bytes(&mut self, bytes: &[u8]) {
        if bytes.len() <= INT32_TEXT_BYTES_MAX
            && let Some(number) = parse_i64(bytes)
            && self.put_small_int(number)
        {
            return;
        }
        if bytes.len() > COMPRESS_ABOVE_BYTES
            && let Some(compressor) = &mut self.compressor
            && let Some(compressed) = compressor.compress(bytes, COMPRESSION_SAVING_MIN)
        {
            self.bytes.push(SPECIAL_LZF);
            self.put_length(compressed.len() as u64);
            self.put_length(bytes.len() as u64);
            self.put(&compressed);
            return;
        }
        self.put_plain(bytes);
    }

    fn put_plain(&mut self, bytes: &[u8]) {
        self.put_length(bytes.len() as u64);
        self.put(bytes);
    }

    /// Writes an integer of at most 32 bits in its special form; whether it was one.
    fn put_small_int(&mut self, number: i64) -> bool {
        if let Ok(number) = i8::try_from(number) {
            self.put(&[SPECIAL_INT8, number as u8]);
        } else if let Ok(number) = i16::try_from(number) {
            self.bytes.push(SPECIAL_INT16);
            self.put(&number.to_le_bytes());
        } else if let Ok(number) = i32::try_from(number) {
            self.bytes.push(SPECIAL_INT32);
            self.put(&number.to_le_bytes());
        } else {
            return false;
        }
        true
    }

    pub(super) fn put_item(&mut self, item: Item<'_>) {
        self.put_bytes(item.as_bytes(&mut IntBuf::default()));
    }

    /// Writes a string.
    pub fn put_string(&mut self, string: StringRef<'_>) {
        match (string.stored_int(), string.stored_bytes()) {
            (Some(number), _) => {
                if !self.put_small_int(number) {
                    self.put_plain(write_i64(number, &mut [0; INTEGER_TEXT_BYTES_MAX]));
                }
            }
            (None, bytes) => self.put_bytes(bytes.unwrap_or_default()),
        }
    }

    /// The byte that announces a value of that type and encoding.
    pub fn type_byte(value: Value<'_>) -> u8 {
        match value {
            Value::String(_) => TYPE_STRING,
            Value::List(_) => TYPE_LIST_QUICKLIST_2,
            Value::Hash(hash) => hash_type(hash),
            Value::Set(set) => set_type(set),
            Value::SortedSet(set) => sorted_set_type(set),
            Value::Stream(stream) => stream_type(stream),
        }
    }

    /// Writes a value, without the byte that announces its type.
    pub fn put_value(&mut self, value: Value<'_>) {
        match value {
            Value::String(string) => self.put_string(string),
            Value::List(list) => self.put_list(list),
            Value::Hash(hash) => self.put_hash(hash),
            Value::Set(set) => self.put_set(set),
            Value::SortedSet(set) => self.put_sorted_set(set),
            Value::Stream(stream) => self.put_stream(stream),
        }
    }
}
