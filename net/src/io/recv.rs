//! Receiving: one request a connection, which completes once for each piece that arrives, in a buffer of the core's pool.
//!
//! The request ends (its completion lacks the `MORE` flag) at the end of the stream, with an error, when it was cancelled,
//! when the pool has no buffer (`ENOBUFS`), and sometimes with a piece, when the kernel wants to be asked anew.

use std::os::fd::RawFd;

use io_uring::{opcode, types};

use crate::io::ring::Ring;
use crate::io::{Op, Token};
use crate::service::ConnId;

/// The number under which a ring knows its core's pool.
pub(crate) const BUFFER_GROUP: u16 = 0;

/// Receives from `socket` for the connection `id`.
pub(crate) fn submit(ring: &mut Ring, socket: RawFd, id: ConnId) {
    let entry = opcode::RecvMulti::new(types::Fd(socket), BUFFER_GROUP).build();
    // SAFETY: the request names no memory; its buffers are the registered pool's.
    unsafe { ring.push(&entry, Token::new(Op::Recv, id)) };
}
