//! Receiving straight into a connection's query buffer, once it is known that much of a command is missing: no pieces, no
//! second copy, and one completion for up to a mebibyte.
//!
//! The buffer belongs to [`Fills`] from the submission to the completion.

use std::collections::HashMap;
use std::os::fd::RawFd;

use io_uring::{opcode, types};

use crate::io::ring::Ring;
use crate::io::{Op, Token};
use crate::service::ConnId;

/// The buffers of one core that are being filled, at most one a connection.
#[derive(Default)]
pub(crate) struct Fills {
    buffers: HashMap<u32, Vec<u8>>,
}

impl Fills {
    /// Receives `missing` bytes from `socket` to the end of `buffer`, which has room for them. It completes with fewer at
    /// the end of the stream alone.
    pub(crate) fn submit(&mut self, ring: &mut Ring, socket: RawFd, id: ConnId, mut buffer: Vec<u8>, missing: usize) {
        let room = buffer.spare_capacity_mut();
        assert!(missing <= room.len() && u32::try_from(missing).is_ok(), "the buffer has room for what is received");
        let entry = opcode::Recv::new(types::Fd(socket), room.as_mut_ptr().cast(), missing as u32)
            .flags(libc::MSG_WAITALL)
            .build();
        let previous = self.buffers.insert(id.slot, buffer);
        assert!(previous.is_none(), "a connection has one receive in flight");
        // SAFETY: the memory is on the heap and owned by the table, which touches it only when this request's completion
        // was collected; on tear-down the table is leaked if it was not. Nobody else writes to a buffer's spare room.
        unsafe { ring.push(&entry, Token::new(Op::Fill, id)) };
    }

    /// The receive completed with `received` bytes: the buffer, with them at its end.
    pub(crate) fn finish(&mut self, id: ConnId, received: usize) -> Vec<u8> {
        let mut buffer = self.buffers.remove(&id.slot).expect("a receive that completes was submitted");
        let len = buffer.len() + received;
        assert!(len <= buffer.capacity(), "the kernel keeps to the length it was told");
        // SAFETY: the kernel wrote `received` bytes behind the old length, and they fit.
        unsafe { buffer.set_len(len) };
        buffer
    }

    /// Leaves the buffers to the kernel for ever: it did not say that it is done with them.
    pub(crate) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.buffers));
    }
}
