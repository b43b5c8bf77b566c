//! `tests/conformance/commands.tsv`: every command of Redis 7.2, and whether Tessera has it.
//!
//! ```text
//! acl|cat    7.2    no          a command or subcommand of Redis 7.2, and whether it is there
//! asking     7.2    off         one that is known, and refused as by a Redis on which that feature is switched off
//! delex      8.4.0  yes         one that later versions or relatives of Redis have, too: there, or it would not be listed
//! ```
//!
//! The last column follows from the command table; with `TESSERA_COMMANDS_UPDATE=1` it is written anew. That no command of
//! Redis is left out is for the referee to say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use shard::spec::{CommandTable, Flag, Group};

use crate::support::server::referee;
use crate::support::{Server, Target};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/commands.tsv");

/// What marks the commands that Redis 7.2 has.
const REDIS: &str = "7.2";

const HEAD: &str = "# Commands of Redis 7.2, and those of later versions that Tessera has. What is off is refused as by a Redis without it.\n# COMMAND\tSINCE\tTHERE\n";

/// Full name and version of each command that the file lists.
fn listed() -> BTreeMap<String, String> {
    let text = fs::read_to_string(PATH).expect("the file is in the repository");
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut columns = line.split('\t');
        let (name, since) = (columns.next().expect("a row has a name"), columns.next().expect("a row has a version"));
        (name.to_owned(), since.to_owned())
    });
    rows.collect()
}

/// Full name of each command that Tessera has, its version, and whether it does anything.
fn there() -> BTreeMap<String, (String, bool)> {
    let table = CommandTable::of_all();
    let rows = table.rows().iter().map(|row| {
        let is_off = row.command.docs.group == Group::Cluster || row.command.flags.has(Flag::Modules);
        (row.full_name.clone(), (row.command.docs.since.to_owned(), !is_off))
    });
    rows.collect()
}

/// The file as it should be.
fn written(listed: &BTreeMap<String, String>, there: &BTreeMap<String, (String, bool)>) -> String {
    let mut rows: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let word = |works: bool| if works { "yes" } else { "off" };
    for (name, (since, works)) in there {
        rows.insert(name, (since, word(*works)));
    }
    for (name, _) in listed.iter().filter(|(_, since)| *since == REDIS) {
        rows.insert(name, (REDIS, there.get(name).map_or("no", |(_, works)| word(*works))));
    }
    let mut text = HEAD.to_owned();
    for (name, (since, there)) in rows {
        writeln!(text, "{name}\t{since}\t{there}").expect("a String takes any text");
    }
    text
}

#[test]
fn the_list_of_commands_is_up_to_date() {
    let expected = written(&listed(), &there());
    if std::env::var_os("TESSERA_COMMANDS_UPDATE").is_some() {
        fs::write(PATH, &expected).expect("the folder is writable");
    }
    let text = fs::read_to_string(PATH).expect("the file is in the repository");
    let differs = expected.lines().find(|line| !text.lines().any(|known| known == *line));
    assert!(text == expected, "{PATH} is out of date, first at {differs:?}: run this with TESSERA_COMMANDS_UPDATE=1");
}

#[test]
fn the_list_has_all_commands_of_the_referee() {
    if referee().is_none() {
        eprintln!("skipped: there is no redis-server in PATH to ask for its commands");
        return;
    }
    let server = Server::start(Target::Referee);
    let listed = listed();
    let names = server.client().must("COMMAND LIST").elements().to_vec();
    let missing: Vec<String> = names
        .iter()
        .map(crate::support::Value::text)
        .filter(|name| listed.get(name).is_none_or(|since| since != REDIS))
        .collect();
    assert!(names.len() > 300 && missing.is_empty(), "commands of Redis that {PATH} does not list: {missing:?}");
}
