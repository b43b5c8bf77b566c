//! Popping elements off an end.

use net::{Args, Reply};
use storage::Key;
use storage::types::list::{End, List};

use super::arguments::{END_WORDS, PopFromFirst};
use super::read::write_item;
use crate::commands::parse::parse_i64;
use crate::config::types::events::Events;
use crate::exec::error::wrong_arity;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

const NOT_POSITIVE: CommandError = CommandError::new("ERR value is out of range, must be positive");

const POP_KEY: &[KeyFlag] = &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete];

/// What LPOP and RPOP have in common.
const POP: Command = Command {
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, POP_KEY)],
    docs: Docs {
        group: Group::List,
        since: "1.0.0",
        complexity: "O(N) where N is the number of elements returned",
        history: &[("6.2.0", "Added the `count` argument.")],
        arguments: &[Argument::key("key"), Argument::new("count", ArgumentKind::Integer).optional().since("6.2.0")],
        ..Docs::BLANK
    },
    ..Command::BLANK
};

/// LPOP key [count]
pub const LPOP: Command = Command {
    name: "lpop",
    docs: Docs { summary: "Removes elements from the head of a list and returns them.", ..POP.docs },
    run: Run::Shard(|ctx, args, reply| pop(ctx, args, End::Head, reply)),
    ..POP
};

/// RPOP key [count]
pub const RPOP: Command = Command {
    name: "rpop",
    docs: Docs { summary: "Removes elements from the tail of a list and returns them.", ..POP.docs },
    run: Run::Shard(|ctx, args, reply| pop(ctx, args, End::Tail, reply)),
    ..POP
};

/// LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]
pub const LMPOP: Command = Command {
    name: "lmpop",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write, Flag::Movablekeys]),
    keys: &[KeySpec {
        flags: POP_KEY,
        begin: Begin::Index(1),
        find: Find::Keynum { at: 0, first: 1, step: 1 },
        notes: "",
    }],
    docs: Docs {
        summary: "Removes elements from the first list that has any, and returns them.",
        since: "7.0.0",
        group: Group::List,
        complexity: "O(N+M) where N is the number of keys and M is the number of elements returned",
        arguments: &[
            Argument::new("numkeys", ArgumentKind::Integer),
            Argument::key("key").multiple(),
            Argument::new("where", END_WORDS),
            Argument::new("count", ArgumentKind::Integer).after("COUNT").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(lmpop),
    ..Command::BLANK
};

fn pop(ctx: &mut Ctx<'_>, args: &Args<'_>, end: End, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    let count = match args.get(2) {
        None => {
            if !pop_one(ctx, key, end, reply)? {
                reply.null();
            }
            return Ok(());
        }
        Some(_) if args.len() > 3 => return Err(wrong_arity(if end == End::Head { "lpop" } else { "rpop" })),
        Some(count) => parse_i64(count).ok().and_then(|n| usize::try_from(n).ok()).ok_or(NOT_POSITIVE)?,
    };
    if count == 0 {
        match ctx.peek_as::<List>(key)? {
            Some(_) => reply.array(0),
            None => reply.null_array(),
        }
    } else if !pop_many(ctx, key, end, count, reply)? {
        reply.null_array();
    }
    Ok(())
}

fn lmpop(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let PopFromFirst { keys, end, count } = PopFromFirst::parse(args.skip(1))?;
    for key in keys.from(0) {
        if ctx.peek_as::<List>(key)?.is_some() {
            return pop_with_key(ctx, key, end, count, reply);
        }
    }
    reply.null_array();
    Ok(())
}

/// Pops up to `count` elements off the list at `key`, which is there, and replies with the key and an array of them.
pub(super) fn pop_with_key(ctx: &mut Ctx<'_>, key: &[u8], end: End, count: usize, reply: &mut Reply<'_>) -> Outcome {
    reply.array(2);
    reply.bulk(key);
    pop_many(ctx, key, end, count, reply)?;
    ctx.effect(key, &[pop_name(end).into(), key.into(), (count as i64).into()]);
    Ok(())
}

/// Pops an element and replies with it; false without a reply if there is no list.
pub(super) fn pop_one(ctx: &mut Ctx<'_>, key: &[u8], end: End, reply: &mut Reply<'_>) -> Result<bool, CommandError> {
    let left = ctx.edit(Key::new(key), |list: &mut List, tools| {
        list.pop_each(end, 1, tools.limits.list, |item| write_item(reply, item));
        list.as_ref().len()
    })?;
    Ok(left.map(|left| popped(ctx, key, end, Popped { count: 1, left })).is_some())
}

/// Pops up to `count` elements and replies with an array of them; false without a reply if there is no list.
fn pop_many(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    end: End,
    count: usize,
    reply: &mut Reply<'_>,
) -> Result<bool, CommandError> {
    let done = ctx.edit(Key::new(key), |list: &mut List, tools| {
        reply.array(list.as_ref().len().min(count));
        let count = list.pop_each(end, count, tools.limits.list, |item| write_item(reply, item));
        Popped { count, left: list.as_ref().len() }
    })?;
    Ok(done.map(|done| popped(ctx, key, end, done)).is_some())
}

/// The command that pops off that end.
pub(super) const fn pop_name(end: End) -> &'static str {
    match end {
        End::Head => "LPOP",
        End::Tail => "RPOP",
    }
}

/// What was popped off a list.
#[derive(Clone, Copy)]
pub(super) struct Popped {
    /// So many elements.
    pub(super) count: usize,
    /// So many are left.
    pub(super) left: usize,
}

/// Tells of elements popped off the list at `key`, and counts them.
pub(super) fn popped(ctx: &mut Ctx<'_>, key: &[u8], end: End, done: Popped) {
    ctx.notify(Events::LIST, if end == End::Head { "lpop" } else { "rpop" }, key);
    tell_if_removed(ctx, key, done.left);
    ctx.changed(done.count);
}

/// Tells that the key is gone, if its list has no elements left.
pub(super) fn tell_if_removed(ctx: &mut Ctx<'_>, key: &[u8], left: usize) {
    if left == 0 {
        ctx.notify(Events::GENERIC, "del", key);
    }
}
