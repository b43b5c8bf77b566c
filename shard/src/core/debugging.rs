//! A client that debugs a script, and the script ([`crate::script::debugger`]).
//!
//! | from | to | how |
//! |---|---|---|
//! | the client | the script | [`Core::take_order`]: one order at a time; the client is not read before the script has taken it |
//! | the script | the client | [`Core::say`]: in front of the reply of EVAL, which is the last that the client is to get |
//!
//! A script that waits for its client is driven on when an order has come, when the client is gone, or when somebody has asked
//! the script to end, on whatever core: [`Message::Killed`].

use std::sync::Arc;

use net::{Args, ConnId, Flow};

use super::{Core, SessionCtx};
use crate::ids::ShardId;
use crate::mesh::{Claims, Message};
use crate::script::debugger::{END, Heard};
use crate::script::running::Running;
use crate::session::{Debugging, Hold};

impl SessionCtx<'_> {
    /// The client sends orders from now on, and gets what the debugger says, until the script is over that is placed next.
    pub fn begin_debugging(&mut self) {
        self.session().held = Some(Hold::Debugging);
    }

    /// There is no script to be debugged: its client is told that the session is over, as behind any.
    pub fn end_debugging(&mut self) {
        self.core.tell(self.conn, END);
        self.flow = Flow::Close;
    }
}

impl Core {
    /// An order of a client that debugs a script.
    pub(super) fn take_order(&mut self, conn: ConnId, args: &Args<'_>) -> Flow {
        let now = self.shard.clock;
        let Some(session) = self.session(conn) else { return Flow::Close };
        session.info.active_at = now;
        session.debugging.get_or_insert_default().order = Some(args.to_owned());
        self.wake_debugged(conn);
        Flow::Hold
    }

    /// What has come from the client of a script that waits for it.
    pub(super) fn hear(&mut self, conn: ConnId) -> Heard {
        let Some(session) = self.session(conn) else { return Heard::Gone };
        let Debugging { order, has_ended, .. } = &mut **session.debugging.get_or_insert_default();
        match order.take() {
            Some(order) => {
                // It is asked once more whether that was all.
                *has_ended = false;
                self.resume.push(conn);
                Heard::Order(order)
            }
            None if *has_ended || session.closing => Heard::Gone,
            None => Heard::Nothing,
        }
    }

    /// Sends the client of a script a reply of the debugger.
    pub(super) fn say(&mut self, conn: ConnId, reply: &[u8]) {
        let gates = self.log.gates;
        let Some(session) = self.session(conn).filter(|session| !session.closing) else { return };
        let own_place = session.replies.next().wrapping_sub(1);
        session.replies.interpose(own_place, &[reply], &mut session.out);
        if gates {
            // While the script holds everything there is no barrier that this could wait for.
            self.pass_output(conn);
        }
        self.mark_dirty(conn);
    }

    /// The client of `conn` sends nothing more.
    pub(super) fn end_orders(&mut self, conn: ConnId) {
        if let Some(session) = self.session(conn) {
            session.debugging.get_or_insert_default().has_ended = true;
            self.wake_debugged(conn);
        }
    }

    /// Something has happened to a client that may debug a script.
    pub(super) fn wake_debugged(&mut self, conn: ConnId) {
        self.long.wake(|listening| listening.conn == conn);
    }

    /// Somebody has asked scripts of this core to end.
    pub(super) fn wake_killed(&mut self) {
        self.long.wake(|listening| listening.running.is_killed());
    }

    /// A script that a client of core `home` debugs was asked to end: it is to find out.
    pub fn tell_killed(&mut self, home: ShardId) {
        if home == self.id {
            self.wake_killed();
        } else {
            self.batches[home.index()].messages.push(Message::Killed);
        }
    }

    /// Scripts that wait for their clients keep others waiting.
    pub(super) fn look_at_debugged(&mut self) {
        let all: Vec<Arc<Running>> = self.long.listening().map(|listening| Arc::clone(&listening.running)).collect();
        for running in all {
            self.look_whether_busy_with(&running, || Claims::Whole);
        }
    }
}
