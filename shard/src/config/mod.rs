//! Configuration: what the server is told to be, by files, the command line and `CONFIG SET`.
//!
//! ```text
//!   file, stdin, options ──► load ──► Config ◄── set/stage ◄── CONFIG SET ──► Vec<Change>
//!                                      │  ▲                                    (effects, for the caller)
//!                     CONFIG GET ◄─ get┘  └── directives/: one row per directive
//!                     CONFIG REWRITE ◄─ rewrite
//! ```
//!
//! - [`directives`] is the one table: name, alias, type, bounds, default, flags, a sentence. Everything else derives
//!   from it.
//! - [`Settings`] holds the values as plain typed fields. [`Config`] dereferences to it and adds what is not a value:
//!   the file's path, and the lines about users, commands and modules.
//! - [`grammar`] and [`load`] read, [`rewrite`] writes, [`error`] has every text an error can have. `unavailable`
//!   judges what was read by what this version can do; what users there are, [`crate::acl`] makes of it.
//!
//! Nothing here touches the running server. A change is *staged* as a whole new [`Config`] with a list of [`Change`]s;
//! the caller puts their effects in place and then publishes the new configuration, or drops it if one fails. That
//! makes `CONFIG SET` all or nothing.

pub mod directive;
pub mod directives;
pub mod error;
pub mod grammar;
pub mod load;
pub(crate) mod number;
pub mod rewrite;
mod settings;
pub mod types;
mod unavailable;
pub mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

pub use directive::{Directive, Effect};
pub use error::{ConfigError, LoadError, Place, Reason};
pub use load::Sources;
pub use rewrite::RewriteOptions;
pub use settings::Settings;
pub use value::{MemoryShare, Named};

use storage::glob::{Case, glob_match};
use storage::types::hash::HashLimits;
use storage::types::list::ListLimits;
use storage::types::set::SetLimits;
use storage::types::stream::StreamLimits;
use storage::types::zset::ZSetLimits;
use value::How;

/// A line that is no value, kept with its place for the part of the server that understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordLine {
    /// The words after the directive's name.
    pub words: Vec<Vec<u8>>,
    /// Where it stands, for errors.
    pub place: Place,
}

/// A `rename-command` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamedCommand {
    /// The command.
    pub from: Vec<u8>,
    /// Its new name; empty to remove it.
    pub to: Vec<u8>,
    /// Where the line stands, for errors.
    pub place: Place,
}

/// The configuration of a server.
#[derive(Clone, Debug)]
pub struct Config {
    settings: Settings,
    /// The absolute path of the configuration file, if the server was started with one.
    pub file: Option<PathBuf>,
    /// The `user` lines in order; the first word is the name.
    pub users: Vec<WordLine>,
    /// The `rename-command` lines in order.
    pub renamed_commands: Vec<RenamedCommand>,
    /// The `loadmodule` lines in order; the first word is the path.
    pub modules: Vec<WordLine>,
    /// For each directive that a line gave a value the last such line.
    lines: BTreeMap<&'static str, Place>,
}

impl Default for Config {
    fn default() -> Self {
        let mut settings = Settings::default();
        directives::all().for_each(|directive| directive.reset(&mut settings));
        Self {
            settings,
            file: None,
            users: Vec::new(),
            renamed_commands: Vec::new(),
            modules: Vec::new(),
            lines: BTreeMap::new(),
        }
    }
}

impl Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl DerefMut for Config {
    fn deref_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }
}

/// What the client that changes configuration is allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetContext {
    /// Whether protected directives may be changed: [`Settings::enable_protected_configs`] for this client.
    pub allow_protected: bool,
    /// Whether the dataset is being loaded.
    pub loading: bool,
}

/// A directive whose value changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: &'static str,
    /// What has to be done about it.
    pub effect: Effect,
}

/// A configuration that is valid and not yet in force.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The new configuration.
    pub config: Config,
    /// The directives whose values differ, in the order in which the client named them.
    pub changes: Vec<Change>,
}

