//! Telling clients that keys which they have read changed: see [`crate::tracking`] for the order in which that happens.

use std::sync::Arc;

use net::{Args, ConnId};
use storage::UnixMillis;

use super::Core;
use super::underway::Underway;
use crate::ids::{ClientId, ShardId};
use crate::mesh::ReplyBatch;
use crate::session::places::Place;
use crate::spec::table::Row;
use crate::tracking::{Invalid, Mode, Notice, Target, broken};

/// A table over its limit loses so many keys at once, besides those that came with the command: the limit may have been
/// lowered.
const FORGOTTEN_PER_COMMAND: usize = 100;

impl Core {
    /// `client` has read keys of this shard and is to be told when they change.
    pub(super) fn remember_reads(&mut self, client: ClientId, row: &Row, args: &Args<'_>) {
        self.shard.tracking.remember(client, row, args);
    }

    /// The same of keys that are about to be taken elsewhere.
    pub(super) fn remember_keys(&mut self, client: ClientId, keys: &[Vec<u8>]) {
        for key in keys {
            self.shard.tracking.remember_key(client, key);
        }
    }

    /// Forgets keys while those of all shards are more than `tracking-table-max-keys`; their readers take them for changed.
    fn limit_reads(&mut self) {
        let Ok(limit) = usize::try_from(self.shard.config.tracking_table_max_keys) else { return };
        if limit == 0 {
            return;
        }
        for _ in 0..FORGOTTEN_PER_COMMAND {
            let table = &mut self.shard.tracking.table;
            let Some((key, readers)) = table.remove_excess(limit, &mut self.shard.rng) else { return };
            self.tell_readers(&key, readers.as_slice(), None);
        }
        // The rest has time, but not until somebody comes with a command.
        self.shard.tracking.look_at_limit();
        self.next_cron = self.next_cron.min(UnixMillis(self.tick_time.0 + 1));
    }

    /// Tells whoever wants to know which keys the command of `writer` has changed. Behind its reply: who is told of a key that
    /// the table has no room for may be the very client that has just read it.
    #[inline]
    pub(super) fn tell_trackers(&mut self, writer: ClientId) {
        if self.shard.tracking.has_news() {
            self.tell_news(Some(writer));
        }
    }

    /// The same of keys that nobody's command has changed.
    pub(super) fn tell_of_expiry(&mut self) {
        if self.shard.tracking.has_news() {
            self.tell_news(None);
        }
    }

    fn tell_news(&mut self, writer: Option<ClientId>) {
        for (key, readers) in self.shard.tracking.take_changed() {
            let before = Underway::begin_telling();
            if let Some(readers) = readers {
                self.tell_readers(&key, readers.as_slice(), writer);
            }
            self.underway.end_telling(before);
            if self.shared.trackers.prefixes() > 0 {
                let before = Underway::begin_telling();
                let broadcast = &mut self.shard.tracking.broadcast;
                self.shared.trackers.visit_prefixes(&key, |prefix| broadcast.add(prefix, &key, writer));
                self.underway.end_noting(before);
            }
        }
        if self.shard.tracking.take_flushed() {
            self.tell_of_flush();
        }
        if self.shard.tracking.take_grown() {
            self.limit_reads();
        }
    }

    fn tell_readers(&mut self, key: &[u8], readers: &[ClientId], writer: Option<ClientId>) {
        let invalid = Invalid::keys(1, std::iter::once(key));
        for reader in readers {
            if let Some(target) = self.shared.trackers.reader(*reader, writer, &self.shared.places) {
                self.tell_target(target, invalid.clone());
            }
        }
    }

    /// All keys are gone. Every core tells its own clients.
    fn tell_of_flush(&mut self) {
        let tracking = |session: &crate::session::Session| {
            let redirect = session.tracking.as_ref()?.redirect;
            Some((session.conn, redirect))
        };
        let clients: Vec<(ConnId, Option<ClientId>)> = self.sessions().filter_map(tracking).collect();
        for (conn, redirect) in clients {
            let place = Place { core: self.id, conn };
            let target = match redirect {
                None => Target::Own(place),
                Some(other) => self.shared.places.of(other).map_or(Target::Broken(place), Target::Redirected),
            };
            self.tell_target(target, Invalid::All);
        }
    }

