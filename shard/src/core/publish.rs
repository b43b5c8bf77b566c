//! Publishing: from PUBLISH to the outputs of subscribers on all cores. The order that this keeps is argued in
//! [`crate::pubsub`].
//!
//! A message whose subscribers all live here is delivered at once. Any other joins the batches of the cores that have
//! subscribers, each of which answers how many have received it. Which cores those are is kept per channel for as long as
//! the registry stays as it is.

use std::sync::Arc;

use hashbrown::HashMap;
use net::{Args, ConnId, Reply, Resp};

use super::Core;
use crate::ids::ShardId;
use crate::mesh::inbox::Received;
use crate::mesh::{Message, Pushed, Rule};
use crate::pubsub::{Published, Space};
use crate::session::replies::Receiving;
use crate::spec::CommandTable;
use crate::spec::table::Row;

/// For so many channels a core remembers which cores have subscribers.
const TARGETS_KEPT: usize = 4096;

type ChannelName = (Space, Box<[u8]>);

/// What a core knows of where messages go, and what it has routed of them in this tick.
#[derive(Default)]
pub(super) struct Publisher {
    /// The version of the registry that `targets` was taken from.
    version: u64,
    targets: HashMap<ChannelName, Arc<[ShardId]>>,
    /// Messages in the batches, in their order.
    routed: Vec<Routed>,
    /// The version of the registry before it was looked into for the first of them.
    routed_version: u64,
    /// The version of the registry before this tick's tail was read.
    pub(super) tail_version: u64,
    /// Of each message in the batches: its place in each batch, or where it would stand.
    places: Vec<u32>,
    /// There are keyspace events in the batches.
    pub(super) events: bool,
}

/// A message in the batches of this tick.
struct Routed {
    message: Arc<Published>,
    /// Where the number of its receivers goes, if it is asked for.
    reply: Option<(ConnId, u32)>,
    targets: Vec<ShardId>,
}

impl Core {
    /// The cores with subscribers of `channel`.
    pub(super) fn targets(&mut self, space: Space, channel: &[u8]) -> Arc<[ShardId]> {
        let registry = &self.shared.registry;
        let version = registry.version();
        let known = &mut self.publisher;
        if known.version != version || known.targets.len() >= TARGETS_KEPT {
            known.targets.clear();
            known.version = version;
        }
        // The key is only made when it is to be kept.
        let key = (space, channel);
        if let Some(targets) = known.targets.get(&Asked(key)) {
            return Arc::clone(targets);
        }
        let targets: Arc<[ShardId]> = registry.cores_of(space, channel).into();
        known.targets.insert((space, channel.into()), Arc::clone(&targets));
        targets
    }

    /// PUBLISH and SPUBLISH of a client of this core.
    pub(super) fn publish(&mut self, conn: ConnId, row: &Row, args: &Args<'_>, space: Space) {
        let began = self.clock.micros();
        let version = self.shared.registry.version();
        let targets = self.targets(space, args.at(1));
        let is_local = targets.iter().all(|target| *target == self.id);
        // In place it would stand at this tick's tail, and what was unsubscribed since then stands behind that.
        let is_settled = self.shard.shards == 1 || version == self.publisher.tail_version;
        if is_local && is_settled && self.may_run_in_place(conn) {
            if self.has_changes_on_their_way(conn) {
                self.want_barrier();
            }
            self.publish_here(conn, args, space, targets.is_empty());
            self.finished((conn, self.id), row, args, began, None);
            return;
        }
        // Without subscribers it goes through the own inbox all the same: its point is that of the push.
        let targets = if targets.is_empty() { vec![self.id] } else { targets.to_vec() };
        let follows_changes = self.has_changes_on_their_way(conn);
        let message = Arc::new(Published::new(space, args.at(1), args.at(2)).behind_changes(follows_changes));
        let receiving = Receiving::new(row.id, targets.len(), self.shown(row, args));
        let seq = self.expect_received(conn, receiving, args.total_bytes());
        self.route_published(message, Some((conn, seq)), targets, version);
        self.routed(conn);
    }

