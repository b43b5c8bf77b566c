//! COMMAND: what the server can do, told from the table of commands.
//!
//! | file | what it tells |
//! |---|---|
//! | `info.rs` | COMMAND, COMMAND INFO: arity, flags, keys, categories |
//! | `docs.rs` | COMMAND DOCS: summaries, history, syntax |
//! | `list.rs` | COMMAND LIST, COUNT |
//! | `keys.rs` | COMMAND GETKEYS, GETKEYSANDFLAGS |

mod docs;
mod info;
mod keys;
mod list;

use crate::commands::help;
use crate::exec::Run;
use crate::spec::{Arity, Categories, Category, Command, Docs, Flag, Flags, Group};

/// What the subcommands have in common.
const FLAGS: Flags = Flags::of(&[Flag::Loading, Flag::Stale]);
const CATEGORIES: Categories = Categories::of(&[Category::Connection]);
const UNORDERED: &[&str] = &["nondeterministic_output_order"];

/// COMMAND \[subcommand\]
pub const COMMAND: Command = Command {
    name: "command",
    arity: Arity::AtLeast(1),
    flags: FLAGS,
    categories: CATEGORIES,
    tips: UNORDERED,
    docs: Docs {
        summary: "Tells the details of all commands.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the total number of commands",
        ..Docs::BLANK
    },
    subcommands: &[
        list::COUNT,
        docs::DOCS,
        keys::GETKEYS,
        keys::GETKEYSANDFLAGS,
        info::INFO,
        list::LIST,
        Command { categories: CATEGORIES, ..help::command(Group::Server, "5.0.0") },
    ],
    run: Run::Session(info::all),
    ..Command::BLANK
};

#[cfg(test)]
mod tests;
