//! XGROUP: creating and removing groups and consumers.

use net::{Args, Reply};
use storage::Discarded;
use storage::types::stream::{Stream, StreamId};

use super::error::{BUSY_GROUP, INVALID_ENTRIES_READ, KEY_REQUIRED, no_group_for_key};
use super::parse::{id_error, parse_id};
use crate::commands::help;
use crate::commands::parse::{is_word, parse_i64};
use crate::config::types::events::Events;
use crate::exec::error::wrong_subcommand_arity;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{self, Argument, ArgumentKind, Arity, Categories, Category, Command, Docs};
use crate::spec::{Flag, Flags, KeyFlag, KeySpec};

/// XGROUP subcommand
pub const XGROUP: Command = Command {
    name: "xgroup",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands that create and remove groups of consumers.",
        since: "5.0.0",
        group: spec::Group::Stream,
        complexity: "Depends on the subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[
        CREATE,
        CREATECONSUMER,
        DELCONSUMER,
        DESTROY,
        Command { categories: Categories::of(&[Category::Stream]), ..help::command(spec::Group::Stream, "5.0.0") },
        SETID,
    ],
    run: Run::Container,
    ..Command::BLANK
};

const GROUP: Argument = Argument::new("groupname", ArgumentKind::String);
const CONSUMER: Argument = Argument::new("consumername", ArgumentKind::String);
const START: Argument = Argument::new(
    "id",
    ArgumentKind::OneOf(&[Argument::new("id", ArgumentKind::String), Argument::word("new_id", "$")]),
);
const ENTRIES_READ: Argument = Argument::new("entries_read", ArgumentKind::Integer).after("ENTRIESREAD").optional();

const CREATE: Command = Command {
    name: "create",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs {
        summary: "Creates a group.",
        since: "5.0.0",
        group: spec::Group::Stream,
        history: &[("7.0.0", "Added the `entries_read` named argument.")],
        arguments: &[
            Argument::key("key"),
            GROUP,
            START,
            Argument::word("mkstream", "MKSTREAM").optional(),
            ENTRIES_READ,
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(create),
    ..Command::BLANK
};

const SETID: Command = Command {
    name: "setid",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write]),
    keys: &[KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Sets the id behind which a group goes on.",
        since: "5.0.0",
        group: spec::Group::Stream,
        history: &[("7.0.0", "Added the optional `entries_read` argument.")],
        arguments: &[Argument::key("key"), GROUP, START, ENTRIES_READ],
        ..Docs::BLANK
    },
    run: Run::Shard(set_id),
    ..Command::BLANK
};

const DESTROY: Command = Command {
    name: "destroy",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write]),
    keys: &[KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Delete])],
    docs: Docs {
        summary: "Removes a group.",
        since: "5.0.0",
        group: spec::Group::Stream,
        complexity: "O(N) where N is the number of pending entries of the group.",
        arguments: &[Argument::key("key"), GROUP],
        ..Docs::BLANK
    },
    run: Run::Shard(destroy),
    ..Command::BLANK
};

const CREATECONSUMER: Command = Command {
    name: "createconsumer",
    arity: Arity::Exactly(5),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs {
        summary: "Creates a consumer in a group.",
        since: "6.2.0",
        group: spec::Group::Stream,
        arguments: &[Argument::key("key"), GROUP, CONSUMER],
        ..Docs::BLANK
    },
    run: Run::Shard(create_consumer),
    ..Command::BLANK
};

const DELCONSUMER: Command = Command {
    name: "delconsumer",
    arity: Arity::Exactly(5),
    flags: Flags::of(&[Flag::Write]),
    keys: &[KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Delete])],
    docs: Docs {
        summary: "Removes a consumer from a group, with all that it has pending.",
        since: "5.0.0",
        group: spec::Group::Stream,
        arguments: &[Argument::key("key"), GROUP, CONSUMER],
        ..Docs::BLANK
    },
    run: Run::Shard(delete_consumer),
    ..Command::BLANK
};

/// The options of CREATE and SETID.
#[derive(Default)]
struct Options {
    make_stream: bool,
    entries_read: Option<u64>,
}

impl Options {
    fn parse(args: &Args<'_>, is_create: bool) -> Result<Options, CommandError> {
        let mut parsed = Options::default();
        let mut options = args.from(5);
        while let Some(word) = options.next() {
            if is_create && is_word(word, "MKSTREAM") {
                parsed.make_stream = true;
                continue;
            }
            let value = options.next().filter(|_| is_word(word, "ENTRIESREAD"));
            let value = value.ok_or_else(|| wrong_subcommand_arity(args.at(1), "xgroup"))?;
            parsed.entries_read = match parse_i64(value)? {
                -1 => None,
                read => Some(u64::try_from(read).map_err(|_| INVALID_ENTRIES_READ)?),
            };
        }
        Ok(parsed)
    }

