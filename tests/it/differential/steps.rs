//! What a round consists of: a command, or a few that belong together.

use std::slice;

use super::Arguments;
use super::determined::is_determined;
use super::spoil::spoil;
use super::syntax::{Argument, Command, Kind};
use super::{NEWER, grammar, script, words};
use crate::support::Random;
use crate::support::value::quoted;

/// Something to send; a shorter sequence keeps it or leaves it out as a whole.
#[derive(Clone, Debug)]
pub struct Step {
    /// The commands, in order.
    pub commands: Vec<Arguments>,
    /// How they are sent.
    pub manner: Manner,
}

/// How a step is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Together with what stands before and behind it.
    Plain,
    /// With a pause behind the first command, in which what it wrote expires.
    Expiring,
    /// Over and over with the cursor of the reply, until that is 0; what all replies held is compared.
    Scan {
        /// Where the cursor stands.
        cursor: usize,
    },
    /// With the referee's DUMP of this key as a last but one word of RESTORE.
    Restore {
        /// The key.
        from: Vec<u8>,
    },
}

/// Commands that make collections grow, so that there is something to read.
pub const BUILDERS: [&str; 16] = [
    "hset",
    "sadd",
    "zadd",
    "rpush",
    "lpush",
    "xadd",
    "set",
    "pfadd",
    "geoadd",
    "setbit",
    "append",
    "mset",
    "xgroup",
    "xreadgroup",
    "zadd",
    "xadd",
];

/// Commands that know the order of members.
const BY_MEMBER: [&str; 6] = ["zlexcount", "zrangebylex", "zrevrangebylex", "zremrangebylex", "zrange", "zrangestore"];

/// Commands that are sent also if only some are wanted.
pub const GENERAL: [&str; 7] = ["del", "type", "copy", "rename", "object", "expire", "persist"];

/// Older commands that a newer referee is asked about, because they know or refuse more since.
const CHANGED: [&str; 3] = ["xsetid", "xtrim", "bitop"];

/// Writes steps.
pub struct Source {
    commands: Vec<Command>,
    builders: Vec<usize>,
    by_member: Vec<usize>,
    tokens: Vec<String>,
    version: (u32, u32),
}

impl Source {
    /// A source of commands as the referee documents them: those that are there since some version, and what makes values.
    pub fn new(mut commands: Vec<Command>, version: (u32, u32), since: (u32, u32)) -> Self {
        let mut tokens = Vec::new();
        for command in &commands {
            take_tokens(&command.arguments, &mut tokens);
        }
        tokens.sort();
        tokens.dedup();
        commands.retain(|command| {
            let name = command.words[0].as_str();
            command.since >= since || CHANGED.contains(&name) || GENERAL.contains(&name) || BUILDERS.contains(&name)
        });
        let only = std::env::var("TESSERA_FUZZ_ONLY").unwrap_or_default();
        let wanted: Vec<&str> = only.split(',').filter(|word| !word.is_empty()).collect();
        if !wanted.is_empty() {
            let is_wanted = |name: &str| GENERAL.contains(&name) || wanted.iter().any(|word| name.starts_with(word));
            commands.retain(|command| is_wanted(&command.words[0]));
        }
        let places = |names: &[&str]| {
            let of_name = |name: &&str| commands.iter().position(|command| command.words[0] == **name);
            names.iter().filter_map(of_name).collect::<Vec<_>>()
        };
        let (builders, by_member) = (places(&BUILDERS), places(&BY_MEMBER));
        Self { commands, builders, by_member, tokens, version }
    }

    /// The next step.
    pub fn step(&self, random: &mut Random) -> Step {
        match random.below(400) {
            0 => self.expiring(random),
            1 => restore(random),
            2..6 => scan(random),
            6..8 => popping(random),
            8 => plain(&["SELECT", random.pick(&["0", "0", "1"])]),
            9 => plain(&[random.pick(&["DBSIZE", "RANDOMKEY"])]),
            10 if random.chance(10) => plain(&[random.pick(&["FLUSHDB", "FLUSHALL"])]),
            11 if random.chance(30) => plain(&["SWAPDB", "0", "1"]),
            20..30 => self.by_member(random),
            12..20 => self.keys_of_command(random),
            30..42 => self.transaction(random),
            42..56 => self.script(random),
            _ => Step { commands: self.prepared(random), manner: Manner::Plain },
        }
    }

    /// A command, behind what it needs so that its outcome is the same everywhere.
    fn prepared(&self, random: &mut Random) -> Vec<Arguments> {
        let words = self.command(random);
        let mut commands = self.consumers_of(&words);
        commands.push(words);
        commands
    }

