//! Ziplists and zipmaps: what small collections were packed into before there were listpacks. They are read, never written.
//!
//! ```text
//! ziplist    bytes (4) · offset of the last entry (4) · number of entries (2) · entries · 0xff       all little-endian
//! entry      length of the entry before: 1 byte, or 254 and 4 bytes
//!            00xxxxxx                         string of up to 63 bytes
//!            01xxxxxx xxxxxxxx                string of up to 16,383 bytes
//!            10000000 + 4 bytes               string, its length big-endian
//!            11000000, 11010000, 11100000     integer of 2, 4, 8 bytes, little-endian
//!            11110000, 11111110               integer of 3 bytes, of 1 byte
//!            11110001 … 11111101              integer 0 to 12
//!
//! zipmap     number of fields (1; 254: not told) · fields · 0xff
//! field      length · name · length · unused (1) · value · unused bytes         length: 1 byte, or 254 and 4 bytes
//! ```

use super::{Malformed, Reader};
use crate::encoding::listpack::{self, Item};

const ZIPLIST_HEADER_BYTES: usize = 10;
const ENTRIES_UNKNOWN: u16 = u16::MAX;
const END: u8 = 0xff;

/// A length in one byte is smaller than this.
const LENGTH_LONG: u8 = 254;

const INT_16: u8 = 0xc0;
const INT_32: u8 = 0xd0;
const INT_64: u8 = 0xe0;
const INT_24: u8 = 0xf0;
const INT_8: u8 = 0xfe;
const IMMEDIATE_MIN: u8 = 0xf1;
const IMMEDIATE_MAX: u8 = 0xfd;

/// The entries of a ziplist, each with what the header and its neighbours say of it checked.
pub(super) fn ziplist_items(bytes: &[u8]) -> Result<Vec<Item<'_>>, Malformed> {
    let mut reader = Reader::new(bytes);
    let total = u32::from_le_bytes(reader.array()?) as usize;
    let last_offset = u32::from_le_bytes(reader.array()?) as usize;
    let count = u16::from_le_bytes(reader.array()?);
    let (mut items, mut offset, mut before) = (Vec::new(), ZIPLIST_HEADER_BYTES, 0);
    let mut last = ZIPLIST_HEADER_BYTES;
    while reader.rest().first() != Some(&END) {
        let rest = reader.rest().len();
        if entry_length(&mut reader)? != before {
            return Err(Malformed);
        }
        items.push(entry(&mut reader)?);
        last = offset;
        before = rest - reader.rest().len();
        offset += before;
    }
    let told = count == ENTRIES_UNKNOWN || usize::from(count) == items.len();
    let ends = total == bytes.len() && offset + 1 == total && last_offset == last;
    if told && ends { Ok(items) } else { Err(Malformed) }
}

/// The listpack of the same entries.
pub(super) fn listpack_of_ziplist(bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut packed = listpack::create();
    for item in ziplist_items(bytes)? {
        listpack::push_back_item(&mut packed, item);
    }
    Ok(packed)
}

/// A name and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The fields of a zipmap with their values.
pub(super) fn zipmap_fields(bytes: &[u8]) -> Result<Vec<Pair<'_>>, Malformed> {
    let mut reader = Reader::new(bytes);
    let count = reader.byte()?;
    let mut fields = Vec::new();
    while reader.rest().first() != Some(&END) {
        let name_len = field_length(&mut reader)?;
        let name = reader.bytes(name_len)?;
        let value_len = field_length(&mut reader)?;
        let unused = reader.byte()?;
        let value = reader.bytes(value_len)?;
        reader.bytes(usize::from(unused))?;
        fields.push((name, value));
    }
    let told = count >= LENGTH_LONG || usize::from(count) == fields.len();
    if told && reader.rest().len() == 1 { Ok(fields) } else { Err(Malformed) }
}

/// A length of one byte, or of five.
fn entry_length(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    match reader.byte()? {
        END => Err(Malformed),
        LENGTH_LONG => Ok(u32::from_le_bytes(reader.array()?) as usize),
        len => Ok(usize::from(len)),
    }
}

/// The same in a zipmap, where a length that fits one byte has no more.
fn field_length(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    let long = reader.rest().first() == Some(&LENGTH_LONG);
    let len = entry_length(reader)?;
    if long && len < usize::from(LENGTH_LONG) { Err(Malformed) } else { Ok(len) }
}

/// The string or the integer of an entry.
fn entry<'a>(reader: &mut Reader<'a>) -> Result<Item<'a>, Malformed> {
    let head = reader.byte()?;
    let int = |number| Ok(Item::Int(number));
    let len = match head {
        0..0x40 => usize::from(head),
        0x40..0x80 => usize::from(head & 0x3f) << 8 | usize::from(reader.byte()?),
        0x80 => u32::from_be_bytes(reader.array()?) as usize,
        INT_16 => return int(i64::from(i16::from_le_bytes(reader.array()?))),
        INT_32 => return int(i64::from(i32::from_le_bytes(reader.array()?))),
        INT_64 => return int(i64::from_le_bytes(reader.array()?)),
        INT_24 => {
            let [low, middle, high] = reader.array()?;
            return int(i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8));
        }
        INT_8 => return int(i64::from(i8::from_le_bytes(reader.array()?))),
        IMMEDIATE_MIN..=IMMEDIATE_MAX => return int(i64::from(head - IMMEDIATE_MIN)),
        _ => return Err(Malformed),
    };
    reader.bytes(len).map(Item::Bytes)
}
