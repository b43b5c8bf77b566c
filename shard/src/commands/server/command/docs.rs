//! COMMAND DOCS.

use net::{Args, Reply};

use super::{CATEGORIES, FLAGS, UNORDERED};
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run};
use crate::spec::table::Row;
use crate::spec::{Argument, ArgumentKind, Arity, Command, CommandTable, Docs, Group};

/// COMMAND DOCS \[command-name...\]
pub const DOCS: Command = Command {
    name: "docs",
    arity: Arity::AtLeast(2),
    flags: FLAGS,
    categories: CATEGORIES,
    tips: UNORDERED,
    docs: Docs {
        summary: "Tells what the commands named, or all, are for, and how they are written.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands to look up",
        arguments: &[Argument::new("command-name", ArgumentKind::String).optional().multiple()],
        ..Docs::BLANK
    },
    run: Run::Session(docs),
    ..Command::BLANK
};

fn docs(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let table = CommandTable::global();
    let rows: Vec<&Row> = if args.len() == 2 {
        table.commands().collect()
    } else {
        args.from(2).filter_map(|name| table.find_full(name)).collect()
    };
    write_rows(&rows, reply);
    Ok(())
}

pub(super) fn write_rows(rows: &[&Row], reply: &mut Reply<'_>) {
    reply.map(rows.len());
    for row in rows {
        reply.bulk(row.full_name.as_bytes());
        write_docs(row, reply);
    }
}

/// A map whose entries are collected before it is written, since some are left out.
type Fields<'a> = Vec<Field<'a>>;

/// Its name, and what writes its value.
type Field<'a> = (&'a str, Box<dyn Fn(&mut Reply<'_>) + 'a>);

fn write_fields(fields: Fields<'_>, reply: &mut Reply<'_>) {
    reply.map(fields.len());
    for (name, write) in fields {
        reply.bulk(name.as_bytes());
        write(reply);
    }
}

fn text<'a>(name: &'a str, text: &'a str) -> Field<'a> {
    (name, Box::new(move |reply| reply.bulk(text.as_bytes())))
}

fn words<'a>(name: &'a str, words: Vec<&'a str>) -> Field<'a> {
    let write = move |reply: &mut Reply<'_>| {
        reply.set(words.len());
        for word in &words {
            reply.simple(word);
        }
    };
    (name, Box::new(write))
}

fn write_docs(row: &Row, reply: &mut Reply<'_>) {
    let docs = &row.command.docs;
    let mut fields: Fields<'_> = vec![text("summary", docs.summary), text("since", docs.since)];
    fields.push(text("group", docs.group.name()));
    if !docs.complexity.is_empty() {
        fields.push(text("complexity", docs.complexity));
    }
    let flags = [(docs.deprecated.is_some(), "deprecated"), (docs.system, "syscmd")];
    let flags: Vec<&str> = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
    if !flags.is_empty() {
        fields.push(words("doc_flags", flags));
    }
    if let Some((since, instead)) = docs.deprecated {
        fields.push(text("deprecated_since", since));
        fields.push(text("replaced_by", instead));
    }
    if !docs.history.is_empty() {
        fields.push(("history", Box::new(|reply| write_history(docs.history, reply))));
    }
    if !docs.arguments.is_empty() {
        fields.push(("arguments", Box::new(|reply| write_arguments(docs.arguments, reply))));
    }
    if !row.command.subcommands.is_empty() {
        fields.push(("subcommands", Box::new(|reply| write_subcommands(row, reply))));
    }
    write_fields(fields, reply);
}

fn write_history(history: &[(&str, &str)], reply: &mut Reply<'_>) {
    reply.set(history.len());
    for (version, change) in history {
        reply.array(2);
        reply.bulk(version.as_bytes());
        reply.bulk(change.as_bytes());
    }
}

fn write_subcommands(row: &Row, reply: &mut Reply<'_>) {
    let table = CommandTable::global();
    let names = row.command.subcommands.iter().map(|subcommand| subcommand.name.as_bytes());
    let rows: Vec<&Row> = names.filter_map(|name| table.subcommand(row, name)).collect();
    write_rows(&rows, reply);
}

fn write_arguments(arguments: &[Argument], reply: &mut Reply<'_>) {
    reply.array(arguments.len());
    for argument in arguments {
        write_argument(argument, reply);
    }
}

fn write_argument(argument: &Argument, reply: &mut Reply<'_>) {
    let (kind, within): (&str, &[Argument]) = match argument.kind {
        ArgumentKind::String => ("string", &[]),
        ArgumentKind::Integer => ("integer", &[]),
        ArgumentKind::Double => ("double", &[]),
        ArgumentKind::Key(_) => ("key", &[]),
        ArgumentKind::Pattern | ArgumentKind::KeyPattern(_) => ("pattern", &[]),
        ArgumentKind::UnixTime => ("unix-time", &[]),
        ArgumentKind::PureToken => ("pure-token", &[]),
        ArgumentKind::OneOf(within) => ("oneof", within),
        ArgumentKind::Block(within) => ("block", within),
    };
    let mut fields: Fields<'_> = vec![text("name", argument.name), text("type", kind)];
    if let ArgumentKind::Key(spec) | ArgumentKind::KeyPattern(spec) = argument.kind {
        fields.push(("key_spec_index", Box::new(move |reply| reply.integer(i64::from(spec)))));
    }
    let texts = [("token", argument.token), ("since", argument.since), ("deprecated_since", argument.deprecated)];
    // The word of MIGRATE for no key is empty.
    let is_told = |(name, value): &(&str, &str)| !value.is_empty() || (*name == "token" && kind == "pure-token");
    fields.extend(texts.into_iter().filter(is_told).map(|(name, value)| text(name, value)));
    let flags =
        [(argument.optional, "optional"), (argument.multiple, "multiple"), (argument.multiple_token, "multiple_token")];
    let flags: Vec<&str> = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
    if !flags.is_empty() {
        fields.push(words("flags", flags));
    }
    if !within.is_empty() {
        fields.push(("arguments", Box::new(|reply| write_arguments(within, reply))));
    }
    write_fields(fields, reply);
}
