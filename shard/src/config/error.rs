//! Everything that can be wrong with configuration, and the words for it.
//!
//! A [`Reason`] says what is wrong with one value; clients and test suites match its text word by word, so the texts
//! stand here and nowhere else. A [`ConfigError`] is a refused `CONFIG SET`, and displays as the error reply without
//! the leading dash. A [`LoadError`] is a configuration that the server will not start with, and displays as the lines
//! an operator sees.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a value is not acceptable for a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Neither `yes` nor `no`.
    NotBoolean,
    /// Not a decimal number.
    NotInteger,
    /// Not a number of bytes, with or without a unit.
    NotMemory,
    /// Neither a number of bytes nor a percentage.
    NotMemoryOrPercent,
    /// Not a number in base eight.
    NotOctal,
    /// A number outside its bounds, which are printed as given.
    NotBetween(String, String),
    /// A percentage above this one.
    PercentAbove(i64),
    /// None of these names.
    NotOneOf(Vec<&'static str>),
    /// More or fewer values than the directive takes.
    WrongNumberOfArguments,
    /// `save` with something else than pairs of seconds and changes.
    SavePoints,
    /// `client-output-buffer-limit` with something else than groups of four.
    OutputLimitArguments,
    /// A class of clients that has no limits, or does not exist.
    OutputLimitClass,
    /// A limit that is not a size, or a time that is not a number of seconds.
    OutputLimitValue,
    /// A letter that stands for no class of events.
    EventClass,
    /// A percentile that is not a number.
    PercentileNotNumber,
    /// A percentile below 0 or above 100.
    PercentileRange,
    /// An `oom_score_adj` the kernel would refuse.
    OomScoreRange,
    /// More addresses than the server listens on.
    TooManyAddresses,
    /// The second argument of `replicaof` is not a port.
    MasterPort,
    /// A template with unknown or unclosed variables, or an empty one.
    TitleTemplate,
    /// Both of two contradictory ways to shut down.
    ShutdownContradiction,
    /// A character that does not belong in a host name.
    HostnameCharacter,
    /// A host name of 256 or more bytes.
    HostnameLength,
    /// A directory or an empty name where the name of a file is expected; holds the directive and the noun.
    PathNotName(&'static str, &'static str),
    /// An empty name where one is needed; holds the directive.
    EmptyName(&'static str),
    /// Text that is not UTF-8 in a directive that is not a secret.
    NotText,
    /// `activedefrag yes`: the allocator cannot tell which allocations to move.
    ActiveDefragmentation,
    /// The operating system refused; holds its own words.
    System(String),
    /// The change could not be put into effect; holds the words of whoever tried.
    NotApplied(String),
    /// The directive is fixed when the server starts.
    Immutable,
    /// The directive needs `enable-protected-configs`.
    Protected,
    /// The directive is named twice in one `CONFIG SET`.
    Duplicate,
    /// No such directive, or not with so many values.
    BadDirective,
    /// A quote that is not closed, or closed in the middle of a word.
    UnbalancedQuotes,
    /// `sentinel ...` in the configuration of a server.
    SentinelDirective,
    /// A directive of a module without a value.
    ModuleDirective,
    /// A `user` line that defines a name for the second time; holds the name.
    DuplicateUser(String),
    /// A rule of a `user` line that is not followed; holds the rule and what is wrong.
    UserRule(String, String),
    /// `rename-command` of a command that does not exist, or no longer under that name.
    NoCommandToRename,
    /// `rename-command` to the name of another command.
    CommandNameTaken,
    /// The directive asks for something this version cannot do; holds why it matters.
    Unavailable(&'static str),
    /// Files that include each other without end.
    IncludeDepth,
    /// `replicaof` in a cluster.
    ReplicaInCluster,
    /// Another part of the server found a line unacceptable; holds its words.
    Other(String),
}

impl Reason {
    /// The operating system's words for `error`, without the number that `io::Error` adds.
    pub fn system(error: &io::Error) -> Self {
        Self::System(system_text(error))
    }
}

/// The operating system's description of `error`, as `strerror` gives it.
pub fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotBoolean => "argument must be 'yes' or 'no'",
            Self::NotInteger => "argument couldn't be parsed into an integer",
            Self::NotMemory => "argument must be a memory value",
            Self::NotMemoryOrPercent => "argument must be a memory or percent value",
            Self::NotOctal => "argument couldn't be parsed as an octal number",
            Self::NotBetween(min, max) => {
                return write!(f, "argument must be between {min} and {max} inclusive");
            }
            Self::PercentAbove(max) => {
                return write!(f, "percentage argument must be less or equal to {max}");
            }
            Self::NotOneOf(names) => {
                return write!(f, "argument(s) must be one of the following: {}", names.join(", "));
            }
            Self::WrongNumberOfArguments => "wrong number of arguments",
            Self::SavePoints => "Invalid save parameters",
            Self::OutputLimitArguments => "Wrong number of arguments in buffer limit configuration.",
            Self::OutputLimitClass => "Invalid client class specified in buffer limit configuration.",
            Self::OutputLimitValue => "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            Self::EventClass => "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.",
            Self::PercentileNotNumber => "Invalid latency-tracking-info-percentiles parameters",
            Self::PercentileRange => "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
            Self::OomScoreRange => "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
            Self::TooManyAddresses => "Too many bind addresses specified.",
            Self::MasterPort => "Invalid master port",
            Self::TitleTemplate => "template format is invalid or contains unknown variables",
            Self::ShutdownContradiction => "shutdown options SAVE and NOSAVE can't be used simultaneously",
            Self::HostnameCharacter => "Hostnames may only contain alphanumeric characters, hyphens or dots",
            Self::HostnameLength => "Hostnames must be less than 256 characters",
            Self::PathNotName(name, noun) => {
                return write!(f, "{name} can't be a path, just a {noun}");
            }
            Self::EmptyName(name) => return write!(f, "{name} can't be empty"),
            Self::NotText => "argument must be valid UTF-8",
            Self::ActiveDefragmentation => {
                "Active defragmentation cannot be enabled: the memory allocator of this server does not support it"
            }
            Self::System(text) | Self::NotApplied(text) | Self::Other(text) => text,
            Self::Immutable => "can't set immutable config",
            Self::Protected => "can't set protected config",
            Self::Duplicate => "duplicate parameter",
            Self::BadDirective => "Bad directive or wrong number of arguments",
            Self::UnbalancedQuotes => "Unbalanced quotes in configuration line",
            Self::SentinelDirective => "sentinel directive while not in sentinel mode",
            Self::ModuleDirective => "Module config specified without value",
            Self::DuplicateUser(name) => {
                return write!(
                    f,
                    "Error in user declaration '{name}': Duplicate user found. A user can only be defined once in \
                     config files"
                );
            }
            Self::UserRule(name, why) => return write!(f, "Error in user declaration '{name}': {why}"),
            Self::NoCommandToRename => "No such command in rename-command",
            Self::CommandNameTaken => "Target command name already exists",
            Self::Unavailable(why_not) => why_not,
            Self::IncludeDepth => "Files include each other too deeply",
            Self::ReplicaInCluster => "replicaof directive not allowed in cluster mode",
        };
        f.write_str(text)
    }
}

