//! Reading configuration: files, what they include, standard input and the command line.
//!
//! The sources are read in that order, and later lines win. Most lines are a directive of the table and its words; four
//! exist only here because they are no values: `include` reads other files at its place, and `user`, `rename-command`
//! and `loadmodule` are kept with their place for the parts of the server that understand them.
//!
//! Nothing outside the [`Config`] changes: a file that turns out to be wrong leaves no trace. In particular the
//! process does not change directory; relative names of included files are taken from the `dir` in force at their
//! line, as if it had.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::directives::lookup;
use super::error::{LoadError, Origin, Place, Reason};
use super::grammar::{self, Line, split_words};
use super::value::How;
use super::{Config, RenamedCommand, WordLine};
use storage::glob::{Case, glob_match};

/// How deep files may include each other.
const INCLUDE_DEPTH_MAX: usize = 16;

/// Directives of older versions that are read and mean nothing any more; each takes one word.
const RETIRED: [&str; 3] = ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"];

/// Where configuration is read from, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// A file, as named by the user.
    pub file: Option<PathBuf>,
    /// Whether standard input is read.
    pub stdin: bool,
    /// The options of the command line, one line each.
    pub options: Vec<u8>,
}

impl Config {
    /// The configuration of a server started with `sources`.
    pub fn load(sources: &Sources) -> Result<Self, LoadError> {
        let mut config = Self::default();
        if let Some(file) = &sources.file {
            let path = config.dir.join(&file.to_string_lossy());
            config.file = Some(path.clone());
            config.load_file(&path, 0)?;
        }
        if sources.stdin {
            let mut text = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut text);
            read.map_err(|error| LoadError::open(Path::new("-"), &error))?;
            config.load_text(&text, &Origin::Stdin, 0)?;
        }
        config.load_text(&sources.options, &Origin::CommandLine, 0)?;
        config.check_as_a_whole()?;
        Ok(config)
    }

    /// The configuration in a file, for a server that can rewrite it.
    pub fn parse_file(path: &Path) -> Result<Self, LoadError> {
        Self::load(&Sources { file: Some(path.to_owned()), ..Sources::default() })
    }

    /// The configuration in a text.
    pub fn parse_text(text: &[u8]) -> Result<Self, LoadError> {
        Self::load(&Sources { options: text.to_vec(), ..Sources::default() })
    }

    fn load_file(&mut self, path: &Path, depth: usize) -> Result<(), LoadError> {
        let text = std::fs::read(path).map_err(|error| LoadError::open(path, &error))?;
        self.load_text(&text, &Origin::File(path.to_owned()), depth)
    }

    fn load_text(&mut self, text: &[u8], origin: &Origin, depth: usize) -> Result<(), LoadError> {
        for line in grammar::lines(text).filter(|line| !line.is_silent()) {
            let place = || place_of(&line, origin);
            let refused = |reason| LoadError::Line { place: place(), reason };
            let words = split_words(line.text).ok_or(Reason::UnbalancedQuotes).map_err(refused)?;
            let Some((name, values)) = words.split_first() else {
                continue;
            };
            if name.eq_ignore_ascii_case(b"include") && values.len() == 1 {
                self.include(&values[0], depth).map_err(|stop| match stop {
                    Stop::Here(reason) => refused(reason),
                    Stop::There(error) => error,
                })?;
            } else {
                self.load_line(name, values, place()).map_err(refused)?;
            }
        }
        Ok(())
    }

    fn load_line(&mut self, name: &[u8], values: &[Vec<u8>], place: Place) -> Result<(), Reason> {
        if let Some(directive) = lookup(name) {
            let parts = match values {
                [word] if directive.takes_many() && !word.is_empty() => {
                    Some(split_words(word).ok_or(Reason::UnbalancedQuotes)?)
                }
                _ => None,
            };
            let words: Vec<&[u8]> = parts.as_deref().unwrap_or(values).iter().map(Vec::as_slice).collect();
            directive.parse(self, &words, How::Load)?;
            self.lines.insert(directive.name(), place);
            return Ok(());
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        match (name.as_str(), values) {
            ("user", [user, ..]) => self.add_user(user, values, place),
            ("rename-command", [from, to]) => {
                self.renamed_commands.push(RenamedCommand { from: from.clone(), to: to.clone(), place });
                Ok(())
            }
            ("loadmodule", [_, ..]) => {
                self.modules.push(WordLine { words: values.to_vec(), place });
                Ok(())
            }
            (name, [_]) if RETIRED.contains(&name) => Ok(()),
            ("sentinel", [_, ..]) => Err(Reason::SentinelDirective),
            (name, []) if name.contains('.') => Err(Reason::ModuleDirective),
            _ => Err(Reason::BadDirective),
        }
    }

    fn add_user(&mut self, user: &[u8], values: &[Vec<u8>], place: Place) -> Result<(), Reason> {
        if self.users.iter().any(|line| line.words.first().is_some_and(|name| name == user)) {
            return Err(Reason::DuplicateUser(String::from_utf8_lossy(user).into_owned()));
        }
        self.users.push(WordLine { words: values.to_vec(), place });
        Ok(())
    }

    fn include(&mut self, name: &[u8], depth: usize) -> Result<(), Stop> {
        if depth == INCLUDE_DEPTH_MAX {
            return Err(Stop::Here(Reason::IncludeDepth));
        }
        let name = std::str::from_utf8(name).map_err(|_| Stop::Here(Reason::NotText))?;
        let path = self.dir.join(name);
        let files = if has_wildcard(name) { expand(&path) } else { vec![path] };
        for file in files {
            self.load_file(&file, depth + 1).map_err(Stop::There)?;
        }
        Ok(())
    }

    fn check_as_a_whole(&self) -> Result<(), LoadError> {
        if self.cluster_enabled && self.replicaof.is_some() {
            return Err(LoadError::Whole(Reason::ReplicaInCluster));
        }
        Ok(())
    }
}

/// Where an `include` went wrong: at its own line, or in a file it named.
enum Stop {
    Here(Reason),
    There(LoadError),
}

fn place_of(line: &Line<'_>, origin: &Origin) -> Place {
    let text = String::from_utf8_lossy(line.text).into_owned();
    Place { origin: origin.clone(), line: line.number, text }
}

fn has_wildcard(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The files that match a path with wildcards in any of its parts, in the order of their names. Hidden files only match
/// a part that begins with a dot.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern {
        let Some(text) = part.to_str().filter(|text| has_wildcard(text)) else {
            for path in &mut found {
                path.push(part);
            }
            continue;
        };
        found = found.iter().flat_map(|directory| matching_entries(directory, text)).collect();
    }
    found.retain(|path| path.exists());
    found
}

fn matching_entries(directory: &Path, part: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().into_encoded_bytes()));
    let visible = |name: &[u8]| !name.starts_with(b".") || part.starts_with('.');
    let fits = |name: &[u8]| visible(name) && glob_match(part.as_bytes(), name, Case::Sensitive);
    let mut names: Vec<_> = names.filter(|name| fits(name)).collect();
    names.sort();
    names.iter().map(|name| directory.join(String::from_utf8_lossy(name).as_ref())).collect()
}
