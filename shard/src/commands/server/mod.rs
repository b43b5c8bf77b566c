//! The server: what it is, what it does, how it is told to do it otherwise.
//!
//! | file | commands |
//! |---|---|
//! | `acl/` | ACL and its subcommands |
//! | `command/` | COMMAND and its subcommands, told from the table of commands |
//! | `config/` | CONFIG GET, SET, REWRITE, RESETSTAT |
//! | `debug/` | DEBUG |
//! | `info/` | INFO |
//! | `latency/` | LATENCY |
//! | `lolwut.rs` | LOLWUT |
//! | `memory/` | MEMORY |
//! | `module.rs` | MODULE |
//! | `monitor.rs` | MONITOR |
//! | `rewrite.rs` | BGREWRITEAOF |
//! | `save.rs` | SAVE, BGSAVE |
//! | `shutdown.rs` | SHUTDOWN |
//! | `slowlog.rs` | SLOWLOG |
//! | `state.rs` | TIME, LASTSAVE, ROLE |
//!
//! Most of these look at all cores. They travel like any other command, so their answers stand in the order of the
//! client's commands; each core adds its share and the client's core makes one answer of them.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod acl;
mod command;
mod config;
mod debug;
mod info;
mod latency;
mod lolwut;
mod memory;
mod module;
mod monitor;
mod rewrite;
mod save;
mod shutdown;
mod slowlog;
mod state;

use net::{Args, Reply};

use crate::core::SessionCtx;
use crate::exec::{Outcome, Share};
use crate::spec::{Command, Flag, Flags};

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &acl::ACL,
    &rewrite::BGREWRITEAOF,
    &save::BGSAVE,
    &command::COMMAND,
    &config::CONFIG,
    &debug::DEBUG,
    &info::INFO,
    &state::LASTSAVE,
    &latency::LATENCY,
    &lolwut::LOLWUT,
    &memory::MEMORY,
    &module::MODULE,
    &monitor::MONITOR,
    &state::ROLE,
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &slowlog::SLOWLOG,
    &state::TIME,
];

/// What commands for administrators have in common.
const ADMIN: Flags = Flags::of(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale]);

/// The check of an `Everywhere` command whose arity is all there is to check.
fn unchecked(_: &mut SessionCtx<'_>, _: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    Ok(())
}

/// The merge of an `Everywhere` command that only does something.
fn ok(_: &mut SessionCtx<'_>, _: &Args<'_>, _: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    reply.ok();
    Ok(())
}

/// The shares of all cores, each a `T`.
fn shares_of<T: 'static>(shares: Vec<Share>) -> impl Iterator<Item = T> {
    shares.into_iter().map(|share| *share.downcast::<T>().expect("every core's share is of the command's own type"))
}
