//! The table of all commands: dispatch by name, and numbers for what counts per command.

use std::sync::OnceLock;

use hashbrown::HashMap;
use net::Args;

use super::{Categories, Category, Command, Flag, Group};
use crate::exec::Run;

/// A command's or subcommand's place in the table: an index for statistics, and two bytes in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u16);

impl CommandId {
    /// As an index into per-command arrays.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// Its place.
    pub id: CommandId,
    /// The declaration.
    pub command: &'static Command,
    /// Of a subcommand the command above it.
    pub parent: Option<CommandId>,
    /// `get`, or `config|get`.
    pub full_name: String,
    /// All its ACL categories, the implied ones too.
    pub categories: Categories,
    /// Clients can call it: no `rename-command` took its name away.
    pub is_callable: bool,
}

/// All commands.
pub struct CommandTable {
    rows: Vec<Row>,
    pub(super) names: HashMap<Box<[u8]>, CommandId>,
}

/// The commands that a core's clients sent last, by their names as they were sent: most commands are one of few.
pub struct RecentCommands {
    /// Names of up to eight bytes as [`short_name`] has them, their lengths, and their rows.
    rows: [Option<(u64, usize, &'static Row)>; RECENT_COMMANDS],
}

/// Places for recent commands, a power of two: many more than a client has commands in use, which seldom meet then.
const RECENT_COMMANDS: usize = 64;

impl Default for RecentCommands {
    fn default() -> Self {
        Self { rows: [None; RECENT_COMMANDS] }
    }
}

/// All bytes of a name of one to eight bytes; together with the length it stands for that name alone.
#[inline]
fn short_name(name: &[u8]) -> u64 {
    let four = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
    match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => four(first) | four(last) << 32,
        _ => name.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)),
    }
}

impl RecentCommands {
    /// What [`CommandTable::find`] returns for `name`.
    #[inline]
    pub fn find(&mut self, name: &[u8]) -> Option<&'static Row> {
        if name.is_empty() || name.len() > size_of::<u64>() {
            return CommandTable::global().find(name);
        }
        let sent = short_name(name);
        // The upper bits of a product depend on all bits of its factor (Fibonacci hashing).
        let mixed = sent.wrapping_add(name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (mixed >> (u64::BITS - RECENT_COMMANDS.ilog2())) as usize;
        match self.rows[place] {
            Some((kept, len, row)) if kept == sent && len == name.len() => Some(row),
            _ => {
                let row = CommandTable::global().find(name)?;
                self.rows[place] = Some((sent, name.len(), row));
                Some(row)
            }
        }
    }
}

/// Longest name of a command, unless it was renamed.
pub(super) const NAME_BYTES_MAX: usize = 32;

static TABLE: OnceLock<CommandTable> = OnceLock::new();

