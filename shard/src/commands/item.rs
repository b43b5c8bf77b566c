//! Items of collections in replies.

use net::Reply;
use storage::types::hash::Item;

/// Replies with an item as a bulk string.
#[inline]
pub fn bulk_item(reply: &mut Reply<'_>, item: Item<'_>) {
    match item {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(number) => reply.bulk_integer(number),
    }
}
