//! From replies to the socket.
//!
//! A connection with output is written once a tick, straight with `send(2)`: on an idle socket that is the shortest way.
//! What the socket does not take, or what is too long for others to wait for it, goes through the ring, the rest of the
//! buffer as it is, without a copy, and a bounded number of bytes a tick; until all that has completed nothing else is
//! sent, for two senders would mix their bytes. Meanwhile replies gather in the service's buffer. A peer with more than
//! `UNSENT_BYTES_MAX` unread is not served until it has read half of them: until then it may well be a client that
//! writes a whole pipeline before it reads.

use crate::io::send::Progress;
use crate::io::socket;
use crate::io::{Op, Token, cancel};
use crate::limits::{UNSENT_BYTES_MAX, UNSENT_BYTES_RESUME};
use crate::runtime::Loop;
use crate::service::{ConnId, InFlight, Service};

impl<S: Service> Loop<S> {
    /// Sends what a connection has to send, as far as the socket takes it.
    pub(crate) fn write(&mut self, id: ConnId) {
        let Self { service, conns, ring, sends, spare, .. } = self;
        let Some(conn) = conns.open(id) else { return };
        let output = service.output(id).filter(|output| !output.is_empty() && !conn.sending);
        if let Some(output) = output {
            let len = output.len();
            let sent = match socket::send_now(conn.fd(), output, || ring.has_more()) {
                Ok(sent) => sent,
                Err(error) => {
                    tracing::debug!(%error, "write to client");
                    return self.close(id);
                }
            };
            let bytes = std::mem::take(output);
            if sent == len {
                spare.put(bytes);
            } else {
                conn.in_flight = InFlight { unsent_bytes: len - sent, buffer_bytes: bytes.capacity() };
                sends.submit(ring, conn.fd(), id, bytes, sent);
                conn.sending = true;
            }
            service.output_progress(id, sent, conn.in_flight);
        }
        self.settle_output(id);
    }

    /// A send through the ring completed.
    pub(crate) fn sent(&mut self, id: ConnId, result: i32) {
        let Self { service, conns, ring, sends, spare, .. } = self;
        let Some(conn) = conns.at(id) else { return };
        let passing = matches!(-result, libc::EINTR | libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM);
        if conn.closing || (result <= 0 && !passing) {
            drop(sends.finish(id));
            conn.sending = false;
            conn.in_flight = InFlight::default();
            if conn.closing {
                self.release(id);
            } else {
                self.close(id);
            }
            return;
        }
        let count = usize::try_from(result).unwrap_or(0);
        match sends.progress(ring, conn.fd(), id, count) {
            Progress::Going(left) => conn.in_flight.unsent_bytes = left,
            Progress::Done(bytes) => {
                spare.put(bytes);
                conn.sending = false;
                conn.in_flight = InFlight::default();
                self.dirty.push(id);
            }
        }
        service.output_progress(id, count, conn.in_flight);
        self.settle_output(id);
    }

    /// Draws the conclusions from how much a connection has unsent.
    fn settle_output(&mut self, id: ConnId) {
        let Some(conn) = self.conns.open(id) else { return };
        let unsent = conn.in_flight.unsent_bytes + self.service.unsent(id);
        if conn.draining && unsent == 0 {
            return self.close(id);
        }
        let stalled = unsent > if conn.stalled { UNSENT_BYTES_RESUME } else { UNSENT_BYTES_MAX };
        if stalled != conn.stalled {
            conn.stalled = stalled;
            self.settle(id);
            self.unsettled.push(id);
        }
    }

    /// Closes a connection: nothing more is read, executed or written, but the slot stays taken until the kernel has let
    /// go of it.
    pub(crate) fn close(&mut self, id: ConnId) {
        let Some(conn) = self.conns.open(id) else { return };
        conn.closing = true;
        conn.query.clear(&mut self.spare);
        conn.parser = None;
        let shut_down = socket::shutdown(conn.fd()).is_ok();
        if !shut_down && conn.receiving {
            // The peer is gone already; whether the receive has noticed is not certain.
            let op = if conn.filling { Op::Fill } else { Op::Recv };
            cancel::submit(&mut self.ring, Token::new(op, id));
        }
        self.gone.push(id);
    }

    /// Frees a closed connection's slot if this was the last thing to wait for.
    pub(crate) fn release(&mut self, id: ConnId) {
        let Some(conn) = self.conns.at(id) else { return };
        if conn.closing && conn.closed_told && conn.is_quiet() {
            self.conns.remove(id);
            self.descriptors_freed = true;
        }
    }
}
