//! XADD: appending an entry.

use net::{Args, Reply};
use storage::types::stream::{AppendError, NewId, Stream, StreamId};

use super::error::{ENTRY_TOO_LARGE, ID_NOT_LARGER, ID_ZERO, IDS_EXHAUSTED};
use super::reply::put_id;
use super::trim::{Options, REFERENCES, TRIM_ARGUMENTS};
use crate::config::types::events::Events;
use crate::exec::error::wrong_arity;
use crate::exec::{CommandError, Ctx, Outcome, Run, Tools};
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] id field value ...
pub const XADD: Command = Command {
    name: "xadd",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])
        .noting("UPDATE instead of INSERT because of the optional trimming feature")],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Appends an entry to a stream, which is created if need be.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries removed.",
        history: &[
            ("6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
            ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
            ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
        ],
        arguments: &[
            Argument::key("key"),
            Argument::word("nomkstream", "NOMKSTREAM").since("6.2.0").optional(),
            REFERENCES,
            Argument::new("trim", ArgumentKind::Block(TRIM_ARGUMENTS)).optional(),
            Argument::new(
                "id_or_auto",
                ArgumentKind::OneOf(&[Argument::word("auto_id", "*"), Argument::new("id", ArgumentKind::String)]),
            ),
            Argument::new(
                "field_value",
                ArgumentKind::Block(&[
                    Argument::new("field", ArgumentKind::String),
                    Argument::new("value", ArgumentKind::String),
                ]),
            )
            .multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(xadd),
    ..Command::BLANK
};

fn xadd(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let options = Options::of_xadd(args)?;
    let (id, place) = options.id.unwrap_or((NewId::Auto, args.len()));
    let fields = args.len().saturating_sub(place + 1);
    if fields == 0 || !fields.is_multiple_of(2) {
        return Err(wrong_arity("xadd"));
    }
    if id == NewId::Exact(StreamId::MIN) {
        return Err(ID_ZERO);
    }
    let key = args.at(1);
    let trim = options.trim(ctx);
    let append = |stream: &mut Stream, tools: &mut Tools<'_>| {
        let fields = (place + 1..args.len()).step_by(2).map(|at| (args.at(at), args.at(at + 1)));
        stream.append(id, fields, tools.now, tools.limits.stream).map(|id| {
            let trimmed = trim.is_some_and(|trim| stream.trim(trim) > 0);
            Added { id, trimmed, len: stream.len() }
        })
    };
    let Added { id, trimmed, len } = match ctx.edit(key, append)? {
        Some(added) => added.map_err(append_error)?,
        None if options.no_create => {
            reply.null();
            return Ok(());
        }
        None => {
            // Not stored before it has its entry: an empty stream would stay.
            let mut stream = Stream::new();
            let limits = ctx.shard.limits;
            let (now, judged_at) = (ctx.now(), ctx.judged_at());
            let mut tools = Tools { limits, now, judged_at, rng: &mut ctx.shard.rng };
            let added = append(&mut stream, &mut tools).map_err(append_error)?;
            ctx.store_collection(key, stream);
            added
        }
    };
    put_id(reply, id);
    ctx.notify(Events::STREAM, "xadd", key);
    ctx.changed(1);
    if trimmed {
        ctx.notify(Events::STREAM, "xtrim", key);
    }
    if ctx.is_recorded() {
        match options.told(trimmed, len) {
            None => ctx.effect_content(key),
            Some(trimming) => {
                let head = ["XADD".into(), key.into()].into_iter().chain(trimming).chain([id.into()]);
                let words: Vec<Word<'_>> = head.chain(args.from(place + 1).map(Word::from)).collect();
                ctx.effect(key, &words);
            }
        }
    }
    Ok(())
}

/// What XADD did.
struct Added {
    id: StreamId,
    trimmed: bool,
    /// Entries that there are now.
    len: u64,
}

const fn append_error(error: AppendError) -> CommandError {
    match error {
        AppendError::Zero => ID_ZERO,
        AppendError::Exhausted => IDS_EXHAUSTED,
        AppendError::NotLarger => ID_NOT_LARGER,
        AppendError::TooLarge => ENTRY_TOO_LARGE,
    }
}
