//! XREAD: what is new in some streams.

use net::{Args, OwnedArgs, Reply};
use storage::types::stream::{Stream, StreamId};

use super::error::NEW_IN_XREAD;
use super::parse::parse_id;
use super::read_options::ReadOptions;
use super::reply::{Elements, put_entries};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

/// XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]
pub const XREAD: Command = Command {
    name: "xread",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly, Flag::Blocking, Flag::Movablekeys]),
    keys: &[KeySpec {
        flags: &[KeyFlag::Ro, KeyFlag::Access],
        begin: Begin::Keyword { word: "STREAMS", from: 1 },
        find: HALF,
        notes: "",
    }],
    docs: Docs {
        summary: "Returns the entries of streams behind the ids given, and waits for some if need be.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) for each stream, with N being the number of entries returned. Each XADD to a stream costs O(M) \
                     with M being the number of clients that wait for it.",
        arguments: &[COUNT, BLOCK, STREAMS],
        ..Docs::BLANK
    },
    run: Run::Keys(xread),
    ..Command::BLANK
};

/// The first half of what follows are keys, the other are ids.
pub(super) const HALF: Find = Find::Range { last: -1, step: 1, limit: 2 };
pub(super) const COUNT: Argument = Argument::new("count", ArgumentKind::Integer).after("COUNT").optional();
pub(super) const BLOCK: Argument = Argument::new("milliseconds", ArgumentKind::Integer).after("BLOCK").optional();
pub(super) const STREAMS: Argument = Argument::new(
    "streams",
    ArgumentKind::Block(&[Argument::key("key").multiple(), Argument::new("id", ArgumentKind::String).multiple()]),
)
.after("STREAMS");

/// Writes `[[key entries] ...]`, a map in RESP3.
pub(super) fn put_streams(streams: &Elements, reply: &mut Reply<'_>) {
    if reply.is_resp3() {
        reply.map(streams.len());
    } else {
        reply.array(streams.len());
    }
    reply.raw(streams.bytes());
}

/// Writes the key of a stream; its entries follow.
pub(super) fn put_key(key: &[u8], reply: &mut Reply<'_>) {
    if !reply.is_resp3() {
        reply.array(2);
    }
    reply.bulk(key);
}

/// Behind which id to read. `$` is the end of the stream as it is now, `+` the place before its last entry.
fn start_of(stream: Option<&Stream>, id: &[u8]) -> Result<StreamId, CommandError> {
    let last_id = stream.map_or(StreamId::MIN, Stream::last_id);
    match id {
        b"$" => Ok(last_id),
        b"+" => Ok(stream.and_then(Stream::last).and_then(|last| last.id.previous()).unwrap_or(last_id)),
        b">" => Err(NEW_IN_XREAD),
        _ => parse_id(id),
    }
}

fn xread(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let options = ReadOptions::of_xread(args, ctx.now())?;
    let count_max = options.count_max(ctx);
    // All arguments are looked at before anything is read.
    let mut starts = Vec::new();
    let has_waited = ctx.has_waited();
    for wanted in options.wanted(args) {
        let stream = match ctx.read_as::<Stream>(wanted.key) {
            // Who waits for several streams goes on waiting for the others.
            Err(_) if has_waited => None,
            stream => stream?,
        };
        starts.push((wanted, start_of(stream, wanted.id)?));
    }
    let (resp, mut served) = (reply.resp(), Elements::default());
    for (wanted, start) in &starts {
        let Ok(Some(stream)) = ctx.peek_as::<Stream>(wanted.key) else { continue };
        let Some(first) = start.next() else { continue };
        let mut entries = stream.range(first, StreamId::MAX).take(count_max).peekable();
        if entries.peek().is_some() {
            served.put(resp, |reply| {
                put_key(wanted.key, reply);
                put_entries(reply, entries);
            });
        }
    }
    if served.len() > 0 {
        if ctx.claim() {
            put_streams(&served, reply);
        }
    } else if let Some(mut request) = options.wait(args) {
        let ids: Vec<(usize, StreamId)> = starts.iter().map(|(wanted, start)| (wanted.id_at, *start)).collect();
        request.args = Some(with_ids(args, &ids));
        ctx.wait_for(request);
    } else {
        reply.null_array();
    }
    Ok(())
}

/// The arguments with ids in the places of what stood for them.
fn with_ids(args: &Args<'_>, ids: &[(usize, StreamId)]) -> OwnedArgs {
    let mut owned = OwnedArgs::default();
    for (at, text) in args.from(0).enumerate() {
        match ids.iter().find(|(place, _)| *place == at) {
            Some((_, id)) => owned.push(id.to_string().as_bytes()),
            None => owned.push(text),
        }
    }
    owned
}