    /// Commands between MULTI and EXEC. Sometimes keys are watched before, and changed perhaps.
    fn transaction(&self, random: &mut Random) -> Step {
        let mut commands = Vec::new();
        if random.chance(30) {
            let mut watch = arguments(&["WATCH"]);
            watch.extend((0..=random.below(3)).map(|_| words::key("", random)));
            commands.push(watch);
            commands.extend(self.prepared(random));
        }
        commands.push(arguments(&["MULTI"]));
        for _ in 0..random.below(8) {
            commands.extend(match random.below(20) {
                0 => popping(random).commands,
                1 => self.script(random).commands,
                2 => vec![arguments(&["SELECT", random.pick(&["0", "1"])])],
                _ => self.prepared(random),
            });
        }
        // These have learned another argument since: one referee queues what another refuses, and with it the rest.
        let is_ranked = |words: &Arguments| words[0].to_ascii_uppercase().ends_with(b"RANK") && words.len() != 3;
        commands.retain(|words| self.version >= (7, 2) || !is_ranked(words));
        commands.push(arguments(&[random.pick(&["EXEC", "EXEC", "EXEC", "EXEC", "DISCARD"])]));
        Step { commands, manner: Manner::Plain }
    }

    /// Commands that a script runs.
    fn script(&self, random: &mut Random) -> Step {
        let mut commands = self.prepared(random);
        let words = commands.pop().expect("it ends with the command");
        commands.push(match random.below(3) {
            0 if words.len() > 1 && self.begins_with_key(&words) => script::of_declared(&words, random),
            1 => {
                let others = (0..random.below(3)).flat_map(|_| self.prepared(random));
                script::of_many(&[vec![words], others.collect()].concat(), random)
            }
            _ => script::of_one(&words, random),
        });
        Step { commands, manner: Manner::Plain }
    }

    /// Whether a command's first argument is a key.
    fn begins_with_key(&self, words: &Arguments) -> bool {
        let is_it =
            |command: &&Command| command.words.len() == 1 && words[0].eq_ignore_ascii_case(command.words[0].as_bytes());
        let command = self.commands.iter().find(is_it);
        command.and_then(|command| command.arguments.first()).is_some_and(|argument| argument.kind == Kind::Key)
    }

    /// A key that expires within the step, or fields of it; what is asked of it then removes it.
    fn expiring(&self, random: &mut Random) -> Step {
        let group = random.pick(&["string", "hash", "list", "stream", "set", "sorted-set"]);
        let key = words::key(group, random);
        if group == "hash" && self.version >= NEWER && random.chance(50) {
            return expiring_fields(&key, random);
        }
        let mut first = match random.below(5) {
            0 => arguments(&["PEXPIRE", "", "1"]),
            1 => arguments(&["SET", "", "v", "PX", "1"]),
            2 => arguments(&["GETEX", "", "PX", "1"]),
            3 => arguments(&["PSETEX", "", "1", "v"]),
            _ => arguments(&["PEXPIRE", "", "2", "NX"]),
        };
        first[1].clone_from(&key);
        let mut commands = vec![first];
        let mut behind = self.prepared(random);
        for words in behind.iter_mut().filter(|words| words.len() > 1 && self.begins_with_key(words)) {
            words[1].clone_from(&key);
        }
        if behind.iter().all(|words| is_determined(words, self.version)) {
            commands.extend(behind);
        }
        commands.push(vec![random.pick(&[b"EXISTS".to_vec(), b"TYPE".to_vec(), b"TTL".to_vec()]), key]);
        Step { commands, manner: Manner::Expiring }
    }

    /// A question for the keys of a command.
    fn keys_of_command(&self, random: &mut Random) -> Step {
        loop {
            let mut words = arguments(&["COMMAND", random.pick(&["GETKEYS", "GETKEYSANDFLAGS"])]);
            words.extend(self.command(random));
            if is_determined(&words, self.version) {
                return Step { commands: vec![words], manner: Manner::Plain };
            }
        }
    }

    /// Before 7.2, who claimed or read nothing did not become a consumer: there it is made one before.
    fn consumers_of(&self, words: &Arguments) -> Vec<Arguments> {
        let is = |name: &str| words[0].eq_ignore_ascii_case(name.as_bytes());
        let (group, consumer, keys) = match words.as_slice() {
            _ if self.version >= (7, 2) => return Vec::new(),
            [_, key, group, consumer, ..] if is("XCLAIM") || is("XAUTOCLAIM") => {
                (group, consumer, slice::from_ref(key))
            }
            [_, _, group, consumer, rest @ ..] if is("XREADGROUP") => {
                let streams = rest.iter().position(|word| word.eq_ignore_ascii_case(b"STREAMS"));
                (group, consumer, streams.map_or(&[][..], |at| &rest[at + 1..]))
            }
            _ => return Vec::new(),
        };
        let create =
            |key: &Vec<u8>| [b"XGROUP".as_slice(), b"CREATECONSUMER", key, group, consumer].map(<[u8]>::to_vec);
        keys.iter().map(|key| create(key).to_vec()).collect()
    }

    /// A command on a sorted set in which all scores are equal: there alone, members have an order.
    fn by_member(&self, random: &mut Random) -> Step {
        let key = words::key_of_equals(random);
        if random.chance(50) || self.by_member.is_empty() {
            let mut words = arguments(&[random.pick(&["ZADD", "ZADD", "ZREM"])]);
            words.push(key);
            for _ in 0..=random.below(8) {
                if words[0] == b"ZADD" {
                    words.push(b"0".to_vec());
                }
                words.push(words::text(random));
            }
            return Step { commands: vec![words], manner: Manner::Plain };
        }
        loop {
            let command = &self.commands[random.pick(&self.by_member)];
            let mut words = grammar::write(command, random);
            let at = if command.words[0] == "zrangestore" { 2 } else { 1 };
            words[at].clone_from(&key);
            if is_determined(&words, self.version) {
                return Step { commands: vec![words], manner: Manner::Plain };
            }
        }
    }

