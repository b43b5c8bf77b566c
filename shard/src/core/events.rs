//! Keyspace events: from what commands did to keys to whoever has subscribed to it.
//!
//! A handler leaves its events with the shard ([`crate::exec::Ctx::notify`]). When it is over, and its reply on its way,
//! they are published, in their order: here at once, and on other cores through this tick's batches. What a client publishes
//! behind a command that it has an answer to is behind that command's events, for the answer is not sent before they are
//! pushed ([`Core::events_are_late`]). With nobody subscribed to anything, no event is even collected.

use std::sync::Arc;

use super::Core;
use crate::config::types::events::Events;
use crate::exec::ctx::KeyEvent;
use crate::mesh::Message;
use crate::pubsub::{Published, Space};

impl Core {
    /// Publishes what happened to keys, if anything did.
    #[inline]
    pub(super) fn tell_events(&mut self) {
        if !self.shard.events.is_empty() {
            self.publish_events();
        }
    }

    fn publish_events(&mut self) {
        let mut events = std::mem::take(&mut self.shard.events);
        let kinds = self.shard.config.notify_keyspace_events;
        let mut channel = Vec::new();
        for KeyEvent { db, event, key, .. } in events.drain(..) {
            if kinds.contains(Events::KEYSPACE) {
                channel.clear();
                channel.extend_from_slice(format!("__keyspace@{}__:", db.0).as_bytes());
                channel.extend_from_slice(&key);
                self.publish_event(&channel, event.as_bytes());
            }
            if kinds.contains(Events::KEYEVENT) {
                let channel = format!("__keyevent@{}__:{event}", db.0);
                self.publish_event(channel.as_bytes(), &key);
            }
        }
        self.shard.events = events;
    }

    fn publish_event(&mut self, channel: &[u8], payload: &[u8]) {
        let targets = self.targets(Space::Channels, channel);
        if targets.is_empty() {
            return;
        }
        // What a script has done that has given way is recorded when it is over.
        let follows_changes = self.records_changes() && self.long.holds_records();
        let message = Arc::new(Published::new(Space::Channels, channel, payload).behind_changes(follows_changes));
        for target in &*targets {
            if *target == self.id {
                if follows_changes {
                    self.want_barrier();
                }
                self.hand_out(&message);
            } else {
                self.batches[target.index()].messages.push(Message::Publish(Arc::clone(&message), None));
                self.publisher.events = true;
            }
        }
    }

    /// Events are in the batches, and the push of this tick was put off: no answer leaves before they do.
    pub(super) fn events_are_late(&self) -> bool {
        self.put_off && self.publisher.events
    }
}
