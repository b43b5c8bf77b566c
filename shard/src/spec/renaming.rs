//! `rename-command`: commands under other names, or under none.
//!
//! An operator renames a command to one that only friends know, often a long random word, or takes it away with an
//! empty name. The lines work one after another, so a name that one line gave up another may give to somebody else. A
//! command keeps its own name wherever it is described (COMMAND INFO, statistics, errors about its arguments); only
//! dispatch, and what finds a command by its name, goes by the new one.

use super::table::{NAME_BYTES_MAX, Row};
use super::{CommandId, CommandTable};
use crate::config::{LoadError, Reason, RenamedCommand};

impl CommandTable {
    /// All commands, under the names that `lines` give them.
    pub fn renamed(lines: &[RenamedCommand]) -> Result<CommandTable, LoadError> {
        let mut table = Self::of_all();
        for line in lines {
            table
                .rename(&line.from, &line.to)
                .map_err(|reason| LoadError::Line { place: line.place.clone(), reason })?;
        }
        Ok(table)
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Reason> {
        let to = to.to_ascii_lowercase();
        let id = self.names.remove(from.to_ascii_lowercase().as_slice()).ok_or(Reason::NoCommandToRename)?;
        if to.is_empty() {
            self.take_away(id);
        } else if self.names.insert(to.into_boxed_slice(), id).is_some() {
            return Err(Reason::CommandNameTaken);
        }
        Ok(())
    }

    /// Nobody can call `id` or its subcommands.
    fn take_away(&mut self, id: CommandId) {
        let first = id.index();
        for index in first..=first + self.row(id).command.subcommands.len() {
            self.row_mut(CommandId(index as u16)).is_callable = false;
        }
    }

    /// The command of this name, which is longer than that of any command but a renamed one.
    #[cold]
    pub(super) fn find_long(&self, name: &[u8]) -> Option<&Row> {
        if self.names.keys().all(|known| known.len() <= NAME_BYTES_MAX) {
            return None;
        }
        self.names.get(name.to_ascii_lowercase().as_slice()).map(|&id| self.row(id))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::spec::CommandTable;

    fn table(text: &str) -> Result<CommandTable, String> {
        let config = Config::parse_text(text.as_bytes()).expect("the lines are well formed");
        CommandTable::renamed(&config.renamed_commands).map_err(|error| error.to_string())
    }

    fn found<'a>(table: &'a CommandTable, name: &str) -> Option<&'a str> {
        table.find_full(name.as_bytes()).map(|row| row.full_name.as_str())
    }

    #[test]
    fn a_renamed_command_is_found_by_its_new_name_alone() {
        let long = "b840fc02d524045429941cc15f59e41cb7be6c52";
        let text = format!("rename-command CONFIG {long}\nrename-command get Lire\nrename-command set get");
        let table = table(&text).expect("all of them exist");
        assert_eq!(found(&table, "config"), None);
        assert_eq!(found(&table, &long.to_uppercase()), Some("config"));
        assert_eq!(found(&table, &format!("{long}|set")), Some("config|set"));
        assert_eq!(found(&table, "LIRE"), Some("get"));
        assert_eq!(found(&table, "get"), Some("set"), "the name was free again");
        assert_eq!(found(&table, &"x".repeat(40)), None);
        assert_eq!(table.commands().count(), CommandTable::of_all().commands().count());
    }

    #[test]
    fn a_command_without_a_name_is_gone_with_its_subcommands() {
        let table = table("rename-command CONFIG ''").expect("it exists");
        assert_eq!((found(&table, "config"), found(&table, "config|get"), found(&table, "")), (None, None, None));
        let gone: Vec<_> = table.rows().iter().filter(|row| !row.is_callable).map(|row| &row.full_name).collect();
        assert_eq!(gone.len(), 6, "{gone:?}");
        assert!(gone.iter().all(|name| name.starts_with("config")), "{gone:?}");
    }

    #[test]
    fn lines_that_cannot_be_are_named() {
        for (text, place, why) in [
            ("rename-command nosuch x", "option 1", "No such command in rename-command"),
            ("rename-command get a\nrename-command get b", "option 2", "No such command in rename-command"),
            ("rename-command config|get x", "option 1", "No such command in rename-command"),
            ("rename-command get SET", "option 1", "Target command name already exists"),
        ] {
            let error = table(text).err().expect("it is refused");
            assert!(error.contains(place) && error.ends_with(why), "{error}");
        }
    }
}
