//! What `COMMAND DOCS` says of the commands that work on keys.

use crate::support::{Client, Value};

/// Groups of commands that work on keys.
const GROUPS: [&str; 10] =
    ["generic", "string", "list", "set", "sorted-set", "hash", "stream", "bitmap", "hyperloglog", "geo"];

/// Commands that are left out: they reach other servers or wait for them, look into the program's own data structures, or
/// print a help that each version words anew.
const LEFT_OUT: [&str; 7] = ["migrate", "wait", "waitaof", "pfdebug", "pfselftest", "restore-asking", "help"];

/// A command, or a subcommand.
pub struct Command {
    /// Its name, and its subcommand's.
    pub words: Vec<String>,
    /// The first version that has it.
    pub since: (u32, u32),
    /// The group that it is listed in.
    pub group: String,
    /// What follows the name.
    pub arguments: Vec<Argument>,
}

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A key.
    Key,
    /// Any text.
    Text,
    /// An integer.
    Integer,
    /// A number with a fraction.
    Double,
    /// A point in time.
    Time,
    /// A pattern.
    Pattern,
    /// Nothing but its token.
    Token,
    /// One of the arguments within.
    OneOf,
    /// All of the arguments within.
    Block,
}

/// An argument.
pub struct Argument {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The word before it.
    pub token: Option<String>,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether it may be there several times.
    pub multiple: bool,
    /// Whether the token is repeated then.
    pub multiple_token: bool,
    /// Arguments within.
    pub inner: Vec<Argument>,
}

/// Asks a server for its commands.
pub fn ask(client: &mut Client) -> Vec<Command> {
    let docs = client.must("COMMAND DOCS");
    let mut commands = Vec::new();
    for (name, about) in pairs(&docs) {
        read_command(&name.text(), about, &mut commands);
    }
    commands.sort_by(|a, b| a.words.cmp(&b.words));
    assert!(commands.len() > 150, "the server documents {} commands on keys", commands.len());
    commands
}

fn read_command(name: &str, about: &Value, commands: &mut Vec<Command>) {
    let words: Vec<String> = name.split('|').map(str::to_owned).collect();
    let group = about.field("group").expect("every command has a group").text();
    let left_out = words.iter().any(|word| LEFT_OUT.contains(&word.as_str()));
    if left_out || !GROUPS.contains(&group.as_str()) {
        return;
    }
    if let Some(subcommands) = about.field("subcommands") {
        for (name, about) in pairs(subcommands) {
            read_command(&name.text(), about, commands);
        }
        return;
    }
    let arguments = about.field("arguments").map_or(&[][..], Value::elements);
    let since = version(&about.field("since").expect("every command has a first version").text());
    commands.push(Command { words, since, group, arguments: arguments.iter().map(read_argument).collect() });
}

/// The first two numbers of a version.
pub fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().expect("a version is numbers"));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn read_argument(about: &Value) -> Argument {
    let flags: Vec<String> = about.field("flags").map_or(&[][..], Value::elements).iter().map(Value::text).collect();
    let has = |flag: &str| flags.iter().any(|name| name == flag);
    let inner = about.field("arguments").map_or(&[][..], Value::elements);
    Argument {
        name: about.field("name").expect("every argument has a name").text().to_ascii_lowercase(),
        kind: kind(&about.field("type").expect("every argument has a type").text()),
        token: about.field("token").map(Value::text),
        optional: has("optional"),
        multiple: has("multiple"),
        multiple_token: has("multiple_token"),
        inner: inner.iter().map(read_argument).collect(),
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "key" => Kind::Key,
        "integer" => Kind::Integer,
        "double" => Kind::Double,
        "unix-time" => Kind::Time,
        "pattern" => Kind::Pattern,
        "pure-token" => Kind::Token,
        "oneof" => Kind::OneOf,
        "block" => Kind::Block,
        _ => Kind::Text,
    }
}

/// Keys and values of a map, in either version of the protocol.
fn pairs(map: &Value) -> Vec<(&Value, &Value)> {
    match map {
        Value::Map(pairs) => pairs.iter().map(|(name, value)| (name, value)).collect(),
        other => other.elements().chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
    }
}
