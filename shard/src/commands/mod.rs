//! All commands, by family. A family's `mod.rs` holds its essay and the list of its commands.

pub mod connection;
pub mod help;
pub mod key;
pub mod parse;
pub mod server;
pub mod stream;
pub mod string;

use crate::spec::Command;

/// The families.
pub const FAMILIES: &[&[&Command]] =
    &[connection::COMMANDS, key::COMMANDS, server::COMMANDS, stream::COMMANDS, string::COMMANDS];