    /// Publishes within a transaction or a script. It leaves with this tick's push, and the next commands of the client, if
    /// it is of this core, behind it. How many receive it is what the registry knows now.
    pub fn publish_within(&mut self, conn: Option<ConnId>, space: Space, channel: &[u8], payload: &[u8]) -> usize {
        let registry = Arc::clone(&self.shared.registry);
        let version = registry.version();
        let targets = self.targets(space, channel).to_vec();
        let receivers = registry.receivers(space, channel);
        // What the transaction or script has changed is recorded when it is over, and with the shards of the keys.
        let message = Published::new(space, channel, payload).behind_changes(self.records_changes());
        self.route_published(Arc::new(message), None, targets, version);
        if let Some(conn) = conn.filter(|conn| self.session(*conn).is_some()) {
            self.routed(conn);
        }
        receivers
    }

    /// Whether changes are recorded, and what is published behind them is to wait for that.
    pub(super) fn records_changes(&self) -> bool {
        self.log.gates && self.shared.mesh.holds(Rule::MessagesWaitForChangesBefore)
    }

    /// Whether something that this client has sent before may not have changed yet what it will.
    fn has_changes_on_their_way(&mut self, conn: ConnId) -> bool {
        self.records_changes() && self.session(conn).is_some_and(|session| session.replies.awaits_commands())
    }

    /// Puts a message into the batches; `version` is what the registry had before it was looked into for the targets.
    fn route_published(
        &mut self,
        message: Arc<Published>,
        reply: Option<(ConnId, u32)>,
        targets: Vec<ShardId>,
        version: u64,
    ) {
        if self.publisher.routed.is_empty() {
            self.publisher.routed_version = version;
        }
        let places = self.batches.iter().map(|batch| batch.messages.len() as u32);
        self.publisher.places.extend(places);
        for target in &targets {
            self.batches[target.index()].messages.push(Message::Publish(Arc::clone(&message), reply));
        }
        self.publisher.routed.push(Routed { message, reply, targets });
    }

    fn publish_here(&mut self, conn: ConnId, args: &Args<'_>, space: Space, is_unheard: bool) {
        if is_unheard {
            return self.answer_now(conn, |_, reply| reply.integer(0));
        }
        let message = Published::new(space, args.at(1), args.at(2));
        if !self.session(conn).is_some_and(|session| session.is_subscribed()) {
            let receivers = self.hand_out(&message);
            return self.answer_now(conn, |_, reply| reply.integer(receivers as i64));
        }
        // Who hears himself gets his reply first.
        let receivers = self.subscribers.receivers(space, args.at(1));
        self.answer_now(conn, |_, reply| reply.integer(receivers as i64));
        self.note_passed(conn);
        self.hand_out(&message);
    }

    /// Sends what is published to the subscribers of this core; returns how many there are.
    pub(super) fn hand_out(&mut self, message: &Published) -> usize {
        let Core { subscribers, sessions, audience, .. } = self;
        let mut receivers = 0;
        let channel = message.channel();
        for conn in subscribers.of_channel(message.space, channel) {
            Core::tell_published(sessions, audience, *conn, message.frame(), b"");
            receivers += 1;
        }
        let mut head = Vec::new();
        for (pattern, clients) in subscribers.of_patterns(message.space, channel) {
            let rest = message.pattern_frame(pattern, &mut head);
            for conn in clients {
                Core::tell_published(sessions, audience, *conn, &head, rest);
                receivers += 1;
            }
        }
        receivers
    }

