//! Access control lists: who may do what.
//!
//! | file | what it has |
//! |---|---|
//! | `user.rs` | a user: on or off, passwords, selectors |
//! | `selector.rs` | one set of commands, keys and channels |
//! | `commands.rs` | which commands a selector allows |
//! | `rules.rs` | the rules that change a user, as SETUSER and files have them |
//! | `describe.rs` | a user as rules |
//! | `check.rs` | whether a user may run a command |
//! | `users.rs` | all users |
//! | `file.rs` | users of the configuration and of the `aclfile` |
//! | `registry.rs` | the users of this server, and what was denied |
//! | `log.rs` | ACL LOG |
//!
//! # A user
//!
//! ```text
//!   user ─► on, passwords
//!        └► selectors: [ root, (…), (…) ]     a command is allowed if one selector allows all of it
//!             selector ─► commands  one bit for each row of the command table, and first arguments
//!                      ├► keys      patterns, each to read, to write, or both
//!                      └► channels  patterns
//! ```
//!
//! # How all cores come to know
//!
//! The users are one value that is never changed, but replaced ([`Registry`]): whoever changes users takes a copy, under a
//! lock, and every replacement has a number. If the number is another one at the beginning of a tick, a core takes the users,
//! and from them what each of its clients may do ([`Access`]). What a client sends when it knows of a change was collected
//! behind the change by whatever core it came to, and every tick looks at the number behind its collecting: so all cores obey
//! whoever was answered. A user keeps its own number ([`UserId`]) through all changes of its rules; a client whose user is
//! gone, or is another one of the same name, is closed.
//!
//! # What it costs
//!
//! A client whose user may do everything is not looked at further than that: one comparison for each command. For others the
//! command's bit is looked up, then its keys are matched with the patterns, where it is routed: before it is kept for EXEC,
//! at EXEC, and for each command of a script, by the rules that held when the script was called.

mod check;
mod commands;
mod describe;
mod file;
mod log;
mod registry;
mod rules;
mod selector;
#[cfg(test)]
mod tests;
mod user;
mod users;

use std::sync::Arc;

pub use check::{Denial, Reason};
pub use file::load_file;
pub use log::{Context, Denied, Log, LogEntry};
pub use registry::{Counts, Registry};
pub use rules::{RuleError, is_name, join_selectors};
pub use selector::Selector;
pub use user::{User, UserId};
pub use users::{DEFAULT_USER, Users};

/// What a client may do, as far as that is known without its user's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Say who it is, and little else.
    Nothing,
    /// What its user's rules allow.
    Restricted,
    /// Everything.
    Full,
}

/// A client whose user may not do everything, as those know it who act in its name elsewhere.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its user, with the rules that held when it called.
    pub user: Arc<User>,
    /// Its line of CLIENT LIST.
    pub client: String,
}
