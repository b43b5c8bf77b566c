//! Sending through the ring: for what the socket did not take at once.
//!
//! The bytes belong to [`Sends`] from the submission to the last completion, whatever happens to the connection.

use std::collections::HashMap;
use std::os::fd::RawFd;

use io_uring::{opcode, types};

use crate::io::ring::Ring;
use crate::io::{Op, Token};
use crate::limits::SEND_BYTES_MAX;
use crate::service::ConnId;

/// Bytes on their way.
struct Flight {
    bytes: Vec<u8>,
    sent: usize,
}

/// The sends of one core that are in flight, at most one a connection.
#[derive(Default)]
pub(crate) struct Sends {
    flights: HashMap<u32, Flight>,
}

/// What a completed send leaves.
pub(crate) enum Progress {
    /// This many bytes are still to be sent: the request was submitted again.
    Going(usize),
    /// All is sent; the buffer may be reused.
    Done(Vec<u8>),
}

impl Sends {
    /// Sends `bytes` from `sent` on over `socket`.
    pub(crate) fn submit(&mut self, ring: &mut Ring, socket: RawFd, id: ConnId, bytes: Vec<u8>, sent: usize) {
        let flight = Flight { bytes, sent };
        push(ring, socket, id, &flight);
        let previous = self.flights.insert(id.slot, flight);
        assert!(previous.is_none(), "a connection has one send in flight");
    }

    /// A send completed with `sent` more bytes taken.
    pub(crate) fn progress(&mut self, ring: &mut Ring, socket: RawFd, id: ConnId, sent: usize) -> Progress {
        let flight = self.flights.get_mut(&id.slot).expect("a send that completes was submitted");
        flight.sent += sent;
        if flight.sent < flight.bytes.len() {
            push(ring, socket, id, flight);
            return Progress::Going(flight.bytes.len() - flight.sent);
        }
        Progress::Done(self.finish(id))
    }

    /// The connection's send is over for good; returns its buffer.
    pub(crate) fn finish(&mut self, id: ConnId) -> Vec<u8> {
        self.flights.remove(&id.slot).expect("a send that ends was submitted").bytes
    }

    /// Leaves the buffers to the kernel for ever: it did not say that it is done with them.
    pub(crate) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.flights));
    }
}

/// Submits what `flight` has left.
fn push(ring: &mut Ring, socket: RawFd, id: ConnId, flight: &Flight) {
    let rest = &flight.bytes[flight.sent..];
    let len = rest.len().min(SEND_BYTES_MAX) as u32;
    let entry = opcode::Send::new(types::Fd(socket), rest.as_ptr(), len).flags(libc::MSG_NOSIGNAL).build();
    // SAFETY: the bytes are on the heap and owned by the flight, which nobody changes and which stays in the table until
    // this request's completion was collected; on tear-down the table is leaked if it was not.
    unsafe { ring.push(&entry, Token::new(Op::Send, id)) };
}