    /// Tells those who track by prefixes what was changed in this tick.
    pub(super) fn tell_broadcast(&mut self) {
        if self.shard.tracking.broadcast.is_empty() {
            return;
        }
        self.underway.begin_broadcast();
        for (prefix, keys) in self.shard.tracking.broadcast.take() {
            let before = Underway::begin_telling();
            let all = Invalid::keys(keys.len(), keys.keys().map(Vec::as_slice));
            for (client, no_loop, target) in self.shared.trackers.subscribers(&prefix, &self.shared.places) {
                if !no_loop || keys.values().all(|writer| *writer != Some(client)) {
                    self.tell_target(target, all.clone());
                    continue;
                }
                let of_others = || keys.iter().filter(|(_, writer)| **writer != Some(client));
                let count = of_others().count();
                if count > 0 {
                    self.tell_target(target, Invalid::keys(count, of_others().map(|(key, _)| key.as_slice())));
                }
            }
            self.underway.end_telling(before);
        }
    }

    fn tell_target(&mut self, target: Target, invalid: Invalid) {
        let (place, notice) = match target {
            Target::Own(place) => (place, Notice::Own(invalid)),
            Target::Redirected(place) => (place, Notice::Redirected(invalid)),
            Target::Broken(place) => (place, Notice::Broken),
        };
        if place.core == self.id {
            self.deliver_notice(place.conn, &notice);
        } else {
            let answers = &mut self.answers[place.core.index()];
            answers.told.push((answers.heads.len(), place.conn, notice));
            self.has_notices = true;
        }
    }

    /// Hands out what this core has to tell, before it tells another core that a change is made.
    #[inline]
    pub(super) fn tell_before_answering(&mut self) {
        self.tell_broadcast();
        if self.has_notices {
            self.answer();
        }
    }

    /// Hands the answers to all homes, as one if they tell of changed keys.
    pub(super) fn answer_with_notices(&mut self) {
        let departing = self.answers.iter().filter(|answers| !answers.is_empty()).map(ReplyBatch::passing_bytes);
        self.shared.budget.depart(departing.sum());
        self.shared.mesh.answer_together(&mut self.answers, &mut self.spare_answers);
        self.has_notices = false;
    }

    /// Tells a client of this core.
    pub(super) fn deliver_notice(&mut self, conn: ConnId, notice: &Notice) {
        let Some(session) = self.session(conn) else { return };
        let resp = session.resp;
        let bytes = match (notice, session.tracking.as_deref_mut()) {
            (Notice::Own(invalid), Some(_)) => invalid.push(resp),
            (Notice::Redirected(invalid), _) => invalid.redirected(resp, session.is_subscribed()),
            (Notice::Broken, Some(mode)) => {
                mode.is_broken = true;
                mode.redirect.and_then(|other| broken(resp, other))
            }
            (Notice::Own(_) | Notice::Broken, None) => None,
        };
        if let Some(bytes) = bytes {
            self.tell_aside(conn, &bytes);
        }
    }

    /// Sends a client of this core something behind its replies that are outstanding, but for that of a command that waits.
    fn tell_aside(&mut self, conn: ConnId, bytes: &[u8]) {
        let Some(session) = self.session(conn).filter(|session| !session.closing) else { return };
        let before = session.blocked.as_ref().map_or(session.replies.next(), |blocked| blocked.seq);
        session.replies.interpose(before, &[bytes], &mut session.out);
        self.mark_dirty(conn);
    }

    /// The client of `conn` tracks as `mode` says, or no longer.
    pub fn track(&mut self, conn: ConnId, mode: Option<Mode>) {
        let place = Place { core: self.id, conn };
        let registry = Arc::clone(&self.shared.trackers);
        let Some(session) = self.session(conn) else { return };
        let client = session.id;
        if let Some(old) = session.tracking.take() {
            registry.leave(client, &old);
        }
        if let Some(mode) = mode {
            registry.enter(client, place, &mode);
            session.tracking = Some(Box::new(mode));
        }
    }

    /// The keys of each shard that a command of `conn` reads, if its client is to be told when they change.
    pub(super) fn tracked_reads(&mut self, conn: ConnId, row: &Row, args: &Args<'_>) -> Vec<(ShardId, Vec<u8>)> {
        let mut keys = Vec::new();
        if self.session(conn).is_some_and(|session| session.tracks)
            && row.command.flags.has(crate::spec::Flag::Readonly)
        {
            row.command.visit_keys(args, |place| {
                let key = args.at(place);
                keys.push((self.shared.slots.owner(key), key.to_vec()));
            });
        }
        keys
    }
}
