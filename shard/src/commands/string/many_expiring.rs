//! MSETEX: storing strings at several keys with one condition and one expiry.

use net::{Args, Reply};
use storage::Key;

use super::options::{Condition, Options, Syntax};
use super::set::{store, tell_set};
use crate::commands::parse::parse_i64;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

const BAD_NUMBER_OF_KEYS: CommandError = CommandError::new("ERR invalid numkeys value");
const BAD_PAIRS: CommandError = CommandError::new("ERR wrong number of key-value pairs");

/// MSETEX numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]
pub const MSETEX: Command = Command {
    name: "msetex",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Movablekeys]),
    keys: &[KeySpec {
        flags: &[KeyFlag::Ow, KeyFlag::Update],
        begin: Begin::Index(1),
        find: Find::Keynum { at: 0, first: 1, step: 2 },
        notes: "",
    }],
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Stores strings at several keys with one expiry, if all keys are there, or if none is.",
        since: "8.4.0",
        group: Group::String,
        complexity: "O(N) where N is the number of keys",
        arguments: &[
            Argument::new("numkeys", ArgumentKind::Integer),
            Argument::new(
                "data",
                ArgumentKind::Block(&[Argument::key("key"), Argument::new("value", ArgumentKind::String)]),
            )
            .multiple(),
            Argument::new("condition", ArgumentKind::OneOf(&[Argument::word("nx", "NX"), Argument::word("xx", "XX")]))
                .optional(),
            Argument::new(
                "expiration",
                ArgumentKind::OneOf(&[
                    Argument::new("seconds", ArgumentKind::Integer).after("EX"),
                    Argument::new("milliseconds", ArgumentKind::Integer).after("PX"),
                    Argument::new("unix-time-seconds", ArgumentKind::UnixTime).after("EXAT"),
                    Argument::new("unix-time-milliseconds", ArgumentKind::UnixTime).after("PXAT"),
                    Argument::word("keepttl", "KEEPTTL"),
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(msetex),
    ..Command::BLANK
};

fn msetex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let keys = parse_i64(args.at(1)).ok().and_then(|keys| usize::try_from(keys).ok()).filter(|&keys| keys > 0);
    let keys = keys.ok_or(BAD_NUMBER_OF_KEYS)?;
    let end = keys.checked_mul(2).and_then(|pairs| pairs.checked_add(2)).filter(|&end| end <= args.len());
    let end = end.ok_or(BAD_PAIRS)?;
    let options = Options::parse(args.from(end), Syntax::MSetEx)?;
    let expiry = options.lifetime.expiry(ctx.now(), "msetex")?;
    let mut places = (2..end).step_by(2);
    let stores = match options.condition {
        Condition::Absent => !places.any(|place| ctx.exists(args.at(place))),
        Condition::Present => places.all(|place| ctx.exists(args.at(place))),
        Condition::Always | Condition::Compared(_) => true,
    };
    if stores {
        for place in (2..end).step_by(2) {
            let (key, value) = (args.at(place), args.at(place + 1));
            store(ctx, Key::new(key), value, expiry);
            tell_set(ctx, key, value, expiry);
        }
    }
    reply.integer(i64::from(stores));
    Ok(())
}
