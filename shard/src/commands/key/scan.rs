//! SCAN: all keys, a few at a time.
//!
//! A call works on one shard, and the cursor says on which and where:
//!
//! ```text
//!   cursor = position × number of shards + shard
//! ```
//!
//! Position 0 is the beginning of a shard, so cursor 0 is the beginning of the first one, and where a shard ends the
//! cursor goes on with position 0 of the next. The last shard's end is cursor 0 again. A position has at most
//! [`CURSOR_BITS`] bits, which leaves room for as many shards as there may be.
//!
//! What the storage promises of one shard holds of the whole: a key that is there from the first call to the last is
//! returned, by one of them or several.

use net::{Args, Reply};
use storage::Database;
use storage::glob::{Case, glob_match};

use crate::commands::parse::{ScanOptions, is_word, parse_cursor};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::ids::{SHARDS_MAX, ShardId};
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags};

/// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
pub const SCAN: Command = Command {
    name: "scan",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    categories: Categories::of(&[Category::Keyspace]),
    tips: &["nondeterministic_output", "request_policy:special"],
    docs: Docs {
        summary: "Returns the names of some keys, and a cursor to get more with.",
        since: "2.8.0",
        complexity: "O(1) for a call, O(N) for all calls from cursor 0 to cursor 0, where N is the number of keys in \
                     the database",
        history: &[("6.0.0", "Option `TYPE`.")],
        arguments: &[
            Argument::new("cursor", ArgumentKind::Integer),
            Argument::new("pattern", ArgumentKind::Pattern).after("MATCH").optional(),
            Argument::new("count", ArgumentKind::Integer).after("COUNT").optional(),
            Argument::new("type", ArgumentKind::String).after("TYPE").since("6.0.0").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Routed { route, run: scan },
    ..Command::BLANK
};

pub(super) const CURSOR_BITS: u32 = Database::CURSOR_BITS;

const _: () = assert!(CURSOR_BITS + SHARDS_MAX.ilog2() < u64::BITS, "a cursor tells position and shard");

/// A call goes at most so many steps for each key that it wants, where steps find none.
const STEPS_PER_KEY: usize = 10;

/// Where a scan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The shard.
    pub(super) shard: usize,
    /// The place on it.
    pub(super) position: u64,
}

impl Cursor {
    /// What a client's number means. Numbers that no call returned mean something, too.
    pub(super) fn decode(number: u64, shards: usize) -> Cursor {
        let position = (number / shards as u64) & ((1 << CURSOR_BITS) - 1);
        Cursor { shard: (number % shards as u64) as usize, position }
    }

    pub(super) fn encode(self, shards: usize) -> u64 {
        self.position * shards as u64 + self.shard as u64
    }

    /// Where to go on when the shard's own scan goes on at `position`.
    pub(super) fn then(self, position: u64, shards: usize) -> Cursor {
        if position != 0 {
            return Cursor { position, ..self };
        }
        Cursor { shard: (self.shard + 1) % shards, position: 0 }
    }
}

fn route(args: &Args<'_>, shards: usize) -> Result<ShardId, CommandError> {
    let cursor = Cursor::decode(parse_cursor(args.at(1))?, shards);
    Ok(ShardId(cursor.shard as u16))
}

fn scan(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let shards = ctx.shard.shards;
    let cursor = Cursor::decode(parse_cursor(args.at(1))?, shards);
    let options = ScanOptions::parse(args.from(2), true)?;
    let (mut names, mut count) = (Vec::new(), 0);
    let position = visit(ctx, cursor.position, &options, |key| {
        Reply::new(&mut names, reply.resp()).bulk(key);
        count += 1;
    });
    reply.array(2);
    reply.bulk(cursor.then(position, shards).encode(shards).to_string().as_bytes());
    reply.array(count);
    reply.raw(&names);
    Ok(())
}

/// Looks at about as many keys as are wanted, names those that match, and removes those past their time. Returns the
/// position to go on at, or 0.
fn visit(ctx: &mut Ctx<'_>, mut position: u64, options: &ScanOptions<'_>, mut name: impl FnMut(&[u8])) -> u64 {
    let (now, database) = (ctx.now(), ctx.database());
    let mut past: Vec<Vec<u8>> = Vec::new();
    let (mut seen, mut found) = (0, 0);
    for _ in 0..options.count.saturating_mul(STEPS_PER_KEY) {
        position = database.scan(position, |entry| {
            seen += 1;
            let key = entry.key();
            if options.pattern.is_some_and(|pattern| !glob_match(pattern, key, Case::Sensitive)) {
                return;
            }
            if entry.expire_at().is_some_and(|at| at.is_past(now)) {
                past.push(key.to_vec());
                return;
            }
            found += 1;
            if options.value_type.is_none_or(|wanted| is_word(wanted, entry.value().value_type().name())) {
                name(key);
            }
        });
        if position == 0 || seen >= options.count {
            break;
        }
    }
    // To look for the type is to look the key up, as in Redis.
    if options.value_type.is_some() {
        ctx.shard.counters.hits += found;
        ctx.shard.counters.misses += past.len() as u64;
    }
    for key in past {
        ctx.exists(&key);
    }
    position
}
