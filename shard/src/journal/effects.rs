//! How handlers and the core tell the journal what happened.

use net::{Args, OwnedArgs};
use storage::number::INTEGER_TEXT_BYTES_MAX;
use storage::types::hash::Field;
use storage::{Key, OwnedValue, Value};

use super::content::put_content_with;
use super::record::Word;
use crate::config::types::events::Events;
use crate::exec::observe::Noted;
use crate::exec::{Ctx, Run, ShardState};
use crate::ids::{DbId, ShardId};
use crate::spec::{CommandTable, Find};

impl ShardState {
    /// The shard that a record of `key` is for: this one, unless the key is away from home.
    fn record_owner(&self, key: &[u8]) -> ShardId {
        if self.journal.is_away() { self.slots.owner(key) } else { self.id }
    }

    /// Records that a key is gone though no command removed it: its time was past, or memory was short.
    pub fn record_lost(&mut self, db: DbId, key: &[u8], is_lazy: bool) {
        if self.journal.is_on() {
            let owner = self.record_owner(key);
            self.journal.put_lost(owner, db, key, is_lazy);
        }
    }
}

impl Ctx<'_> {
    /// Whether anybody reads what is told here. Telling nobody costs little; making up what to tell may cost more.
    #[inline]
    pub fn is_recorded(&self) -> bool {
        self.shard.journal.is_on()
    }

    /// Tells what this command did to `key`, as a command that does it again: that is recorded in place of the command
    /// itself. Told several times, all is recorded.
    pub fn effect(&mut self, key: &[u8], words: &[Word<'_>]) {
        if self.is_recorded() {
            let owner = self.shard.record_owner(key);
            self.shard.journal.tell();
            self.shard.journal.put_words(owner, self.db, words);
        }
    }

    /// Tells that this command removed `key`.
    pub fn effect_removed(&mut self, key: &[u8]) {
        let is_lazy = self.config().lazyfree_lazy_user_del;
        self.effect(key, &[if is_lazy { "UNLINK" } else { "DEL" }.into(), key.into()]);
    }

    /// Tells that what is at `key` now is what this command made of it.
    pub fn effect_content(&mut self, key: &[u8]) {
        if self.is_recorded() {
            self.shard.journal.tell();
            self.record_content(self.db, key);
        }
    }

    /// Tells that this command, with these arguments, did the same to all shards.
    pub fn effect_whole(&mut self, args: &Args<'_>) {
        if self.is_recorded() {
            let (owner, db) = (self.shard.id, self.db);
            self.shard.journal.tell();
            self.shard.journal.put_whole(owner, db, args);
        }
    }

    /// Removes the fields of the hash at `key` whose time is past, if there is such a hash, records that and tells of it.
    /// Whoever replays a change of the hash may do so at a time when those fields are not past yet.
    pub(crate) fn expire_fields(&mut self, key: Key<'_>) {
        let (db, now, owner) = (self.db, self.now(), self.shard.record_owner(key.bytes()));
        let ShardState { databases, journal, counters, .. } = &mut *self.shard;
        let Some(mut entry) = databases[db.index()].find_mut(key) else { return };
        let Value::Hash(hash) = entry.value() else { return };
        if !hash.next_field_expire().is_some_and(|at| at.is_past(now)) {
            return;
        }
        let mut names = Vec::new();
        entry.edit(|value| {
            let OwnedValue::Hash(hash) = value else { unreachable!("its type was looked at") };
            let mut is_complete = false;
            while !is_complete {
                let name = |field: Field<'_>| field.name.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec();
                is_complete = hash.expire_fields(now, usize::MAX, |field| names.push(name(field))).complete;
            }
        });
        let is_gone = entry.value().is_empty_collection();
        counters.expired_fields += names.len() as u64;
        journal.put_lost_fields(owner, db, key.bytes(), &names);
        self.notify(Events::HASH, "hexpired", key.bytes());
        if is_gone {
            self.remove(key);
            self.notify(Events::GENERIC, "del", key.bytes());
        }
    }

    /// Whether these keys are of several shards, brought together here: no record can name them all.
    pub fn are_apart(&self, keys: [&[u8]; 2]) -> bool {
        self.shard.journal.is_away() && self.shard.slots.owner(keys[0]) != self.shard.slots.owner(keys[1])
    }

    /// What the core asks before a command runs, for [`Self::record`].
    #[inline]
    pub(crate) fn before_record(&self) -> (u64, usize) {
        let noted = if self.shard.journal.is_away() { self.shard.observers.noted_len() } else { 0 };
        (self.shard.counters.dirty, noted)
    }

    /// The command `args` is over: records it, if it changed something and has not told what.
    #[inline]
    pub(crate) fn record(&mut self, args: &Args<'_>, before: (u64, usize)) {
        if self.is_recorded() {
            self.record_command(args, before);
        }
    }

    fn record_command(&mut self, args: &Args<'_>, (dirty, noted): (u64, usize)) {
        let told = self.shard.journal.take_told();
        if !told && self.shard.counters.dirty != dirty {
            if self.shard.journal.is_away() {
                self.record_away(args, noted);
            } else {
                self.shard.journal.put(self.shard.id, self.db, args);
            }
        }
        self.shard.journal.close_unit();
    }

    /// An operation of a plan is over. It has told what it did, for it has no arguments.
    #[inline]
    pub(crate) fn record_operation(&mut self, (dirty, _): (u64, usize)) {
        if self.is_recorded() {
            let told = self.shard.journal.take_told();
            debug_assert!(told || self.shard.counters.dirty == dirty, "an operation tells what it did");
            self.shard.journal.close_unit();
        }
    }

    /// Records a command on keys that are away from home.
    fn record_away(&mut self, args: &Args<'_>, noted: usize) {
        let row = CommandTable::global().resolve(args).ok().flatten().expect("a command that ran was found");
        let mut owners = Vec::new();
        row.command.visit_keys(args, |place| owners.push(self.shard.slots.owner(args.at(place))));
        let first = owners.first().copied().unwrap_or(self.shard.id);
        if owners.iter().all(|owner| *owner == first) {
            self.shard.journal.put(first, self.db, args);
        } else if let (Run::Split { .. }, Find::Range { step, .. }) = (row.run(args), row.command.keys[0].find) {
            self.record_parts(args, usize::from(step), &owners);
        } else {
            self.record_changed(noted);
        }
    }

    /// To each shard its part of a command of the form `name (key values...)+`.
    fn record_parts(&mut self, args: &Args<'_>, step: usize, owners: &[ShardId]) {
        let mut shards = owners.to_vec();
        shards.sort_unstable();
        shards.dedup();
        for shard in shards {
            let own = owners.iter().enumerate().filter(|(_, owner)| **owner == shard);
            let places = own.flat_map(|(number, _)| 1 + number * step..1 + (number + 1) * step);
            let part: OwnedArgs = std::iter::once(0).chain(places).map(|place| args.at(place)).collect();
            self.shard.journal.put(shard, self.db, &part.as_args());
        }
    }

    /// What is now at each key that was noted as changed from note `noted` on.
    fn record_changed(&mut self, noted: usize) {
        let mut keys: Vec<(DbId, Vec<u8>)> = Vec::new();
        for note in self.shard.observers.noted_from(noted) {
            if let Noted::Touch { key, .. } = note
                && !keys.contains(key)
            {
                keys.push(key.clone());
            }
        }
        for (db, key) in keys {
            self.record_content(db, &key);
        }
    }

    fn record_content(&mut self, db: DbId, key: &[u8]) {
        let owner = self.shard.record_owner(key);
        let ShardState { databases, journal, .. } = &mut *self.shard;
        journal.put_words(owner, db, &["DEL".into(), key.into()]);
        if let Some(entry) = databases[db.index()].find(Key::new(key)) {
            put_content_with(key, entry.value(), entry.expire_at(), &mut |words| {
                journal.put_words(owner, db, words);
            });
        }
    }
}
