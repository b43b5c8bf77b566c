//! CLIENT: about this connection, and about all others.
//!
//! | file | subcommands |
//! |---|---|
//! | `identity.rs` | ID, GETNAME, SETNAME, SETINFO |
//! | `list.rs` | LIST, INFO |
//! | `kill.rs` | KILL |
//! | `modes.rs` | REPLY, NO-EVICT, NO-TOUCH |
//! | `pause.rs` | PAUSE, UNPAUSE, UNBLOCK |
//! | `tracking.rs` | TRACKING, CACHING |
//! | `tracking_info.rs` | TRACKINGINFO, GETREDIR |

pub(super) mod identity;
mod kill;
mod list;
mod modes;
mod pause;
mod tracking;
mod tracking_info;

pub use list::line_of;

use crate::commands::help;
use crate::exec::{CommandError, Run};
use crate::session::Session;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// CLIENT subcommand
pub const CLIENT: Command = Command {
    name: "client",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about client connections.",
        since: "2.4.0",
        group: Group::Connection,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[
        tracking::CACHING,
        identity::GETNAME,
        tracking_info::GETREDIR,
        identity::ID,
        list::INFO,
        kill::KILL,
        list::LIST,
        modes::NO_EVICT,
        modes::NO_TOUCH,
        pause::PAUSE,
        modes::REPLY,
        identity::SETINFO,
        identity::SETNAME,
        tracking::TRACKING,
        tracking_info::TRACKINGINFO,
        pause::UNBLOCK,
        pause::UNPAUSE,
        help::command(Group::Connection, "5.0.0"),
    ],
    run: Run::Container,
    ..Command::BLANK
};

/// What subcommands about the own connection have in common.
const OWN: Flags = Flags::of(&[Flag::Noscript, Flag::Loading, Flag::Stale]);

/// What subcommands about others have in common.
const OTHERS: Flags = Flags::of(&[Flag::Admin, Flag::Noscript, Flag::Loading, Flag::Stale]);

/// ON or OFF.
const ON_OR_OFF: &[Argument] =
    &[Argument::new("enabled", ArgumentKind::OneOf(&[Argument::word("on", "ON"), Argument::word("off", "OFF")]))];

/// The kinds of clients that LIST and KILL tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientKind {
    /// None of the others.
    Normal,
    /// The server that this one copies.
    Master,
    /// A server that copies this one.
    Replica,
    /// Subscribed to something.
    Pubsub,
}

impl ClientKind {
    fn named(name: &[u8]) -> Result<ClientKind, CommandError> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(ClientKind::Normal),
            b"master" => Ok(ClientKind::Master),
            b"slave" | b"replica" => Ok(ClientKind::Replica),
            b"pubsub" => Ok(ClientKind::Pubsub),
            _ => Err(CommandError::bytes([b"ERR Unknown client type '", name, b"'"].concat())),
        }
    }

    /// Whether `session` is of this kind. There are no replicas.
    fn includes(self, session: &Session) -> bool {
        self == if session.is_subscribed() { ClientKind::Pubsub } else { ClientKind::Normal }
    }
}

#[cfg(test)]
mod tests;
