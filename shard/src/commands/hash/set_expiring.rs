//! HSETEX: setting fields, under a condition, with an expiry.

use net::{Args, Reply};
use storage::types::hash::{FieldExpiry, Hash, HashRef};
use storage::{Key, UnixMillis};

use super::fields::{self, Condition, Expired, TIMES, noting_sooner};
use super::write::tell_removed;
use crate::commands::parse::{Time, is_word, parse_i64};
use crate::config::types::events::Events;
use crate::exec::error::wrong_arity;
use crate::exec::{CommandError, Ctx, Outcome, Run, Tools};
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL] FIELDS numfields field value
/// [field value ...]
pub const HSETEX: Command = Command {
    name: "hsetex",
    arity: Arity::AtLeast(6),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Sets fields of a hash and their expiry, if all of them exist, if none does, or in any case.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields",
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "condition",
                ArgumentKind::OneOf(&[Argument::word("fnx", "FNX"), Argument::word("fxx", "FXX")]),
            )
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
            Argument::new(
                "fields",
                ArgumentKind::Block(&[
                    Argument::new("numfields", ArgumentKind::Integer),
                    Argument::new(
                        "data",
                        ArgumentKind::Block(&[
                            Argument::new("field", ArgumentKind::String),
                            Argument::new("value", ArgumentKind::String),
                        ]),
                    )
                    .multiple(),
                ]),
            )
            .after("FIELDS"),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hsetex),
    ..Command::BLANK
};

const ONE_CONDITION: CommandError = CommandError::new("ERR Only one of FXX or FNX arguments can be specified");
const ONE_LIFETIME: CommandError =
    CommandError::new("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
const TIME_MISSING: CommandError = CommandError::new("ERR missing expire time");
const BAD_COUNT: CommandError = CommandError::new("ERR invalid number of fields");

/// When fields are set at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// None of them is there.
    NoneThere,
    /// All of them are.
    AllThere,
}

/// What becomes of the expiry of the fields that are set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    Clear,
    Keep,
    Until(UnixMillis),
}

/// What the arguments ask for.
struct Request<'a> {
    when: When,
    lifetime: Lifetime,
    /// Fields and values in turn.
    pairs: Args<'a>,
}

impl<'a> Request<'a> {
    fn parse(args: &Args<'a>, now: UnixMillis) -> Result<Request<'a>, CommandError> {
        let (mut when, mut lifetime) = (When::Always, None);
        let mut place = 2;
        while let Some(word) = args.get(place) {
            place += 1;
            if is_word(word, "FIELDS") {
                let pairs = parse_pairs(args, place)?;
                return Ok(Request { when, lifetime: lifetime.unwrap_or(Lifetime::Clear), pairs });
            }
            let conditions = [("FNX", When::NoneThere), ("FXX", When::AllThere)];
            if let Some((_, condition)) = conditions.into_iter().find(|(name, _)| is_word(word, name)) {
                if when != When::Always {
                    return Err(ONE_CONDITION);
                }
                when = condition;
                continue;
            }
            let time = TIMES.iter().find(|(name, _, _)| is_word(word, name));
            if time.is_none() && !is_word(word, "KEEPTTL") {
                return Err(CommandError::bytes([b"ERR unknown argument: ", word].concat()));
            }
            if lifetime.is_some() {
                return Err(ONE_LIFETIME);
            }
            lifetime = Some(match time {
                None => Lifetime::Keep,
                Some(&(_, unit, since)) => {
                    let number = args.get(place).ok_or(TIME_MISSING)?;
                    place += 1;
                    Lifetime::Until(fields::deadline(Time { number, unit, since }, now, "hsetex")?)
                }
            });
        }
        Err(wrong_arity("hsetex"))
    }
}

/// The fields and values behind their number, which is argument `at`.
fn parse_pairs<'a>(args: &Args<'a>, at: usize) -> Result<Args<'a>, CommandError> {
    if args.len() < at + 3 {
        return Err(wrong_arity("hsetex"));
    }
    let count = parse_i64(args.at(at)).ok().filter(|count| (1..=i64::from(i32::MAX)).contains(count));
    let (count, pairs) = (count.ok_or(BAD_COUNT)?, args.skip(at + 1));
    if pairs.len() as i64 == count * 2 { Ok(pairs) } else { Err(wrong_arity("hsetex")) }
}

