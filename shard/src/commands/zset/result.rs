//! Results that are stored at a key.

use storage::types::zset::ZSet;

use crate::config::types::events::Events;
use crate::exec::Ctx;

/// Stores the result of a command in place of whatever was at the key; an empty one removes the key. Counts and tells it,
/// and returns the number of members.
pub(in crate::commands) fn store(ctx: &mut Ctx<'_>, key: &[u8], result: ZSet, event: &'static str) -> usize {
    let len = result.as_ref().len();
    if len > 0 {
        ctx.store_collection(key, result);
        ctx.notify(Events::ZSET, event, key);
        ctx.changed(1);
    } else if ctx.remove(key) {
        ctx.notify(Events::GENERIC, "del", key);
        ctx.changed(1);
    }
    len
}
