//! Looking whether keys are there, and at what they hold.

use net::{Args, Reply};

use crate::exec::{Ctx, Merge, Outcome, Run};
use crate::spec::{Argument, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// EXISTS key [key ...]
pub const EXISTS: Command = Command {
    name: "exists",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Ro])],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    docs: Docs {
        summary: "Tells how many of the keys exist; one that is named twice counts twice.",
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys",
        history: &[("3.0.3", "Takes several `key` arguments.")],
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Split { part: exists, merge: Merge::Sum },
    ..Command::BLANK
};

/// TOUCH key [key ...]
pub const TOUCH: Command = Command {
    name: "touch",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Ro])],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    docs: Docs {
        summary: "Counts as a use of each of the keys, and tells how many of them exist.",
        since: "3.2.1",
        complexity: "O(N) where N is the number of keys",
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Split { part: touch, merge: Merge::Sum },
    ..Command::BLANK
};

/// TYPE key
pub const TYPE: Command = Command {
    name: "type",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Tells the type of what is stored at a key.",
        since: "1.0.0",
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(type_of),
    ..Command::BLANK
};

fn exists(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let found = args.from(1).filter(|key| ctx.look(key).is_some()).count();
    reply.integer(found as i64);
    Ok(())
}

fn touch(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    // To touch is what the client asks for, whatever it said about its other commands.
    let mut ctx = Ctx { no_touch: false, ..ctx.on(ctx.db) };
    let found = args.from(1).filter(|key| ctx.read(key).is_some()).count();
    reply.integer(found as i64);
    Ok(())
}

fn type_of(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.simple(ctx.look(args.at(1)).map_or("none", |entry| entry.value().value_type().name()));
    Ok(())
}
