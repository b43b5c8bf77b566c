//! The commands that wait if there is nothing to take.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::list::{End, List};

use super::arguments::{END_WORDS, PopFromFirst, parse_end};
use super::moving::{DESTINATION, Ends, KEYS, SOURCE, WHEREFROM, WHERETO, move_element};
use super::pop::{pop_name, pop_one, pop_with_key};
use crate::commands::parse::parse_timeout;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};
use crate::wait::{Nothing, WaitRequest};

const POP_KEY: &[KeyFlag] = &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete];
const TIMEOUT: Argument = Argument::new("timeout", ArgumentKind::Double);
const TIMEOUT_HISTORY: &[(&str, &str)] = &[("6.0.0", "`timeout` may have a fraction.")];

/// What BLPOP and BRPOP have in common.
const POP: Command = Command {
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Noscript, Flag::Blocking]),
    keys: &[KeySpec {
        flags: POP_KEY,
        begin: Begin::Index(1),
        find: Find::Range { last: -2, step: 1, limit: 0 },
        notes: "",
    }],
    docs: Docs {
        since: "2.0.0",
        group: Group::List,
        complexity: "O(N) where N is the number of keys",
        history: TIMEOUT_HISTORY,
        arguments: &[Argument::key("key").multiple(), TIMEOUT],
        ..Docs::BLANK
    },
    ..Command::BLANK
};

/// BLPOP key [key ...] timeout
pub const BLPOP: Command = Command {
    name: "blpop",
    docs: Docs {
        summary: "Removes the first element of the first list that has any, and returns it; waits for one if none has.",
        ..POP.docs
    },
    run: Run::Keys(|ctx, args, reply| pop(ctx, args, End::Head, reply)),
    ..POP
};

/// BRPOP key [key ...] timeout
pub const BRPOP: Command = Command {
    name: "brpop",
    docs: Docs {
        summary: "Removes the last element of the first list that has any, and returns it; waits for one if none has.",
        ..POP.docs
    },
    run: Run::Keys(|ctx, args, reply| pop(ctx, args, End::Tail, reply)),
    ..POP
};

/// BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]
pub const BLMPOP: Command = Command {
    name: "blmpop",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write, Flag::Blocking, Flag::Movablekeys]),
    keys: &[KeySpec {
        flags: POP_KEY,
        begin: Begin::Index(2),
        find: Find::Keynum { at: 0, first: 1, step: 1 },
        notes: "",
    }],
    docs: Docs {
        summary: "Removes elements from the first list that has any, and returns them; waits for some if none has.",
        since: "7.0.0",
        group: Group::List,
        complexity: "O(N+M) where N is the number of keys and M is the number of elements returned",
        arguments: &[
            TIMEOUT,
            Argument::new("numkeys", ArgumentKind::Integer),
            Argument::key("key").multiple(),
            Argument::new("where", END_WORDS),
            Argument::new("count", ArgumentKind::Integer).after("COUNT").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(blmpop),
    ..Command::BLANK
};

/// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout
pub const BLMOVE: Command = Command {
    name: "blmove",
    arity: Arity::Exactly(6),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Noscript, Flag::Blocking]),
    keys: KEYS,
    docs: Docs {
        summary: "Moves an element from an end of a list to an end of another, and returns it; waits for one if there \
                  is none.",
        since: "6.2.0",
        group: Group::List,
        complexity: "O(1)",
        arguments: &[SOURCE, DESTINATION, WHEREFROM, WHERETO, TIMEOUT],
        ..Docs::BLANK
    },
    run: Run::Keys(blmove),
    ..Command::BLANK
};

/// BRPOPLPUSH source destination timeout
pub const BRPOPLPUSH: Command = Command {
    name: "brpoplpush",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Noscript, Flag::Blocking]),
    keys: KEYS,
    docs: Docs {
        summary: "Moves the last element of a list to the head of another, and returns it; waits for one if there is \
                  none.",
        since: "2.2.0",
        group: Group::List,
        complexity: "O(1)",
        deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
        history: TIMEOUT_HISTORY,
        arguments: &[SOURCE, DESTINATION, TIMEOUT],
        ..Docs::BLANK
    },
    run: Run::Keys(brpoplpush),
    ..Command::BLANK
};

fn pop(ctx: &mut Ctx<'_>, args: &Args<'_>, end: End, reply: &mut Reply<'_>) -> Outcome {
    let keys = args.skip(1).first(args.len() - 2);
    let deadline = parse_timeout(args.at(args.len() - 1), ctx.now())?;
    let Some(key) = first_with_elements(ctx, &keys)? else {
        wait(ctx, keys, deadline);
        return Ok(());
    };
    if ctx.claim() {
        reply.array(2);
        reply.bulk(key);
        pop_one(ctx, key, end, reply)?;
        ctx.effect(key, &[pop_name(end).into(), key.into()]);
    }
    Ok(())
}

fn blmpop(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let PopFromFirst { keys, end, count } = PopFromFirst::parse(args.skip(2))?;
    let deadline = parse_timeout(args.at(1), ctx.now())?;
    let Some(key) = first_with_elements(ctx, &keys)? else {
        wait(ctx, keys, deadline);
        return Ok(());
    };
    if ctx.claim() {
        pop_with_key(ctx, key, end, count, reply)?;
    }
    Ok(())
}

fn blmove(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let ends = Ends { from: parse_end(args.at(3))?, to: parse_end(args.at(4))? };
    move_or_wait(ctx, args, ends, reply)
}

fn brpoplpush(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    move_or_wait(ctx, args, Ends::RIGHT_TO_LEFT, reply)
}

fn move_or_wait(ctx: &mut Ctx<'_>, args: &Args<'_>, ends: Ends, reply: &mut Reply<'_>) -> Outcome {
    let deadline = parse_timeout(args.at(args.len() - 1), ctx.now())?;
    let source = args.skip(1).first(1);
    if first_with_elements(ctx, &source)?.is_none() {
        wait(ctx, source, deadline);
    } else if ctx.claim() {
        // A destination of another type ends the wait, too: with that error.
        move_element(ctx, args, ends, reply)?;
    }
    Ok(())
}

/// The first of `keys` at which there is a list. Another type is an error, unless the client waits already: then it goes
/// on waiting for a list.
fn first_with_elements<'a>(ctx: &mut Ctx<'_>, keys: &Args<'a>) -> Result<Option<&'a [u8]>, CommandError> {
    let waits = ctx.runs_for_waiter();
    for key in keys.from(0) {
        match ctx.peek_as::<List>(key) {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(Some(key)),
            Err(_) if waits => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn wait(ctx: &mut Ctx<'_>, keys: Args<'_>, deadline: Option<UnixMillis>) {
    let keys = keys.from(0).map(<[u8]>::to_vec).collect();
    ctx.wait_for(WaitRequest { keys, deadline, look_again: None, args: None, nothing: Nothing::NullArray });
}
