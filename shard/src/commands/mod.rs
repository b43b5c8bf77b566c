//! All commands, by family. A family's `mod.rs` holds its essay and the list of its commands.

pub mod connection;
pub mod geo;
pub mod help;
pub mod key;
pub mod parse;
pub mod server;
pub mod string;
pub mod zset;

use crate::spec::Command;

/// The families.
pub const FAMILIES: &[&[&Command]] =
    &[connection::COMMANDS, geo::COMMANDS, key::COMMANDS, server::COMMANDS, string::COMMANDS, zset::COMMANDS];
