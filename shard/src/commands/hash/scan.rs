//! HSCAN: the fields of a hash, a few at a time.
//!
//! The cursor is a position in the order of the fields' hashes, which no growth or shrinking of the table moves. A packed
//! hash is returned whole by the first call.

use net::{Args, Reply};
use storage::glob::{Case, glob_match};
use storage::types::hash::{Field, HashRef, IntBuf};

use super::read::read;
use crate::commands::item::bulk_item;
use crate::commands::parse::{ScanOptions, is_word, parse_cursor};
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

/// A call goes at most so many steps for each field that it wants, where steps find none.
const STEPS_PER_FIELD: usize = 10;

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
        reply.array(2);
        reply.bulk(b"0");
        reply.array(0);
        return Ok(());
    };
    let options = Options::parse(args.from(3))?;
    let (mut elements, mut count) = (Vec::new(), 0);
    let mut found = Reply::new(&mut elements, reply.resp());
    let next = visit(hash, cursor, &options.scan, |field| {
        bulk_item(&mut found, field.name);
        count += 1;
        if options.values {
            bulk_item(&mut found, field.value);
            count += 1;
        }
    });
    reply.array(2);
    reply.bulk(next.to_string().as_bytes());
    reply.array(count);
    reply.raw(&elements);
    Ok(())
}

/// Looks at about as many fields as are wanted and visits those that match. Returns the cursor to go on with, or 0.
fn visit(hash: HashRef<'_>, mut cursor: u64, options: &ScanOptions<'_>, mut visit: impl FnMut(Field<'_>)) -> u64 {
    let mut seen = 0;
    for _ in 0..options.count.saturating_mul(STEPS_PER_FIELD) {
        cursor = hash.scan(cursor, |field| {
            seen += 1;
            let mut buffer = IntBuf::default();
            let name = field.name.as_bytes(&mut buffer);
            if options.pattern.is_none_or(|pattern| glob_match(pattern, name, Case::Sensitive)) {
                visit(field);
            }
        });
        if cursor == 0 || seen >= options.count {
            break;
        }
    }
    cursor
}
