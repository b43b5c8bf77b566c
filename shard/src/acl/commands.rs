//! Which commands a selector allows.
//!
//! Every row of the command table has a bit: a command that has subcommands has one, and so has each of these. One more bit
//! tells whether commands that later versions have will be allowed, which decides how the set is written: as `+@all` and what
//! is not allowed, or as `-@all` and what is. A command that is not allowed may still be with one of some first arguments
//! (`+select|0`).

use std::collections::BTreeMap;

use crate::spec::table::Row;
use crate::spec::{Category, CommandId, CommandTable};

/// A set of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    bits: Vec<u64>,
    /// Commands that are not known yet are in it.
    includes_future: bool,
    first_arguments: BTreeMap<CommandId, Vec<Vec<u8>>>,
}

impl Commands {
    /// None.
    pub fn none() -> Commands {
        let words = CommandTable::global().rows().len().div_ceil(u64::BITS as usize);
        Commands { bits: vec![0; words], includes_future: false, first_arguments: BTreeMap::new() }
    }

    /// All there are and will be.
    pub fn all() -> Commands {
        let mut all = Commands::none();
        all.bits.fill(u64::MAX);
        all.includes_future = true;
        all
    }

    /// Whether all there are and will be are in it.
    pub fn are_all(&self) -> bool {
        self.includes_future && CommandTable::global().rows().iter().all(|row| self.has(row.id))
    }

    /// Whether commands that are not known yet are in it.
    pub fn include_future(&self) -> bool {
        self.includes_future
    }

    /// Whether a command is in it.
    #[inline]
    pub fn has(&self, id: CommandId) -> bool {
        self.bits[id.index() / 64] & (1 << (id.index() % 64)) != 0
    }

    /// The first arguments with which a command is allowed that is not in it.
    pub fn first_arguments(&self, id: CommandId) -> &[Vec<u8>] {
        self.first_arguments.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Puts a command in or out, with all its subcommands.
    pub fn set(&mut self, row: &Row, allow: bool) {
        self.first_arguments.remove(&row.id);
        let first = row.id.index();
        for index in first..=first + row.command.subcommands.len() {
            let (word, bit) = (&mut self.bits[index / 64], 1 << (index % 64));
            if allow {
                *word |= bit;
            } else {
                *word &= !bit;
            }
        }
    }

    /// Puts all commands of a category in or out.
    pub fn set_category(&mut self, category: Category, allow: bool) {
        for row in CommandTable::global().rows().iter().filter(|row| row.categories.has(category)) {
            self.set(row, allow);
        }
    }

    /// Allows a command with this first argument.
    pub fn add_first_argument(&mut self, id: CommandId, argument: &[u8]) {
        let arguments = self.first_arguments.entry(id).or_default();
        if !arguments.iter().any(|known| known.eq_ignore_ascii_case(argument)) {
            arguments.push(argument.to_vec());
        }
    }

    /// How many commands of a category are in it, and how many are not.
    pub fn count(&self, category: Category) -> (usize, usize) {
        let of_category = CommandTable::global().rows().iter().filter(|row| row.categories.has(category));
        of_category.fold((0, 0), |(on, off), row| if self.has(row.id) { (on + 1, off) } else { (on, off + 1) })
    }
}
