//! Changing lists elsewhere than at their ends.

use net::{Args, Reply};
use storage::types::list::{List, Removal, Side};
use storage::{Discarded, Key};

use super::pop::tell_if_removed;
use crate::commands::parse::{is_word, parse_i64};
use crate::config::types::events::Events;
use crate::exec::error::{NO_SUCH_KEY, OUT_OF_RANGE, SYNTAX};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// LSET key index element
pub const LSET: Command = Command {
    name: "lset",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Puts a value in the place of an element of a list.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) where N is the number of nodes between the element and the nearer end; O(1) at the ends",
        arguments: &[
            Argument::key("key"),
            Argument::new("index", ArgumentKind::Integer),
            Argument::new("element", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(lset),
    ..Command::BLANK
};

/// LINSERT key BEFORE | AFTER pivot element
pub const LINSERT: Command = Command {
    name: "linsert",
    arity: Arity::Exactly(5),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs {
        summary: "Inserts an element before or after the first element of a list that is equal to another value.",
        since: "2.2.0",
        group: Group::List,
        complexity: "O(N) where N is the number of elements before the one that is found",
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "where",
                ArgumentKind::OneOf(&[Argument::word("before", "BEFORE"), Argument::word("after", "AFTER")]),
            ),
            Argument::new("pivot", ArgumentKind::String),
            Argument::new("element", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(linsert),
    ..Command::BLANK
};

/// LREM key count element
pub const LREM: Command = Command {
    name: "lrem",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])],
    docs: Docs {
        summary: "Removes elements from a list that are equal to a value.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N+M) where N is the length of the list and M is the number of elements removed",
        arguments: &[
            Argument::key("key"),
            Argument::new("count", ArgumentKind::Integer),
            Argument::new("element", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(lrem),
    ..Command::BLANK
};

/// LTRIM key start stop
pub const LTRIM: Command = Command {
    name: "ltrim",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])],
    docs: Docs {
        summary: "Removes all elements of a list but those of a range.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) where N is the number of nodes cut off, which are freed behind the command",
        arguments: &[
            Argument::key("key"),
            Argument::new("start", ArgumentKind::Integer),
            Argument::new("stop", ArgumentKind::Integer),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(ltrim),
    ..Command::BLANK
};

fn lset(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, element) = (args.at(1), args.at(3));
    // A key that is not there, or of another type, is told of before an index that is no number.
    ctx.peek_as::<List>(key)?.ok_or(NO_SUCH_KEY)?;
    let index = parse_i64(args.at(2))?;
    let set = ctx.edit(Key::new(key), |list: &mut List, tools| list.set(index, element, tools.limits.list))?;
    if set != Some(true) {
        return Err(OUT_OF_RANGE);
    }
    ctx.notify(Events::LIST, "lset", key);
    ctx.changed(1);
    reply.ok();
    Ok(())
}

fn linsert(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, pivot, element) = (args.at(1), args.at(3), args.at(4));
    let side = if is_word(args.at(2), "BEFORE") {
        Side::Before
    } else if is_word(args.at(2), "AFTER") {
        Side::After
    } else {
        return Err(SYNTAX);
    };
    let len = ctx.edit(Key::new(key), |list: &mut List, tools| {
        list.insert(pivot, side, element, tools.limits.list).then(|| list.as_ref().len())
    })?;
    match len {
        None => reply.integer(0),
        Some(None) => reply.integer(-1),
        Some(Some(len)) => {
            ctx.notify(Events::LIST, "linsert", key);
            ctx.changed(1);
            reply.integer(len as i64);
        }
    }
    Ok(())
}

fn lrem(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, element) = (args.at(1), args.at(3));
    let removal = Removal::new(parse_i64(args.at(2))?);
    let removed = ctx.edit(Key::new(key), |list: &mut List, tools| {
        let removed = list.remove(element, removal, tools.limits.list);
        (removed, list.as_ref().len())
    })?;
    let (removed, left) = removed.unwrap_or((0, 0));
    if removed > 0 {
        // Of all events of lists, Redis has this one among those of keys of any type.
        ctx.notify(Events::GENERIC, "lrem", key);
        tell_if_removed(ctx, key, left);
        ctx.changed(removed);
    }
    reply.integer(removed as i64);
    Ok(())
}

fn ltrim(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    let (first, last) = (parse_i64(args.at(2))?, parse_i64(args.at(3))?);
    let trimmed = ctx.edit(Key::new(key), |list: &mut List, tools| {
        let (len, kept) = (list.as_ref().len(), list.as_ref().range(first, last));
        let left = kept.len();
        (list.trim(kept, tools.limits.list), len - left, left)
    })?;
    if let Some((cut_off, removed, left)) = trimmed {
        ctx.discard(cut_off.and_then(Discarded::from_list));
        ctx.notify(Events::LIST, "ltrim", key);
        tell_if_removed(ctx, key, left);
        // To who watches the list it is a change even if nothing was cut off.
        ctx.tell_changed(key);
        ctx.changed(removed);
    }
    reply.ok();
    Ok(())
}
