//! Intersections: the members of the smallest set that all others have.

use net::{Args, Reply};
use storage::types::set::{Item, SetRef};

use super::operands::{collect, reply_members, sets, store};
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

const COMPLEXITY: &str = "O(N*M) where N is the number of members of the smallest set and M the number of sets";

/// SINTER key [key ...]
pub const SINTER: Command = Command {
    name: "sinter",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output_order"],
    docs: Docs {
        summary: "Returns the members that all of several sets have.",
        since: "1.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(sinter),
    ..Command::BLANK
};

/// SINTERSTORE destination key [key ...]
pub const SINTERSTORE: Command = Command {
    name: "sinterstore",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update]), KeySpec::all_from(2, 1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Stores the members that all of several sets have as another set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("destination"), Argument::new("key", ArgumentKind::Key(1)).multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(sinterstore),
    ..Command::BLANK
};

/// SINTERCARD numkeys key [key ...] [LIMIT limit]
pub const SINTERCARD: Command = Command {
    name: "sintercard",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly, Flag::Movablekeys]),
    keys: &[KeySpec {
        flags: &[KeyFlag::Ro, KeyFlag::Access],
        begin: Begin::Index(1),
        find: Find::Keynum { at: 0, first: 1, step: 1 },
        notes: "",
    }],
    docs: Docs {
        summary: "Returns how many members all of several sets have.",
        since: "7.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
        arguments: &[
            Argument::new("numkeys", ArgumentKind::Integer),
            Argument::key("key").multiple(),
            Argument::new("limit", ArgumentKind::Integer).after("LIMIT").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(sintercard),
    ..Command::BLANK
};

const NO_KEYS: CommandError = CommandError::new("ERR numkeys should be greater than 0");
const TOO_MANY_KEYS: CommandError = CommandError::new("ERR Number of keys can't be greater than number of args");
const LIMIT_NEGATIVE: CommandError = CommandError::new("ERR LIMIT can't be negative");

/// Visits the members that all sets have, while `visit` wants more.
fn intersect(sets: Vec<Option<SetRef<'_>>>, visit: &mut dyn FnMut(Item<'_>) -> bool) {
    let Some(mut sets) = sets.into_iter().collect::<Option<Vec<_>>>() else { return };
    sets.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sets.split_first() else { return };
    for member in smallest.iter() {
        if others.iter().all(|set| set.contains_item(member)) && !visit(member) {
            return;
        }
    }
}

fn intersect_all(sets: Vec<Option<SetRef<'_>>>, visit: &mut dyn FnMut(Item<'_>)) {
    intersect(sets, &mut |member| {
        visit(member);
        true
    });
}

fn sinter(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let sets = sets(ctx, &args.skip(1))?;
    reply_members(reply, |visit| intersect_all(sets, visit));
    Ok(())
}

fn sinterstore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let limits = ctx.shard.limits.set;
    let sets = sets(ctx, &args.skip(2))?;
    let result = collect(&limits, |visit| intersect_all(sets, visit));
    store(ctx, args.at(1), result, "sinterstore", reply);
    Ok(())
}

/// The number of keys, and at how many members to stop counting, if at all.
fn parse_card(args: &Args<'_>) -> Result<(usize, Option<usize>), CommandError> {
    let keys = parse_i64(args.at(1)).ok().and_then(|keys| usize::try_from(keys).ok()).filter(|keys| *keys > 0);
    let keys = keys.ok_or(NO_KEYS)?;
    if keys > args.len() - 2 {
        return Err(TOO_MANY_KEYS);
    }
    let mut limit = 0;
    let mut words = args.from(2 + keys);
    while let Some(word) = words.next() {
        if !is_word(word, "LIMIT") {
            return Err(SYNTAX);
        }
        let number = parse_i64(words.next().ok_or(SYNTAX)?).map_err(|_| LIMIT_NEGATIVE)?;
        limit = usize::try_from(number).map_err(|_| LIMIT_NEGATIVE)?;
    }
    Ok((keys, Some(limit).filter(|limit| *limit > 0)))
}

fn sintercard(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (keys, limit) = parse_card(args)?;
    let keys = net::Args::new(args.bytes(), &args.spans()[2..2 + keys]);
    let mut count = 0;
    intersect(sets(ctx, &keys)?, &mut |_| {
        count += 1;
        limit != Some(count)
    });
    reply.integer(count as i64);
    Ok(())
}
