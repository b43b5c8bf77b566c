//! XREADGROUP: what a group delivers to one of its consumers.

use net::{Args, Reply, Resp};
use storage::UnixMillis;
use storage::types::stream::{Claim, ConsumerId, Entry, Pending, Stream, StreamId};

use super::claim::{consumer_of, note_created};
use super::error::{GROUP_GONE, STREAM_GONE, meaningless_id, no_group_to_read};
use super::parse::parse_id;
use super::read::{BLOCK, COUNT, HALF, STREAMS, put_key, put_streams};
use super::read_options::{ReadOptions, Reader};
use super::reply::{Elements, put_entry, put_fields, put_id};
use super::told::{Place, tell_claims, tell_consumer, tell_position};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};
use crate::wait::WaitRequest;

/// XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] [NOACK]
/// STREAMS key [key ...] id [id ...]
pub const XREADGROUP: Command = Command {
    name: "xreadgroup",
    arity: Arity::AtLeast(7),
    flags: Flags::of(&[Flag::Write, Flag::Blocking, Flag::Movablekeys, Flag::NoticesRemoval]),
    keys: &[KeySpec {
        flags: &[KeyFlag::Ro, KeyFlag::Access],
        begin: Begin::Keyword { word: "STREAMS", from: 4 },
        find: HALF,
        notes: "",
    }],
    docs: Docs {
        summary: "Delivers new entries of streams to a consumer of a group, or what it has pending once more, and waits \
                  for some if need be.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(M) for each stream, with M being the number of entries returned. Each XADD to a stream costs O(N) \
                     with N being the number of clients that wait for it.",
        history: &[("8.4.0", "Added the `CLAIM` option.")],
        arguments: &[
            Argument::new(
                "group_consumer",
                ArgumentKind::Block(&[
                    Argument::new("group", ArgumentKind::String),
                    Argument::new("consumer", ArgumentKind::String),
                ]),
            )
            .after("GROUP"),
            COUNT,
            BLOCK,
            Argument::new("min-idle-time", ArgumentKind::Integer).after("CLAIM").since("8.4.0").optional(),
            Argument::word("noack", "NOACK").optional(),
            STREAMS,
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(xreadgroup),
    ..Command::BLANK
};

/// A client that waits for entries to become idle is looked at no more often than this, in milliseconds.
const LOOK_AGAIN_MILLIS_MIN: i64 = 10;

/// Which entries of a stream are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// `>`: those that were never delivered.
    New,
    /// What the consumer has pending behind this id.
    Pending(StreamId),
}

impl From {
    fn parse(id: &[u8]) -> Result<From, CommandError> {
        match id {
            b">" => Ok(From::New),
            b"$" => Err(meaningless_id('$')),
            b"+" => Err(meaningless_id('+')),
            // Nothing is behind the largest id, which Redis takes for `>`.
            _ => parse_id(id).map(|id| if id == StreamId::MAX { From::New } else { From::Pending(id) }),
        }
    }
}

fn xreadgroup(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (options, reader) = ReadOptions::of_xreadgroup(args, ctx.now())?;
    let has_waited = ctx.has_waited();
    let mut streams = Vec::new();
    for wanted in options.wanted(args) {
        // What is on other shards is looked at there.
        if has_waited && !ctx.shard.owns(wanted.key) {
            continue;
        }
        let found = if has_waited { still_there(ctx, wanted.key, reader) } else { find(ctx, wanted.key, reader) };
        if let Err(error) = found {
            // The end of a wait, too.
            return if ctx.claim() { Err(error) } else { Ok(()) };
        }
        streams.push((wanted.key, From::parse(wanted.id)?));
    }
    let mut ready = Vec::new();
    for &(key, from) in &streams {
        ready.push(from != From::New || is_ready(ctx, key, reader, &options)?);
    }
    let mut served = Elements::default();
    if !has_waited || (ready.contains(&true) && ctx.claim()) {
        for (at, (&(key, from), was_ready)) in streams.iter().zip(ready).enumerate() {
            // A stream that is named twice may have nothing left for the second time.
            let again = from == From::New && streams[..at].iter().any(|&(before, _)| before == key);
            let is_ready = was_ready && (!again || is_ready(ctx, key, reader, &options)?);
            let serving = Serving { reader, options: &options, from, is_ready, resp: reply.resp() };
            if let Some(entries) = serving.serve(ctx, key)? {
                served.put(reply.resp(), |reply| {
                    put_key(key, reply);
                    entries.put_array(reply);
                });
            }
        }
    }
    if served.len() > 0 {
        put_streams(&served, reply);
    } else if let Some(request) = options.wait(args) {
        let keys: Vec<&[u8]> = streams.iter().filter(|(_, from)| *from == From::New).map(|(key, _)| *key).collect();
        let look_again = options.claim_idle_min.and_then(|idle_min| idle_enough_at(ctx, &keys, reader, idle_min));
        ctx.wait_for(WaitRequest { look_again, ..request });
    } else {
        reply.null_array();
    }
    Ok(())
}

/// Fails if there is no such stream, or it has no such group.
fn find(ctx: &mut Ctx<'_>, key: &[u8], reader: Reader<'_>) -> Outcome {
    let stream = ctx.read_as::<Stream>(key)?;
    let group = stream.and_then(|stream| stream.group(reader.group));
    group.map(|_| ()).ok_or_else(|| no_group_to_read(key, reader.group))
}

/// Fails if what a client waits for is gone.
fn still_there(ctx: &mut Ctx<'_>, key: &[u8], reader: Reader<'_>) -> Outcome {
    let stream = ctx.peek_as::<Stream>(key).ok().flatten().ok_or(STREAM_GONE)?;
    stream.group(reader.group).map(|_| ()).ok_or(GROUP_GONE)
}

/// Whether a group has something to deliver.
fn is_ready(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    reader: Reader<'_>,
    options: &ReadOptions<'_>,
) -> Result<bool, CommandError> {
    let now = ctx.now();
    let has_new = |stream: &Stream| {
        let group = stream.group(reader.group)?;
        Some(stream.last()?.id > group.last_id())
    };
    if ctx.peek_as::<Stream>(key)?.and_then(has_new) == Some(true) {
        return Ok(true);
    }
    let Some(idle_min) = options.claim_idle_min else { return Ok(false) };
    let has_idle = ctx.edit_unnoticed(key, |stream: &mut Stream, _| {
        if stream.edit_group(reader.group, |group| group.longest_idle(idle_min, 1, now))?.is_empty() {
            return Some(false);
        }
        let mut pending = stream.group(reader.group)?.pending_range(StreamId::MIN, StreamId::MAX);
        Some(pending.any(|pending| pending.idle(now) >= idle_min && stream.contains(pending.id)))
    })?;
    Ok(has_idle.flatten() == Some(true))
}

/// When an entry of one of these streams can be idle for `idle_min` milliseconds, if none is now: what is delivered from
/// now on is so much later, and what is pending may be sooner.
fn idle_enough_at(ctx: &mut Ctx<'_>, keys: &[&[u8]], reader: Reader<'_>, idle_min: i64) -> Option<UnixMillis> {
    let now = ctx.now();
    let mut first = UnixMillis(now.0.saturating_add(idle_min));
    for key in keys {
        let longest_idle = ctx.edit_unnoticed(*key, |stream: &mut Stream, _| {
            let longest_idle = stream.edit_group(reader.group, |group| group.longest_idle(0, 1, now))?;
            longest_idle.first().map(|pending| pending.delivered)
        });
        if let Ok(Some(Some(delivered))) = longest_idle {
            first = first.min(UnixMillis(delivered.0.saturating_add(idle_min)));
        }
    }
    // An entry that was deleted stays pending, and is none to wait for.
    (!keys.is_empty()).then_some(UnixMillis(first.0.max(now.0 + LOOK_AGAIN_MILLIS_MIN)))
}

/// What is to be delivered from one stream.
struct Serving<'a> {
    reader: Reader<'a>,
    options: &'a ReadOptions<'a>,
    from: From,
    is_ready: bool,
    resp: Resp,
}

