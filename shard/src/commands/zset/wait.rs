//! Popping that waits: BZPOPMIN, BZPOPMAX, BZMPOP.
//!
//! The first key that holds a sorted set is popped from; if none does, the client waits for one. While it waits, a key that
//! gets another type is passed over.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::zset::ZSet;

use super::pop::{COUNT, End, Form, MPOP_COMPLEXITY, ManyKeys, POP, Pop, WHERE, pop};
use crate::commands::parse::parse_timeout;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeySpec};
use crate::wait::{Nothing, WaitRequest};

/// The keys of BZPOPMIN and BZPOPMAX.
const KEYS_BEFORE_TIMEOUT: &[KeySpec] =
    &[KeySpec { flags: POP, begin: Begin::Index(1), find: Find::Range { last: -2, step: 1, limit: 0 }, notes: "" }];

/// The arguments of BZPOPMIN and BZPOPMAX.
const WAIT_ARGUMENTS: &[Argument] = &[Argument::key("key").multiple(), Argument::new("timeout", ArgumentKind::Double)];

const TIMEOUT_HISTORY: &[(&str, &str)] = &[("6.0.0", "`timeout` may have a fraction.")];

/// BZPOPMIN key [key ...] timeout
pub const BZPOPMIN: Command = Command {
    name: "bzpopmin",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Noscript, Flag::Blocking, Flag::Fast]),
    keys: KEYS_BEFORE_TIMEOUT,
    docs: Docs {
        summary: "Removes and returns the member with the lowest score of the first sorted set that is there, or waits \
                  for one.",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the number of members in the sorted set",
        history: TIMEOUT_HISTORY,
        arguments: WAIT_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Keys(bzpopmin),
    ..Command::BLANK
};

/// BZPOPMAX key [key ...] timeout
pub const BZPOPMAX: Command = Command {
    name: "bzpopmax",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Noscript, Flag::Blocking, Flag::Fast]),
    keys: KEYS_BEFORE_TIMEOUT,
    docs: Docs {
        summary: "Removes and returns the member with the highest score of the first sorted set that is there, or waits \
                  for one.",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the number of members in the sorted set",
        history: TIMEOUT_HISTORY,
        arguments: WAIT_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Keys(bzpopmax),
    ..Command::BLANK
};

/// BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]
pub const BZMPOP: Command = Command {
    name: "bzmpop",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write, Flag::Blocking, Flag::Movablekeys]),
    keys: &[KeySpec { flags: POP, begin: Begin::Index(2), find: Find::Keynum { at: 0, first: 1, step: 1 }, notes: "" }],
    docs: Docs {
        summary: "Removes and returns members from an end of the first sorted set that is there, or waits for one.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: MPOP_COMPLEXITY,
        arguments: &[
            Argument::new("timeout", ArgumentKind::Double),
            Argument::new("numkeys", ArgumentKind::Integer),
            Argument::key("key").multiple(),
            WHERE,
            COUNT,
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(bzmpop),
    ..Command::BLANK
};

fn bzpopmin(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    wait_for_one(ctx, args, End::Min, reply)
}

fn bzpopmax(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    wait_for_one(ctx, args, End::Max, reply)
}

fn wait_for_one(ctx: &mut Ctx<'_>, args: &Args<'_>, end: End, reply: &mut Reply<'_>) -> Outcome {
    let timeout = args.len() - 1;
    let deadline = parse_timeout(args.at(timeout), ctx.now())?;
    let keys = args.from(1).take(timeout - 1).collect();
    let wanted = ManyKeys { keys, pop: Pop { end, count: 1 } };
    pop_or_wait(ctx, &wanted, Form::KeyAndOne, deadline, reply)
}

fn bzmpop(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let wanted = ManyKeys::parse(&args.skip(2))?;
    let deadline = parse_timeout(args.at(1), ctx.now())?;
    pop_or_wait(ctx, &wanted, Form::KeyAndPairs, deadline, reply)
}

fn pop_or_wait(
    ctx: &mut Ctx<'_>,
    wanted: &ManyKeys<'_>,
    form: Form,
    deadline: Option<UnixMillis>,
    reply: &mut Reply<'_>,
) -> Outcome {
    let waits = ctx.shard.claim.is_some();
    for key in &wanted.keys {
        match ctx.peek_as::<ZSet>(*key) {
            Ok(None) => {}
            Err(_) if waits => {}
            Err(error) => return Err(error),
            Ok(Some(_)) => {
                return if ctx.claim() { pop(ctx, key, wanted.pop, form, reply) } else { Ok(()) };
            }
        }
    }
    ctx.wait_for(WaitRequest {
        keys: wanted.keys.iter().map(|key| key.to_vec()).collect(),
        deadline,
        look_again: None,
        args: None,
        nothing: Nothing::NullArray,
    });
    Ok(())
}
