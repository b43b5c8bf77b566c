//! RDB: how values look in snapshot files and in the payloads of DUMP and RESTORE.
//!
//! The format is Redis's, so that files and payloads can be exchanged with it. This module has the pieces: the checksum
//! ([`crc64`]), the compression ([`lzf`]), lengths and strings ([`Writer`], [`Reader`]), the payload of a single value
//! ([`dump`], [`restore`]), and whole files ([`file`]).
//!
//! ```text
//! length     00xxxxxx                      6 bits
//!            01xxxxxx xxxxxxxx             14 bits
//!            10000000 + 4 bytes            32 bits, big-endian
//!            10000001 + 8 bytes            64 bits, big-endian
//!            11xxxxxx                      no length: a special string follows
//! string     length + bytes
//!            11000000 + 1 byte             integer of 8 bits
//!            11000001 + 2 bytes            integer of 16 bits, little-endian
//!            11000010 + 4 bytes            integer of 32 bits, little-endian
//!            11000011 + length of the compressed bytes + length of the string + compressed bytes
//! payload    type (1 byte) + value + version (2 bytes, little-endian) + CRC64 of all that (little-endian)
//! ```
//!
//! The types are in the modules of the values: strings are type 0, the others see `list.rs`, `hash.rs`, `set.rs`,
//! `sorted_set.rs`, `stream.rs`. Every type that Redis wrote since 2.0 is read. What is written is what the oldest servers
//! can read that understand all of the value: see `dump.rs`.
//!
//! Bytes from outside are not believed: every claimed length and number is checked against what is there before anything
//! is allocated for it, and every packed encoding is walked through before it is taken over.

pub mod crc64;
mod dump;
pub mod file;
mod hash;
mod list;
pub mod lzf;
mod reader;
mod set;
mod skip;
mod sorted_set;
mod stream;
#[cfg(test)]
mod tests;
mod writer;
mod ziplist;

pub use dump::{RESTORE_VERSION_MAX, RestoreError, dump, restore};
pub use reader::{Malformed, Reader};
pub use writer::Writer;

/// The byte that announces a string value.
pub const TYPE_STRING: u8 = 0;
/// A list, element by element.
const TYPE_LIST: u8 = 1;
/// A set, member by member.
const TYPE_SET: u8 = 2;
/// A sorted set, member by member, scores as text.
const TYPE_ZSET: u8 = 3;
/// A hash, field by field.
const TYPE_HASH: u8 = 4;
/// A sorted set, member by member, scores in binary.
const TYPE_ZSET_2: u8 = 5;
/// A hash in a zipmap.
const TYPE_HASH_ZIPMAP: u8 = 9;
/// A list in a ziplist.
const TYPE_LIST_ZIPLIST: u8 = 10;
/// A set of integers.
const TYPE_SET_INTSET: u8 = 11;
/// A sorted set in a ziplist.
const TYPE_ZSET_ZIPLIST: u8 = 12;
/// A hash in a ziplist.
const TYPE_HASH_ZIPLIST: u8 = 13;
/// A list, node by node, in ziplists.
const TYPE_LIST_QUICKLIST: u8 = 14;
/// A stream: entries and groups.
const TYPE_STREAM: u8 = 15;
/// A hash in a listpack.
const TYPE_HASH_LISTPACK: u8 = 16;
/// A sorted set in a listpack.
const TYPE_ZSET_LISTPACK: u8 = 17;
/// A list, node by node.
const TYPE_LIST_QUICKLIST_2: u8 = 18;
/// A stream with its counters.
const TYPE_STREAM_2: u8 = 19;
/// A set in a listpack.
const TYPE_SET_LISTPACK: u8 = 20;
/// A stream with its counters, and when consumers were active.
const TYPE_STREAM_3: u8 = 21;
/// A hash with expiries, field by field, as release candidates wrote it.
const TYPE_HASH_TTL_OLD: u8 = 22;
/// A hash with expiries in a listpack, as release candidates wrote it.
const TYPE_HASH_LISTPACK_TTL_OLD: u8 = 23;
/// A hash with expiries, field by field.
const TYPE_HASH_TTL: u8 = 24;
/// A hash with expiries in a listpack.
const TYPE_HASH_LISTPACK_TTL: u8 = 25;

/// The least version of RDB that is written.
const VERSION_MIN: u16 = 10;

/// Whether values of that type are known here.
const fn is_type(type_byte: u8) -> bool {
    matches!(type_byte, TYPE_STRING..=TYPE_ZSET_2 | TYPE_HASH_ZIPMAP..=TYPE_HASH_LISTPACK_TTL)
}

const LENGTH_6: u8 = 0x00;
const LENGTH_14: u8 = 0x40;
const LENGTH_32: u8 = 0x80;
const LENGTH_64: u8 = 0x81;
const SPECIAL: u8 = 0xc0;
const SPECIAL_INT8: u8 = 0xc0;
const SPECIAL_INT16: u8 = 0xc1;
const SPECIAL_INT32: u8 = 0xc2;
const SPECIAL_LZF: u8 = 0xc3;
