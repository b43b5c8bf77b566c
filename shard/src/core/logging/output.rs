//! Holding output back until the epochs that it shows are complete.

use net::ConnId;

use crate::core::Core;
#[cfg(feature = "simulation")]
use crate::core::simulation::rules_hold_back;
use crate::mesh::Rule;

impl Core {
    /// Holds back what may not leave yet, and lets go what may by now.
    pub(in crate::core) fn gate_output(&mut self, write: &mut Vec<ConnId>) {
        if !self.log.gates && self.log.held.is_empty() {
            return;
        }
        let epochs = &self.shared.log.epochs;
        let wanted = if epochs.is_complete(self.log.wanted) { 0 } else { self.log.wanted };
        // When the log is turned off everything leaves.
        let gates = self.log.gates;
        let gate = if gates { epochs.gate().max(wanted) } else { 0 };
        let mut held = std::mem::take(&mut self.log.held);
        let (shared, sessions) = (&self.shared, &mut self.sessions);
        let holds_own = self.shared.mesh.holds(Rule::HeldOutputWaitsForItsOwn);
        let mut pass = |conn: ConnId, is_written: bool| {
            let session = sessions[conn.slot as usize].as_mut().filter(|session| session.conn == conn);
            let Some(session) = session else { return (false, false, false) };
            #[cfg(feature = "simulation")]
            let is_pushed_to = session.is_subscribed() || session.tracking.is_some();
            let output = session.gated.get_or_insert_default();
            #[cfg(feature = "simulation")]
            let gate = if rules_hold_back(&shared.mesh, is_pushed_to) { gate } else { 0 };
            // Replies that are withheld from the write come here too, if older ones are held.
            if is_written || holds_own {
                output.hold(gate, &session.out);
            }
            let has_some = output.release(&mut session.out, |gate| !gates || shared.log.epochs.is_complete(gate));
            let joins = !session.out.is_empty() && !std::mem::replace(&mut output.is_held, true);
            output.is_held &= !session.out.is_empty();
            (has_some, joins, output.is_held)
        };
        let mut joined = Vec::new();
        write.retain(|&conn| {
            let (has_some, joins, _) = pass(conn, true);
            if joins {
                joined.push(conn);
            }
            has_some
        });
        held.retain(|&conn| {
            let (has_some, _, is_held) = pass(conn, false);
            if has_some {
                write.push(conn);
            }
            is_held
        });
        // Whoever holds something back sees to it that its barrier comes.
        if !joined.is_empty() {
            self.log.wanted = self.log.wanted.max(gate);
        }
        held.append(&mut joined);
        self.log.held = held;
    }

    /// Whether an answer to `conn` that shows nothing of the data set may leave by itself. While a script is busy there is
    /// no barrier before its end, and who is told BUSY, or ends the script, is not to wait for that.
    pub(in crate::core) fn passes_while_busy(&mut self, conn: ConnId) -> bool {
        self.log.gates
            && self.shared.scripts.is_busy()
            && self.session(conn).is_some_and(|session| {
                session.gated.as_ref().map_or(session.out.is_empty(), |gated| gated.has_seen(&session.out))
            })
    }

    /// What a client was told since shows nothing of the data set: it waits for no barrier but that of what is before it.
    pub(in crate::core) fn pass_output(&mut self, conn: ConnId) {
        if let Some(session) = self.session(conn) {
            session.gated.get_or_insert_default().hold(0, &session.out);
        }
    }

    pub(super) fn is_released(&self, conn: ConnId) -> bool {
        let session = self.sessions[conn.slot as usize].as_ref().filter(|session| session.conn == conn);
        let output = session.and_then(|session| session.gated.as_ref());
        output.is_none_or(|output| self.shared.log.epochs.is_complete(output.first_gate()))
    }
}
