//! All commands, by family. A family's `mod.rs` holds its essay and the list of its commands.

pub mod bitmap;
pub mod cluster;
pub mod connection;
pub mod geo;
pub mod hash;
pub mod help;
pub mod hyperloglog;
pub mod item;
pub mod key;
pub mod list;
pub mod parse;
pub mod pubsub;
pub mod scripting;
pub mod server;
pub mod set;
pub mod stream;
pub mod string;
pub mod transaction;
pub mod walk;
pub mod zset;

use crate::spec::Command;

/// The families.
pub const FAMILIES: &[&[&Command]] = &[
    bitmap::COMMANDS,
    cluster::COMMANDS,
    connection::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    key::COMMANDS,
    list::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
    zset::COMMANDS,
];
