//! XINFO: what a stream, its groups and their consumers are made of.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::stream::{Entry, Group, Stream};

use super::error::no_group_for_key;
use super::info_full::{FullOptions, put_stream_full};
use super::reply::{put_entry, put_id};
use crate::commands::help;
use crate::exec::error::NO_SUCH_KEY;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{self, Argument, ArgumentKind, Arity, Categories, Category, Command, Docs};
use crate::spec::{Flag, Flags, KeyFlag, KeySpec};

/// XINFO subcommand
pub const XINFO: Command = Command {
    name: "xinfo",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands that tell about streams and groups.",
        since: "5.0.0",
        group: spec::Group::Stream,
        complexity: "Depends on the subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[
        CONSUMERS,
        GROUPS,
        Command { categories: Categories::of(&[Category::Stream]), ..help::command(spec::Group::Stream, "5.0.0") },
        STREAM,
    ],
    run: Run::Container,
    ..Command::BLANK
};

/// What the subcommands have in common.
const ABOUT_STREAM: Command = Command {
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(2, &[KeyFlag::Ro, KeyFlag::Access])],
    ..Command::BLANK
};

const STREAM: Command = Command {
    name: "stream",
    arity: Arity::AtLeast(3),
    docs: Docs {
        summary: "Tells about a stream.",
        since: "5.0.0",
        group: spec::Group::Stream,
        history: &[
            ("6.0.0", "Added the `FULL` modifier."),
            (
                "7.0.0",
                "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and \
                 `lag` fields",
            ),
            ("7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."),
        ],
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "full",
                ArgumentKind::Block(&[Argument::new("count", ArgumentKind::Integer).after("COUNT").optional()]),
            )
            .after("FULL")
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(stream),
    ..ABOUT_STREAM
};

const GROUPS: Command = Command {
    name: "groups",
    arity: Arity::Exactly(3),
    docs: Docs {
        summary: "Lists the groups of a stream.",
        since: "5.0.0",
        group: spec::Group::Stream,
        history: &[("7.0.0", "Added the `entries-read` and `lag` fields")],
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(groups),
    ..ABOUT_STREAM
};

const CONSUMERS: Command = Command {
    name: "consumers",
    arity: Arity::Exactly(4),
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Lists the consumers of a group.",
        since: "5.0.0",
        group: spec::Group::Stream,
        history: &[("7.2.0", "Added the `inactive` field, and changed the meaning of `idle`.")],
        arguments: &[Argument::key("key"), Argument::new("groupname", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Shard(consumers),
    ..ABOUT_STREAM
};

/// The stream at a key that must be there.
fn read_stream<'c>(ctx: &'c mut Ctx<'_>, args: &Args<'_>) -> Result<&'c Stream, CommandError> {
    ctx.read_as::<Stream>(args.at(2))?.ok_or(NO_SUCH_KEY)
}

fn stream(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let full = FullOptions::parse(args);
    let stream = read_stream(ctx, args)?;
    if let Some(options) = full? {
        put_stream_full(stream, options, reply);
    } else {
        reply.map(STREAM_COUNTERS + 3);
        put_stream_counters(stream, reply);
        reply.bulk(b"groups");
        reply.integer(stream.groups().len() as i64);
        reply.bulk(b"first-entry");
        put_entry_or_null(stream.first(), reply);
        reply.bulk(b"last-entry");
        put_entry_or_null(stream.last(), reply);
    }
    Ok(())
}

/// Fields that [`put_stream_counters`] writes.
pub(super) const STREAM_COUNTERS: usize = 7;

/// What both forms of XINFO STREAM begin with.
pub(super) fn put_stream_counters(stream: &Stream, reply: &mut Reply<'_>) {
    let blocks = stream.block_count() as i64;
    reply.bulk(b"length");
    reply.integer(stream.len() as i64);
    reply.bulk(b"radix-tree-keys");
    reply.integer(blocks);
    // The index is no radix tree. In one, each key would take about one node besides the root.
    reply.bulk(b"radix-tree-nodes");
    reply.integer(blocks + 1);
    reply.bulk(b"last-generated-id");
    put_id(reply, stream.last_id());
    reply.bulk(b"max-deleted-entry-id");
    put_id(reply, stream.max_deleted_id());
    reply.bulk(b"entries-added");
    reply.integer(stream.entries_added() as i64);
    reply.bulk(b"recorded-first-entry-id");
    put_id(reply, stream.first_id());
}

fn put_entry_or_null(entry: Option<Entry<'_>>, reply: &mut Reply<'_>) {
    match entry {
        Some(entry) => put_entry(reply, &entry),
        None => reply.null(),
    }
}

fn groups(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let stream = read_stream(ctx, args)?;
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        reply.bulk(b"consumers");
        reply.integer(group.consumers().len() as i64);
        reply.bulk(b"pending");
        reply.integer(group.pending_len() as i64);
        reply.bulk(b"last-delivered-id");
        put_id(reply, group.last_id());
        put_progress(stream, group, reply);
    }
    Ok(())
}

/// How far a group is, and how far behind.
pub(super) fn put_progress(stream: &Stream, group: &Group, reply: &mut Reply<'_>) {
    reply.bulk(b"entries-read");
    put_integer_or_null(group.entries_read().map(|read| read as i64), reply);
    reply.bulk(b"lag");
    put_integer_or_null(stream.lag(group), reply);
}

fn put_integer_or_null(number: Option<i64>, reply: &mut Reply<'_>) {
    match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    }
}

fn consumers(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, name, now) = (args.at(2), args.at(3), ctx.now());
    let group = read_stream(ctx, args)?.group(name).ok_or_else(|| no_group_for_key(name, key))?;
    let since = |at: UnixMillis| now.0.saturating_sub(at.0).max(0);
    reply.array(group.consumers().len());
    for (_, consumer) in group.consumers() {
        reply.map(4);
        reply.bulk(b"name");
        reply.bulk(consumer.name());
        reply.bulk(b"pending");
        reply.integer(consumer.pending_len() as i64);
        reply.bulk(b"idle");
        reply.integer(since(consumer.seen()));
        reply.bulk(b"inactive");
        reply.integer(consumer.active().map_or(-1, since));
    }
    Ok(())
}
