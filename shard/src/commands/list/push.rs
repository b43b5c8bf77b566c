//! Pushing elements at an end.

use net::{Args, Reply};
use storage::Key;
use storage::types::list::{End, List};

use crate::config::types::events::Events;
use crate::exec::edit::Tools;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const ARGUMENTS: &[Argument] = &[Argument::key("key"), Argument::new("element", ArgumentKind::String).multiple()];

/// What the four have in common.
const PUSH: Command = Command {
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs { group: Group::List, complexity: "O(1) for each element pushed", arguments: ARGUMENTS, ..Docs::BLANK },
    ..Command::BLANK
};

/// LPUSH key element [element ...]
pub const LPUSH: Command = Command {
    name: "lpush",
    docs: Docs {
        summary: "Pushes elements at the head of a list, which is made if there is none.",
        since: "1.0.0",
        history: &[("2.4.0", "Takes several elements.")],
        ..PUSH.docs
    },
    run: Run::Shard(|ctx, args, reply| push(ctx, args, End::Head, reply)),
    ..PUSH
};

/// RPUSH key element [element ...]
pub const RPUSH: Command = Command {
    name: "rpush",
    docs: Docs {
        summary: "Pushes elements at the tail of a list, which is made if there is none.",
        since: "1.0.0",
        history: &[("2.4.0", "Takes several elements.")],
        ..PUSH.docs
    },
    run: Run::Shard(|ctx, args, reply| push(ctx, args, End::Tail, reply)),
    ..PUSH
};

/// LPUSHX key element [element ...]
pub const LPUSHX: Command = Command {
    name: "lpushx",
    docs: Docs {
        summary: "Pushes elements at the head of a list, if there is one.",
        since: "2.2.0",
        history: &[("4.0.0", "Takes several elements.")],
        ..PUSH.docs
    },
    run: Run::Shard(|ctx, args, reply| push_if_there(ctx, args, End::Head, reply)),
    ..PUSH
};

/// RPUSHX key element [element ...]
pub const RPUSHX: Command = Command {
    name: "rpushx",
    docs: Docs {
        summary: "Pushes elements at the tail of a list, if there is one.",
        since: "2.2.0",
        history: &[("4.0.0", "Takes several elements.")],
        ..PUSH.docs
    },
    run: Run::Shard(|ctx, args, reply| push_if_there(ctx, args, End::Tail, reply)),
    ..PUSH
};

fn push(ctx: &mut Ctx<'_>, args: &Args<'_>, end: End, reply: &mut Reply<'_>) -> Outcome {
    let len = ctx.edit_or_create(Key::new(args.at(1)), |list, tools| push_all(list, tools, args, end))?;
    pushed(ctx, args, end);
    reply.integer(len as i64);
    Ok(())
}

fn push_if_there(ctx: &mut Ctx<'_>, args: &Args<'_>, end: End, reply: &mut Reply<'_>) -> Outcome {
    let len = ctx.edit(Key::new(args.at(1)), |list, tools| push_all(list, tools, args, end))?;
    if len.is_some() {
        pushed(ctx, args, end);
    }
    reply.integer(len.unwrap_or(0) as i64);
    Ok(())
}

/// Pushes `name key element ...`; how long the list is then.
fn push_all(list: &mut List, tools: &mut Tools<'_>, args: &Args<'_>, end: End) -> usize {
    list.push(end, args.from(2), tools.limits.list);
    list.as_ref().len()
}

fn pushed(ctx: &mut Ctx<'_>, args: &Args<'_>, end: End) {
    ctx.notify(Events::LIST, push_event(end), args.at(1));
    ctx.changed(args.len() - 2);
}

/// The event of a push at an end.
pub(super) const fn push_event(end: End) -> &'static str {
    match end {
        End::Head => "lpush",
        End::Tail => "rpush",
    }
}
