//! XCLAIM: pending entries get another consumer.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::stream::{Claim, ClaimOutcome, ConsumerId, Stream, StreamId};

use super::error::{invalid_claim_argument, no_key_or_group, unknown_claim_option};
use super::parse::parse_id;
use super::reply::{Elements, put_entry, put_id};
use super::told::{Place, tell_claims, tell_consumer, tell_position};
use crate::commands::parse::is_word;
use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{self, Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE]
/// [JUSTID] [LASTID id]
pub const XCLAIM: Command = Command {
    name: "xclaim",
    arity: Arity::AtLeast(6),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Gives pending entries to another consumer, as if they had been delivered to it.",
        since: "5.0.0",
        group: spec::Group::Stream,
        complexity: "O(log N) with N being the number of pending entries of the group.",
        arguments: &[
            Argument::key("key"),
            Argument::new("group", ArgumentKind::String),
            Argument::new("consumer", ArgumentKind::String),
            Argument::new("min-idle-time", ArgumentKind::String),
            Argument::new("id", ArgumentKind::String).multiple(),
            Argument::new("ms", ArgumentKind::Integer).after("IDLE").optional(),
            Argument::new("unix-time-milliseconds", ArgumentKind::UnixTime).after("TIME").optional(),
            Argument::new("count", ArgumentKind::Integer).after("RETRYCOUNT").optional(),
            Argument::word("force", "FORCE").optional(),
            Argument::word("justid", "JUSTID").optional(),
            Argument::new("id", ArgumentKind::String).after("LASTID").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(xclaim),
    ..Command::BLANK
};

/// Reads a number, or tells which argument is none.
pub(super) fn parse_argument(text: &[u8], argument: &str, command: &str) -> Result<i64, CommandError> {
    storage::number::parse_i64(text).ok_or_else(|| invalid_claim_argument(argument, command))
}

/// The consumer of a name, created if need be, and noted to be there; whether it was created.
pub(super) fn consumer_of(stream: &mut Stream, group: &[u8], name: &[u8], now: UnixMillis) -> (ConsumerId, bool) {
    let consumer = stream.edit_group(group, |group| match group.find_consumer(name) {
        Some(consumer) => {
            group.note_seen(consumer, now);
            (consumer, false)
        }
        None => (group.create_consumer(name, now).expect("there is none of this name"), true),
    });
    consumer.expect("the caller looked for the group")
}

/// Counts a consumer that a command has created besides what it is for.
pub(super) fn note_created(ctx: &mut Ctx<'_>, key: &[u8], created: bool) {
    if created {
        ctx.notify(Events::STREAM, "xgroup-createconsumer", key);
        ctx.changed(1);
    }
}

/// What XCLAIM is told besides key, group and consumer.
struct Request {
    idle_min: i64,
    ids: Vec<StreamId>,
    delivered: UnixMillis,
    deliveries: Option<u32>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl Request {
    fn parse(args: &Args<'_>, now: UnixMillis) -> Result<Request, CommandError> {
        let idle_min = parse_argument(args.at(4), "min-idle-time", "XCLAIM")?.max(0);
        // The first argument that is no id begins the options.
        let ids: Vec<StreamId> = args.from(5).map_while(|text| parse_id(text).ok()).collect();
        let mut options = args.from(5 + ids.len());
        let mut delivered = None;
        let mut request = Request {
            idle_min,
            ids,
            delivered: now,
            deliveries: None,
            force: false,
            just_id: false,
            last_id: StreamId::MIN,
        };
        while let Some(word) = options.next() {
            if is_word(word, "FORCE") {
                request.force = true;
                continue;
            }
            if is_word(word, "JUSTID") {
                request.just_id = true;
                continue;
            }
            let unknown = || unknown_claim_option(word);
            let is_known = ["IDLE", "TIME", "RETRYCOUNT", "LASTID"].iter().any(|known| is_word(word, known));
            let value = options.next().filter(|_| is_known).ok_or_else(unknown)?;
            if is_word(word, "IDLE") {
                delivered = Some(now.0.wrapping_sub(parse_argument(value, "IDLE option", "XCLAIM")?));
            } else if is_word(word, "TIME") {
                delivered = Some(parse_argument(value, "TIME option", "XCLAIM")?);
            } else if is_word(word, "RETRYCOUNT") {
                let count = parse_argument(value, "RETRYCOUNT option", "XCLAIM")?;
                request.deliveries = u64::try_from(count).ok().map(|count| u32::try_from(count).unwrap_or(u32::MAX));
            } else {
                request.last_id = parse_id(value)?;
            }
        }
        // Times that cannot be are taken for now: a client may have computed one by a clock of its own.
        if let Some(at) = delivered.filter(|at| (0..=now.0).contains(at)) {
            request.delivered = UnixMillis(at);
        }
        Ok(request)
    }
}

fn xclaim(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, group, now) = (args.at(1), args.at(2), ctx.now());
    let missing = || no_key_or_group(key, group);
    ctx.read_as::<Stream>(key)?.and_then(|stream| stream.group(group)).ok_or_else(missing)?;
    let request = Request::parse(args, now)?;
    let (resp, mut claimed, mut told, mut advanced) = (reply.resp(), Elements::default(), Vec::new(), false);
    let created = ctx.edit_unnoticed(key, |stream: &mut Stream, _| {
        if stream.group(group).is_some_and(|group| request.last_id > group.last_id()) {
            stream.edit_group(group, |group| group.advance_last_id(request.last_id));
            advanced = true;
        }
        let (consumer, created) = consumer_of(stream, group, args.at(3), now);
        let Request { idle_min, delivered, deliveries, force, just_id, .. } = request;
        let claim = Claim { consumer, idle_min, delivered, deliveries, just_id, force };
        for id in request.ids {
            match stream.claim(group, id, &claim, now) {
                ClaimOutcome::NotPending | ClaimOutcome::NotIdle => continue,
                ClaimOutcome::Deleted => {}
                ClaimOutcome::Claimed if just_id => claimed.put(resp, |reply| put_id(reply, id)),
                ClaimOutcome::Claimed => {
                    let entry = stream.entry(id).expect("only entries that are there are claimed");
                    claimed.put(resp, |reply| put_entry(reply, &entry));
                }
            }
            told.push(id);
        }
        created
    })?;
    note_created(ctx, key, created.unwrap_or(false));
    ctx.changed(told.len() + usize::from(advanced));
    let place = Place { key, group, consumer: args.at(3) };
    if created == Some(true) {
        tell_consumer(ctx, place);
    }
    tell_claims(ctx, place, &told);
    if advanced {
        tell_position(ctx, place);
    }
    claimed.put_array(reply);
    Ok(())
}
