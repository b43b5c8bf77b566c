//! Reading single members: scores and ranks.

use net::{Args, Reply};
use storage::types::zset::ZSet;

use super::READ_KEY;
use super::score::write_score;
use crate::commands::parse::is_word;
use crate::exec::error::{SYNTAX, wrong_arity};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// ZCARD key
pub const ZCARD: Command = Command {
    name: "zcard",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Returns the number of members in a sorted set.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(zcard),
    ..Command::BLANK
};

/// ZSCORE key member
pub const ZSCORE: Command = Command {
    name: "zscore",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns the score of a member of a sorted set.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("member", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Shard(zscore),
    ..Command::BLANK
};

/// ZMSCORE key member [member ...]
pub const ZMSCORE: Command = Command {
    name: "zmscore",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns the scores of several members of a sorted set.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(N) where N is the number of members asked for",
        arguments: &[Argument::key("key"), Argument::new("member", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(zmscore),
    ..Command::BLANK
};

/// The arguments of ZRANK and ZREVRANK.
const RANK_ARGUMENTS: &[Argument] = &[
    Argument::key("key"),
    Argument::new("member", ArgumentKind::String),
    Argument::word("withscore", "WITHSCORE").since("7.2.0").optional(),
];

/// ZRANK key member [WITHSCORE]
pub const ZRANK: Command = Command {
    name: "zrank",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns the rank of a member of a sorted set, the lowest score first.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N))",
        history: &[("7.2.0", "Option `WITHSCORE`.")],
        arguments: RANK_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(zrank),
    ..Command::BLANK
};

/// ZREVRANK key member [WITHSCORE]
pub const ZREVRANK: Command = Command {
    name: "zrevrank",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns the rank of a member of a sorted set, the highest score first.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N))",
        history: &[("7.2.0", "Option `WITHSCORE`.")],
        arguments: RANK_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(zrevrank),
    ..Command::BLANK
};

fn zcard(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    reply.integer(set.map_or(0, |set| set.len() as i64));
    Ok(())
}

fn zscore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    match set.and_then(|set| set.score(args.at(2))) {
        Some(score) => write_score(score, reply),
        None => reply.null(),
    }
    Ok(())
}

fn zmscore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    let members = args.from(2);
    reply.array(members.len());
    for member in members {
        match set.and_then(|set| set.score(member)) {
            Some(score) => write_score(score, reply),
            None => reply.null(),
        }
    }
    Ok(())
}

fn zrank(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_rank(ctx, args, "zrank", |rank, _| rank, reply)
}

fn zrevrank(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_rank(ctx, args, "zrevrank", |rank, len| len - 1 - rank, reply)
}

fn write_rank(
    ctx: &mut Ctx<'_>,
    args: &Args<'_>,
    command: &str,
    rank_from: fn(usize, usize) -> usize,
    reply: &mut Reply<'_>,
) -> Outcome {
    let with_score = match args.get(3) {
        _ if args.len() > 4 => return Err(wrong_arity(command)),
        Some(word) if !is_word(word, "WITHSCORE") => return Err(SYNTAX),
        word => word.is_some(),
    };
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    let found = set.and_then(|set| set.rank(args.at(2)).map(|(rank, score)| (rank_from(rank, set.len()), score)));
    match (found, with_score) {
        (Some((rank, _)), false) => reply.integer(rank as i64),
        (Some((rank, score)), true) => {
            reply.array(2);
            reply.integer(rank as i64);
            write_score(score, reply);
        }
        (None, false) => reply.null(),
        (None, true) => reply.null_array(),
    }
    Ok(())
}
