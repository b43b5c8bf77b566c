//! Sorted sets in RDB.
//!
//! ```text
//! type 3     number of members, and of each a string and its score as text: length (1 byte) and digits, or one byte:
//!            253 not a number, 254 infinity, 255 minus infinity                                   (up to Redis 3.2)
//! type 5     number of members, and of each a string and its score: 8 bytes, little-endian; highest score first
//! type 12    a string: a ziplist of members and scores                                            (up to Redis 6.2)
//! type 17    a string: a listpack of members and scores
//! ```

use super::ziplist::listpack_of_ziplist;
use super::{Malformed, Reader, TYPE_ZSET_2, TYPE_ZSET_LISTPACK, Writer};
use crate::number::parse_f64;
use crate::types::zset::{Record, ZSet, ZSetLimits, ZSetRef};

const SCORE_INFINITE: u8 = 254;
const SCORE_MINUS_INFINITE: u8 = 255;
const SCORE_NAN: u8 = 253;

const BAD_ZIPLIST: &str = "Zset ziplist integrity check failed.";
const BAD_LISTPACK: &str = "Zset listpack integrity check failed.";
const DUPLICATE: &str = "Duplicate zset fields detected";
const NAN: &str = "Zset with NAN score detected";

/// The type that a sorted set is written as.
pub(super) const fn sorted_set_type(set: ZSetRef<'_>) -> u8 {
    if let ZSetRef::Packed(_) = set { TYPE_ZSET_LISTPACK } else { TYPE_ZSET_2 }
}

impl Writer {
    pub(super) fn put_sorted_set(&mut self, set: ZSetRef<'_>) {
        if let ZSetRef::Packed(bytes) = set {
            return self.put_bytes(bytes);
        }
        self.put_length(set.len() as u64);
        set.iter().rev().for_each(|record| self.put_scored(&record));
    }

    pub(super) fn put_scored(&mut self, record: &Record<'_>) {
        self.put_item(record.member);
        self.put(&record.score.to_le_bytes());
    }
}

impl Reader<'_> {
    /// Types 5 and 3.
    pub(super) fn sorted_set_records(&mut self, binary: bool, limits: &ZSetLimits) -> Result<ZSet, Malformed> {
        // They are in the file from the highest to the lowest; what is added at the end of a set is added fastest.
        let mut records = Vec::new();
        for _ in 0..self.length()? {
            let member = self.text()?;
            let score = if binary { f64::from_le_bytes(self.array()?) } else { self.score_text()? };
            if score.is_nan() {
                return self.blame(NAN, Err(Malformed));
            }
            records.push((member, score));
        }
        records.reverse();
        self.blame(DUPLICATE, ZSet::from_records(records, limits))
    }

    fn score_text(&mut self) -> Result<f64, Malformed> {
        match self.byte()? {
            SCORE_NAN => Err(Malformed),
            SCORE_INFINITE => Ok(f64::INFINITY),
            SCORE_MINUS_INFINITE => Ok(f64::NEG_INFINITY),
            len => parse_f64(self.bytes(usize::from(len))?).ok_or(Malformed),
        }
    }

    pub(super) fn sorted_set_ziplist(&mut self, limits: &ZSetLimits) -> Result<ZSet, Malformed> {
        let bytes = self.text()?.into_owned();
        let packed = self.blame(BAD_ZIPLIST, listpack_of_ziplist(&bytes))?;
        self.blame(BAD_ZIPLIST, ZSet::from_listpack(packed, limits))
    }

    pub(super) fn sorted_set_listpack(&mut self, limits: &ZSetLimits) -> Result<ZSet, Malformed> {
        let packed = self.text()?.into_owned();
        self.blame(BAD_LISTPACK, ZSet::from_listpack(packed, limits))
    }
}
