//! Commands that a script runs: the EVAL that carries them, and read back from it, as its reply is compared by theirs.
//!
//! ```text
//! EVAL "return redis.call(unpack(ARGV))"                    0      words of the command
//! EVAL "return redis.call('get', KEYS[1], unpack(ARGV))"    1 key  words behind it
//! EVAL "return {redis.pcall(unpack(ARGV, 1, 3)), ...}"      0      words of all commands, one after another
//! ```
//!
//! The first and the last may touch any key; of the second it is provable that it touches `KEYS[1]` alone.

use super::Arguments;
use crate::support::Random;

const CALL: &str = "return redis.call(unpack(ARGV))";
const PCALL: &str = "return redis.pcall(unpack(ARGV))";
const DECLARED: &str = "return redis.call('";
const MANY: &str = "return {redis.pcall(unpack(ARGV, ";
const NEXT: &str = ", redis.pcall(unpack(ARGV, ";

/// A script that runs one command.
pub fn of_one(command: &Arguments, random: &mut Random) -> Arguments {
    carried(random.pick(&[CALL, PCALL]).to_owned(), b"0", command, random)
}

/// A script that runs one command, whose first argument is a key; it declares that one.
pub fn of_declared(command: &Arguments, random: &mut Random) -> Arguments {
    let name = String::from_utf8_lossy(&command[0]);
    let arguments = if command.len() > 2 { ", unpack(ARGV)" } else { "" };
    carried(format!("{DECLARED}{name}', KEYS[1]{arguments})"), b"1", &command[1..], random)
}

/// A script that runs several commands, and replies with what each of them replied.
pub fn of_many(commands: &[Arguments], random: &mut Random) -> Arguments {
    let mut first = 1;
    let calls = commands.iter().map(|command| {
        let range = format!("redis.pcall(unpack(ARGV, {first}, {}))", first + command.len() - 1);
        first += command.len();
        range
    });
    let text = format!("return {{{}}}", calls.collect::<Vec<_>>().join(", "));
    carried(text, b"0", &commands.concat(), random)
}

fn carried(text: String, keys: &[u8], rest: &[Vec<u8>], random: &mut Random) -> Arguments {
    let name: &[u8] = if random.chance(10) { b"EVAL_RO" } else { b"EVAL" };
    let mut words = vec![name.to_vec(), text.into_bytes(), keys.to_vec()];
    words.extend_from_slice(rest);
    words
}

/// What a script of this module runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Carried {
    /// One command, whose reply is the script's.
    One(Arguments),
    /// Several, whose replies are the elements of the script's.
    Many(Vec<Arguments>),
}

/// What `words` carry, if they are of this module.
pub fn carried_by(words: &Arguments) -> Option<Carried> {
    let [name, text, _, rest @ ..] = words.as_slice() else { return None };
    if !matches!(name.as_slice(), b"EVAL" | b"EVAL_RO") {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if text == CALL || text == PCALL {
        return Some(Carried::One(rest.to_vec()));
    }
    if let Some(text) = text.strip_prefix(DECLARED) {
        let name = text.split('\'').next()?;
        return Some(Carried::One([&[name.as_bytes().to_vec()], rest].concat()));
    }
    let ranges = text.strip_prefix(MANY)?.strip_suffix('}')?.split(NEXT);
    let command = |range: &str| {
        let (first, last) = range.strip_suffix("))")?.split_once(", ")?;
        rest.get(first.parse::<usize>().ok()? - 1..last.parse().ok()?).map(<[_]>::to_vec)
    };
    ranges.map(command).collect::<Option<_>>().map(Carried::Many)
}

#[test]
fn what_is_carried_is_read_back() {
    let random = &mut Random::new(1);
    let command = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Arguments>();
    let (get, set) = (command(&["GET", "s1"]), command(&["set", "s2", "return 'x'"]));
    for one in [&get, &set] {
        assert_eq!(carried_by(&of_one(one, random)), Some(Carried::One(one.clone())));
        assert_eq!(carried_by(&of_declared(one, random)), Some(Carried::One(one.clone())));
    }
    let both = vec![set, get.clone()];
    assert_eq!(carried_by(&of_many(&both, random)), Some(Carried::Many(both)));
    assert_eq!(carried_by(&get), None);
}