    /// More words than each option once are refused, but only where the key and the group would do.
    fn check_number(args: &Args<'_>) -> Outcome {
        let most = if is_word(args.at(1), "CREATE") { 8 } else { 7 };
        if args.len() <= most { Ok(()) } else { Err(wrong_subcommand_arity(args.at(1), "xgroup")) }
    }
}

/// The id from which a new group is to go on; `$` is the last one.
fn parse_start(text: &[u8], last_id: StreamId) -> Result<StreamId, CommandError> {
    if text == b"$" { Ok(last_id) } else { parse_id(text) }
}

/// The same of a group that exists, which can be set to `-` and `+`, too.
fn parse_position(text: &[u8], last_id: StreamId) -> Result<StreamId, CommandError> {
    if text == b"$" { Ok(last_id) } else { StreamId::parse_with_edges(text, 0).map_err(id_error) }
}

/// Fails if there is no such key, or it has no such group.
fn check_group(ctx: &mut Ctx<'_>, args: &Args<'_>) -> Outcome {
    let stream = ctx.peek_as::<Stream>(args.at(2))?.ok_or(KEY_REQUIRED)?;
    stream.group(args.at(3)).map(|_| ()).ok_or_else(|| no_group_for_key(args.at(3), args.at(2)))
}

fn create(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let options = Options::parse(args, true)?;
    let (key, name) = (args.at(2), args.at(3));
    let last_id = match ctx.peek_as::<Stream>(key)? {
        None if !options.make_stream => return Err(KEY_REQUIRED),
        stream => stream.map_or(StreamId::MIN, Stream::last_id),
    };
    Options::check_number(args)?;
    let start = parse_start(args.at(4), last_id)?;
    let create = |stream: &mut Stream| stream.create_group(name, start, options.entries_read);
    match ctx.edit_unnoticed(key, |stream: &mut Stream, _| create(stream))? {
        Some(true) => {}
        Some(false) => return Err(BUSY_GROUP),
        None => {
            let mut stream = Stream::default();
            create(&mut stream);
            ctx.store_collection(key, stream);
        }
    }
    reply.ok();
    ctx.changed(1);
    ctx.notify(Events::STREAM, "xgroup-create", key);
    Ok(())
}

fn set_id(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let options = Options::parse(args, false)?;
    check_group(ctx, args)?;
    Options::check_number(args)?;
    let set = ctx.edit_unnoticed(args.at(2), |stream: &mut Stream, _| {
        let start = parse_position(args.at(4), stream.last_id())?;
        stream.edit_group(args.at(3), |group| group.set_last_id(start, options.entries_read));
        Ok(())
    })?;
    set.unwrap_or(Ok(()))?;
    reply.ok();
    ctx.signal(args.at(2));
    ctx.changed(1);
    ctx.notify(Events::STREAM, "xgroup-setid", args.at(2));
    Ok(())
}

fn destroy(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(2);
    let removed = ctx.edit_unnoticed(key, |stream: &mut Stream, _| stream.remove_group(args.at(3)))?;
    let removed = removed.ok_or(KEY_REQUIRED)?;
    let is_removed = removed.is_some();
    if let Some(group) = removed {
        ctx.signal(key);
        ctx.discard(Discarded::from_group(group));
        ctx.changed(1);
        ctx.notify(Events::STREAM, "xgroup-destroy", key);
    }
    reply.integer(i64::from(is_removed));
    Ok(())
}

fn create_consumer(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    check_group(ctx, args)?;
    let key = args.at(2);
    let created = ctx.edit_unnoticed(key, |stream: &mut Stream, tools| {
        stream.edit_group(args.at(3), |group| group.create_consumer(args.at(4), tools.now).is_some())
    })?;
    let created = created.flatten().unwrap_or(false);
    if created {
        ctx.changed(1);
        ctx.notify(Events::STREAM, "xgroup-createconsumer", key);
    }
    reply.integer(i64::from(created));
    Ok(())
}

fn delete_consumer(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    check_group(ctx, args)?;
    let key = args.at(2);
    let removed = ctx.edit_unnoticed(key, |stream: &mut Stream, _| {
        stream.edit_group(args.at(3), |group| group.remove_consumer(args.at(4)))
    })?;
    let removed = removed.flatten().flatten();
    if removed.is_some() {
        ctx.changed(1);
        ctx.notify(Events::STREAM, "xgroup-delconsumer", key);
    }
    reply.integer(removed.unwrap_or(0) as i64);
    Ok(())
}
