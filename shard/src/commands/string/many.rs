//! Storing many strings at one point in time.

use std::sync::Arc;

use net::{Args, OwnedArgs, Reply};
use storage::{Expiry, Key};

use super::set::store;
use crate::exec::error::wrong_arity;
use crate::exec::hop::{HopOp, HopValue, Plan, PlanInput, Step};
use crate::exec::{CommandError, Ctx, Merge, Outcome, Run};
use crate::ids::ShardId;
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const PAIRS: &[Argument] = &[Argument::new(
    "key_value",
    ArgumentKind::Block(&[Argument::key("key"), Argument::new("value", ArgumentKind::String)]),
)
.multiple()];

/// MSET key value [key value ...]
pub const MSET: Command = Command {
    name: "mset",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::all_from(1, 2, &[KeyFlag::Ow, KeyFlag::Update])],
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Stores strings at several keys, all at one point in time.",
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) where N is the number of keys",
        arguments: PAIRS,
        ..Docs::BLANK
    },
    run: Run::Split { part: mset, merge: Merge::First },
    ..Command::BLANK
};

/// MSETNX key value [key value ...]
pub const MSETNX: Command = Command {
    name: "msetnx",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::all_from(1, 2, &[KeyFlag::Ow, KeyFlag::Insert])],
    tips: &["request_policy:multi_shard", "response_policy:agg_min"],
    docs: Docs {
        summary: "Stores strings at several keys if none of the keys exists.",
        since: "1.0.1",
        group: Group::String,
        complexity: "O(N) where N is the number of keys",
        arguments: PAIRS,
        ..Docs::BLANK
    },
    run: Run::Hops { local: msetnx, plan: plan_msetnx },
    ..Command::BLANK
};

fn mset(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    check_pairs(args, "mset")?;
    store_pairs(ctx, &args.skip(1));
    reply.ok();
    Ok(())
}

fn msetnx(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    check_pairs(args, "msetnx")?;
    let pairs = args.skip(1);
    let stored = !any_exists(ctx, &pairs);
    if stored {
        store_pairs(ctx, &pairs);
    }
    reply.integer(i64::from(stored));
    Ok(())
}

fn check_pairs(args: &Args<'_>, command: &str) -> Result<(), CommandError> {
    if args.len() % 2 == 1 { Ok(()) } else { Err(wrong_arity(command)) }
}

/// Stores `key value ...`.
fn store_pairs(ctx: &mut Ctx<'_>, pairs: &Args<'_>) {
    for place in (0..pairs.len()).step_by(2) {
        store(ctx, Key::new(pairs.at(place)), pairs.at(place + 1), Expiry::Clear);
    }
}

/// Whether any key of `key value ...` is there. To be looked at is a use of it.
fn any_exists(ctx: &mut Ctx<'_>, pairs: &Args<'_>) -> bool {
    (0..pairs.len()).step_by(2).any(|place| ctx.write(pairs.at(place)).is_some())
}

/// Each shard looks for its keys; if none of them finds one, each stores its pairs.
struct MsetNx {
    /// To each shard its keys and values.
    pairs: Vec<(ShardId, Arc<OwnedArgs>)>,
    stage: Stage,
}

enum Stage {
    Begin,
    Looked,
    Stored,
}

fn plan_msetnx(input: &PlanInput<'_>) -> Result<Box<dyn Plan>, CommandError> {
    check_pairs(&input.args, "msetnx")?;
    let mut pairs: Vec<(ShardId, OwnedArgs)> = Vec::new();
    for (index, owner) in input.owners.iter().enumerate() {
        let at = pairs.iter().position(|(shard, _)| shard == owner).unwrap_or_else(|| {
            pairs.push((*owner, OwnedArgs::default()));
            pairs.len() - 1
        });
        pairs[at].1.push(input.args.at(1 + index * 2));
        pairs[at].1.push(input.args.at(2 + index * 2));
    }
    let pairs = pairs.into_iter().map(|(shard, pairs)| (shard, Arc::new(pairs))).collect();
    Ok(Box::new(MsetNx { pairs, stage: Stage::Begin }))
}

impl MsetNx {
    /// The same operation on each shard with its pairs.
    fn each(&self, operate: fn(&mut Ctx<'_>, &Args<'_>) -> HopValue) -> Vec<(ShardId, HopOp)> {
        let op = |pairs: &Arc<OwnedArgs>| -> HopOp {
            let pairs = Arc::clone(pairs);
            Box::new(move |ctx| operate(ctx, &pairs.as_args()))
        };
        self.pairs.iter().map(|(shard, pairs)| (*shard, op(pairs))).collect()
    }
}

impl Plan for MsetNx {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        match self.stage {
            Stage::Begin => {
                self.stage = Stage::Looked;
                Step::Run(self.each(|ctx, pairs| HopValue::Flag(any_exists(ctx, pairs))))
            }
            Stage::Looked if values.iter().any(|value| matches!(value, HopValue::Flag(true))) => {
                Step::Reply(b":0\r\n".to_vec())
            }
            Stage::Looked => {
                self.stage = Stage::Stored;
                Step::RunLast(self.each(|ctx, pairs| {
                    store_pairs(ctx, pairs);
                    let words: Vec<Word<'_>> =
                        std::iter::once(&b"MSET"[..]).chain(pairs.from(0)).map(Word::from).collect();
                    ctx.effect(pairs.at(0), &words);
                    HopValue::None
                }))
            }
            Stage::Stored => Step::Reply(b":1\r\n".to_vec()),
        }
    }
}