impl CommandTable {
    /// The table of this server: the one installed, or all commands under their own names.
    pub fn global() -> &'static CommandTable {
        TABLE.get_or_init(CommandTable::of_all)
    }

    /// Makes this the table of this server. Once, before anybody asks for it.
    pub fn install(self) {
        assert!(TABLE.set(self).is_ok(), "commands are renamed before they are looked up");
    }

    /// All commands under their own names.
    pub fn of_all() -> CommandTable {
        CommandTable::new(crate::commands::FAMILIES)
    }

    fn new(families: &[&'static [&'static Command]]) -> CommandTable {
        let mut table = CommandTable { rows: Vec::new(), names: HashMap::new() };
        for command in families.iter().flat_map(|family| family.iter()) {
            assert!(command.name.len() <= NAME_BYTES_MAX, "{} is too long a name", command.name);
            let id = table.add(command, None);
            let known = table.names.insert(command.name.as_bytes().into(), id);
            assert!(known.is_none(), "{} is declared twice", command.name);
            for subcommand in command.subcommands {
                table.add(subcommand, Some(id));
            }
        }
        table
    }

    fn add(&mut self, command: &'static Command, parent: Option<CommandId>) -> CommandId {
        let id = CommandId(u16::try_from(self.rows.len()).expect("there are some hundreds of commands"));
        let full_name = match parent {
            Some(parent) => format!("{}|{}", self.rows[parent.index()].command.name, command.name),
            None => command.name.to_string(),
        };
        // A command that only dispatches is in no category of its group: its subcommands are.
        let group = match command.run {
            Run::Container => Categories::NONE,
            _ => group_category(command.docs.group),
        };
        let own = if group == Categories::NONE { command.categories } else { command.categories.or(group) };
        let categories = own.with_implied(command.flags);
        self.rows.push(Row { id, command, parent, full_name, categories, is_callable: true });
        id
    }

    /// The top-level command called `name`, in any case of letters.
    pub fn find(&self, name: &[u8]) -> Option<&Row> {
        let mut lower = [0; NAME_BYTES_MAX];
        let Some(lower) = lower.get_mut(..name.len()) else { return self.find_long(name) };
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        self.names.get(&*lower).map(|&id| self.row(id))
    }

    /// The command or subcommand that `args` call. `Err(row)` when `row` has subcommands and this is none of them.
    pub fn resolve(&self, args: &Args<'_>) -> Result<Option<&Row>, &Row> {
        let Some(row) = self.find(args.at(0)) else { return Ok(None) };
        self.resolve_in(row, args)
    }

    /// As [`Self::resolve`], when the first word's row is known.
    pub fn resolve_in<'t>(&'t self, row: &'t Row, args: &Args<'_>) -> Result<Option<&'t Row>, &'t Row> {
        match args.get(1) {
            Some(word) if !row.command.subcommands.is_empty() => self.subcommand(row, word).map(Some).ok_or(row),
            _ => Ok(Some(row)),
        }
    }

    /// The subcommand of `parent` called `name`.
    pub fn subcommand(&self, parent: &Row, name: &[u8]) -> Option<&Row> {
        let first = parent.id.index() + 1;
        self.rows[first..first + parent.command.subcommands.len()]
            .iter()
            .find(|row| row.command.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The command or subcommand written `name` or `name|sub`.
    pub fn find_full(&self, name: &[u8]) -> Option<&Row> {
        match name.iter().position(|&b| b == b'|') {
            None => self.find(name),
            Some(bar) => self.subcommand(self.find(&name[..bar])?, &name[bar + 1..]),
        }
    }

    /// The row of `id`.
    pub fn row(&self, id: CommandId) -> &Row {
        &self.rows[id.index()]
    }

    /// All rows: each command, followed by its subcommands.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn row_mut(&mut self, id: CommandId) -> &mut Row {
        &mut self.rows[id.index()]
    }

    /// The top-level commands that can be called.
    pub fn commands(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.parent.is_none() && row.is_callable)
    }
}

impl Row {
    /// How it runs with these arguments.
    #[inline]
    pub fn run(&self, args: &Args<'_>) -> Run {
        match self.command.run {
            Run::Chosen(choose) => choose(args),
            run => run,
        }
    }

    /// Whether it may change the data set.
    pub fn is_write(&self) -> bool {
        self.command.flags.has(Flag::Write)
    }
}

fn group_category(group: Group) -> Categories {
    let category = match group {
        Group::Generic | Group::Server | Group::Cluster => return Categories::NONE,
        Group::String => Category::String,
        Group::List => Category::List,
        Group::Set => Category::Set,
        Group::SortedSet => Category::Sortedset,
        Group::Hash => Category::Hash,
        Group::Pubsub => Category::Pubsub,
        Group::Transactions => Category::Transaction,
        Group::Connection => Category::Connection,
        Group::Scripting => Category::Scripting,
        Group::Hyperloglog => Category::Hyperloglog,
        Group::Geo => Category::Geo,
        Group::Stream => Category::Stream,
        Group::Bitmap => Category::Bitmap,
    };
    Categories::of(&[category])
}
