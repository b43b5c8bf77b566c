//! COMMAND and COMMAND INFO.

use net::{Args, Reply};

use super::{CATEGORIES, FLAGS, UNORDERED};
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run};
use crate::spec::table::Row;
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, CommandTable, Docs, Find, Group, KeyFlag, KeySpec};

/// COMMAND INFO \[command-name...\]
pub const INFO: Command = Command {
    name: "info",
    arity: Arity::AtLeast(2),
    flags: FLAGS,
    categories: CATEGORIES,
    tips: UNORDERED,
    docs: Docs {
        summary: "Tells the details of the commands named, or of all.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands to look up",
        history: &[("7.0.0", "Without a name it tells of all commands.")],
        arguments: &[Argument::new("command-name", ArgumentKind::String).optional().multiple()],
        ..Docs::BLANK
    },
    run: Run::Session(info),
    ..Command::BLANK
};

/// COMMAND without a subcommand.
pub(super) fn all(_: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let table = CommandTable::global();
    reply.array(table.commands().count());
    table.commands().for_each(|row| write_row(row, reply));
    Ok(())
}

fn info(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if args.len() == 2 {
        return all(ctx, args, reply);
    }
    reply.array(args.len() - 2);
    for name in args.from(2) {
        match CommandTable::global().find_full(name) {
            Some(row) => write_row(row, reply),
            None => reply.null(),
        }
    }
    Ok(())
}

/// The ten elements that describe a command.
pub(super) fn write_row(row: &Row, reply: &mut Reply<'_>) {
    let command = row.command;
    let (first, last, step) = range(command.keys);
    reply.array(10);
    reply.bulk(row.full_name.as_bytes());
    reply.integer(command.arity.number());
    write_words(command.flags.names().map(str::to_owned), reply);
    reply.integer(first);
    reply.integer(last);
    reply.integer(step);
    write_words(row.categories.names().map(|name| format!("@{name}")), reply);
    reply.set(command.tips.len());
    command.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(command.keys.len());
    command.keys.iter().for_each(|spec| write_spec(spec, reply));
    let table = CommandTable::global();
    if command.subcommands.is_empty() {
        return reply.set(0);
    }
    reply.array(command.subcommands.len());
    for subcommand in command.subcommands {
        let row = table.subcommand(row, subcommand.name.as_bytes());
        write_row(row.expect("the table has a row for every subcommand"), reply);
    }
}

fn write_words(words: impl Iterator<Item = String>, reply: &mut Reply<'_>) {
    let words: Vec<String> = words.collect();
    reply.set(words.len());
    for word in &words {
        reply.simple(word);
    }
}

/// The names of what a command does with a key.
pub(super) fn write_key_flags(flags: &[KeyFlag], reply: &mut Reply<'_>) {
    write_words(flags.iter().map(|flag| flag.name().to_owned()), reply);
}

fn write_spec(spec: &KeySpec, reply: &mut Reply<'_>) {
    reply.map(if spec.notes.is_empty() { 3 } else { 4 });
    if !spec.notes.is_empty() {
        reply.bulk(b"notes");
        reply.bulk(spec.notes.as_bytes());
    }
    reply.bulk(b"flags");
    write_key_flags(spec.flags, reply);
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => write_finder("index", &[("index", Value::Number(i64::from(index)))], reply),
        Begin::Keyword { word, from } => {
            let fields = [("keyword", Value::Text(word)), ("startfrom", Value::Number(i64::from(from)))];
            write_finder("keyword", &fields, reply);
        }
        Begin::Unknown => write_finder("unknown", &[], reply),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            let fields = [("lastkey", i64::from(last)), ("keystep", i64::from(step)), ("limit", i64::from(limit))];
            write_finder("range", &fields.map(|(name, number)| (name, Value::Number(number))), reply);
        }
        Find::Keynum { at, first, step } => {
            let fields = [("keynumidx", at), ("firstkey", first), ("keystep", step)];
            write_finder("keynum", &fields.map(|(name, number)| (name, Value::Number(i64::from(number)))), reply);
        }
        Find::Unknown => write_finder("unknown", &[], reply),
    }
}

enum Value {
    Text(&'static str),
    Number(i64),
}

fn write_finder(kind: &str, fields: &[(&str, Value)], reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        match value {
            Value::Text(text) => reply.bulk(text.as_bytes()),
            Value::Number(number) => reply.integer(*number),
        }
    }
}

/// The first key, the last key and the step, in which clients of old see a command's keys: of one specification that is a
/// range at a fixed place, or of several that lie side by side.
pub(super) fn range(specs: &[KeySpec]) -> (i64, i64, i64) {
    let fixed = |spec: &KeySpec| match (spec.begin, spec.find) {
        (Begin::Index(first), Find::Range { last, step, .. }) => {
            let first = i64::from(first);
            let last = if last >= 0 { first + i64::from(last) } else { i64::from(last) };
            Some((first, last, i64::from(step)))
        }
        _ => None,
    };
    if let [spec] = specs {
        return fixed(spec).unwrap_or((0, 0, 0));
    }
    let mut whole: Option<(i64, i64)> = None;
    for (first, last, step) in specs.iter().filter_map(fixed) {
        let adjacent = whole.is_none_or(|(_, end)| end + 1 == first);
        if step != 1 || !adjacent {
            return (0, 0, 0);
        }
        whole = Some((whole.map_or(first, |(begin, _)| begin.min(first)), last));
    }
    whole.map_or((0, 0, 0), |(first, last)| (first, last, 1))
}
