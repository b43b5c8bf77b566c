//! All commands, by family. A family's `mod.rs` holds its essay and the list of its commands.

pub mod bitmap;
pub mod connection;
pub mod help;
pub mod hyperloglog;
pub mod key;
pub mod parse;
pub mod server;
pub mod string;

use crate::spec::Command;

/// The families.
pub const FAMILIES: &[&[&Command]] =
    &[bitmap::COMMANDS, connection::COMMANDS, hyperloglog::COMMANDS, key::COMMANDS, server::COMMANDS, string::COMMANDS];
