//! RDB files: all keys of all databases, with what belongs to them.
//!
//! ```text
//! REDIS0010                                    magic and version: four digits
//! 250 · name · value                           about the file, as often as wanted                        (AUX)
//! 245 · payload                                a library of functions                                    (FUNCTION2)
//! 254 · number                                 keys of this database follow                              (SELECTDB)
//! 251 · keys · keys that expire                so many of them: a hint                                   (RESIZEDB)
//! entry                                        as often as there are keys
//! 255 · CRC64 of all before (little-endian)    the end; a checksum of 0 is none. No checksum before version 5
//!
//! entry      [253 · seconds (4 bytes) | 252 · milliseconds (8 bytes)]     when it expires, little-endian
//!            [248 · seconds since the last use | 249 · frequency (1 byte)]
//!            type (1 byte) · key (a string) · value
//! ```
//!
//! 244 (SLOT_INFO, three lengths) is a hint of clusters and skipped; 247 (MODULE_AUX) and the types 6 and 7 are data of
//! modules, and 246 are functions of a release candidate: those are refused, as they cannot be kept.
//!
//! # Writing
//!
//! Shards write one file together. Each gives [`Block`]s: whole entries behind a SELECTDB of their own, so that blocks can
//! stand in any order; only the blocks of a value that is written in pieces stand one behind the other ([`Pieces`]). The
//! checksum of the whole is combined from those of the blocks. The version in the header is the
//! least that tells everything in the file, and known when the last block is: 10, which Redis 7.0 reads, unless a stream
//! asks for 11 (Redis 7.2) or a hash whose fields expire for 12 (Redis 8). Nothing is lost by the older numbers: sets
//! in listpacks, the one other thing that 11 brought, are written member by member, which every server reads. Those who
//! could not read 11 or 12 could not make sense of such a stream or hash either.
//!
//! # Reading
//!
//! [`FileReader`] reads versions 1 to 12 from anything that gives bytes, through a window that is as large as the largest
//! entry. A length is believed as far as there are bytes in the file.

mod pieces;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use pieces::Pieces;
pub use read::{EntryHead, FileError, FileErrorKind, FileReader, Item};
pub use write::{
    Block, FileSum, HEADER_BYTES, KeptAccess, Part, RecordOptions, Records, end_mark, header, put_aux, put_function,
};

/// The latest version that is read.
pub const FILE_VERSION_MAX: u16 = 12;

/// The first version with a checksum.
const VERSION_WITH_CHECKSUM: u16 = 5;

const MAGIC: &[u8; 5] = b"REDIS";

const SLOT_INFO: u8 = 244;
const FUNCTION: u8 = 245;
const FUNCTION_PRE_GA: u8 = 246;
const MODULE_AUX: u8 = 247;
const IDLE: u8 = 248;
const FREQUENCY: u8 = 249;
const AUX: u8 = 250;
const RESIZE_DB: u8 = 251;
const EXPIRE_MILLIS: u8 = 252;
const EXPIRE_SECONDS: u8 = 253;
const SELECT_DB: u8 = 254;
const END: u8 = 255;

/// Values of modules.
const TYPES_OF_MODULES: std::ops::RangeInclusive<u8> = 6..=7;
