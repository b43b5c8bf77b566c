//! Reading strings.

use net::{Args, Reply};

use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// GET key
pub const GET: Command = Command {
    name: "get",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns the string stored at a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(get),
    ..Command::BLANK
};

fn get(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    match ctx.read_string(args.at(1))? {
        Some(value) => reply.bulk(value.as_bytes(&mut [0; 20])),
        None => reply.null(),
    }
    Ok(())
}
