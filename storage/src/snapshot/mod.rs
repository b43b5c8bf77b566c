//! RDB: how values look in snapshot files and in the payloads of DUMP and RESTORE.
//!
//! The format is Redis's, so that files and payloads can be exchanged with it. This module has the pieces: the checksum
//! ([`crc64`]), the compression ([`lzf`]), lengths and strings ([`Writer`], [`Reader`]), and the payload of a single value
//! ([`dump`], [`restore`]).
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
//! payload    type (1 byte: 0 string) + value + version (2 bytes, little-endian) + CRC64 of all that (little-endian)
//! ```

mod collection;
pub mod crc64;
mod dump;
mod list;
pub mod lzf;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use dump::{DUMP_VERSION, RESTORE_VERSION_MAX, RestoreError, dump, restore};
pub use reader::{Malformed, Reader};
pub use writer::Writer;

/// The byte that announces a string value.
pub const TYPE_STRING: u8 = 0;
/// A list, element by element.
const TYPE_LIST: u8 = 1;
/// A set, member by member.
const TYPE_SET: u8 = 2;
/// A hash, field by field.
const TYPE_HASH: u8 = 4;
/// A sorted set, member by member, scores in binary.
const TYPE_ZSET_2: u8 = 5;
/// A set of integers.
const TYPE_SET_INTSET: u8 = 11;
/// A hash in a listpack.
const TYPE_HASH_LISTPACK: u8 = 16;
/// A sorted set in a listpack.
const TYPE_ZSET_LISTPACK: u8 = 17;
/// A set in a listpack.
const TYPE_SET_LISTPACK: u8 = 20;
/// A list, node by node.
const TYPE_LIST_QUICKLIST_2: u8 = 18;

const LENGTH_6: u8 = 0x00;
const LENGTH_14: u8 = 0x40;
const LENGTH_32: u8 = 0x80;
const LENGTH_64: u8 = 0x81;
const SPECIAL: u8 = 0xc0;
const SPECIAL_INT8: u8 = 0xc0;
const SPECIAL_INT16: u8 = 0xc1;
const SPECIAL_INT32: u8 = 0xc2;
const SPECIAL_LZF: u8 = 0xc3;
