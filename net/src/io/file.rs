//! Writing and syncing files through the ring: for a service that keeps a log.
//!
//! What is written belongs to [`Files`] from the submission to the completion, and so does the file.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsRawFd;

use io_uring::types::FsyncFlags;
use io_uring::{opcode, types};

use crate::io::ring::Ring;
use crate::io::{Op, Token};
use crate::service::{FileDone, FileOp, FileRequest};

/// One request writes so many bytes at most; what it does not write is asked for again.
const WRITE_BYTES_MAX: usize = 1 << 30;

/// The requests of one core on files that are in flight.
#[derive(Default)]
pub(crate) struct Files {
    next: u32,
    flights: HashMap<u32, FileRequest>,
}

impl Files {
    /// Queues a request.
    pub(crate) fn submit(&mut self, ring: &mut Ring, request: FileRequest) {
        // Few are in flight at a time, so the number is free again long before it comes round.
        self.next = (self.next + 1) & 0xffff;
        let file = types::Fd(request.file.as_raw_fd());
        let entry = match &request.op {
            FileOp::Write { offset, bytes } => {
                let len = bytes.len().min(WRITE_BYTES_MAX) as u32;
                opcode::Write::new(file, bytes.as_ptr(), len).offset(*offset).build()
            }
            FileOp::Sync => opcode::Fsync::new(file).flags(FsyncFlags::DATASYNC).build(),
        };
        let previous = self.flights.insert(self.next, request);
        assert!(previous.is_none(), "a number is used again when its request is over");
        // SAFETY: the bytes are on the heap and owned by the table, which leaves them alone until this request's completion
        // was collected, and the file is open as long; on tear-down the table is leaked if it was not.
        unsafe { ring.push(&entry, Token::numbered(Op::File, self.next)) };
    }

    /// A request completed: what is to be told of it.
    pub(crate) fn finish(&mut self, slot: u32, result: i32) -> FileDone {
        let FileRequest { number, op, .. } = self.flights.remove(&slot).expect("what completes was submitted");
        let result = usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result));
        let bytes = match op {
            FileOp::Write { bytes, .. } => bytes,
            FileOp::Sync => Vec::new(),
        };
        FileDone { number, result, bytes }
    }

    /// Leaves everything to the kernel for ever: it did not say that it is done with it.
    pub(crate) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.flights));
    }
}
