//! Scripts and functions.
//!
//! | file | commands |
//! |---|---|
//! | `eval.rs` | EVAL, EVALSHA, FCALL and their read-only kin |
//! | `script.rs` | SCRIPT |
//! | `function.rs`, `library_list.rs`, `library_dump.rs` | FUNCTION |
//! | `kill.rs` | SCRIPT KILL, FUNCTION KILL, FUNCTION STATS |
//!
//! Scripts and libraries belong to the whole server ([`crate::script::registry`]): the commands that change them run at the
//! client's core and are over for all cores when they are answered.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod eval;
mod function;
mod kill;
mod library_dump;
mod library_list;
mod script;

use crate::exec::CommandError;
use crate::spec::{Argument, ArgumentKind, Command};

pub use eval::{flags_of_call, within};

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &eval::EVAL,
    &eval::EVAL_RO,
    &eval::EVALSHA,
    &eval::EVALSHA_RO,
    &eval::FCALL,
    &eval::FCALL_RO,
    &script::SCRIPT,
    &function::FUNCTION,
];

/// `[ASYNC|SYNC]`, which makes no difference: nothing that is forgotten takes long to free.
const HOW_TO_FLUSH: &[Argument] = &[Argument::word("async", "ASYNC"), Argument::word("sync", "SYNC")];

/// The argument of the FLUSHes.
const FLUSH_MODE: Argument = Argument::new("async", ArgumentKind::OneOf(HOW_TO_FLUSH)).optional();

/// Whether this says how to flush; `error` if not.
fn check_flush_mode(args: &net::Args<'_>, error: CommandError) -> Result<(), CommandError> {
    use crate::commands::parse::is_word;
    match args.len() {
        2 => Ok(()),
        3 if is_word(args.at(2), "sync") || is_word(args.at(2), "async") => Ok(()),
        _ => Err(error),
    }
}
