//! Messages that no command asked for: what is published, invalidations of cached keys, what MONITOR shows.
//!
//! They go out with the connection's replies, between two of them and never inside one, and count as its output: a client
//! that does not read them is cut at its limit, and nobody else notices. Each way to send one keeps an order:
//!
//! | from | way | order |
//! |---|---|---|
//! | the client's own core | [`Core::tell`] | behind all replies that are outstanding now |
//! | another core | [`Core::tell_at`] | through the inbox, like a command: behind what this core pushed there before |
//! | another core | `Core::tell_target` | through its answers: behind the replies of what ran here before ([`crate::tracking`]) |
//! | what is published | [`Core::tell_published`] | among the client's own commands, at the point of the publishing |
//!
//! The last needs to know which of the client's commands had their point before the publishing. Those in the batches of
//! this tick did not; those pushed before may have, or may not, for their push and the publisher's are of different cores.
//! So a subscribed client that sends a command to another shard also puts a mark into the inbox of its own core. Both are
//! linked in one push: what is published comes before the mark exactly if it comes before the command. Messages pass a
//! command that may wait for a key, for its client wants them meanwhile.

use net::{ConnId, Resp};

use super::Core;
use crate::ids::ShardId;
use crate::mesh::{Message, Rule};
use crate::session::Session;

impl Core {
    /// Sends `message`, whole, to a client of this core, behind all its replies that do not wait for a key. It is dropped if the
    /// connection is gone. No handler calls this for the client that it answers: it has the reply for that.
    pub fn tell(&mut self, conn: ConnId, message: &[u8]) {
        let Some(session) = self.session(conn).filter(|session| !session.closing) else { return };
        let place = session.place_of_messages();
        session.replies.interpose(place, &[message], &mut session.out);
        self.mark_dirty(conn);
    }

    /// Sends `message` to a client of core `home`, at the point of this tick's push, behind what was routed there before.
    pub fn tell_at(&mut self, home: ShardId, conn: ConnId, message: Box<[u8]>) {
        self.batches[home.index()].messages.push(Message::Tell(Box::new((conn, message))));
    }

    /// Sends what is published to a subscriber of this core: a frame of RESP3 in two pieces, of which RESP2 differs in the
    /// first byte.
    #[inline]
    pub(super) fn tell_published(
        sessions: &mut [Option<Session>],
        audience: &mut Vec<ConnId>,
        conn: ConnId,
        head: &[u8],
        rest: &[u8],
    ) {
        let Some(session) = sessions[conn.slot as usize].as_mut().filter(|session| session.conn == conn) else {
            return;
        };
        if session.closing {
            return;
        }
        let first: &[u8] = if session.resp == Resp::V3 { b">" } else { b"*" };
        if session.replies.is_empty() {
            session.out.extend_from_slice(first);
            session.out.extend_from_slice(&head[1..]);
            session.out.extend_from_slice(rest);
        } else {
            session.replies.interpose(session.passed, &[first, &head[1..], rest], &mut session.out);
        }
        if !std::mem::replace(&mut session.dirty, true) {
            audience.push(conn);
        }
    }

    /// A subscribed client of this core has put a command into the batches: leaves a mark in the own one.
    pub(super) fn mark_passing(&mut self, conn: ConnId) {
        if !self.shared.mesh.holds(Rule::SubscribersLeaveMarks) {
            return;
        }
        let next = self.session(conn).expect("the command's client is there").place_of_messages();
        let own = &mut self.batches[self.id.index()].messages;
        match own.last_mut() {
            Some(Message::Passed(of, passed)) if *of == conn => *passed = next,
            _ => own.push(Message::Passed(conn, next)),
        }
    }

    /// The commands of `conn` with replies below `next` had their point before what is told from now on.
    pub(super) fn passed(&mut self, conn: ConnId, next: u32) {
        if let Some(session) = self.session(conn) {
            session.passed = next;
        }
    }

    /// A command of `conn` was looked at. If the connection has nothing in the batches, what it has sent up to now has had
    /// its point.
    #[inline]
    pub(super) fn note_passed(&mut self, conn: ConnId) {
        let push = self.push_number;
        if let Some(session) = self.session(conn)
            && session.is_subscribed()
            && session.routed_in != push
        {
            session.passed = session.place_of_messages();
        }
    }
}
