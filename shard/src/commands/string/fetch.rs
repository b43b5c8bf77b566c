//! Reading a string and changing its key in one.

use net::{Args, Reply};

use super::options::{Lifetime, Options, Syntax};
use super::read::get_key;
use crate::commands::parse::Since;
use crate::config::types::events::Events;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// GETDEL key
pub const GETDEL: Command = Command {
    name: "getdel",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete])],
    docs: Docs {
        summary: "Returns the string stored at a key and removes the key.",
        since: "6.2.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(getdel),
    ..Command::BLANK
};

/// GETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST]
pub const GETEX: Command = Command {
    name: "getex",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])
        .noting("RW and UPDATE for the expiry that it may change")],
    docs: Docs {
        summary: "Returns the string stored at a key and sets or removes the key's expiry.",
        since: "6.2.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "expiration",
                ArgumentKind::OneOf(&[
                    Argument::new("seconds", ArgumentKind::Integer).after("EX"),
                    Argument::new("milliseconds", ArgumentKind::Integer).after("PX"),
                    Argument::new("unix-time-seconds", ArgumentKind::UnixTime).after("EXAT"),
                    Argument::new("unix-time-milliseconds", ArgumentKind::UnixTime).after("PXAT"),
                    Argument::word("persist", "PERSIST"),
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(getex),
    ..Command::BLANK
};

fn getdel(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    get_key(ctx, args.at(1), reply)?;
    if ctx.remove(args.at(1)) {
        ctx.notify(Events::GENERIC, "del", args.at(1));
        ctx.changed(1);
        ctx.effect_removed(args.at(1));
    }
    Ok(())
}

fn getex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    let options = Options::parse(args.from(2), Syntax::GetEx)?;
    get_key(ctx, key, reply)?;
    let (now, judged_at) = (ctx.now(), ctx.judged_at());
    // A missing key has answered with null: the number behind a word is not even read then.
    let Some(mut entry) = ctx.peek_mut(key) else { return Ok(()) };
    match options.lifetime {
        Lifetime::Until(time) => {
            let deadline = time.deadline(now, "getex")?;
            if time.since == Since::Epoch && deadline <= judged_at {
                ctx.remove(key);
                ctx.notify(Events::GENERIC, "del", key);
                ctx.effect_removed(key);
            } else {
                entry.set_expire(Some(deadline));
                ctx.notify(Events::GENERIC, "expire", key);
                ctx.effect(key, &["PEXPIREAT".into(), key.into(), deadline.0.into()]);
            }
            ctx.changed(1);
        }
        Lifetime::Persist => {
            if entry.entry().expire_at().is_some() {
                entry.set_expire(None);
                ctx.notify(Events::GENERIC, "persist", key);
                ctx.changed(1);
                ctx.effect(key, &["PERSIST".into(), key.into()]);
            }
        }
        Lifetime::Unsaid | Lifetime::Keep => {}
    }
    Ok(())
}
