//! Passing over values without making them.
//!
//! Cores that load a file together read all of it, and make the values of their own keys only. Here no more is looked at
//! than what says where a value ends; whoever makes the value looks at the rest.

use super::stream::Detail;
use super::{LENGTH_64, Malformed, Reader, SPECIAL, SPECIAL_INT8, SPECIAL_INT16, SPECIAL_INT32, SPECIAL_LZF};
use super::{
    TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_TTL, TYPE_HASH_LISTPACK_TTL_OLD, TYPE_HASH_TTL,
    TYPE_HASH_TTL_OLD, TYPE_HASH_ZIPLIST, TYPE_HASH_ZIPMAP, TYPE_LIST, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2,
    TYPE_LIST_ZIPLIST, TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK, TYPE_STREAM, TYPE_STREAM_2, TYPE_STREAM_3,
    TYPE_STRING, TYPE_ZSET, TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
};

const TIME_BYTES: usize = 8;
const STREAM_ID_BYTES: usize = 16;

/// A score as text of this length or more is no text.
const SCORE_SPECIAL_MIN: u8 = 253;

impl Reader<'_> {
    /// Passes over a string.
    pub fn skip_string(&mut self) -> Result<(), Malformed> {
        let len = match self.rest().first() {
            Some(&SPECIAL_INT8) => 2,
            Some(&SPECIAL_INT16) => 3,
            Some(&SPECIAL_INT32) => 5,
            Some(&SPECIAL_LZF) => {
                self.byte()?;
                let compressed = self.length()?;
                self.length()?;
                compressed
            }
            Some(SPECIAL.. | 0x82..SPECIAL) => return Err(Malformed),
            Some(0..=LENGTH_64) => self.length()?,
            None => 1,
        };
        self.bytes(usize::try_from(len).map_err(|_| Malformed)?).map(drop)
    }

    fn skip_strings(&mut self, each: usize) -> Result<(), Malformed> {
        for _ in 0..self.length()? {
            for _ in 0..each {
                self.skip_string()?;
            }
        }
        Ok(())
    }

    fn skip_lengths(&mut self, count: usize) -> Result<(), Malformed> {
        (0..count).try_for_each(|_| self.length().map(drop))
    }

    /// Passes over a value of the type that `type_byte` announces.
    pub fn skip_value(&mut self, type_byte: u8) -> Result<(), Malformed> {
        match type_byte {
            TYPE_STRING
            | TYPE_LIST_ZIPLIST
            | TYPE_SET_INTSET
            | TYPE_SET_LISTPACK
            | TYPE_ZSET_ZIPLIST
            | TYPE_ZSET_LISTPACK
            | TYPE_HASH_ZIPMAP
            | TYPE_HASH_ZIPLIST
            | TYPE_HASH_LISTPACK
            | TYPE_HASH_LISTPACK_TTL_OLD => self.skip_string(),
            TYPE_LIST | TYPE_SET | TYPE_LIST_QUICKLIST => self.skip_strings(1),
            TYPE_HASH => self.skip_strings(2),
            TYPE_HASH_LISTPACK_TTL => {
                self.bytes(TIME_BYTES)?;
                self.skip_string()
            }
            TYPE_LIST_QUICKLIST_2 => {
                for _ in 0..self.length()? {
                    self.skip_lengths(1)?;
                    self.skip_string()?;
                }
                Ok(())
            }
            TYPE_ZSET | TYPE_ZSET_2 => self.skip_records(type_byte == TYPE_ZSET_2),
            TYPE_HASH_TTL | TYPE_HASH_TTL_OLD => self.skip_fields_ttl(type_byte == TYPE_HASH_TTL),
            TYPE_STREAM => self.skip_stream(Detail::Entries),
            TYPE_STREAM_2 => self.skip_stream(Detail::Counters),
            TYPE_STREAM_3 => self.skip_stream(Detail::ActiveTimes),
            _ => Err(Malformed),
        }
    }

    fn skip_records(&mut self, binary: bool) -> Result<(), Malformed> {
        for _ in 0..self.length()? {
            self.skip_string()?;
            let score_bytes = if binary { size_of::<f64>() } else { usize::from(self.score_text_bytes()?) };
            self.bytes(score_bytes)?;
        }
        Ok(())
    }

    fn score_text_bytes(&mut self) -> Result<u8, Malformed> {
        self.byte().map(|len| if len < SCORE_SPECIAL_MIN { len } else { 0 })
    }

    fn skip_fields_ttl(&mut self, relative: bool) -> Result<(), Malformed> {
        if relative {
            self.bytes(TIME_BYTES)?;
        }
        for _ in 0..self.length()? {
            self.skip_lengths(1)?;
            self.skip_string()?;
            self.skip_string()?;
        }
        Ok(())
    }

    fn skip_stream(&mut self, detail: Detail) -> Result<(), Malformed> {
        let with_counters = detail >= Detail::Counters;
        self.skip_strings(2)?;
        // Number of entries and last id; first id, largest deleted id, entries ever added.
        self.skip_lengths(if with_counters { 8 } else { 3 })?;
        for _ in 0..self.length()? {
            self.skip_string()?;
            self.skip_lengths(if with_counters { 3 } else { 2 })?;
            for _ in 0..self.length()? {
                self.bytes(STREAM_ID_BYTES + TIME_BYTES)?;
                self.skip_lengths(1)?;
            }
            for _ in 0..self.length()? {
                self.skip_string()?;
                self.bytes(if detail >= Detail::ActiveTimes { 2 * TIME_BYTES } else { TIME_BYTES })?;
                for _ in 0..self.length()? {
                    self.bytes(STREAM_ID_BYTES)?;
                }
            }
        }
        Ok(())
    }
}
