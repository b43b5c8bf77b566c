//! What became of the groups of a stream, in words that do not depend on when they are run.

use storage::UnixMillis;
use storage::types::stream::{Stream, StreamId};

use crate::exec::Ctx;

/// A consumer of a group of the stream at a key.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) key: &'a [u8],
    pub(super) group: &'a [u8],
    pub(super) consumer: &'a [u8],
}

/// Tells that the consumer is new.
pub(super) fn tell_consumer(ctx: &mut Ctx<'_>, place: Place<'_>) {
    let Place { key, group, consumer } = place;
    ctx.effect(key, &["XGROUP".into(), "CREATECONSUMER".into(), key.into(), group.into(), consumer.into()]);
}

/// Tells up to where the group was delivered.
pub(super) fn tell_position(ctx: &mut Ctx<'_>, place: Place<'_>) {
    let Place { key, group, .. } = place;
    let position = |stream: &Stream| stream.group(group).map(|group| (group.last_id(), group.entries_read()));
    let Some((last_id, entries_read)) = stream_at(ctx, key).and_then(position) else { return };
    let entries_read = entries_read.map_or(-1, |read| i64::try_from(read).unwrap_or(i64::MAX));
    let head = ["XGROUP".into(), "SETID".into(), key.into(), group.into()];
    ctx.effect(key, &[&head[..], &[last_id.into(), "ENTRIESREAD".into(), entries_read.into()]].concat());
}

/// Tells that these entries are pending with the consumer now, or are pending no more because they do not exist.
pub(super) fn tell_claims(ctx: &mut Ctx<'_>, place: Place<'_>, ids: &[StreamId]) {
    let Place { key, group, consumer } = place;
    let now = ctx.now();
    let of_group = |stream: &Stream| {
        let group = stream.group(group)?;
        let pending = |id: &StreamId| group.pending(*id).map_or((now, 1), |one| (one.delivered, one.deliveries));
        Some((group.last_id(), ids.iter().map(pending).collect::<Vec<(UnixMillis, u32)>>()))
    };
    let Some((last_id, pending)) = stream_at(ctx, key).and_then(of_group) else { return };
    for (id, (delivered, deliveries)) in ids.iter().zip(pending) {
        ctx.effect(
            key,
            &[
                "XCLAIM".into(),
                key.into(),
                group.into(),
                consumer.into(),
                0.into(),
                (*id).into(),
                "TIME".into(),
                delivered.0.into(),
                "RETRYCOUNT".into(),
                i64::from(deliveries).into(),
                "FORCE".into(),
                "JUSTID".into(),
                "LASTID".into(),
                last_id.into(),
            ],
        );
    }
}

fn stream_at<'c>(ctx: &'c mut Ctx<'_>, key: &[u8]) -> Option<&'c Stream> {
    ctx.peek_as::<Stream>(key).ok().flatten()
}
