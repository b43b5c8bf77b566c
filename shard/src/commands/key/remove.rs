//! Removing keys.
//!
//! DEL and UNLINK do the same: a small value is freed at once, a big one in slices between commands.

use net::{Args, Reply};

use crate::config::types::events::Events;
use crate::exec::{Ctx, Merge, Outcome, Run};
use crate::spec::{Argument, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// DEL key [key ...]
pub const DEL: Command = Command {
    name: "del",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Rm, KeyFlag::Delete])],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    docs: Docs {
        summary: "Removes keys and tells how many there were.",
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys; memory of big values is freed later",
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Split { part: remove, merge: Merge::Sum },
    ..Command::BLANK
};

/// UNLINK key [key ...]
pub const UNLINK: Command = Command {
    name: "unlink",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Rm, KeyFlag::Delete])],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    docs: Docs {
        summary: "Removes keys and tells how many there were; frees their memory later.",
        since: "4.0.0",
        complexity: "O(N) where N is the number of keys; memory of big values is freed later",
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Split { part: remove, merge: Merge::Sum },
    ..Command::BLANK
};

fn remove(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut removed = 0;
    for key in args.from(1) {
        if ctx.remove(key) {
            ctx.notify(Events::GENERIC, "del", key);
            removed += 1;
        }
    }
    ctx.changed(removed);
    reply.integer(removed as i64);
    Ok(())
}
