//! Subscribing: from a command that changes a client's subscriptions to its point, at which the core's table changes.
//!
//! The handler checks the command, changes the client's own sets and writes the reply; the registry is entered at once.
//! Then the command goes through the inbox of its own core, and there it changes the table and its reply is sent. On a
//! server of one core, and when nothing changes, all of this is one step.

use net::{Args, ConnId, Flow, Reply};

use super::{Core, SessionCtx};
use crate::exec::SessionHandler;
use crate::mesh::{Message, Rule};
use crate::pubsub::Change;
use crate::spec::Flag;
use crate::spec::table::Row;

/// A command that changes subscriptions, on its way to its point.
pub struct Settling {
    conn: ConnId,
    changes: Vec<Change>,
    /// The reply and its number, if it is to be sent from here.
    reply: Option<(u32, Vec<u8>)>,
}

impl Core {
    /// Runs a command that may change its client's subscriptions.
    pub(super) fn run_subscribe(&mut self, conn: ConnId, row: &Row, handler: SessionHandler, args: &Args<'_>) -> Flow {
        let began = self.clock.micros();
        let resp = self.session(conn).expect("the command's client is there").resp;
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, resp);
        let mut ctx = SessionCtx { core: self, conn, flow: Flow::Continue };
        let failed = handler(&mut ctx, args, &mut reply).err();
        if let Some(error) = &failed {
            reply.rewind(0);
            reply.error(error.as_bytes());
        }
        self.show_to_monitors(conn, row, args);
        self.finished((conn, self.id), row, args, began, failed.as_ref());
        // What a subscription says is no reply: it is sent though the client wants none.
        let is_told = row.command.flags.has(Flag::Pubsub);
        let changes = std::mem::take(&mut self.changes);
        let goes_round = self.shard.shards > 1 && self.shared.mesh.holds(Rule::SubscribingHasAPoint);
        if changes.is_empty() || !goes_round {
            self.settle_changes(conn, &changes);
            self.answer_settled(conn, is_told, &bytes);
            self.note_passed(conn);
        } else {
            let session = self.session(conn).expect("the command's client is there");
            let discard = !is_told && session.discards_reply();
            let seq = session.replies.expect(discard, 0);
            self.send_round(Settling { conn, changes, reply: Some((seq, bytes)) });
        }
        Flow::Continue
    }

    /// In a transaction, whose reply is sent elsewhere: what the handler has changed goes on its way to its point.
    pub fn settle_within(&mut self, conn: ConnId) {
        let changes = std::mem::take(&mut self.changes);
        if self.shard.shards == 1 {
            self.settle_changes(conn, &changes);
        } else if !changes.is_empty() {
            self.send_round(Settling { conn, changes, reply: None });
        }
    }

    fn send_round(&mut self, settling: Settling) {
        let conn = settling.conn;
        self.batches[self.id.index()].messages.push(Message::Settle(Box::new(settling)));
        if self.session(conn).is_some() {
            self.routed(conn);
        }
    }

    fn answer_settled(&mut self, conn: ConnId, is_told: bool, bytes: &[u8]) {
        let session = self.session(conn).expect("the command's client is there");
        if !is_told && session.discards_reply() {
            return;
        }
        if session.replies.is_empty() {
            session.out.extend_from_slice(bytes);
        } else {
            session.replies.push_ready(bytes);
        }
        self.mark_dirty(conn);
    }

    /// A command that changes subscriptions is at its point.
    pub(super) fn settle(&mut self, settling: &Settling) {
        let Settling { conn, changes, reply } = settling;
        self.settle_changes(*conn, changes);
        if let Some((seq, bytes)) = reply {
            self.passed(*conn, seq.wrapping_add(1));
            self.fill(*conn, *seq, bytes);
        }
    }

    fn settle_changes(&mut self, conn: ConnId, changes: &[Change]) {
        let client = self.session(conn).filter(|session| !session.closing).map(|session| session.conn);
        for Change { kind, name, subscribes } in changes {
            if *subscribes {
                self.subscribers.admit(*kind, name, client);
            } else {
                self.subscribers.remove(*kind, name, conn);
            }
        }
    }

    /// The connection is gone: so are its subscriptions.
    pub(super) fn forget_subscriptions(&mut self, conn: ConnId) {
        let Some(subscriptions) = self.session(conn).and_then(|session| session.subscriptions.take()) else { return };
        for kind in crate::pubsub::Kind::ALL {
            for name in subscriptions.of(kind) {
                self.subscribers.remove(kind, name, conn);
            }
        }
    }
}
