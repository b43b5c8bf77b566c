//! ZRANDMEMBER: random members.
//!
//! A positive count asks for so many different members, a negative one for so many that may be the same.

use net::{Args, Reply};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::types::zset::{Record, ZSet, ZSetRef};

use super::READ_KEY;
use super::score::{write_member, write_records, write_score};
use crate::commands::parse::{is_word, parse_in};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// ZRANDMEMBER key [count [WITHSCORES]]
pub const ZRANDMEMBER: Command = Command {
    name: "zrandmember",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns random members of a sorted set.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N) where N is the number of members returned",
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "options",
                ArgumentKind::Block(&[
                    Argument::new("count", ArgumentKind::Integer),
                    Argument::word("withscores", "WITHSCORES").optional(),
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zrandmember),
    ..Command::BLANK
};

/// So many members with scores would be more elements than a reply can have.
const TOO_MANY: CommandError = CommandError::new("ERR value is out of range");

fn zrandmember(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut rng = SmallRng::from_rng(&mut ctx.shard.rng);
    let Some(count) = args.get(2) else {
        match ctx.read_as::<ZSet>(args.at(1))?.and_then(|set| set.random(&mut rng)) {
            Some(record) => write_member(record, reply),
            None => reply.null(),
        }
        return Ok(());
    };
    let count = parse_in(count, -i64::MAX..=i64::MAX)?;
    let with_scores = match args.get(3) {
        None => false,
        Some(word) if args.len() == 4 && is_word(word, "WITHSCORES") => true,
        Some(_) => return Err(SYNTAX),
    };
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(TOO_MANY);
    }
    match ctx.read_as::<ZSet>(args.at(1))? {
        None => reply.array(0),
        Some(set) if count < 0 => {
            write_repeated(set, count.unsigned_abs() as usize, with_scores, &mut rng, reply);
        }
        Some(set) => {
            let records: Vec<_> = set.random_distinct(&mut rng, count as usize).collect();
            write_records(records.into_iter(), with_scores, reply);
        }
    }
    Ok(())
}

/// Replies `count` records, each drawn from all. If they are many, the records are laid out once, so that to draw one is
/// to take it.
fn write_repeated(set: ZSetRef<'_>, count: usize, with_scores: bool, rng: &mut SmallRng, reply: &mut Reply<'_>) {
    let pairs = with_scores && reply.is_resp3();
    reply.array(if with_scores && !pairs { count * 2 } else { count });
    let mut write = |record: Record<'_>| {
        if pairs {
            reply.array(2);
        }
        write_member(record, reply);
        if with_scores {
            write_score(record.score, reply);
        }
    };
    if count >= set.len() {
        let records: Vec<_> = set.iter().collect();
        (0..count).for_each(|_| write(records[rng.random_range(0..records.len())]));
    } else {
        (0..count).filter_map(|_| set.random(rng)).for_each(write);
    }
}
