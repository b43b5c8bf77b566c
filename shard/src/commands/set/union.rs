//! Unions. The sets are visited one after the other, largest first, and a member counts where it is met first. As long as
//! they are few, each member is looked for in the sets before its own, which costs much less than to put it into a table;
//! of many sets the members seen are kept.

use net::{Args, Reply};
use storage::types::set::{Item, Set, SetLimits, SetRef};

use super::operands::{collect, reply_members, sets, store};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const COMPLEXITY: &str = "O(N) where N is the number of members of all sets together";

/// SUNION key [key ...]
pub const SUNION: Command = Command {
    name: "sunion",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output_order"],
    docs: Docs {
        summary: "Returns the members that any of several sets has.",
        since: "1.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(sunion),
    ..Command::BLANK
};

/// SUNIONSTORE destination key [key ...]
pub const SUNIONSTORE: Command = Command {
    name: "sunionstore",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update]), KeySpec::all_from(2, 1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Stores the members that any of several sets has as another set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("destination"), Argument::new("key", ArgumentKind::Key(1)).multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(sunionstore),
    ..Command::BLANK
};

/// So many sets are looked into for each member before the members seen are kept instead.
const LOOKUPS_MAX: usize = 4;

/// Visits each member of the sets once.
fn unite(sets: Vec<Option<SetRef<'_>>>, limits: &SetLimits, visit: &mut dyn FnMut(Item<'_>)) {
    let mut sets: Vec<SetRef<'_>> = sets.into_iter().flatten().collect();
    sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
    if sets.len() > LOOKUPS_MAX {
        let mut seen = Set::default();
        for member in sets.iter().flat_map(|set| set.iter()) {
            if seen.insert_item(member, limits) {
                visit(member);
            }
        }
        return;
    }
    for (number, set) in sets.iter().enumerate() {
        let before = &sets[..number];
        set.iter().filter(|member| !before.iter().any(|set| set.contains_item(*member))).for_each(&mut *visit);
    }
}

fn sunion(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let limits = ctx.shard.limits.set;
    let sets = sets(ctx, &args.skip(1))?;
    reply_members(reply, |visit| unite(sets, &limits, visit));
    Ok(())
}

fn sunionstore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let limits = ctx.shard.limits.set;
    let sets = sets(ctx, &args.skip(2))?;
    // The result sorts out by itself what it has already.
    let result = collect(&limits, |visit| sets.into_iter().flatten().flat_map(SetRef::iter).for_each(visit));
    store(ctx, args.at(1), result, "sunionstore", reply);
    Ok(())
}
