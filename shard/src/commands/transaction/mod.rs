//! Transactions: commands that run one behind the other with nothing of other clients in between.
//!
//! | file | commands |
//! |---|---|
//! | `control.rs` | MULTI, EXEC, DISCARD |
//! | `watch.rs` | WATCH, UNWATCH |
//!
//! Behind MULTI a client's commands are kept and answered `QUEUED`, except for those that are about the transaction or
//! the connection itself. One that is refused when it comes (no such command, wrong number of arguments, not allowed)
//! makes EXEC refuse the whole with EXECABORT; one that fails when it runs does not keep the others from running.
//! [`crate::txn`] tells what EXEC does, on however many shards.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod control;
mod watch;

use crate::spec::{Command, Flag, Flags};

/// The family's commands.
pub const COMMANDS: &[&Command] = &[&control::DISCARD, &control::EXEC, &control::MULTI, &watch::UNWATCH, &watch::WATCH];

/// What they have in common, besides EXEC.
const CONTROL: &[Flag] = &[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::AllowBusy];

const AT_ONCE: Flags = Flags::of(CONTROL).or(Flags::of(&[Flag::NotQueued]));
