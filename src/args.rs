//! The command line.
//!
//! ```text
//! tessera [CONFIG_FILE] [--directive value ...] ... [-]
//! ```
//!
//! It is the grammar of `redis-server`: options become configuration lines, which are read after the file and standard
//! input. `--port 7000` becomes `port "7000"`. The details keep scripts written for Redis working:
//!
//! - The first argument is the file unless it begins with a dash; `-` as the first or last argument reads standard
//!   input.
//! - A name may bring its values in the same argument (`"--save 60 1"`); they are split again when the line is read.
//! - The argument after a bare name is its value even if it begins with `--`. Further arguments that do not begin with
//!   `--` are more values.
//! - `--save` without a value, before another option or at the end, is `--save ""`: no snapshots.
//! - A value without an option before it begins a line of its own (`loglevel verbose` works like `--loglevel verbose`).
//!
//! `--help` and `--version` are only looked for as the sole argument. Their texts are rendered by clap.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use clap::{Arg, Command};
use shard::config::grammar::{quoted, split_words};
use shard::config::{Sources, directives};

/// The version of Redis whose commands and behaviour this server has; clients decide by it what to expect.
pub const REDIS_VERSION: &str = "7.2.4";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Run the server.
    Run(Sources),
    /// Print this and leave.
    Print(String),
    /// Print what is wrong with the command line and leave.
    Refuse(&'static str),
    /// Say what this system lacks, and leave.
    CheckSystem,
    /// Say whether append-only files are whole, and leave.
    CheckAof {
        /// A manifest, or one of the files.
        file: PathBuf,
        /// Cut off what is not whole.
        fix: bool,
    },
    /// Say whether an RDB file is whole, and leave.
    CheckRdb {
        /// The file.
        file: PathBuf,
    },
}

/// Reads the arguments that follow the program's name.
pub fn parse(arguments: &[OsString]) -> Invocation {
    if let [only] = arguments {
        match only.as_bytes() {
            b"-h" | b"--help" => return Invocation::Print(help()),
            b"-v" | b"--version" => return Invocation::Print(version()),
            b"--check-system" => return Invocation::CheckSystem,
            _ => {}
        }
    }
    if arguments.first().is_some_and(|first| first == "--check-aof") {
        return match &arguments[1..] {
            [file] if file != "--fix" => Invocation::CheckAof { file: file.into(), fix: false },
            [fix, file] if fix == "--fix" => Invocation::CheckAof { file: file.into(), fix: true },
            _ => Invocation::Refuse("Usage: tessera --check-aof [--fix] <file.manifest|file.aof>\n"),
        };
    }
    if arguments.first().is_some_and(|first| first == "--check-rdb") {
        return match &arguments[1..] {
            [file] => Invocation::CheckRdb { file: file.into() },
            _ => Invocation::Refuse("Usage: tessera --check-rdb <rdb-file-name>\n"),
        };
    }
    Invocation::Run(sources(arguments))
}

fn sources(arguments: &[OsString]) -> Sources {
    let mut sources = Sources::default();
    let mut rest = arguments;
    if let Some((first, others)) = arguments.split_first()
        && !first.as_bytes().starts_with(b"-")
    {
        sources.file = Some(PathBuf::from(first));
        rest = others;
    }
    let skipped = arguments.len() - rest.len();
    let mut options = Options::default();
    for (index, argument) in rest.iter().enumerate() {
        let argument = argument.as_bytes();
        let is_last = index + 1 == rest.len();
        if argument == b"-" && (is_last || index + skipped == 0) {
            sources.stdin = true;
        } else {
            options.take(argument, rest.get(index + 1).map(|next| next.as_bytes()));
        }
    }
    sources.options = options.text;
    sources
}

/// The options as configuration lines.
#[derive(Default)]
struct Options {
    text: Vec<u8>,
    /// The option before needs a value, whatever it looks like.
    wants_value: bool,
}

impl Options {
    fn take(&mut self, argument: &[u8], next: Option<&[u8]>) {
        let name = argument.strip_prefix(b"--").filter(|_| !self.wants_value);
        let Some(name) = name else {
            self.text.extend_from_slice(&quoted(argument));
            self.text.push(b' ');
            self.wants_value = false;
            return;
        };
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(name);
        self.text.push(b' ');
        let is_bare = split_words(argument).is_some_and(|words| words.len() == 1);
        self.wants_value = is_bare;
        if is_bare && argument.eq_ignore_ascii_case(b"--save") && next.is_none_or(|next| next.starts_with(b"--")) {
            self.text.extend_from_slice(b"\"\"");
            self.wants_value = false;
        }
    }
}

/// What `--help` and `--version` know of the program.
fn command() -> Command {
    Command::new("tessera")
        .about("A Redis-compatible in-memory data store: one shard per core on io_uring")
        .override_usage(
            "tessera [CONFIG_FILE] [--DIRECTIVE VALUE ...]... [-]\n       tessera --check-aof [--fix] FILE\n       tessera --check-rdb FILE\n       tessera --help | --version | --check-system",
        )
        .disable_help_flag(true)
        .disable_version_flag(true)
        .next_line_help(false)
        .arg(Arg::new("CONFIG_FILE").help("The configuration file, in the format of redis.conf"))
        .arg(Arg::new("-").help("Read configuration from standard input, after the file"))
        .arg(option("DIRECTIVE", "Any directive of the configuration file, read after file and standard input"))
        .arg(option("help", "Print this and leave; also -h").num_args(0))
        .arg(option("version", "Print the version and leave; also -v").num_args(0))
        .arg(option("check-system", "Say what this system lacks for the server to run, and leave").num_args(0))
        .arg(option("check-aof", "Say whether append-only files are whole, given a manifest or a file, and leave").num_args(0))
        .arg(option("check-rdb", "Say whether an RDB file is whole, and leave").num_args(0))
        .arg(option("fix", "With --check-aof: cut off what is not whole, after a question").num_args(0))
        .after_help(after_help())
}

fn option(name: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).help(help);
    if name == "DIRECTIVE" { arg.value_name("VALUE").num_args(1..) } else { arg }
}

fn after_help() -> String {
    let mut text = String::from(
        "Examples:\n  tessera\n  tessera /etc/tessera/tessera.conf --loglevel verbose\n  \
         tessera --port 7777 --shards 4 --save ''\n  \
         echo 'maxmemory 128mb' | tessera -\n\nDirectives (described in tessera.conf):\n",
    );
    for group in directives::groups() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n  {}:", group.title);
        for directive in group.directives.iter().filter(|directive| !directive.is_hidden()) {
            let _ = writeln!(text, "    --{} <{}>", directive.name(), directive.expects());
        }
    }
    text
}

fn help() -> String {
    command().render_help().to_string()
}

fn version() -> String {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!(
        "Tessera server v={REDIS_VERSION} tessera={} malloc=jemalloc bits={} build={build}\n",
        env!("CARGO_PKG_VERSION"),
        usize::BITS
    )
}

#[cfg(test)]
mod tests;
