//! Moving an element from an end of one list to an end of another, or of the same one.

use net::{Args, Reply};
use storage::Key;
use storage::types::list::{End, List};

use super::arguments::{END_WORDS, parse_end};
use super::pop::{Popped, pop_name, popped};
use super::push::push_event;
use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// The keys of a command that moves: where from, and where to.
pub(super) const KEYS: &[KeySpec] = &[
    KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete]),
    KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Insert]),
];

pub(super) const SOURCE: Argument = Argument::key("source");
pub(super) const DESTINATION: Argument = Argument::new("destination", ArgumentKind::Key(1));
pub(super) const WHEREFROM: Argument = Argument::new("wherefrom", END_WORDS);
pub(super) const WHERETO: Argument = Argument::new("whereto", END_WORDS);

/// LMOVE source destination LEFT | RIGHT LEFT | RIGHT
pub const LMOVE: Command = Command {
    name: "lmove",
    arity: Arity::Exactly(5),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: KEYS,
    docs: Docs {
        summary: "Moves an element from an end of a list to an end of another, and returns it.",
        since: "6.2.0",
        group: Group::List,
        complexity: "O(1)",
        arguments: &[SOURCE, DESTINATION, WHEREFROM, WHERETO],
        ..Docs::BLANK
    },
    run: Run::Keys(lmove),
    ..Command::BLANK
};

/// RPOPLPUSH source destination
pub const RPOPLPUSH: Command = Command {
    name: "rpoplpush",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: KEYS,
    docs: Docs {
        summary: "Moves the last element of a list to the head of another, and returns it.",
        since: "1.2.0",
        group: Group::List,
        complexity: "O(1)",
        deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
        arguments: &[SOURCE, DESTINATION],
        ..Docs::BLANK
    },
    run: Run::Keys(rpoplpush),
    ..Command::BLANK
};

fn lmove(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let ends = Ends { from: parse_end(args.at(3))?, to: parse_end(args.at(4))? };
    move_or_null(ctx, args, ends, reply)
}

fn rpoplpush(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    move_or_null(ctx, args, Ends::RIGHT_TO_LEFT, reply)
}

fn move_or_null(ctx: &mut Ctx<'_>, args: &Args<'_>, ends: Ends, reply: &mut Reply<'_>) -> Outcome {
    if ctx.peek_as::<List>(args.at(1))?.is_none() {
        reply.null();
        return Ok(());
    }
    move_element(ctx, args, ends, reply)
}

/// The ends an element is taken off and put to.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) from: End,
    pub(super) to: End,
}

impl Ends {
    /// Those of RPOPLPUSH.
    pub(super) const RIGHT_TO_LEFT: Ends = Ends { from: End::Tail, to: End::Head };
}

/// Moves an element of the list at the first key, which is there, to that at the second, and replies with it.
pub(super) fn move_element(ctx: &mut Ctx<'_>, args: &Args<'_>, ends: Ends, reply: &mut Reply<'_>) -> Outcome {
    let (source, destination) = (args.at(1), args.at(2));
    if source == destination {
        rotate(ctx, source, ends, reply)?;
        tell_moved(ctx, args, ends, b"");
        return Ok(());
    }
    ctx.peek_as::<List>(destination)?;
    let taken = ctx.edit(Key::new(source), |list: &mut List, tools| {
        let element = list.pop(ends.from, tools.limits.list).expect("a stored list is not empty");
        (element, list.as_ref().len())
    })?;
    let (element, left) = taken.expect("the list was there just now");
    ctx.edit_or_create(Key::new(destination), |list: &mut List, tools| {
        list.push(ends.to, std::iter::once(element.as_slice()), tools.limits.list);
    })?;
    moved(ctx, (source, destination), ends, left);
    tell_moved(ctx, args, ends, &element);
    reply.bulk(&element);
    Ok(())
}

/// Moves an element within one list: the list is never empty meanwhile, so its key and the key's expiry stay.
fn rotate(ctx: &mut Ctx<'_>, key: &[u8], ends: Ends, reply: &mut Reply<'_>) -> Outcome {
    let rotated: Result<_, CommandError> = ctx.edit(Key::new(key), |list: &mut List, tools| {
        let element = list.pop(ends.from, tools.limits.list).expect("a stored list is not empty");
        list.push(ends.to, std::iter::once(element.as_slice()), tools.limits.list);
        (element, list.as_ref().len())
    });
    let (element, left) = rotated?.expect("the list was there just now");
    moved(ctx, (key, key), ends, left);
    reply.bulk(&element);
    Ok(())
}

/// Tells of the move. The push is told of first, and the two are one change.
fn moved(ctx: &mut Ctx<'_>, (source, destination): (&[u8], &[u8]), ends: Ends, left: usize) {
    ctx.notify(Events::LIST, push_event(ends.to), destination);
    popped(ctx, source, ends.from, Popped { count: 1, left });
}

/// Tells what was moved: without waiting, and by each list's own command if they are of two shards.
fn tell_moved(ctx: &mut Ctx<'_>, args: &Args<'_>, ends: Ends, element: &[u8]) {
    let (source, destination) = (args.at(1), args.at(2));
    let word = |end| if end == End::Head { "LEFT" } else { "RIGHT" };
    // The older commands of this kind do not name the ends.
    let names_ends = args.len() > 4;
    if ctx.are_apart([source, destination]) {
        let push = if ends.to == End::Head { "LPUSH" } else { "RPUSH" };
        ctx.effect(source, &[pop_name(ends.from).into(), source.into()]);
        ctx.effect(destination, &[push.into(), destination.into(), element.into()]);
    } else if names_ends {
        let (from, to) = (word(ends.from).into(), word(ends.to).into());
        ctx.effect(source, &["LMOVE".into(), source.into(), destination.into(), from, to]);
    } else {
        ctx.effect(source, &["RPOPLPUSH".into(), source.into(), destination.into()]);
    }
}
