//! Looking at a set.

use net::{Args, Reply};
use storage::types::set::{Set, SetRef};

use crate::commands::item::bulk_item;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Readonly, Flag::Fast]);

/// Members are returned, or asked for one by one.
const READS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])];

/// Something is told about the set, but not its members.
const LOOKS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro])];

const MEMBER: Argument = Argument::new("member", ArgumentKind::String);

/// SCARD key
pub const SCARD: Command = Command {
    name: "scard",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    keys: LOOKS,
    docs: Docs {
        summary: "Returns how many members a set has.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(scard),
    ..Command::BLANK
};

/// SISMEMBER key member
pub const SISMEMBER: Command = Command {
    name: "sismember",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    keys: LOOKS,
    docs: Docs {
        summary: "Tells whether a set has a member.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), MEMBER],
        ..Docs::BLANK
    },
    run: Run::Shard(sismember),
    ..Command::BLANK
};

/// SMISMEMBER key member [member ...]
pub const SMISMEMBER: Command = Command {
    name: "smismember",
    arity: Arity::AtLeast(3),
    flags: FLAGS,
    keys: READS,
    docs: Docs {
        summary: "Tells of several members whether a set has them.",
        since: "6.2.0",
        group: Group::Set,
        complexity: "O(N) where N is the number of members asked for",
        arguments: &[Argument::key("key"), MEMBER.multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(smismember),
    ..Command::BLANK
};

/// SMEMBERS key
pub const SMEMBERS: Command = Command {
    name: "smembers",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READS,
    tips: &["nondeterministic_output_order"],
    docs: Docs {
        summary: "Returns all members of a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) where N is the number of members",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(smembers),
    ..Command::BLANK
};

fn scard(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let len = ctx.read_as::<Set>(args.at(1))?.map_or(0, SetRef::len);
    reply.integer(len as i64);
    Ok(())
}

fn sismember(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let is_member = ctx.read_as::<Set>(args.at(1))?.is_some_and(|set| set.contains(args.at(2)));
    reply.integer(i64::from(is_member));
    Ok(())
}

fn smismember(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let set = ctx.read_as::<Set>(args.at(1))?;
    let members = args.from(2);
    reply.array(members.len());
    members.for_each(|member| reply.integer(i64::from(set.is_some_and(|set| set.contains(member)))));
    Ok(())
}

fn smembers(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let set = ctx.read_as::<Set>(args.at(1))?;
    reply.set(set.map_or(0, SetRef::len));
    set.into_iter().flat_map(SetRef::iter).for_each(|member| bulk_item(reply, member));
    Ok(())
}
