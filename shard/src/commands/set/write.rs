//! Adding members, removing them, moving one to another set.

use net::{Args, Reply};
use storage::types::set::{Set, SetLimits};

use crate::config::types::events::Events;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const MEMBER: Argument = Argument::new("member", ArgumentKind::String);

/// SADD key member [member ...]
pub const SADD: Command = Command {
    name: "sadd",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs {
        summary: "Adds members to a set and tells how many are new.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) where N is the number of members to add",
        history: &[("2.4.0", "Several members.")],
        arguments: &[Argument::key("key"), MEMBER.multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(sadd),
    ..Command::BLANK
};

/// SREM key member [member ...]
pub const SREM: Command = Command {
    name: "srem",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])],
    docs: Docs {
        summary: "Removes members from a set and tells how many there were.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) where N is the number of members to remove",
        history: &[("2.4.0", "Several members.")],
        arguments: &[Argument::key("key"), MEMBER.multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(srem),
    ..Command::BLANK
};

/// SMOVE source destination member
pub const SMOVE: Command = Command {
    name: "smove",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[
        KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete]),
        KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Insert]),
    ],
    docs: Docs {
        summary: "Moves a member from one set to another.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        arguments: &[Argument::key("source"), Argument::new("destination", ArgumentKind::Key(1)), MEMBER],
        ..Docs::BLANK
    },
    run: Run::Keys(smove),
    ..Command::BLANK
};

/// Makes a set ready to take the members that one command adds.
fn make_ready(set: &mut Set, members: &Args<'_>, limits: &SetLimits) {
    if set.as_ref().is_empty() {
        *set = Set::for_members(members.at(0), members.len(), limits);
    } else {
        set.prepare(members.len(), limits);
    }
}

fn sadd(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, members) = (args.at(1), args.skip(2));
    let added = ctx.edit_or_create(key, |set: &mut Set, tools| {
        let limits = &tools.limits.set;
        make_ready(set, &members, limits);
        members.from(0).filter(|member| set.insert(member, limits)).count()
    })?;
    if added > 0 {
        ctx.notify(Events::SET, "sadd", key);
        ctx.changed(added);
    }
    reply.integer(added as i64);
    Ok(())
}

fn srem(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    let removed = ctx.edit(key, |set: &mut Set, _| {
        let removed = args.from(2).filter(|member| set.remove(member)).count();
        (removed, set.as_ref().is_empty())
    })?;
    let (removed, gone) = removed.unwrap_or((0, false));
    if removed > 0 {
        tell_removed(ctx, "srem", key, gone);
        ctx.changed(removed);
    }
    reply.integer(removed as i64);
    Ok(())
}

/// Tells that members were removed, and whether that was the end of the set.
pub(super) fn tell_removed(ctx: &mut Ctx<'_>, event: &'static str, key: &[u8], gone: bool) {
    ctx.notify(Events::SET, event, key);
    if gone {
        ctx.notify(Events::GENERIC, "del", key);
    }
}

fn smove(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (source, target, member) = (args.at(1), args.at(2), args.at(3));
    let moves = match ctx.peek_as::<Set>(source)? {
        None => false,
        Some(set) => {
            let is_member = set.contains(member);
            ctx.peek_as::<Set>(target)?;
            is_member
        }
    };
    reply.integer(i64::from(moves));
    if !moves || source == target {
        return Ok(());
    }
    let gone = ctx.edit(source, |set: &mut Set, _| {
        set.remove(member);
        set.as_ref().is_empty()
    })?;
    tell_removed(ctx, "srem", source, gone == Some(true));
    ctx.changed(1);
    // What has the member already stays as it is: whoever watches it is not told.
    let is_there = ctx.peek_as::<Set>(target)?.is_some_and(|set| set.contains(member));
    if !is_there {
        ctx.edit_or_create(target, |set: &mut Set, tools| set.insert(member, &tools.limits.set))?;
        ctx.notify(Events::SET, "sadd", target);
        ctx.changed(1);
    }
    if ctx.are_apart([source, target]) {
        ctx.effect(source, &["SREM".into(), source.into(), member.into()]);
        ctx.effect(target, &["SADD".into(), target.into(), member.into()]);
    }
    Ok(())
}