impl Config {
    /// What decides between the encodings of collections.
    pub fn limits(&self) -> storage::Limits {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        storage::Limits {
            list: ListLimits::new(self.list_max_listpack_size, self.list_compress_depth),
            hash: HashLimits {
                listpack_entries_max: size(self.hash_max_listpack_entries),
                listpack_value_bytes_max: size(self.hash_max_listpack_value),
            },
            set: SetLimits {
                intset_entries_max: size(self.set_max_intset_entries),
                listpack_entries_max: size(self.set_max_listpack_entries),
                listpack_value_bytes_max: size(self.set_max_listpack_value),
            },
            zset: ZSetLimits {
                packed_entries_max: size(self.zset_max_listpack_entries),
                packed_member_bytes_max: size(self.zset_max_listpack_value),
            },
            stream: StreamLimits {
                block_bytes_max: size(self.stream_node_max_bytes),
                block_entries_max: size(self.stream_node_max_entries),
            },
        }
    }

    /// The names and values that `CONFIG GET` answers for these patterns: no directive twice under one name, aliases
    /// under both names if both match, hidden directives only by their full name.
    pub fn get<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Vec<(String, Vec<u8>)> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for pattern in patterns.iter().map(AsRef::as_ref) {
            if !pattern.iter().any(|byte| b"*?[".contains(byte)) {
                let Some(directive) = directives::lookup(pattern) else {
                    continue;
                };
                let name = String::from_utf8_lossy(pattern).into_owned();
                if seen.insert(name.to_ascii_lowercase()) {
                    found.push((name, directive.print(self)));
                }
                continue;
            }
            for directive in directives::all().filter(|directive| !directive.is_hidden()) {
                for name in std::iter::once(directive.name()).chain(directive.alias_name()) {
                    if glob_match(pattern, name.as_bytes(), Case::Insensitive) && seen.insert(name.to_owned()) {
                        found.push((name.to_owned(), directive.print(self)));
                    }
                }
            }
        }
        found
    }

    /// Checks and reads the new values of `CONFIG SET` into a copy of this configuration.
    pub fn stage<N, V>(&self, pairs: &[(N, V)], context: SetContext) -> Result<Staged, ConfigError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let directives = self.permitted(pairs, context)?;
        let mut config = self.clone();
        let mut changes: Vec<Change> = Vec::new();
        for ((name, directive), (_, value)) in directives.into_iter().zip(pairs) {
            let before = directive.print(&config);
            let read = read_value(directive, &mut config, value.as_ref());
            read.map_err(|reason| ConfigError::Refused { name, reason })?;
            if directive.print(&config) != before {
                changes.push(Change { name: directive.name(), effect: directive.applies() });
            }
        }
        Ok(Staged { config, changes })
    }

    /// [`Config::stage`], and the new configuration put in place of this one.
    pub fn set<N, V>(&mut self, pairs: &[(N, V)], context: SetContext) -> Result<Vec<Change>, ConfigError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let staged = self.stage(pairs, context)?;
        *self = staged.config;
        Ok(staged.changes)
    }

    /// The directives of these names with the names they go by in errors, if all of them may be changed now.
    fn permitted<N, V>(
        &self,
        pairs: &[(N, V)],
        context: SetContext,
    ) -> Result<Vec<(String, &'static Directive)>, ConfigError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut permitted: Vec<(String, &'static Directive)> = Vec::new();
        for (name, value) in pairs {
            let text = String::from_utf8_lossy(name.as_ref()).into_owned();
            let Some(directive) = directives::lookup(name.as_ref()) else {
                return Err(ConfigError::Unknown(text));
            };
            let refused = |reason| Err(ConfigError::Refused { name: text.clone(), reason });
            if directive.refuses(self, value.as_ref()) {
                return refused(Reason::Immutable);
            }
            if directive.is_protected() && !context.allow_protected {
                return refused(Reason::Protected);
            }
            if directive.denies_loading() && context.loading {
                return Err(ConfigError::Loading);
            }
            let name = text.to_ascii_lowercase();
            if permitted.iter().any(|(earlier, _)| *earlier == name) {
                return refused(Reason::Duplicate);
            }
            permitted.push((name, directive));
        }
        Ok(permitted)
    }
}

/// Reads the one string of `CONFIG SET` into the settings. Words are separated by exactly one space, so two in a row
/// have an empty word between them.
fn read_value(directive: &Directive, settings: &mut Settings, value: &[u8]) -> Result<(), Reason> {
    if !directive.takes_many() {
        return directive.parse(settings, &[value], How::Set);
    }
    let words: Vec<&[u8]> = if value.is_empty() { Vec::new() } else { value.split(|&byte| byte == b' ').collect() };
    directive.parse(settings, &words, How::Set)
}
