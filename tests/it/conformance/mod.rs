//! Command and reply pairs as data: `tests/conformance/*.resp`, run against Tessera and against Redis alike.
//!
//! # The files
//!
//! A file is a list of *sections*. Each begins with `== title` and starts on an empty server with new connections. In it,
//! lines mean:
//!
//! ```text
//! # a comment
//! > SET key "a value\n"        a command on the default connection; words and quotes as in redis-cli
//!   +OK                        the reply to expect, indented; it may go on over more indented lines
//! b> GET key                   a command on connection `b`, which is opened when first named
//! b>> BLPOP list 0             a command whose reply is not read yet
//! b<                           ... and is read here (a push message, too)
//! ~> "*1\r\n$4\r\nPING\r\n"    raw bytes, then one reply (`b~>` and so on; `~>>` reads none)
//! @config NAME VALUE           sets a parameter until the section ends
//! @sleep 20                    milliseconds
//! @eventually 5000             the next command is repeated until its reply is as expected, at most this long (ms)
//! @close b                     closes a connection
//! @closed b                    the server must have closed it
//! @since 7.2                   the section asks for a later Redis than some referees: they skip it
//! @resp 3                      the section makes sense in one version of the protocol only
//! @server --maxclients 3       before the first section: the file's servers start with these words
//! ```
//!
//! In a command, a word without quotes may be a variable: `$name` for a captured text, `$now_ms+5000` and `$now_s-1` for
//! the clock, `$repeat:ab:100` for a long one.
//!
//! # Replies
//!
//! | notation | what |
//! |---|---|
//! | `+OK` `-ERR text` | simple string, error: to the end of the line; quoted inside an aggregate (`-"ERR text"`) |
//! | `:3` `"bulk"` `nil` `nil-array` | integer, bulk string, RESP2's two nulls |
//! | `["a" :1]` `set[..]` `push[..]` `map{"k": :1, ..}` | aggregates; maps and sets match in any order |
//! | `,3.5` `true` `big(12)` `txt"text"` | double, boolean, big number, verbatim string |
//! | `any` `int` `int(1..5)` `bulk` | wildcards: any reply, any integer, an integer of a range, any bulk string |
//! | `~"a*"` `+~"a*"` `-~"ERR *"` | text that matches a glob of `*` and `?` |
//! | `lines("role:*" "x:?")` | text with lines that match each glob |
//! | `unordered[..]` `["a" ...]` `map{"a": :1, ...}` | an array in any order; more elements may follow |
//! | `$name = bulk` | matches what follows, and remembers it; `$name` alone must equal it |
//!
//! Every file runs once in RESP2 and once in RESP3. A reply is written as RESP3 has it; in RESP2 a map is expected as an
//! array of keys and values, a double as a bulk string, and so on. Where that is not all, `2:` and `3:` before the
//! notation tell the versions apart.
//!
//! # Recording
//!
//! With `TESSERA_CONFORMANCE_RECORD=1` the referee fills in the replies that a file leaves out, to be reviewed by a
//! person. `TESSERA_CONFORMANCE_FILES=text` takes only files whose name contains the text.

mod command;
mod expect;
mod record;
mod runner;
mod script;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use shard::spec::CommandTable;

use crate::support::server::referee;
use crate::support::{Protocol, Target};

use command::Word;
use runner::Host;
use script::{Exchange, Script, Send, Step};

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance");
    let wanted = std::env::var("TESSERA_CONFORMANCE_FILES").unwrap_or_default();
    let entries = fs::read_dir(folder).expect("the folder is in the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "resp"));
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(&wanted)));
    files.sort();
    assert!(!files.is_empty(), "no file in {folder} contains {wanted:?} in its name");
    files
}

/// The names of all commands that the files send; those of a subcommand as in `xgroup|help`.
fn asked() -> HashSet<String> {
    let scripts: Vec<Script> = files().iter().map(|path| Script::read(path)).collect();
    let steps = scripts.iter().flat_map(|script| &script.sections).flat_map(|section| &section.steps);
    let commands = steps.filter_map(|(_, step)| match step {
        Step::Exchange(Exchange { send: Send::Command(words), .. }) => Some(words.as_slice()),
        _ => None,
    });
    let lower = |word: &Word| match word {
        Word::Literal(bytes) => String::from_utf8_lossy(bytes).to_ascii_lowercase(),
        Word::Variable(..) | Word::Repeat(..) => String::new(),
    };
    let names = commands.flat_map(|words| match words {
        [] => vec![],
        [name] => vec![lower(name)],
        [name, second, ..] => vec![lower(name), format!("{}|{}", lower(name), lower(second))],
    });
    names.collect()
}

#[test]
fn every_command_has_a_line() {
    if std::env::var_os("TESSERA_CONFORMANCE_FILES").is_some() {
        eprintln!("skipped: not all files are looked at");
        return;
    }
    let asked = asked();
    let table = CommandTable::of_all();
    let names = table.rows().iter().map(|row| row.full_name.as_str());
    let missing: Vec<&str> = names.filter(|name| !asked.contains(*name)).collect();
    assert!(missing.is_empty(), "no file of tests/conformance sends {}", missing.join(", "));
}

/// Runs every file in both versions of the protocol; panics with all that was not as expected.
fn check(target: Target) {
    let mut host = Host::new(target);
    let mut failures = Vec::new();
    let mut replies = 0;
    for path in files() {
        let script = Script::read(&path);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let report = host.run(&script, protocol);
            replies += report.replies;
            failures.extend(report.failures);
        }
    }
    eprintln!("{target:?}: {replies} replies checked, {} not as expected", failures.len());
    assert!(failures.is_empty(), "{target:?}: {} replies differ\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn referee_replies_as_written() {
    if referee().is_none() {
        eprintln!("skipped: there is no redis-server in PATH to check the conformance files against");
        return;
    }
    if std::env::var_os("TESSERA_CONFORMANCE_RECORD").is_some() {
        for path in files() {
            record::fill_in(&path);
        }
    }
    check(Target::Referee);
}

#[test]
fn one_shard_replies_as_written() {
    check(Target::Tessera(1));
}

#[test]
fn two_shards_reply_as_written() {
    check(Target::Tessera(2));
}

#[test]
fn four_shards_reply_as_written() {
    check(Target::Tessera(4));
}
