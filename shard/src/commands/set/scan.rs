//! SSCAN: the members of a set, a few at a time.
//!
//! The cursor is a position in the order of the members' hashes, which no growth or shrinking of the table moves. A packed
//! set is returned whole by the first call.

use net::{Args, Reply};
use storage::types::set::Set;

use crate::commands::parse::{ScanOptions, parse_cursor};
use crate::commands::walk::{reply_nothing, reply_walk};
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

fn sscan(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let cursor = parse_cursor(args.at(2))?;
    let Some(set) = ctx.read_as::<Set>(args.at(1))? else {
        reply_nothing(reply);
        return Ok(());
    };
    let options = ScanOptions::parse(args.from(3), false)?;
    reply_walk(reply, cursor, &options, |cursor, found| {
        set.scan(cursor, |member| {
            if found.admits(member) {
                found.put(member);
            }
        })
    });
    Ok(())
}
