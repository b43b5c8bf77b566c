//! Writing and syncing files through the ring: for a service that keeps a log.
//!
//! ```text
//!   write ───────► told                      write ──link──► sync ──► told once, of both
//!                                                   └ not begun unless all was written
//! ```
//!
//! ext4 does neither at once: each goes to a worker of the kernel's. A write and its sync that are linked stay with one
//! worker, and this core is not needed in between. A kernel short of memory may take the write and leave the sync for the
//! next submission, which then does not wait for the write: such a sync is not told.
//!
//! What is written belongs to [`Files`] from the submission to the completion, and so does the file.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsRawFd;

use io_uring::types::FsyncFlags;
use io_uring::{opcode, squeue, types};

use crate::io::ring::Ring;
use crate::io::{Op, Token};
use crate::service::{FileDone, FileOp, FileRequest};

/// One request writes so many bytes at most; what it does not write is asked for again.
const WRITE_BYTES_MAX: usize = 1 << 30;

/// What the number of a write has in addition for the sync behind it.
const SYNC_BEHIND: u32 = 1 << 16;

/// A request on its way.
struct Flight {
    request: FileRequest,
    /// How it ended, and the sync behind it; none while that is not known.
    result: Option<i32>,
    synced: Option<i32>,
    /// Completions that are to come.
    missing: u8,
    /// The sync may have begun before all was written.
    is_torn: bool,
}

/// The requests of one core on files that are in flight.
#[derive(Default)]
pub(crate) struct Files {
    next: u32,
    flights: HashMap<u32, Flight>,
}

impl Files {
    /// Queues a request.
    pub(crate) fn submit(&mut self, ring: &mut Ring, request: FileRequest) {
        // Few are in flight at a time, so the number is free again long before it comes round.
        self.next = (self.next + 1) % SYNC_BEHIND;
        let file = types::Fd(request.file.as_raw_fd());
        let sync = opcode::Fsync::new(file).flags(FsyncFlags::DATASYNC).build();
        let (entry, behind) = match &request.op {
            FileOp::Write { offset, bytes, syncs } => {
                let len = bytes.len().min(WRITE_BYTES_MAX) as u32;
                let write = opcode::Write::new(file, bytes.as_ptr(), len).offset(*offset).build();
                if *syncs { (write.flags(squeue::Flags::IO_LINK), Some(sync)) } else { (write, None) }
            }
            FileOp::Sync => (sync, None),
        };
        let missing = 1 + u8::from(behind.is_some());
        let flight = Flight { request, result: None, synced: None, missing, is_torn: false };
        let previous = self.flights.insert(self.next, flight);
        assert!(previous.is_none(), "a number is used again when its request is over");
        // A link holds between requests that are submitted together.
        ring.make_room(usize::from(missing));
        // SAFETY: the bytes are on the heap and owned by the table, which leaves them alone until this request's last
        // completion was collected, and the file is open as long; on tear-down the table is leaked if it was not.
        unsafe { ring.push(&entry, Token::numbered(Op::File, self.next)) };
        if let Some(sync) = behind {
            // SAFETY: it names no memory, and the file is open as said above.
            unsafe { ring.push(&sync, Token::numbered(Op::File, self.next | SYNC_BEHIND)) };
        }
    }

    /// Links of what is on its way may have been torn apart.
    pub(crate) fn tear(&mut self) {
        self.flights.values_mut().for_each(|flight| flight.is_torn = true);
    }

    /// A request completed, or one of its two parts: what is to be told of it, if all is known.
    pub(crate) fn finish(&mut self, slot: u32, result: i32) -> Option<FileDone> {
        let number = slot % SYNC_BEHIND;
        let flight = self.flights.get_mut(&number).expect("what completes was submitted");
        let part = if slot == number { &mut flight.result } else { &mut flight.synced };
        *part = Some(result);
        flight.missing -= 1;
        if flight.missing > 0 {
            return None;
        }
        let Flight { request, result, synced, is_torn, .. } =
            self.flights.remove(&number).expect("it was looked at just now");
        let told = |result: i32| usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result));
        let bytes = match request.op {
            FileOp::Write { bytes, .. } => bytes,
            FileOp::Sync => Vec::new(),
        };
        // What was not begun for want of the write has nothing to say; nor has the success of what began too early.
        let counts = |result: &i32| *result != -libc::ECANCELED && (!is_torn || *result < 0);
        let synced = synced.filter(counts).map(|result| told(result).map(|_| ()));
        let result = told(result.expect("no completion is missing"));
        Some(FileDone { number: request.number, result, bytes, synced })
    }

    /// Leaves everything to the kernel for ever: it did not say that it is done with it.
    pub(crate) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.flights));
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use super::*;

    /// What is told of a write of three bytes and the sync behind it that end so, in this order.
    fn told(written: i32, synced: i32, is_torn: bool) -> (io::Result<usize>, Option<io::Result<()>>) {
        let mut files = Files::default();
        let op = FileOp::Write { offset: 0, bytes: vec![1, 2, 3], syncs: true };
        let request = FileRequest { number: 7, file: Arc::new(File::open("/dev/null").expect("it is there")), op };
        files.flights.insert(1, Flight { request, result: None, synced: None, missing: 2, is_torn: false });
        if is_torn {
            files.tear();
        }
        assert!(files.finish(1, written).is_none(), "one of two parts");
        let done = files.finish(1 | SYNC_BEHIND, synced).expect("both are there");
        assert_eq!((done.number, done.bytes.as_slice()), (7, [1, 2, 3].as_slice()));
        (done.result, done.synced)
    }

    #[test]
    fn a_sync_is_told_with_its_write() {
        let (result, synced) = told(3, 0, false);
        assert_eq!(result.expect("it was written"), 3);
        synced.expect("it was synced").expect("without an error");
    }

    #[test]
    fn a_sync_that_fails_is_told() {
        for is_torn in [false, true] {
            let (_, synced) = told(3, -libc::EIO, is_torn);
            assert_eq!(synced.expect("it was begun").expect_err("it failed").raw_os_error(), Some(libc::EIO));
        }
    }

    #[test]
    fn what_did_not_follow_the_write_is_no_sync() {
        let (result, synced) = told(2, -libc::ECANCELED, false);
        assert_eq!(result.expect("a part was written"), 2);
        assert!(synced.is_none());
        let (result, synced) = told(3, 0, true);
        assert_eq!(result.expect("it was written"), 3);
        assert!(synced.is_none(), "it may have begun before the write ended");
    }
}
