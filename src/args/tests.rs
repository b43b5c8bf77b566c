#![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

use std::ffi::OsString;

use shard::config::{Config, Sources};

use super::{Invocation, parse};

fn sources(words: &[&str]) -> Sources {
    match parse(&words.iter().map(OsString::from).collect::<Vec<_>>()) {
        Invocation::Run(sources) => sources,
        other => panic!("{other:?}"),
    }
}

/// Loads a command line without a file and gives the value of a directive, or the last two lines of the error.
fn value(words: &[&str], name: &str) -> String {
    match Config::load(&sources(words)) {
        Ok(config) => String::from_utf8(config.get(&[name]).remove(0).1).unwrap(),
        Err(error) => {
            let text = error.to_string();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len() - 2..].join(" ")
        }
    }
}

#[test]
fn file_and_standard_input_are_told_from_options() {
    assert_eq!(sources(&[]), Sources::default());
    assert_eq!(sources(&["a.conf"]).file.unwrap().to_str(), Some("a.conf"));
    assert!(sources(&["-"]).stdin);
    assert!(sources(&["a.conf", "--port", "1", "-"]).stdin);
    assert!(!sources(&["--unixsocket", "-", "--port", "1"]).stdin, "neither first nor last");
    assert!(sources(&["-", "--port", "1"]).stdin);
    assert_eq!(sources(&["--port", "1"]).file, None);
}

#[test]
fn options_are_read_as_redis_reads_them() {
    for (words, name, expected) in [
        (&["--port", "7000"][..], "port", "7000"),
        (&["--maxmemory 700mb", "--maxmemory-policy volatile-lru"], "maxmemory", "734003200"),
        (&["--maxmemory '700mb'", "--maxmemory-policy 'volatile-lru'"], "maxmemory-policy", "volatile-lru"),
        (
            &["--proc-title-template", "--my--title--template", "--loglevel", "verbose"],
            "proc-title-template",
            "--my--title--template",
        ),
        (&["--proc-title-template", "--my--title--template", "--loglevel", "verbose"], "loglevel", "verbose"),
        (&["--proc-title-template --my--title", "--loglevel verbose"], "proc-title-template", "--my--title"),
        (&["--save", "--loglevel", "verbose"], "save", ""),
        (&["--save", "--loglevel", "verbose"], "loglevel", "verbose"),
        (&["--loglevel", "verbose", "--save"], "save", ""),
        (&["--save", "", "--loglevel", "verbose"], "save", ""),
        (&["--save", "3600", "1", "60", "1000"], "save", "3600 1 60 1000"),
        (&["--save 3600 1", "--save", "60", "1000"], "save", "3600 1 60 1000"),
        (&["--proc-title-template", "--save", "--save", "", "--loglevel", "verbose"], "proc-title-template", "--save"),
        (
            &["--shutdown-on-sigint", "nosave", "force", "now", "--shutdown-on-sigterm", "nosave force"],
            "shutdown-on-sigint",
            "nosave now force",
        ),
        (
            &["--shutdown-on-sigint", "nosave", "force", "now", "--shutdown-on-sigterm", "nosave force"],
            "shutdown-on-sigterm",
            "nosave force",
        ),
        (&["--requirepass", "a b\"c"], "requirepass", "a b\"c"),
        (&["--dbfilename", ""], "dbfilename", ""),
        (&["--replicaof", "127.0.0.1", "8888"], "replicaof", "127.0.0.1 8888"),
    ] {
        assert_eq!(value(words, name), expected, "{words:?}");
    }
}

#[test]
fn a_bare_line_after_the_file_is_an_option() {
    let sources = sources(&["a.conf", "loglevel", "verbose", "--maxmemory '700mb'"]);
    assert_eq!(sources.options, b"\"loglevel\" \"verbose\" \nmaxmemory '700mb' ");
}

#[test]
fn wrong_options_are_refused_in_the_words_of_redis() {
    for (words, expected) in [
        (&["--port"][..], ">>> 'port' wrong number of arguments"),
        (&["--port", "6380", "--loglevel"], ">>> 'loglevel' wrong number of arguments"),
        (&["--port", "6379", "6380"], ">>> 'port \"6379\" \"6380\"' wrong number of arguments"),
        (&["--port", "--loglevel", "verbose"], ">>> 'port \"--loglevel\" \"verbose\"' wrong number of arguments"),
        (
            &["--port", "--bla", "--loglevel", "verbose"],
            ">>> 'port \"--bla\"' argument couldn't be parsed into an integer",
        ),
        (
            &["--logfile", "--my--log--file", "--loglevel", "--bla"],
            ">>> 'loglevel \"--bla\"' argument(s) must be one of the following: debug, verbose, notice, warning",
        ),
        (
            &["--shutdown-on-sigint"],
            ">>> 'shutdown-on-sigint' argument(s) must be one of the following: default, save, nosave, now, force",
        ),
        (
            &["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"],
            ">>> 'shutdown-on-sigterm' argument(s) must be one of the following: default, save, nosave, now, force",
        ),
        (&["--replicaof", "127.0.0.1", "abc"], ">>> 'replicaof \"127.0.0.1\" \"abc\"' Invalid master port"),
        (&["--replicaof", "--127.0.0.1", "abc"], ">>> 'replicaof \"--127.0.0.1\" \"abc\"' Invalid master port"),
        (&["--replicaof", "--127.0.0.1", "--abc"], ">>> 'replicaof \"--127.0.0.1\"' wrong number of arguments"),
        (&["--nonsense", "1"], ">>> 'nonsense \"1\"' Bad directive or wrong number of arguments"),
    ] {
        assert_eq!(value(words, "port"), expected, "{words:?}");
    }
}

#[test]
fn help_and_version_are_printed() {
    let text = |word: &str| match parse(&[OsString::from(word)]) {
        Invocation::Print(text) => text,
        other => panic!("{other:?}"),
    };
    assert!(text("--version").starts_with("Tessera server v=7."));
    assert_eq!(text("-v"), text("--version"));
    let help = text("--help");
    for part in ["Usage: tessera [CONFIG_FILE]", "--check-system", "--maxmemory-policy <volatile-lru|", "--shards"] {
        assert!(help.contains(part), "{part} in {help}");
    }
    assert_eq!(text("-h"), help);
}

#[test]
fn an_rdb_file_to_be_checked_is_named() {
    let parsed = |words: &[&str]| parse(&words.iter().map(OsString::from).collect::<Vec<_>>());
    assert_eq!(parsed(&["--check-rdb", "dump.rdb"]), Invocation::CheckRdb { file: "dump.rdb".into() });
    for wrong in [&["--check-rdb"][..], &["--check-rdb", "a", "b"]] {
        assert!(matches!(parsed(wrong), Invocation::Refuse(usage) if usage.contains("--check-rdb <rdb")));
    }
}