impl Serving<'_> {
    /// Delivers; none if there is nothing. The consumer is created all the same, and noted to be there.
    fn serve(&self, ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Option<Elements>, CommandError> {
        if ctx.has_waited() && !self.is_ready {
            return Ok(None);
        }
        let count_max = self.options.count_max(ctx);
        let mut ids = Vec::new();
        let served = ctx.edit_unnoticed(key, |stream: &mut Stream, tools| {
            let (consumer, created) = consumer_of(stream, self.reader.group, self.reader.consumer, tools.now);
            let entries = match self.from {
                _ if !self.is_ready => None,
                From::New => Some(self.deliver(stream, consumer, count_max, tools.now, &mut ids)),
                From::Pending(after) => {
                    let (entries, again) = self.deliver_again(stream, consumer, after, count_max, tools.now);
                    ids = again;
                    Some(entries)
                }
            };
            (entries, created)
        })?;
        let (entries, created) = served.expect("the stream was there just now");
        note_created(ctx, key, created);
        ctx.changed(usize::from(entries.is_some()));
        self.tell(ctx, key, created, &ids);
        Ok(entries)
    }

    /// Tells what was delivered: the ids of what is pending now, or is not because it does not exist any more.
    fn tell(&self, ctx: &mut Ctx<'_>, key: &[u8], created: bool, ids: &[StreamId]) {
        let Reader { group, consumer, .. } = self.reader;
        let place = Place { key, group, consumer };
        if created {
            tell_consumer(ctx, place);
        }
        tell_claims(ctx, place, ids);
        if self.is_ready && self.from == From::New {
            tell_position(ctx, place);
        }
    }

    /// With CLAIM, those come first that have been pending for long. Each entry then tells how long it was pending, and how
    /// often it was delivered before.
    fn deliver(
        &self,
        stream: &mut Stream,
        consumer: ConsumerId,
        count_max: usize,
        now: UnixMillis,
        ids: &mut Vec<StreamId>,
    ) -> Elements {
        let mut elements = Elements::default();
        let group = self.reader.group;
        if let Some(idle_min) = self.options.claim_idle_min {
            let claim = Claim { consumer, idle_min, delivered: now, deliveries: None, just_id: false, force: false };
            let idle = stream.claim_idle(group, count_max, &claim, now);
            ids.extend(idle.gone);
            for pending in idle.claimed {
                ids.push(pending.id);
                let entry = stream.entry(pending.id).expect("only entries that are there are claimed");
                elements.put(self.resp, |reply| put_claimed(reply, &entry, Some((pending, now))));
            }
        }
        let with_history = self.options.claim_idle_min.is_some();
        let delivery = stream.deliver(group, consumer, self.options.acknowledged, now).expect("it was there just now");
        for entry in delivery.take(count_max - elements.len()) {
            if !self.options.acknowledged {
                ids.push(entry.id);
            }
            elements.put(self.resp, |reply| {
                if with_history { put_claimed(reply, &entry, None) } else { put_entry(reply, &entry) }
            });
        }
        elements
    }

    fn deliver_again(
        &self,
        stream: &mut Stream,
        consumer: ConsumerId,
        after: StreamId,
        count_max: usize,
        now: UnixMillis,
    ) -> (Elements, Vec<StreamId>) {
        let (mut elements, mut ids) = (Elements::default(), Vec::new());
        let again = stream.deliver_again(self.reader.group, consumer, after, now).expect("it was there just now");
        for (id, entry) in again.take(count_max) {
            elements.put(self.resp, |reply| {
                if let Some(entry) = entry {
                    ids.push(id);
                    put_entry(reply, &entry);
                } else {
                    reply.array(2);
                    put_id(reply, id);
                    reply.null_array();
                }
            });
        }
        (elements, ids)
    }
}

/// `[id fields milliseconds deliveries]`: what was known of an entry before it was delivered now.
fn put_claimed(reply: &mut Reply<'_>, entry: &Entry<'_>, before: Option<(Pending, UnixMillis)>) {
    reply.array(4);
    put_id(reply, entry.id);
    put_fields(reply, entry.fields());
    reply.integer(before.map_or(0, |(pending, now)| pending.idle(now)));
    reply.integer(before.map_or(0, |(pending, _)| i64::from(pending.deliveries)));
}
