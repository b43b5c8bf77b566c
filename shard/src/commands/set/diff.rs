//! Differences: the members of the first set that none of the others has.
//!
//! There are two ways. Each member of the first set is looked for in each of the others; or the others are put into one
//! table, and each member is looked for in that. The second way pays when there are many small others. What each would
//! cost is known before, but for the members that are found early.

use net::{Args, Reply};
use storage::types::set::{Item, SetLimits, SetRef};

use super::operands::{collect, reply_members, sets, store};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const COMPLEXITY: &str = "O(N) where N is the number of members of all sets together";

/// SDIFF key [key ...]
pub const SDIFF: Command = Command {
    name: "sdiff",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output_order"],
    docs: Docs {
        summary: "Returns the members of a set that none of other sets has.",
        since: "1.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(sdiff),
    ..Command::BLANK
};

/// SDIFFSTORE destination key [key ...]
pub const SDIFFSTORE: Command = Command {
    name: "sdiffstore",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update]), KeySpec::all_from(2, 1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Stores the members of a set that none of other sets has as another set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("destination"), Argument::new("key", ArgumentKind::Key(1)).multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(sdiffstore),
    ..Command::BLANK
};

/// What it costs to put a member into a table, in look-ups.
const INSERT_LOOKUPS: usize = 4;

/// Visits the members of the first set that no other has.
fn subtract(sets: &[Option<SetRef<'_>>], limits: &SetLimits, visit: &mut dyn FnMut(Item<'_>)) {
    let Some((Some(first), others)) = sets.split_first() else { return };
    let mut others: Vec<SetRef<'_>> = others.iter().flatten().copied().collect();
    let collected: usize = others.iter().map(|set| set.len()).sum();
    if first.len() * others.len() > collected * INSERT_LOOKUPS + first.len() {
        let removed = collect(limits, |visit| others.iter().flat_map(|set| set.iter()).for_each(visit));
        first.iter().filter(|member| !removed.as_ref().contains_item(*member)).for_each(visit);
        return;
    }
    // The largest is the likeliest to have a member.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    first.iter().filter(|member| !others.iter().any(|set| set.contains_item(*member))).for_each(visit);
}

fn sdiff(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let limits = ctx.shard.limits.set;
    let sets = sets(ctx, &args.skip(1))?;
    reply_members(reply, |visit| subtract(&sets, &limits, visit));
    Ok(())
}

fn sdiffstore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let limits = ctx.shard.limits.set;
    let sets = sets(ctx, &args.skip(2))?;
    let result = collect(&limits, |visit| subtract(&sets, &limits, visit));
    store(ctx, args.at(1), result, "sdiffstore", reply);
    Ok(())
}
