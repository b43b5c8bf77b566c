//! Collections as handlers see them: looked at through a view, changed in place.
//!
//! A collection that a change leaves without items is removed with its key, and a change of a key that is not there makes
//! a new collection unless it leaves that empty. Streams stay though they be empty.

use rand::rngs::SmallRng;
use storage::types::Collection;
use storage::{Expiry, Key, Limits, OwnedValue, UnixMillis};

use super::CommandError;
use super::ctx::{Ctx, Touched};
use super::error::WRONG_TYPE;
use crate::config::types::events::Events;

/// What a change of a collection may use besides the collection.
pub struct Tools<'a> {
    /// What decides between encodings.
    pub limits: Limits,
    /// Randomness.
    pub rng: &'a mut SmallRng,
    /// The time.
    pub now: UnixMillis,
    /// The time by which the command judges expiry.
    pub judged_at: UnixMillis,
}

impl Ctx<'_> {
    /// The collection at `key` for reading: marks the access, counts a hit or a miss. An error if something else is there.
    pub fn read_as<'k, T: Collection>(&mut self, key: impl Into<Key<'k>>) -> Result<Option<T::View<'_>>, CommandError> {
        match self.read(key) {
            None => Ok(None),
            Some(entry) => T::view(entry.value()).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// As [`Self::read_as`], of a key that this command has looked up before, or of one that it writes to: nothing is
    /// marked or counted.
    pub fn peek_as<'k, T: Collection>(&mut self, key: impl Into<Key<'k>>) -> Result<Option<T::View<'_>>, CommandError> {
        match self.peek(key) {
            None => Ok(None),
            Some(entry) => T::view(entry.value()).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// Changes the collection at `key`, if there is one; an error if something else is there. Whether that is a change of
    /// the data set is for the caller to count ([`Ctx::changed`]).
    pub fn edit<'k, T: Collection, R>(
        &mut self,
        key: impl Into<Key<'k>>,
        change: impl FnOnce(&mut T, &mut Tools<'_>) -> R,
    ) -> Result<Option<R>, CommandError> {
        let key = key.into();
        let result = self.edit_unsignalled(key, change)?;
        if result.is_some() {
            self.signal(key);
        }
        Ok(result)
    }

    /// As [`Self::edit`], for changes that nobody waits for: the clients that wait for the key are not looked at.
    pub fn edit_unsignalled<'k, T: Collection, R>(
        &mut self,
        key: impl Into<Key<'k>>,
        change: impl FnOnce(&mut T, &mut Tools<'_>) -> R,
    ) -> Result<Option<R>, CommandError> {
        let key = key.into();
        self.expire_if_past(key);
        let is_told = self.is_recorded() || (self.notices(Events::HASH) && !self.shard.is_replaying);
        if is_told && self.database().watches_fields() {
            self.expire_fields(key);
        }
        self.touch_tentatively(key);
        self.edit_unnoticed(key, change)
    }

    /// As [`Self::edit_unsignalled`], for changes that are none in the eyes of who watches the key or keeps a copy of it:
    /// those of a stream's groups.
    pub fn edit_unnoticed<'k, T: Collection, R>(
        &mut self,
        key: impl Into<Key<'k>>,
        change: impl FnOnce(&mut T, &mut Tools<'_>) -> R,
    ) -> Result<Option<R>, CommandError> {
        let key = key.into();
        self.expire_if_past(key);
        let shard = &mut *self.shard;
        let (now, judged_at) = (shard.clock, shard.judged_at());
        // Looked up once: what `write` does is done here, beside the borrow of the randomness.
        let touched = Touched::new(shard, self.no_touch);
        let Some(mut entry) = shard.databases[self.db.index()].find_mut(key) else { return Ok(None) };
        touched.mark(&mut entry, &mut shard.rng);
        if T::view(entry.value()).is_none() {
            return Err(WRONG_TYPE);
        }
        let mut tools = Tools { limits: shard.limits, rng: &mut shard.rng, now, judged_at };
        let result = entry.edit(|value| change(T::of_mut(value).expect("its type was looked at"), &mut tools));
        if entry.value().is_empty_collection() {
            let discarded = self.database().unlink(key).flatten();
            self.discard(discarded);
        }
        Ok(Some(result))
    }

    /// Changes the collection at `key`, or an empty one that is stored there if the change leaves something in it.
    pub fn edit_or_create<'k, T: Collection, R>(
        &mut self,
        key: impl Into<Key<'k>>,
        change: impl FnOnce(&mut T, &mut Tools<'_>) -> R,
    ) -> Result<R, CommandError> {
        let key = key.into();
        let mut change = Some(change);
        let changed = self.edit(key, |collection: &mut T, tools: &mut Tools<'_>| {
            change.take().map(|change| change(collection, tools))
        })?;
        if let Some(Some(result)) = changed {
            return Ok(result);
        }
        let change = change.take().expect("it was not used on a key that is not there");
        let mut collection = T::default();
        let shard = &mut *self.shard;
        let (now, judged_at) = (shard.clock, shard.judged_at());
        let mut tools = Tools { limits: shard.limits, rng: &mut shard.rng, now, judged_at };
        let result = change(&mut collection, &mut tools);
        self.store_collection(key, collection);
        Ok(result)
    }

    /// Stores a collection in place of whatever was there, without an expiry; an empty one removes the key. Whether there
    /// is something at the key now.
    pub fn store_collection<'k, T: Collection>(&mut self, key: impl Into<Key<'k>>, collection: T) -> bool {
        let key = key.into();
        let value: OwnedValue = collection.into_value();
        if value.as_value().is_empty_collection() {
            self.remove(key);
            return false;
        }
        self.set_value(key, value, Expiry::Clear);
        true
    }
}
