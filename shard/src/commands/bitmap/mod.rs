//! Bitmaps: strings that clients read and write bit by bit, or as integers of any width at any bit.
//!
//! | file | commands |
//! |---|---|
//! | `bit.rs` | GETBIT, SETBIT |
//! | `search.rs` | BITCOUNT, BITPOS |
//! | `field.rs` | BITFIELD, BITFIELD_RO |
//! | `combine.rs` | BITOP |
//!
//! # What all have in common
//!
//! - Bit 0 is the most significant bit of the first byte. Bits behind the end of a string are clear.
//! - A bit that is written makes the string long enough for it, filled up with zero bytes; a field that is to be written
//!   does so even if it then keeps its value. No string becomes longer than `proto-max-bulk-len`.
//! - A write that changes nothing is no change of the data set: it is not counted, and no event tells of it.
//! - A key of another type is an error and stays as it was.
//!
//! What is done with the bits is the business of [`storage::types::bitmap`].
//!
//! # Over several shards
//!
//! BITOP's keys are brought together under locks; all others have one key.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod bit;
mod combine;
mod field;
mod search;
#[cfg(test)]
mod tests;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &bit::GETBIT,
    &bit::SETBIT,
    &combine::BITOP,
    &field::BITFIELD,
    &field::BITFIELD_RO,
    &search::BITCOUNT,
    &search::BITPOS,
];
