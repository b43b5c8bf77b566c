//! Databases as a whole: counting their keys, emptying and swapping them.

use net::{Args, Reply};

use crate::commands::parse::{db_id, is_word, parse_in};
use crate::exec::error::{INVALID_FIRST_DB, INVALID_SECOND_DB, SWAPDB_IN_CLUSTER, SYNTAX};
use crate::exec::{CommandError, Ctx, Merge, Outcome, Run};
use crate::ids::{DbId, ShardId};
use crate::snapshot::Kind;
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, Group};

/// DBSIZE
pub const DBSIZE: Command = Command {
    name: "dbsize",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace]),
    tips: &["request_policy:all_shards", "response_policy:agg_sum"],
    docs: Docs {
        summary: "Tells how many keys the database has.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        ..Docs::BLANK
    },
    run: Run::AllShards { part: dbsize, merge: Merge::Sum },
    ..Command::BLANK
};

const FLUSH_HISTORY: &[(&str, &str)] = &[("4.0.0", "Option `ASYNC`."), ("6.2.0", "Option `SYNC`.")];

const FLUSH_ARGUMENTS: &[Argument] = &[Argument::new(
    "async",
    ArgumentKind::OneOf(&[
        Argument::word("async", "ASYNC").since("4.0.0"),
        Argument::word("sync", "SYNC").since("6.2.0"),
    ]),
)
.optional()];

/// FLUSHALL [ASYNC | SYNC]
pub const FLUSHALL: Command = Command {
    name: "flushall",
    arity: Arity::AtLeast(1),
    flags: Flags::of(&[Flag::Write]),
    categories: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Removes all keys of all databases.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of keys in all databases",
        history: FLUSH_HISTORY,
        arguments: FLUSH_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::AllShards { part: flushall, merge: Merge::Saved { is_sound: names_freeing } },
    ..Command::BLANK
};

/// FLUSHDB [ASYNC | SYNC]
pub const FLUSHDB: Command = Command {
    name: "flushdb",
    arity: Arity::AtLeast(1),
    flags: Flags::of(&[Flag::Write]),
    categories: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Removes all keys of the database.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of keys in the database",
        history: FLUSH_HISTORY,
        arguments: FLUSH_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::AllShards { part: flushdb, merge: Merge::First },
    ..Command::BLANK
};

/// SWAPDB index1 index2
pub const SWAPDB: Command = Command {
    name: "swapdb",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    categories: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    docs: Docs {
        summary: "Exchanges the keys of two databases.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of clients that watch keys of the two databases or wait for some",
        arguments: &[Argument::new("index1", ArgumentKind::Integer), Argument::new("index2", ArgumentKind::Integer)],
        ..Docs::BLANK
    },
    run: Run::AllShards { part: swapdb, merge: Merge::First },
    ..Command::BLANK
};

fn dbsize(ctx: &mut Ctx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.integer(ctx.database().len() as i64);
    Ok(())
}

/// When the memory of removed keys is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freeing {
    /// Before the reply, but for what would take long.
    Now,
    /// In slices between commands.
    Later,
}

impl Freeing {
    fn parse(ctx: &Ctx<'_>, args: &Args<'_>) -> Result<Freeing, CommandError> {
        let by_default = if ctx.config().lazyfree_lazy_user_flush { Freeing::Later } else { Freeing::Now };
        Ok(Freeing::named(args)?.unwrap_or(by_default))
    }

    /// What the arguments say, if they say anything.
    fn named(args: &Args<'_>) -> Result<Option<Freeing>, CommandError> {
        match args.get(1) {
            None => Ok(None),
            Some(word) if args.len() == 2 && is_word(word, "SYNC") => Ok(Some(Freeing::Now)),
            Some(word) if args.len() == 2 && is_word(word, "ASYNC") => Ok(Some(Freeing::Later)),
            Some(_) => Err(SYNTAX),
        }
    }
}

fn names_freeing(args: &Args<'_>) -> bool {
    Freeing::named(args).is_ok()
}

fn flushall(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let freeing = Freeing::parse(ctx, args)?;
    for db in 0..ctx.shard.databases.len() {
        flush(&mut ctx.on(DbId(db as u32)), freeing);
    }
    // A snapshot of what was here is not wanted any more, as in Redis. FLUSHDB and SWAPDB leave it alone.
    if let Some(job) = ctx.shard.snapshot.as_ref().filter(|job| job.kind == Kind::Background) {
        job.cancel();
    }
    ctx.shard.emptied = true;
    ctx.effect_whole(args);
    reply.ok();
    Ok(())
}

fn flushdb(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let freeing = Freeing::parse(ctx, args)?;
    flush(ctx, freeing);
    ctx.effect_whole(args);
    reply.ok();
    Ok(())
}

fn flush(ctx: &mut Ctx<'_>, freeing: Freeing) {
    let keys = ctx.database().len();
    // Copies of keys that are not there are copies, too.
    ctx.shard.tracking.flush();
    if keys == 0 {
        return;
    }
    let discarded = ctx.clear();
    match freeing {
        Freeing::Now => ctx.free(discarded),
        Freeing::Later => ctx.discard(Some(discarded)),
    }
    ctx.changed(keys);
}

fn swapdb(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if ctx.config().cluster_enabled {
        return Err(SWAPDB_IN_CLUSTER);
    }
    let number = |place, error| {
        parse_in(args.at(place), i64::from(i32::MIN)..=i64::from(i32::MAX)).map_err(|_: CommandError| error)
    };
    let (first, second) = (number(1, INVALID_FIRST_DB)?, number(2, INVALID_SECOND_DB)?);
    let databases = ctx.shard.databases.len();
    let (first, second) = (db_id(first, databases)?, db_id(second, databases)?);
    ctx.swap_databases(first, second);
    // It is one change, on however many shards.
    if ctx.shard.id == ShardId(0) {
        ctx.changed(1);
    }
    ctx.effect_whole(args);
    reply.ok();
    Ok(())
}
