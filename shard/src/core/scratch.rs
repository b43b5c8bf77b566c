//! Commands whose changes nobody is to see: they run on copies of their keys.
//!
//! ```text
//!   GET a       a is copied into the scratch, and read there
//!   SET a 1     the copy changes
//!   GET a       reads the copy
//!   the end     the scratch is dropped, with all that was noted there: records for the log, events, invalidations,
//!               signals to whoever waits or watches
//! ```
//!
//! What this is for holds all shards, so the originals are the same at the end as at the beginning. A command about all keys
//! sees the originals, and is refused once a copy was changed; one that changes all keys is always refused.

use hashbrown::HashSet;
use net::{Args, Reply};
use storage::Detached;

use super::grounds::{Ground, Grounds, Ran};
use crate::exec::{CommandError, Run, ShardState};
use crate::spec::Flag;
use crate::spec::table::Row;

const ALL_KEYS: CommandError = CommandError::new(
    "ERR Commands about all keys cannot be run on changes that are discarded in the end: use SCRIPT DEBUG SYNC",
);

const OUTSIDE: CommandError =
    CommandError::new("ERR What another server is told cannot be discarded in the end: use SCRIPT DEBUG SYNC");

/// Copies of keys.
pub struct Scratch {
    /// Where they are.
    table: ShardState,
    /// The keys that were copied, or were not there.
    copied: HashSet<Vec<u8>>,
    is_changed: bool,
}

impl Scratch {
    /// Without copies, for what runs on `grounds`.
    pub fn new(grounds: &mut Grounds<'_>) -> Scratch {
        Scratch { table: grounds.shard().table_for_borrowed(), copied: HashSet::new(), is_changed: false }
    }

    /// Copies a key, in all databases that have it.
    fn copy(&mut self, from: &ShardState, key: &[u8]) {
        for (index, database) in from.databases.iter().enumerate() {
            let Some(entry) = database.find(key) else { continue };
            let copy =
                Detached { value: entry.value().to_owned(), expire_at: entry.expire_at(), access: entry.access() };
            self.table.databases[index].put(key, copy);
        }
    }
}

impl Grounds<'_> {
    /// Runs one command, as [`Self::run`] does, on copies of its keys.
    pub fn run_aside(&mut self, scratch: &mut Scratch, row: &'static Row, args: &Args<'_>, out: &mut Vec<u8>) -> Ran {
        let writes = row.command.flags.has(Flag::Write);
        let is_about_all = match row.run(args) {
            Run::Publish(_) => {
                Reply::new(out, self.actor.resp).integer(0);
                return Ran::Replied;
            }
            Run::Shard(_) | Run::Split { .. } | Run::Keys(_) | Run::Hops { .. } => {
                return self.run_on_copies(scratch, row, args, out);
            }
            Run::Outside(_) => {
                Reply::new(out, self.actor.resp).error(OUTSIDE.as_bytes());
                return Ran::Replied;
            }
            Run::AllShards { .. } | Run::Routed { .. } | Run::AllHops { .. } => writes || scratch.is_changed,
            _ => writes,
        };
        if is_about_all {
            Reply::new(out, self.actor.resp).error(ALL_KEYS.as_bytes());
            return Ran::Replied;
        }
        self.run(row, args, out)
    }

    fn run_on_copies(&mut self, scratch: &mut Scratch, row: &'static Row, args: &Args<'_>, out: &mut Vec<u8>) -> Ran {
        row.command.visit_keys(args, |place| {
            let key = args.at(place);
            if scratch.copied.insert(key.to_vec()) {
                scratch.copy(self.shard_of(key), key);
            }
        });
        scratch.is_changed |= row.command.flags.has(Flag::Write);
        let mut aside = Grounds {
            core: &mut *self.core,
            ground: Ground::Together(&mut scratch.table),
            actor: self.actor,
            shares: None,
            flow: self.flow,
            slice: self.slice,
            script: None,
            migration: None,
            caller: None,
        };
        let ran = aside.run(row, args, out);
        scratch.table.forget_noted(self.shard());
        ran
    }

    /// Drops the copies.
    pub fn drop_scratch(&mut self, scratch: &mut Scratch) {
        scratch.table.forget(self.shard());
    }
}
