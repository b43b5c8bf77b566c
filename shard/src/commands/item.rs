//! Items of collections in replies.

use net::Reply;
use storage::types::hash::Item;

use crate::config::types::output_limits::ClientClass;
use crate::exec::Ctx;
use crate::limits::OUTPUT_BYTES_FREE;

/// So many items are drawn between two looks at the length of a reply.
const PIECE_ITEMS: usize = 1024;

/// Replies with an item as a bulk string.
#[inline]
pub fn bulk_item(reply: &mut Reply<'_>, item: Item<'_>) {
    match item {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(number) => reply.bulk_integer(number),
    }
}

/// The length of a reply behind which nobody will read it: `client-output-buffer-limit` cuts its client at the end of the
/// tick, before anything is sent.
pub fn reply_bytes_max(ctx: &Ctx<'_>) -> usize {
    match ctx.config().client_output_buffer_limit.of(ClientClass::Normal).hard_bytes {
        0 => usize::MAX,
        bytes => usize::try_from(bytes).unwrap_or(usize::MAX).max(OUTPUT_BYTES_FREE),
    }
}

/// Draws `count` items piece by piece, as long as somebody will read them: a client may ask for more than there is memory.
pub fn draw_in_pieces(
    reply: &mut Reply<'_>,
    count: usize,
    bytes_max: usize,
    mut draw: impl FnMut(usize, &mut Reply<'_>),
) {
    let (mark, mut left) = (reply.mark(), count);
    while left > 0 && reply.mark() - mark <= bytes_max {
        let piece = left.min(PIECE_ITEMS);
        draw(piece, reply);
        left -= piece;
    }
}
