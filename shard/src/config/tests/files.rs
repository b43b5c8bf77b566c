use super::{Scratch, value_of};
use crate::config::{Config, Sources};

fn load(text: &str) -> Result<Config, String> {
    Config::parse_text(text.as_bytes()).map_err(|error| error.to_string())
}

fn reason(text: &str) -> String {
    load(text).unwrap_err().lines().last().unwrap().to_owned()
}

#[test]
fn a_wrong_line_is_named_with_its_file_and_number() {
    let scratch = Scratch::new("wrong-line");
    let path = scratch.file("a.conf", "port 1\n\n  foo bar  \n");
    let error = Config::parse_file(&path).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines[0].starts_with("*** FATAL CONFIG FILE ERROR ("));
    assert!(lines[1].starts_with("Reading the configuration file, at line 3"));
    assert!(lines[1].ends_with("a.conf"));
    assert_eq!(lines[2..], [">>> 'foo bar'", "Bad directive or wrong number of arguments"]);
    let missing = Config::parse_file(&scratch.0.join("none")).unwrap_err().to_string();
    assert!(
        missing.starts_with("Fatal error, can't open config file '") && missing.ends_with("No such file or directory")
    );
}

#[test]
fn lines_are_refused_for_the_reasons_redis_gives() {
    for (line, text) in [
        ("port", "wrong number of arguments"),
        ("port 1 2", "wrong number of arguments"),
        ("port \"abc", "Unbalanced quotes in configuration line"),
        ("user", "Bad directive or wrong number of arguments"),
        ("include", "Bad directive or wrong number of arguments"),
        ("rename-command a", "Bad directive or wrong number of arguments"),
        ("\"\"", "Bad directive or wrong number of arguments"),
        ("a.b", "Module config specified without value"),
        ("sentinel monitor a", "sentinel directive while not in sentinel mode"),
        ("replicaof a", "wrong number of arguments"),
        ("replicaof a b", "Invalid master port"),
        ("slaveof a 70000", "Invalid master port"),
        ("dir /nonexistent", "No such file or directory"),
        ("appendfilename \"\"", "appendfilename can't be empty"),
        ("appenddirname a/b", "appenddirname can't be a path, just a dirname"),
        ("save 1", "Invalid save parameters"),
        ("oom-score-adj-values 1 2", "wrong number of arguments"),
        ("shutdown-on-sigint", "argument(s) must be one of the following: default, save, nosave, now, force"),
        ("unixsocketperm 1000", "argument must be between 0 and 777 inclusive"),
        ("cluster-enabled yes\nreplicaof h 1", "replicaof directive not allowed in cluster mode"),
        (
            "user bob\nuser bob",
            "Error in user declaration 'bob': Duplicate user found. A user can only be defined once in config files",
        ),
    ] {
        assert_eq!(reason(line), text, "{line}");
    }
    for line in [
        "replicaof no one",
        "bind",
        "list-max-ziplist-entries 3",
        "lua-replicate-commands yes",
        "save \"\"",
        "#x",
        " # y",
    ] {
        assert!(load(line).is_ok(), "{line}");
    }
}

#[test]
fn save_lines_add_up_after_replacing_the_defaults() {
    for (text, expected) in [
        ("", "3600 1 300 100 60 10000"),
        ("save 900 1", "900 1"),
        ("save 900 1\nsave 100 100", "900 1 100 100"),
        ("save 900 1 100 100", "900 1 100 100"),
        ("save \"900 1 100 100\"", "900 1 100 100"),
        ("save 900 1\nsave \"\"", ""),
        ("save 900 1\nsave \"\"\nsave 1 2", "1 2"),
        ("save ''", ""),
    ] {
        assert_eq!(value_of(&load(text).unwrap(), "save"), expected, "{text}");
    }
}

#[test]
fn aliases_and_several_words_in_one_are_read() {
    let config = load("hash-max-ziplist-entries 20\nhash-max-listpack-entries 21\nSLAVE-read-only no").unwrap();
    assert_eq!((config.hash_max_listpack_entries, config.replica_read_only), (21, false));
    let config = load("shutdown-on-sigterm \"nosave now\"\nreplicaof \"host 1\"").unwrap();
    assert!(config.shutdown_on_sigterm.now);
    assert_eq!(config.replicaof.as_ref().map(|master| (master.host.as_str(), master.port)), Some(("host", 1)));
    assert_eq!(value_of(&config, "slaveof"), "host 1");
    assert_eq!(load("activedefrag yes").map(|config| config.activedefrag), Ok(false));
}

#[test]
fn lines_that_are_no_values_are_kept_with_their_place() {
    let config = load("user bob on '>a b'\nrename-command flushall \"\"\nloadmodule /x.so a").unwrap();
    assert_eq!(config.users[0].words, [&b"bob"[..], b"on", b">a b"]);
    assert_eq!(config.users[0].text(), b"bob on \">a b\"");
    assert_eq!(
        (config.renamed_commands[0].from.as_slice(), config.renamed_commands[0].place.line),
        (&b"flushall"[..], 2)
    );
    assert_eq!(config.modules[0].words[0], b"/x.so");
}

#[test]
fn included_files_are_read_in_place_and_in_order() {
    let scratch = Scratch::new("include");
    let root = scratch.0.display();
    scratch.file("part-b.inc", "timeout 2\nhz 20\n");
    scratch.file("part-a.inc", "timeout 1\n");
    scratch.file(".part-hidden.inc", "timeout 9\n");
    scratch.file("deep.inc", &format!("include {root}/part-*.inc\ntcp-keepalive 5\n"));
    let path = scratch.file("main.conf", &format!("hz 1\ninclude {root}/deep.inc\ninclude {root}/none-*\ntimeout 3\n"));
    let config = Config::parse_file(&path).unwrap();
    assert_eq!((config.timeout, config.hz, config.tcp_keepalive), (3, 20, 5));

    let relative = scratch.file("relative.conf", &format!("dir {root}\ninclude part-a.inc\n"));
    assert_eq!(Config::parse_file(&relative).unwrap().timeout, 1, "from the directory in force");

    let endless = scratch.file("endless.conf", &format!("include {root}/endless.conf\n"));
    let error = Config::parse_file(&endless).unwrap_err().to_string();
    assert!(error.ends_with("Files include each other too deeply"), "{error}");

    let bad = scratch.file("bad.inc", "\nhz x\n");
    let outer = scratch.file("outer.conf", &format!("include {}\n", bad.display()));
    let error = Config::parse_file(&outer).unwrap_err().to_string();
    assert!(error.contains("at line 2 of") && error.contains("bad.inc"), "{error}");
}

#[test]
fn the_command_line_goes_over_the_file() {
    let scratch = Scratch::new("sources");
    let file = scratch.file("a.conf", "timeout 1\nhz 20\n");
    let sources = Sources { file: Some(file.clone()), stdin: false, options: b"timeout 5".to_vec() };
    let config = Config::load(&sources).unwrap();
    assert_eq!((config.timeout, config.hz, config.file), (5, 20, Some(file)));
}