    /// A command whose outcome is not left to chance.
    fn command(&self, random: &mut Random) -> Arguments {
        loop {
            let at = if self.builders.is_empty() || random.chance(70) {
                random.below(self.commands.len() as u64) as usize
            } else {
                random.pick(&self.builders)
            };
            let mut words = grammar::write(&self.commands[at], random);
            if random.chance(7) {
                spoil(&mut words, &self.tokens, random);
            }
            if is_determined(&words, self.version) {
                return words;
            }
        }
    }
}

fn take_tokens(arguments: &[Argument], tokens: &mut Vec<String>) {
    for argument in arguments {
        tokens.extend(argument.token.clone());
        take_tokens(&argument.inner, tokens);
    }
}

fn arguments(words: &[&str]) -> Arguments {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn plain(words: &[&str]) -> Step {
    Step { commands: vec![arguments(words)], manner: Manner::Plain }
}

/// Fields that expire, and the key with them: when a field is gone for HLEN, too, is a server's own affair.
fn expiring_fields(key: &[u8], random: &mut Random) -> Step {
    let mut commands = vec![
        arguments(&random.pick(&[
            ["HPEXPIRE", "", "1", "FIELDS", "2", "f1", "f2"],
            ["HSETEX", "", "PX", "1", "FIELDS", "1", "f1"],
            ["HGETEX", "", "PX", "1", "FIELDS", "1", "f2"],
        ])),
        arguments(&random.pick(&[
            ["HGET", "", "f1"],
            ["HEXISTS", "", "f2"],
            ["HSETNX", "", "f1"],
            ["HSTRLEN", "", "f2"],
        ])),
        arguments(&["DEL", ""]),
    ];
    for words in &mut commands {
        words[1] = key.to_vec();
        if matches!(words[0].as_slice(), b"HSETEX" | b"HSETNX") {
            words.push(b"v".to_vec());
        }
    }
    Step { commands, manner: Manner::Expiring }
}

/// A value that travels as Redis wrote it.
fn restore(random: &mut Random) -> Step {
    let from = words::key("", random);
    let to = words::key("", random);
    let mut words = arguments(&["RESTORE", "", "0", ""]);
    words[1] = to;
    if random.chance(70) {
        words.push(b"REPLACE".to_vec());
    }
    if random.chance(20) {
        words[2] = b"86400000".to_vec();
    }
    Step { commands: vec![words], manner: Manner::Restore { from } }
}

/// A walk over keys, fields or members.
fn scan(random: &mut Random) -> Step {
    let (name, group) = random.pick(&[("SCAN", ""), ("HSCAN", "hash"), ("SSCAN", "set"), ("ZSCAN", "sorted-set")]);
    let mut words = arguments(&[name]);
    if !group.is_empty() {
        words.push(words::key(group, random));
    }
    let cursor = words.len();
    words.push(b"0".to_vec());
    if random.chance(50) {
        words.extend(arguments(&["COUNT", random.pick(&["1", "5", "1000", "0", "x"])]));
    }
    if random.chance(50) {
        words.extend(arguments(&["MATCH", random.pick(&["*", "m*", "*1*", "[0-9]", "f?", "z*"])]));
    }
    if group.is_empty() && random.chance(50) {
        words.extend(arguments(&["TYPE", random.pick(&["list", "hash", "string", "zset", "set", "stream", "x"])]));
    }
    Step { commands: vec![words], manner: Manner::Scan { cursor } }
}

/// Elements that chance takes, from a set that does not outlive it.
fn popping(random: &mut Random) -> Step {
    let key = words::key("set", random);
    let count = random.pick(&["", "1", "3"]);
    let mut pop = vec![b"SPOP".to_vec(), key.clone()];
    if !count.is_empty() {
        pop.push(count.as_bytes().to_vec());
    }
    let card = vec![b"SCARD".to_vec(), key.clone()];
    Step { commands: vec![pop, card, vec![b"DEL".to_vec(), key]], manner: Manner::Plain }
}

impl Step {
    /// The step as lines for redis-cli.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.commands.iter().map(|words| line(words)).collect();
        match &self.manner {
            Manner::Plain | Manner::Scan { .. } => {}
            Manner::Expiring => lines.insert(1, "# 20 ms later".to_owned()),
            Manner::Restore { from } => lines.insert(0, format!("# the payload is Redis's DUMP of {}", quoted(from))),
        }
        lines
    }
}

/// A command as redis-cli reads it.
pub fn line(words: &[Vec<u8>]) -> String {
    let plain =
        |word: &[u8]| !word.is_empty() && word.iter().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(byte));
    let words =
        words.iter().map(|word| if plain(word) { String::from_utf8_lossy(word).into_owned() } else { quoted(word) });
    words.collect::<Vec<_>>().join(" ")
}
