//! Moving a key to another database.

use net::{Args, Reply};
use storage::Key;

use crate::commands::parse::parse_db;
use crate::config::types::events::Events;
use crate::exec::error::{MOVE_IN_CLUSTER, SAME_OBJECT};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// MOVE key db
pub const MOVE: Command = Command {
    name: "move",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])],
    docs: Docs {
        summary: "Moves a key to another database if it is not there yet.",
        since: "1.0.0",
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("db", ArgumentKind::Integer)],
        ..Docs::BLANK
    },
    run: Run::Shard(move_key),
    ..Command::BLANK
};

fn move_key(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if ctx.config().cluster_enabled {
        return Err(MOVE_IN_CLUSTER);
    }
    let target = parse_db(args.at(2), ctx.shard.databases.len())?;
    if target == ctx.db {
        return Err(SAME_OBJECT);
    }
    let key = Key::new(args.at(1));
    let moves = ctx.write(key).is_some() && ctx.on(target).write(key).is_none();
    if moves {
        let entry = ctx.take(key).expect("it was there just now");
        ctx.on(target).put(key, entry);
        ctx.on(target).notify(Events::NEW, "new", key.bytes());
        ctx.notify(Events::GENERIC, "move_from", key.bytes());
        ctx.on(target).notify(Events::GENERIC, "move_to", key.bytes());
        ctx.changed(1);
    }
    reply.integer(i64::from(moves));
    Ok(())
}
