//! Accepting: one request a listening socket, which completes once for each new connection.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use io_uring::{opcode, types};

use crate::io::ring::Ring;
use crate::io::{Op, Token};

/// What an accept that did not yield a socket means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Descriptors or memory have run out: try again when some are free.
    Exhausted,
    /// That connection was gone before it was accepted; the next one is another matter.
    Passing,
    /// The listening socket is not to be accepted from any more.
    Ended,
}

/// Accepts connections of listener number `number` until it fails. The sockets block: a request on a non-blocking one
/// would fail where it should wait; the direct sends say `MSG_DONTWAIT` themselves.
pub(crate) fn submit(ring: &mut Ring, listener: RawFd, number: u32) {
    let entry = opcode::AcceptMulti::new(types::Fd(listener)).flags(libc::SOCK_CLOEXEC).build();
    // SAFETY: the request names no memory.
    unsafe { ring.push(&entry, Token::numbered(Op::Accept, number)) };
}

/// Sorts the negative result of an accept.
pub(crate) fn failure(result: i32) -> Failure {
    match -result {
        libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS => Failure::Exhausted,
        libc::ECANCELED | libc::EBADF | libc::EINVAL | libc::ENOTSOCK | libc::EOPNOTSUPP => Failure::Ended,
        _ => Failure::Passing,
    }
}

/// The socket that a completed accept yielded.
pub(crate) fn socket(result: i32) -> Option<OwnedFd> {
    // SAFETY: the kernel just made this descriptor for us and nobody else knows it.
    (result >= 0).then(|| unsafe { OwnedFd::from_raw_fd(result) })
}
