//! ACL: users, and what they may do ([`crate::acl`]).
//!
//! | file | subcommands |
//! |---|---|
//! | `users.rs` | SETUSER, DELUSER |
//! | `show.rs` | GETUSER, LIST, USERS, WHOAMI, CAT, DRYRUN, GENPASS |
//! | `file.rs` | LOAD, SAVE |
//! | `log.rs` | LOG |
//!
//! The users are one value that all cores share, and look at when a tick begins: a command that changes it does so at once, on
//! its client's core, and all obey whoever was answered.

mod file;
mod log;
mod show;
mod users;

use net::Flow;

use crate::commands::help;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Run};
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};

/// ACL subcommand
pub const ACL: Command = Command {
    name: "acl",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about users and what they may do.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[
        show::CAT,
        users::DELUSER,
        show::DRYRUN,
        show::GENPASS,
        show::GETUSER,
        show::LIST,
        file::LOAD,
        log::LOG,
        file::SAVE,
        users::SETUSER,
        show::USERS,
        show::WHOAMI,
        help::command(Group::Server, "6.0.0"),
    ],
    run: Run::Container,
    ..Command::BLANK
};

/// Of subcommands that anybody may call whom the rules let.
const FREE: Flags = Flags::of(&[Flag::Noscript, Flag::Loading, Flag::Stale]);

/// The client of `ctx` has changed the users. If it may not stay itself, it is closed when it has its reply.
fn changed(ctx: &mut SessionCtx<'_>) {
    let conn = ctx.conn;
    if ctx.core.users_changed(conn) {
        ctx.flow = Flow::Close;
    }
}

/// An error that quotes `what`.
fn quoting(before: &str, what: &[u8], behind: &str) -> CommandError {
    CommandError::bytes([before.as_bytes(), what, behind.as_bytes()].concat())
}