/// A refused `CONFIG SET`; displays as the error reply without the leading dash. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no such directive; holds the name as the client wrote it.
    Unknown(String),
    /// The value of a directive is not acceptable.
    Refused {
        /// The directive, as the client named it or by its alias.
        name: String,
        /// What is wrong.
        reason: Reason,
    },
    /// The directive cannot be changed while the dataset is being loaded.
    Loading,
    /// A name without a value.
    Syntax,
}

impl ConfigError {
    /// The error for a change that was valid and could not be put into effect, for example a port in use.
    pub fn not_applied(name: &str, why: impl Into<String>) -> Self {
        Self::Refused { name: name.to_owned(), reason: Reason::NotApplied(why.into()) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"),
            Self::Refused { name, reason } => {
                write!(f, "ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")
            }
            Self::Loading => f.write_str("LOADING Redis is loading the dataset in memory"),
            Self::Syntax => f.write_str("ERR syntax error"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Where a configuration line comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// Standard input, named on the command line by `-`.
    Stdin,
    /// The options of the command line.
    CommandLine,
}

/// One line of configuration, remembered for error messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the line stands.
    pub origin: Origin,
    /// The number of the line, from 1.
    pub line: usize,
    /// The line itself, without surrounding white space.
    pub text: String,
}

/// A configuration that the server will not start with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// A file cannot be read.
    Open {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        why: String,
    },
    /// A line is not acceptable.
    Line {
        /// The line.
        place: Place,
        /// What is wrong with it.
        reason: Reason,
    },
    /// The lines are acceptable, but not together.
    Whole(Reason),
}

impl LoadError {
    /// The error for a file that cannot be opened or read.
    pub fn open(path: &Path, error: &io::Error) -> Self {
        Self::Open { path: path.to_owned(), why: system_text(error) }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Open { path, why } = self {
            return write!(f, "Fatal error, can't open config file '{}': {why}", path.display());
        }
        writeln!(f, "*** FATAL CONFIG FILE ERROR (Tessera {}) ***", env!("CARGO_PKG_VERSION"))?;
        match self {
            Self::Open { .. } => Ok(()),
            Self::Whole(reason) => write!(f, "{reason}"),
            Self::Line { place, reason } => {
                match &place.origin {
                    Origin::File(path) => {
                        writeln!(f, "Reading the configuration file, at line {} of {}", place.line, path.display())?;
                    }
                    Origin::Stdin => {
                        writeln!(f, "Reading the configuration from standard input, at line {}", place.line)?;
                    }
                    Origin::CommandLine => writeln!(f, "Reading the command line, at option {}", place.line)?,
                }
                writeln!(f, ">>> '{}'", place.text)?;
                write!(f, "{reason}")
            }
        }
    }
}

impl std::error::Error for LoadError {}
