//! Geospatial indexes: sorted sets whose scores are places on earth.
//!
//! | file | commands |
//! |---|---|
//! | `add.rs` | GEOADD |
//! | `place.rs` | GEOPOS, GEOHASH, GEODIST |
//! | `search.rs`, `search/` | GEOSEARCH, GEOSEARCHSTORE |
//! | `search/radius.rs` | GEORADIUS, GEORADIUSBYMEMBER, and their kin that only read |
//! | `unit.rs` | metres, kilometres, feet and miles; lengths and places as clients write them |
//!
//! # What all have in common
//!
//! - To TYPE, DUMP and the commands of sorted sets an index is a sorted set. Its scores are integers of 52 bits that keep
//!   a place to about 0.6 metres; what a member was given and what GEOPOS returns differ by so much.
//! - Any sorted set can be searched: each score is some place.
//! - A search looks at the few ranges of scores that cover the area and at each member within them.
//! - Lengths are in the unit that the client names, and are replied in it.
//!
//! How a place becomes a score, and how an area becomes ranges of scores, is the business of [`storage::types::geohash`].

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod add;
mod place;
mod search;
#[cfg(test)]
mod tests;
mod unit;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &add::GEOADD,
    &place::GEODIST,
    &place::GEOHASH,
    &place::GEOPOS,
    &search::radius::GEORADIUS,
    &search::radius::GEORADIUSBYMEMBER,
    &search::radius::GEORADIUSBYMEMBER_RO,
    &search::radius::GEORADIUS_RO,
    &search::GEOSEARCH,
    &search::GEOSEARCHSTORE,
];
