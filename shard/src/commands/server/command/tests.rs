//! The table of commands as clients see it.

use net::{OwnedArgs, Reply, Resp};

use super::{docs, info, keys};
use crate::exec::Run;
use crate::exec::merge::element_bytes;
use crate::spec::table::Row;
use crate::spec::{Begin, CommandTable, Find, Flag, KeyFlag, KeySpec};

fn written(resp: Resp, write: impl FnOnce(&mut Reply<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut Reply::new(&mut out, resp));
    assert_eq!(element_bytes(&out), out.len(), "one whole reply");
    String::from_utf8(out).expect("the table is ASCII")
}

#[test]
fn every_row_is_one_whole_reply() {
    for resp in [Resp::V2, Resp::V3] {
        for row in CommandTable::global().rows() {
            written(resp, |reply| info::write_row(row, reply));
            written(resp, |reply| docs::write_rows(&[row], reply));
        }
    }
}

#[test]
fn every_command_is_documented_and_consistent() {
    for row in CommandTable::global().rows() {
        let (name, command) = (&row.full_name, row.command);
        assert!(command.docs.summary.ends_with('.'), "{name}: a summary is a sentence");
        assert!(command.docs.since.split('.').count() == 3, "{name}: since which version");
        assert_eq!(command.name, command.name.to_ascii_lowercase());
        assert_eq!(matches!(command.run, Run::Container), is_container(row), "{name} dispatches or runs");
        let is_write = command.flags.has(Flag::Write);
        let changes = |spec: &KeySpec| {
            spec.flags.iter().any(|flag| !matches!(flag, KeyFlag::Ro | KeyFlag::Access | KeyFlag::NotKey))
        };
        // PFCOUNT keeps its result in the key, and is a read to clients all the same. What a script does is not known.
        let may_change = is_write || matches!(name.as_str(), "pfcount" | "eval" | "evalsha" | "fcall");
        assert!(may_change || !command.keys.iter().any(changes), "{name}: only a write changes keys");
        assert!(!(is_write && command.flags.has(Flag::Readonly)), "{name} writes or reads");
    }
}

fn is_container(row: &Row) -> bool {
    !row.command.subcommands.is_empty() && row.command.name != "command"
}

#[test]
fn old_clients_see_a_range_where_there_is_one() {
    let one = KeySpec::one(2, &[]);
    let all = KeySpec::all_from(3, 1, &[]);
    let counted =
        KeySpec { flags: &[], begin: Begin::Index(2), find: Find::Keynum { at: 0, first: 1, step: 1 }, notes: "" };
    assert_eq!(info::range(&[]), (0, 0, 0));
    assert_eq!(info::range(&[one]), (2, 2, 1));
    assert_eq!(info::range(&[KeySpec::all_from(1, 2, &[])]), (1, -1, 2));
    assert_eq!(info::range(&[one, all]), (2, -1, 1));
    assert_eq!(info::range(&[KeySpec::one(1, &[]), counted]), (1, 1, 1));
    assert_eq!(info::range(&[counted]), (0, 0, 0));
}

#[test]
fn keys_are_found_or_the_error_says_why_not() {
    let find = |text: &str| {
        let args: OwnedArgs = text.split(' ').map(str::as_bytes).collect();
        let args = args.as_args();
        keys::find(&args)
            .map(|found| found.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect::<Vec<_>>())
            .map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    };
    assert_eq!(find("get key"), Ok(vec!["key".to_owned()]));
    assert_eq!(find("memory usage key"), Ok(vec!["key".to_owned()]));
    assert_eq!(find("foo bar"), Err("ERR Invalid command specified".to_owned()));
    assert_eq!(find("get a b"), Err("ERR Invalid number of arguments specified for command".to_owned()));
    assert_eq!(find("ping x"), Err("ERR The command has no key arguments".to_owned()));
}
