//! SSCAN: the members of a set, a few at a time.
//!
//! The cursor is a position in the order of the members' hashes, which no growth or shrinking of the table moves. A packed
//! set is returned whole by the first call.

use net::{Args, Reply};
use storage::glob::{Case, glob_match};
use storage::types::set::{IntBuf, Item, Set, SetRef};

use crate::commands::item::bulk_item;
use crate::commands::parse::{ScanOptions, parse_cursor};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// SSCAN key cursor [MATCH pattern] [COUNT count]
pub const SSCAN: Command = Command {
    name: "sscan",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns some members of a set, and a cursor to get more with.",
        since: "2.8.0",
        group: Group::Set,
        complexity: "O(1) for a call, O(N) for all calls from cursor 0 to cursor 0, where N is the number of members",
        arguments: &[
            Argument::key("key"),
            Argument::new("cursor", ArgumentKind::Integer),
            Argument::new("pattern", ArgumentKind::Pattern).after("MATCH").optional(),
            Argument::new("count", ArgumentKind::Integer).after("COUNT").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(sscan),
    ..Command::BLANK
};

/// A call goes at most so many steps for each member that it wants, where steps find none.
const STEPS_PER_MEMBER: usize = 10;

fn sscan(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let cursor = parse_cursor(args.at(2))?;
    let Some(set) = ctx.read_as::<Set>(args.at(1))? else {
        reply.array(2);
        reply.bulk(b"0");
        reply.array(0);
        return Ok(());
    };
    let options = ScanOptions::parse(args.from(3), false)?;
    let (mut elements, mut count) = (Vec::new(), 0);
    let mut found = Reply::new(&mut elements, reply.resp());
    let next = visit(set, cursor, &options, |member| {
        bulk_item(&mut found, member);
        count += 1;
    });
    reply.array(2);
    reply.bulk(next.to_string().as_bytes());
    reply.array(count);
    reply.raw(&elements);
    Ok(())
}

/// Looks at about as many members as are wanted and visits those that match. Returns the cursor to go on with, or 0.
fn visit(set: SetRef<'_>, mut cursor: u64, options: &ScanOptions<'_>, mut visit: impl FnMut(Item<'_>)) -> u64 {
    let mut seen = 0;
    for _ in 0..options.count.saturating_mul(STEPS_PER_MEMBER) {
        cursor = set.scan(cursor, |member| {
            seen += 1;
            let mut buffer = IntBuf::default();
            let name = member.as_bytes(&mut buffer);
            if options.pattern.is_none_or(|pattern| glob_match(pattern, name, Case::Sensitive)) {
                visit(member);
            }
        });
        if cursor == 0 || seen >= options.count {
            break;
        }
    }
    cursor
}
