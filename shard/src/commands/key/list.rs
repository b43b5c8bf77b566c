//! Naming keys: all that match a pattern, or any one.

use net::{Args, Reply};
use rand::Rng;
use storage::glob::{Case, glob_match};

use crate::exec::merge::{integer, length};
use crate::exec::{Ctx, Merge, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags};

/// KEYS pattern
pub const KEYS: Command = Command {
    name: "keys",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly]),
    categories: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    tips: &["request_policy:all_shards", "nondeterministic_output_order"],
    docs: Docs {
        summary: "Returns the names of all keys that match a pattern.",
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys in the database, if names and pattern are not long",
        arguments: &[Argument::new("pattern", ArgumentKind::Pattern)],
        ..Docs::BLANK
    },
    run: Run::AllShards { part: keys, merge: Merge::Concat },
    ..Command::BLANK
};

/// RANDOMKEY
pub const RANDOMKEY: Command = Command {
    name: "randomkey",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Readonly]),
    categories: Categories::of(&[Category::Keyspace]),
    tips: &["request_policy:all_shards", "nondeterministic_output"],
    docs: Docs {
        summary: "Returns the name of a key that is drawn at random.",
        since: "1.0.0",
        complexity: "O(1)",
        ..Docs::BLANK
    },
    run: Run::AllShards { part: random_key, merge: Merge::With(choose) },
    ..Command::BLANK
};

fn keys(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (pattern, now) = (args.at(1), ctx.now());
    let all = pattern == b"*";
    let (mut names, mut count) = (Vec::new(), 0);
    let mut writer = Reply::new(&mut names, reply.resp());
    ctx.database().for_each(|entry| {
        let matches = all || glob_match(pattern, entry.key(), Case::Sensitive);
        if matches && !entry.expire_at().is_some_and(|at| at.is_past(now)) {
            writer.bulk(entry.key());
            count += 1;
        }
    });
    reply.array(count);
    reply.raw(&names);
    Ok(())
}

/// While expiry is held there may be nothing but keys past their time: after so many of them, one is returned.
const DRAWS_MAX: u32 = 100;

/// A key that is not past its time; those that are and were drawn are removed.
fn draw(ctx: &mut Ctx<'_>) -> Option<Vec<u8>> {
    let mut draws = 0;
    loop {
        let shard = &mut *ctx.shard;
        let key = shard.databases[ctx.db.index()].random(&mut shard.rng)?.key().to_vec();
        draws += 1;
        if ctx.exists(&key) || (ctx.shard.expiry_held && draws >= DRAWS_MAX) {
            return Some(key);
        }
    }
}

/// One shard alone gives the reply. Of several, each gives the number of its keys, a random number, and a key.
fn random_key(ctx: &mut Ctx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = draw(ctx);
    if ctx.shard.shards > 1 {
        reply.array(if key.is_some() { 3 } else { 2 });
        reply.integer(ctx.database().len() as i64);
        reply.integer(ctx.shard.rng.random_range(0..i64::MAX));
    }
    match key {
        Some(key) => reply.bulk(&key),
        None if ctx.shard.shards == 1 => reply.null(),
        None => {}
    }
    Ok(())
}

/// What one shard says for RANDOMKEY.
struct Drawn<'a> {
    keys: u64,
    number: u64,
    /// The key, as the reply that it will be.
    reply: &'a [u8],
}

impl<'a> Drawn<'a> {
    fn read(part: &'a [u8]) -> Drawn<'a> {
        let (elements, start) = length(part);
        let second = start + line_bytes(&part[start..]);
        let third = second + line_bytes(&part[second..]);
        let keys = if elements == 3 { integer(&part[start..]) } else { 0 };
        Drawn { keys: keys as u64, number: integer(&part[second..]) as u64, reply: &part[third..] }
    }
}

/// Length of the first line, its end included.
fn line_bytes(reply: &[u8]) -> usize {
    reply.iter().position(|byte| *byte == b'\n').expect("an integer reply is a line") + 1
}

/// Takes one of the shards' keys, each shard's as likely as it has keys.
fn choose(_: &Args<'_>, parts: &[&[u8]], reply: &mut Reply<'_>) -> Outcome {
    let drawn: Vec<Drawn<'_>> = parts.iter().map(|part| Drawn::read(part)).collect();
    let total: u64 = drawn.iter().map(|drawn| drawn.keys).sum();
    if total == 0 {
        reply.null();
        return Ok(());
    }
    let mut place = drawn[0].number % total;
    for shard in &drawn {
        if place < shard.keys {
            reply.raw(shard.reply);
            return Ok(());
        }
        place -= shard.keys;
    }
    unreachable!("the place is below the sum of all")
}
