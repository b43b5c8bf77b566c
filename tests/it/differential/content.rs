//! Everything that two servers hold, compared.

use super::Arguments;
use super::pair::{Difference, Round};
use crate::support::Value;

/// Databases that commands reach.
const DATABASES: usize = 3;

/// The first key, value or time to live that differs.
pub fn compare(round: &mut Round, step: usize) -> Option<Difference> {
    for database in 0..DATABASES {
        round.ask(step, &words(&["SELECT", &database.to_string()]));
        if let Some(difference) = compare_database(round, step) {
            return Some(Difference { in_content: true, ..difference });
        }
    }
    let (_, difference) = round.ask(step, &words(&["SELECT", "0"]));
    difference
}

fn compare_database(round: &mut Round, step: usize) -> Option<Difference> {
    let (keys, difference) = round.ask(step, &words(&["KEYS", "*"]));
    if difference.is_some() {
        return difference;
    }
    for key in keys.elements().iter().filter_map(Value::as_bytes) {
        let (kind, difference) = ask(round, step, &["TYPE"], key, &[]);
        if difference.is_some() {
            return difference;
        }
        let found = ask(round, step, &["PEXPIRETIME"], key, &[]).1;
        let found = found.or_else(|| ask(round, step, &["OBJECT", "ENCODING"], key, &[]).1);
        let found = found.or_else(|| compare_value(round, step, key, &kind.text()));
        if found.is_some() {
            return found;
        }
    }
    None
}

fn compare_value(round: &mut Round, step: usize, key: &[u8], kind: &str) -> Option<Difference> {
    let reads: &[(&[&str], &[&str])] = match kind {
        "string" => &[(&["GET"], &[])],
        "list" => &[(&["LRANGE"], &["0", "-1"]), (&["LLEN"], &[])],
        "set" => &[(&["SMEMBERS"], &[]), (&["SCARD"], &[])],
        "hash" => &[(&["HGETALL"], &[]), (&["HLEN"], &[])],
        "zset" => &[(&["ZRANGE"], &["0", "-1", "WITHSCORES"]), (&["ZCARD"], &[])],
        "stream" => &[(&["XRANGE"], &["-", "+"]), (&["XINFO", "STREAM"], &["FULL", "COUNT", "0"])],
        other => panic!("no type is called {other}"),
    };
    reads.iter().find_map(|(before, after)| ask(round, step, before, key, after).1)
}

fn ask(round: &mut Round, step: usize, before: &[&str], key: &[u8], after: &[&str]) -> (Value, Option<Difference>) {
    let mut command = words(before);
    command.push(key.to_vec());
    command.extend(words(after));
    round.ask(step, &command)
}

fn words(words: &[&str]) -> Arguments {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}
