//! The connection: who the client is, what it speaks, and what it wants to hear.
//!
//! | file | commands |
//! |---|---|
//! | `auth.rs` | AUTH, HELLO |
//! | `basic.rs` | PING, ECHO, SELECT, RESET, QUIT |
//! | `client/` | CLIENT and its subcommands |
//! | `wait.rs` | WAIT, WAITAOF |
//!
//! All of this is state of the session and never leaves the client's own core, except where a command looks at the
//! clients of all cores (`CLIENT LIST`, `CLIENT KILL`): those ask every core for its share. A command takes effect for the
//! commands behind it, however many before it are still on their way: each carries the database and the protocol version
//! that held when it was routed.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod auth;
mod basic;
pub mod client;
mod wait;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &auth::AUTH,
    &client::CLIENT,
    &basic::ECHO,
    &auth::HELLO,
    &basic::PING,
    &basic::QUIT,
    &basic::RESET,
    &basic::SELECT,
    &wait::WAIT,
    &wait::WAITAOF,
];
