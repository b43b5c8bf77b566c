//! LCS: the longest common subsequence of two strings.
//!
//! ```text
//!   LCS a b             the subsequence
//!   LCS a b LEN         its length
//!   LCS a b IDX         where it lies in both, in runs, the last one first; and its length
//! ```
//!
//! Two keys on two shards: the second string comes to the first one's shard, and the work is done there.

mod longest;
#[cfg(test)]
mod tests;

use longest::Longest;
use net::{Args, OwnedArgs, Reply, Resp};
use storage::StringRef;

use crate::commands::parse::{is_word, parse_i64};
use crate::exec::error::{LCS_LEN_AND_IDX, LCS_NOT_STRINGS, LCS_TOO_LONG, LCS_TOO_MUCH_MEMORY, SYNTAX};
use crate::exec::hop::{HopValue, Plan, PlanInput, Step};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::ids::ShardId;
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

/// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]
pub const LCS: Command = Command {
    name: "lcs",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec {
        flags: &[KeyFlag::Ro, KeyFlag::Access],
        begin: Begin::Index(1),
        find: Find::Range { last: 1, step: 1, limit: 0 },
        notes: "",
    }],
    docs: Docs {
        summary: "Returns the longest subsequence that two strings have in common.",
        since: "7.0.0",
        group: Group::String,
        complexity: "O(N*M) where N and M are the lengths of the strings",
        arguments: &[
            Argument::key("key1"),
            Argument::key("key2"),
            Argument::word("len", "LEN").optional(),
            Argument::word("idx", "IDX").optional(),
            Argument::new("len", ArgumentKind::Integer).after("MINMATCHLEN").optional(),
            Argument::word("withmatchlen", "WITHMATCHLEN").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Hops { local: lcs, plan: plan_lcs },
    ..Command::BLANK
};

/// Redis numbers the places with 32 bits.
const STRING_BYTES_MAX: usize = u32::MAX as usize - 2;

/// Bytes that Redis takes for each pair of places, which is what its limit is about.
const CELL_BYTES: u128 = 4;

struct Options {
    len: bool,
    idx: bool,
    with_match_len: bool,
    min_match_len: usize,
}

impl Options {
    fn parse<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result<Options, CommandError> {
        let mut options = Options { len: false, idx: false, with_match_len: false, min_match_len: 0 };
        while let Some(word) = words.next() {
            if is_word(word, "IDX") {
                options.idx = true;
            } else if is_word(word, "LEN") {
                options.len = true;
            } else if is_word(word, "WITHMATCHLEN") {
                options.with_match_len = true;
            } else if is_word(word, "MINMATCHLEN") {
                let len = parse_i64(words.next().ok_or(SYNTAX)?)?;
                options.min_match_len = usize::try_from(len).unwrap_or(0);
            } else {
                return Err(SYNTAX);
            }
        }
        if options.len && options.idx { Err(LCS_LEN_AND_IDX) } else { Ok(options) }
    }
}

fn lcs(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let second = string_at(ctx, args.at(2))?;
    compare(ctx, args, &second, reply)
}

/// The string at `key`; a missing one is empty.
fn string_at(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Vec<u8>, CommandError> {
    match ctx.read_string(key) {
        Ok(string) => Ok(string.map(StringRef::to_vec).unwrap_or_default()),
        Err(_) => Err(LCS_NOT_STRINGS),
    }
}

/// Writes the reply, on the shard of the first key.
fn compare(ctx: &mut Ctx<'_>, args: &Args<'_>, second: &[u8], reply: &mut Reply<'_>) -> Outcome {
    let first = string_at(ctx, args.at(1))?;
    let options = Options::parse(args.from(3))?;
    if first.len() > STRING_BYTES_MAX || second.len() > STRING_BYTES_MAX {
        return Err(LCS_TOO_LONG);
    }
    let cells = (first.len() as u128 + 1) * (second.len() as u128 + 1);
    if cells * CELL_BYTES > u128::from(ctx.config().proto_max_bulk_len) {
        return Err(LCS_TOO_MUCH_MEMORY);
    }
    if options.len {
        reply.integer(longest::len(&first, second) as i64);
        return Ok(());
    }
    let longest = Longest::find(&first, second);
    if options.idx {
        write_runs(&longest, &options, reply);
    } else {
        reply.bulk(&longest.subsequence(&first));
    }
    Ok(())
}

fn write_runs(longest: &Longest, options: &Options, reply: &mut Reply<'_>) {
    let long_enough = || longest.runs().iter().filter(|run| run.len >= options.min_match_len);
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(long_enough().count());
    for run in long_enough() {
        reply.array(2 + usize::from(options.with_match_len));
        for start in [run.first, run.second] {
            reply.array(2);
            reply.integer(start as i64);
            reply.integer((start + run.len - 1) as i64);
        }
        if options.with_match_len {
            reply.integer(run.len as i64);
        }
    }
    reply.bulk(b"len");
    reply.integer(longest.len() as i64);
}

/// The second key's shard gives its string, the first key's shard compares.
struct FetchAndCompare {
    args: OwnedArgs,
    resp: Resp,
    first: ShardId,
    second: ShardId,
    stage: Stage,
}

enum Stage {
    Begin,
    Fetched,
    Compared,
}

fn plan_lcs(input: &PlanInput<'_>) -> Result<Box<dyn Plan>, CommandError> {
    let (first, second) = (input.owners[0], input.owners[1]);
    let (args, resp) = (input.args.to_owned(), input.resp);
    Ok(Box::new(FetchAndCompare { args, resp, first, second, stage: Stage::Begin }))
}

impl FetchAndCompare {
    fn fetch(&self) -> Step {
        let key = self.args.as_args().at(2).to_vec();
        let op = move |ctx: &mut Ctx<'_>| match string_at(ctx, &key) {
            Ok(string) => HopValue::Bytes(Some(string)),
            Err(error) => HopValue::Error(error),
        };
        Step::Run(vec![(self.second, Box::new(op))])
    }

    fn compare(&mut self, second: Vec<u8>) -> Step {
        let (args, resp) = (std::mem::take(&mut self.args), self.resp);
        let op = move |ctx: &mut Ctx<'_>| {
            let mut bytes = Vec::new();
            match compare(ctx, &args.as_args(), &second, &mut Reply::new(&mut bytes, resp)) {
                Ok(()) => HopValue::Bytes(Some(bytes)),
                Err(error) => HopValue::Error(error),
            }
        };
        Step::RunLast(vec![(self.first, Box::new(op))])
    }
}

impl Plan for FetchAndCompare {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        match (&self.stage, values.into_iter().next()) {
            (Stage::Begin, _) => {
                self.stage = Stage::Fetched;
                self.fetch()
            }
            (Stage::Fetched, Some(HopValue::Bytes(Some(second)))) => {
                self.stage = Stage::Compared;
                self.compare(second)
            }
            (Stage::Compared, Some(HopValue::Bytes(Some(reply)))) => Step::Reply(reply),
            (_, Some(HopValue::Error(error))) => Step::error(&error),
            (_, value) => unreachable!("{value:?} is no answer to what was asked"),
        }
    }
}
