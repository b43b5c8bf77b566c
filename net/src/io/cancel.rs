//! Cancelling: the only way to pause a multishot request. Data may still complete before the cancelled request ends.

use io_uring::opcode;
use io_uring::types::CancelBuilder;

use crate::io::ring::Ring;
use crate::io::{Op, Token};

/// Cancels the request known as `token`, if it is still there.
pub(crate) fn submit(ring: &mut Ring, token: Token) {
    let entry = opcode::AsyncCancel::new(token.pack()).build();
    // SAFETY: the request names no memory.
    unsafe { ring.push(&entry, Token { op: Op::Cancel, ..token }) };
}

/// Cancels everything that is in flight.
pub(crate) fn submit_all(ring: &mut Ring) {
    let entry = opcode::AsyncCancel2::new(CancelBuilder::any().all()).build();
    // SAFETY: the request names no memory.
    unsafe { ring.push(&entry, Token::numbered(Op::Cancel, 0)) };
}
