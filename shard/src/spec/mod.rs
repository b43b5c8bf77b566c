//! What a command is.
//!
//! A [`Command`] is a constant beside its handler; a family lists its commands in one array; the [`table`] collects the
//! families. Everything that lists commands is computed from it: dispatch, COMMAND and its subcommands, ACL categories,
//! key extraction, per-command statistics. A command that stands in no list is dead code, and the compiler says so.

pub mod docs;
pub mod flags;
pub mod keys;
mod renaming;
pub mod table;

pub use docs::{Argument, ArgumentKind, Docs, Group};
pub use flags::{Categories, Category, Flag, Flags};
pub use keys::{Begin, Find, FindKeys, KeyFlag, KeySpec};
pub use table::{CommandId, CommandTable};

use net::Args;

use crate::exec::Run;

/// How many arguments a command takes, its name counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Just so many.
    Exactly(u16),
    /// So many or more.
    AtLeast(u16),
}

impl Arity {
    /// Whether a command with `count` arguments, its name counted, fits.
    pub const fn admits(self, count: usize) -> bool {
        match self {
            Arity::Exactly(n) => count == n as usize,
            Arity::AtLeast(n) => count >= n as usize,
        }
    }

    /// As COMMAND INFO tells it: negative for "at least".
    pub const fn number(self) -> i64 {
        match self {
            Arity::Exactly(n) => n as i64,
            Arity::AtLeast(n) => -(n as i64),
        }
    }
}

/// One command or subcommand.
#[derive(Debug)]
pub struct Command {
    /// Lower case; of a subcommand the last word alone (`get` of `config|get`).
    pub name: &'static str,
    /// Number of arguments.
    pub arity: Arity,
    /// What COMMAND INFO calls flags.
    pub flags: Flags,
    /// ACL categories beyond those that follow from the flags and the group.
    pub categories: Categories,
    /// Where its keys stand.
    pub keys: &'static [KeySpec],
    /// Finds its keys, and what it does with each, where the specifications alone do not tell.
    pub find_keys: Option<FindKeys>,
    /// Hints to clients and proxies.
    pub tips: &'static [&'static str],
    /// What COMMAND DOCS tells.
    pub docs: Docs,
    /// Its subcommands; a command that has some only dispatches.
    pub subcommands: &'static [Command],
    /// How it runs.
    pub run: Run,
}

impl Command {
    /// Visits the place of each of its keys among the arguments. False when the arguments make no sense.
    pub fn visit_keys(&self, args: &Args<'_>, mut visit: impl FnMut(usize)) -> bool {
        if let Some(find) = self.find_keys {
            return find(args, &mut |place, _| visit(place));
        }
        let mut fits = true;
        for spec in self.keys {
            fits &= spec.visit(args, &mut visit);
        }
        fits
    }

    /// Visits the place of each of its keys, with what it does with it. False when the arguments make no sense.
    pub fn visit_used_keys(&self, args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
        match self.find_keys.filter(|_| !self.specifications_tell()) {
            Some(find) => find(args, visit),
            None => self.keys.iter().fold(true, |fits, spec| fits & spec.visit(args, |place| visit(place, spec.flags))),
        }
    }

    /// Whether its specifications tell all of its keys and what it does with them, unless they say that they do not.
    pub fn specifications_tell(&self) -> bool {
        let partly = |flag: &KeyFlag| matches!(flag, KeyFlag::Incomplete | KeyFlag::VariableFlags);
        let tells = |spec: &KeySpec| spec.begin != Begin::Unknown && !spec.flags.iter().any(partly);
        !self.keys.is_empty() && self.keys.iter().all(tells)
    }

    /// A blank to fill in: `Command { name: "get", ..., ..Command::BLANK }`.
    pub const BLANK: Command = Command {
        name: "",
        arity: Arity::AtLeast(1),
        flags: Flags::NONE,
        categories: Categories::NONE,
        keys: &[],
        find_keys: None,
        tips: &[],
        docs: Docs::BLANK,
        subcommands: &[],
        run: Run::Container,
    };
}
