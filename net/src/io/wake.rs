//! The poll of the eventfd by which other threads wake this core: one request that completes at every write.
//!
//! A poll rather than a read: it names no memory, it need not be submitted again after each wake, and it does not matter
//! whether the eventfd blocks.

use std::os::fd::RawFd;

use io_uring::{opcode, types};

use crate::io::ring::Ring;
use crate::io::{Op, Token};

/// Watches `eventfd`.
pub(crate) fn submit(ring: &mut Ring, eventfd: RawFd) {
    let entry = opcode::PollAdd::new(types::Fd(eventfd), libc::POLLIN as u32).multi(true).build();
    // SAFETY: the request names no memory.
    unsafe { ring.push(&entry, Token::numbered(Op::Wake, 0)) };
}
