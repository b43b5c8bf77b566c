//! MEMORY: what the memory is spent on.
//!
//! | file | subcommands |
//! |---|---|
//! | `usage.rs` | USAGE |
//! | `stats.rs` | STATS |
//! | `doctor.rs` | DOCTOR |
//! | `allocator.rs` | PURGE, MALLOC-STATS |
//!
//! [`Account`] is the account that STATS, DOCTOR and INFO share: the allocator's figures, which are the process's, and the
//! sums over cores of what can be told apart. Nothing in it is estimated: entries and tables count their own bytes.

mod account;
mod allocator;
mod doctor;
mod stats;
mod usage;

pub(super) use account::{Account, CoreMemory};

use crate::commands::help;
use crate::exec::Run;
use crate::spec::{Arity, Command, Docs, Group};

/// MEMORY subcommand
pub const MEMORY: Command = Command {
    name: "memory",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about memory.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[
        doctor::DOCTOR,
        allocator::MALLOC_STATS,
        allocator::PURGE,
        stats::STATS,
        usage::USAGE,
        help::command(Group::Server, "4.0.0"),
    ],
    run: Run::Container,
    ..Command::BLANK
};

const TIPS: &[&str] = &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

#[cfg(test)]
mod tests;
