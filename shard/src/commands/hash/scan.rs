//! HSCAN: the fields of a hash, a few at a time.
//!
//! The cursor is a position in the order of the fields' hashes, which no growth or shrinking of the table moves. A packed
//! hash is returned whole by the first call.

use net::{Args, Reply};

use super::read::read;
use crate::commands::parse::{ScanOptions, is_word, parse_cursor};
use crate::commands::walk::{reply_nothing, reply_walk};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
pub const HSCAN: Command = Command {
    name: "hscan",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns some fields of a hash, and a cursor to get more with.",
        since: "2.8.0",
        group: Group::Hash,
        complexity: "O(1) for a call, O(N) for all calls from cursor 0 to cursor 0, where N is the number of fields",
        history: &[("7.4.0", "Option `NOVALUES`.")],
        arguments: &[
            Argument::key("key"),
            Argument::new("cursor", ArgumentKind::Integer),
            Argument::new("pattern", ArgumentKind::Pattern).after("MATCH").optional(),
            Argument::new("count", ArgumentKind::Integer).after("COUNT").optional(),
            Argument::word("novalues", "NOVALUES").since("7.4.0").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hscan),
    ..Command::BLANK
};

/// The options of HSCAN.
struct Options<'a> {
    scan: ScanOptions<'a>,
    values: bool,
}

impl<'a> Options<'a> {
    fn parse(mut words: impl Iterator<Item = &'a [u8]>) -> Result<Options<'a>, CommandError> {
        let (mut common, mut values) = (Vec::new(), true);
        while let Some(word) = words.next() {
            if is_word(word, "NOVALUES") {
                values = false;
                continue;
            }
            common.push(word);
            common.extend(words.next());
        }
        Ok(Options { scan: ScanOptions::parse(common.into_iter(), false)?, values })
    }
}

fn hscan(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let cursor = parse_cursor(args.at(2))?;
    let Some(hash) = read(ctx, args.at(1))? else {
        reply_nothing(reply);
        return Ok(());
    };
    let options = Options::parse(args.from(3))?;
    reply_walk(reply, cursor, &options.scan, |cursor, found| {
        hash.scan(cursor, |field| {
            if found.admits(field.name) {
                found.put(field.name);
                if options.values {
                    found.put(field.value);
                }
            }
        })
    });
    Ok(())
}