    /// A message has come through the inbox; `reply` is where its publisher's count goes, if it has asked for one.
    pub(super) fn receive_published(&mut self, from: ShardId, message: &Published, reply: Option<(ConnId, u32)>) {
        let began = self.clock.micros();
        if message.follows_changes {
            self.want_barrier();
        }
        let own = reply.filter(|_| from == self.id);
        if let Some((conn, seq)) = own {
            self.passed(conn, seq.wrapping_add(1));
        }
        let clients = self.hand_out(message);
        let Some((conn, seq)) = reply else { return };
        let received = Received { conn, seq, clients, micros: self.clock.micros() - began };
        if own.is_some() {
            self.count_received(&received);
        } else {
            self.answers[from.index()].received.push(received);
        }
    }

    /// A core says how many of its clients have received what a client of this core has published.
    pub(super) fn count_received(&mut self, received: &Received) {
        let Some(session) = self.session(received.conn) else { return };
        let Some(Receiving { command, clients, micros, shown, .. }) = session.replies.count_received(received) else {
            return;
        };
        let mut reply = Vec::new();
        Reply::new(&mut reply, Resp::V2).integer(clients as i64);
        let row = CommandTable::global().row(command);
        self.whole_finished(received.conn, row, micros, &reply, shown);
        self.fill(received.conn, received.seq, &reply);
    }

    /// Takes the next place in the replies for the number of receivers.
    fn expect_received(&mut self, conn: ConnId, receiving: Receiving, args_bytes: usize) -> u32 {
        let bytes = args_bytes + super::route::COMMAND_OVERHEAD_BYTES;
        let session = self.session(conn).expect("the command's client is there");
        let discard = session.discards_reply();
        session.in_flight_bytes += bytes;
        session.replies.expect_received(receiving, discard, bytes)
    }

    /// Whether what was routed may be linked: the registry is as it was. Asked under the locks of the push.
    pub(super) fn push_if_current(&mut self) -> Pushed {
        loop {
            let (shared, clock, publisher) = (&self.shared, &self.clock, &self.publisher);
            let asks = !publisher.routed.is_empty() && shared.mesh.holds(Rule::TargetsAreAskedAgain);
            let is_current = || !asks || shared.registry.version() == publisher.routed_version;
            let pushed = shared.mesh.push_if(&mut self.batches, &mut self.spare, is_current, || clock.now());
            match pushed {
                Pushed::Outdated => self.add_targets(),
                Pushed::PutOff => return pushed,
                #[cfg(feature = "simulation")]
                Pushed::Partly => unreachable!("the mesh pushes all or nothing"),
                Pushed::Done => {
                    self.publisher.routed.clear();
                    self.publisher.places.clear();
                    self.publisher.events = false;
                    return pushed;
                }
            }
        }
    }

    /// The registry has changed since the messages in the batches were routed: adds those for other cores that have come.
    /// Whoever has subscribed on this core since then did so behind the message.
    fn add_targets(&mut self) {
        let shards = self.batches.len();
        let mut publisher = std::mem::take(&mut self.publisher);
        publisher.routed_version = self.shared.registry.version();
        for number in 0..publisher.routed.len() {
            let Routed { message, reply, targets } = &mut publisher.routed[number];
            for core in self.shared.registry.cores_of(message.space, message.channel()) {
                if core == self.id || targets.contains(&core) {
                    continue;
                }
                let place = publisher.places[number * shards + core.index()] as usize;
                let added = Message::Publish(Arc::clone(message), *reply);
                self.batches[core.index()].messages.insert(place, added);
                targets.push(core);
                if let Some((conn, seq)) = *reply
                    && let Some(session) = self.session(conn)
                {
                    session.replies.expect_one_more(seq);
                }
                for later in number + 1..publisher.places.len() / shards {
                    publisher.places[later * shards + core.index()] += 1;
                }
            }
        }
        self.publisher = publisher;
    }
}

/// A borrowed key of [`Publisher::targets`].
#[derive(Hash)]
struct Asked<'a>((Space, &'a [u8]));

impl hashbrown::Equivalent<ChannelName> for Asked<'_> {
    fn equivalent(&self, key: &ChannelName) -> bool {
        self.0.0 == key.0 && *self.0.1 == *key.1
    }
}
