//! What commands on several sets have in common: looking them up, and what is done with the members that come out.

use net::{Args, Reply};
use storage::types::Collection;
use storage::types::set::{Item, Set, SetLimits, SetRef};
use storage::{Database, Key};

use crate::commands::item::bulk_item;
use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx};

/// The sets at `keys`, `None` where there is none. An error if something else is anywhere.
pub(super) fn sets<'c>(ctx: &'c mut Ctx<'_>, keys: &Args<'_>) -> Result<Vec<Option<SetRef<'c>>>, CommandError> {
    let keys: Vec<Key<'_>> = keys.from(0).map(Key::new).collect();
    let mut there = Vec::with_capacity(keys.len());
    for key in &keys {
        there.push(ctx.read_as::<Set>(*key)?.is_some());
    }
    // A set that a pause keeps though its time is past is there for the database, and not for the command.
    let database: &Database = ctx.database();
    let set = |key: &Key<'_>| database.find(*key).and_then(|entry| Set::view(entry.value()));
    Ok(keys.iter().zip(there).map(|(key, there)| if there { set(key) } else { None }).collect())
}

/// Replies with the members that `visit_all` visits.
pub(super) fn reply_members(reply: &mut Reply<'_>, visit_all: impl FnOnce(&mut dyn FnMut(Item<'_>))) {
    let (mut members, mut count) = (Vec::new(), 0);
    let mut out = Reply::new(&mut members, reply.resp());
    visit_all(&mut |member| {
        bulk_item(&mut out, member);
        count += 1;
    });
    reply.set(count);
    reply.raw(&members);
}

/// The set of the members that `visit_all` visits.
pub(super) fn collect(limits: &SetLimits, visit_all: impl FnOnce(&mut dyn FnMut(Item<'_>))) -> Set {
    let mut set = Set::default();
    visit_all(&mut |member| {
        set.insert_item(member, limits);
    });
    set
}

/// Stores what was computed, in place of whatever was there, and replies with the number of its members. Without members
/// nothing is there afterwards.
pub(super) fn store(ctx: &mut Ctx<'_>, target: &[u8], result: Set, event: &'static str, reply: &mut Reply<'_>) {
    let len = result.as_ref().len();
    if len > 0 {
        ctx.store_collection(target, result);
        ctx.notify(Events::SET, event, target);
        ctx.changed(1);
    } else if ctx.remove(target) {
        ctx.notify(Events::GENERIC, "del", target);
        ctx.changed(1);
    }
    reply.integer(len as i64);
}