/// What was done.
#[derive(Default)]
struct Done {
    set: usize,
    expiring: usize,
    removed: usize,
    gone: bool,
}

fn hsetex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = Key::new(args.at(1));
    let request = Request::parse(args, ctx.now())?;
    let (done, sooner) = ctx.edit_or_create(key, |hash: &mut Hash, tools| {
        if admits(hash.as_ref().live_at(tools.judged_at), &request) {
            noting_sooner(hash, |hash| set(hash, &request, tools))
        } else {
            (Done::default(), None)
        }
    })?;
    if let Some(at) = sooner {
        ctx.database().watch_fields(key.hash(), at);
    }
    if done.set > 0 {
        ctx.notify(Events::HASH, "hset", key.bytes());
    }
    if done.expiring > 0 {
        ctx.notify(Events::HASH, "hexpire", key.bytes());
    }
    tell_removed(ctx, key.bytes(), done.removed, done.gone);
    ctx.changed(done.set);
    if done.set > 0 {
        tell_set(ctx, key.bytes(), &request);
    }
    reply.integer(i64::from(done.set > 0));
    Ok(())
}

/// Tells what was set, with a time in place of a time from now, or that it was set to be gone.
fn tell_set(ctx: &mut Ctx<'_>, key: &[u8], request: &Request<'_>) {
    if !ctx.is_recorded() {
        return;
    }
    let pairs = request.pairs;
    let mut words: Vec<Word<'_>> = match request.lifetime {
        Lifetime::Until(at) if at <= ctx.now() => {
            let fields: Vec<&[u8]> = pairs.from(0).step_by(2).collect();
            return fields::tell_removed_fields(ctx, key, &fields);
        }
        Lifetime::Clear => vec!["HSET".into(), key.into()],
        Lifetime::Keep => vec!["HSETEX".into(), key.into(), "KEEPTTL".into()],
        Lifetime::Until(at) => vec!["HSETEX".into(), key.into(), "PXAT".into(), at.0.into()],
    };
    if request.lifetime != Lifetime::Clear {
        words.extend([Word::from("FIELDS"), Word::from(pairs.len() as i64 / 2)]);
    }
    words.extend(pairs.from(0).map(Word::from));
    ctx.effect(key, &words);
}

fn admits(hash: HashRef<'_>, request: &Request<'_>) -> bool {
    let mut fields = request.pairs.from(0).step_by(2);
    match request.when {
        When::Always => true,
        When::NoneThere => !fields.any(|field| hash.contains(field)),
        When::AllThere => fields.all(|field| hash.contains(field)),
    }
}

fn set(hash: &mut Hash, request: &Request<'_>, tools: &mut Tools<'_>) -> Done {
    let (pairs, limits) = (&request.pairs, &tools.limits.hash);
    hash.prepare(pairs.from(0).map(<[u8]>::len), limits);
    let expiry = if request.lifetime == Lifetime::Clear { FieldExpiry::Clear } else { FieldExpiry::Keep };
    let mut done = Done { set: pairs.len() / 2, ..Done::default() };
    for place in (0..pairs.len()).step_by(2) {
        let (field, value) = (pairs.at(place), pairs.at(place + 1));
        hash.remove_if_expired(field, tools.judged_at);
        hash.set(field, value, expiry, limits);
        if let Lifetime::Until(at) = request.lifetime {
            match fields::expire_field(hash, field, at, Condition::Always, tools.judged_at) {
                Expired::Removed => done.removed += 1,
                _ => done.expiring += 1,
            }
        }
    }
    done.gone = hash.as_ref().is_empty();
    done
}
