//! The ring itself: how it is set up, how requests get in, how a core waits for completions.
//!
//! `SINGLE_ISSUER | DEFER_TASKRUN`: completions are made on this thread, inside its own `enter`, and nowhere else: no
//! interruption, no other core. `TASKRUN_FLAG` tells without a system call whether there are any to be made.
//!
//! Since Linux 6.13 an `enter` makes at most 20 completions unless it waits for more of them. A wait for 128 with a
//! timeout of zero would do, but it goes through the scheduler; entering again while the flag is set costs less.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, squeue};

use crate::buf::Buffers;
use crate::io::Token;
use crate::io::recv::BUFFER_GROUP;
use crate::limits::{BUFFERS, COMPLETIONS, SUBMISSIONS};

/// `IORING_ENTER_GETEVENTS`
const GETEVENTS: u32 = 1;
/// `IORING_ENTER_EXT_ARG`
const EXT_ARG: u32 = 8;
/// `IORING_ENTER_NO_IOWAIT`: an idle core is idle, not waiting for a disk.
const NO_IOWAIT: u32 = 1 << 7;

/// How long an `enter` may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Submit, make the completions that are due, return.
    No,
    /// Until there is a completion.
    Forever,
    /// Until there is a completion, or this long.
    AtMost(Duration),
    /// No time at all, but all completions that are due, not just some. It costs a trip through the scheduler.
    Exhaust,
}

/// A completion, copied out of the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Completion {
    pub(crate) token: Token,
    pub(crate) result: i32,
    pub(crate) flags: u32,
}

impl Completion {
    /// Whether the request goes on and will complete again.
    pub(crate) fn more(&self) -> bool {
        cqueue::more(self.flags)
    }
}

/// One core's ring. It belongs to the thread that built it.
pub(crate) struct Ring {
    inner: IoUring,
    wait_flags: u32,
    /// Requests whose last completion has not been collected.
    in_flight: usize,
    /// The kernel took a part of what was queued, so requests that were linked may have been torn apart.
    tore: bool,
}

impl Ring {
    /// Builds a ring on this thread.
    pub(crate) fn new() -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_clamp()
            .setup_cqsize(COMPLETIONS)
            .dontfork()
            .build(SUBMISSIONS)?;
        let wait_flags = GETEVENTS | if ring.params().is_feature_no_iowait() { NO_IOWAIT } else { 0 };
        Ok(Self { inner: ring, wait_flags, in_flight: 0, tore: false })
    }

    /// Makes `buffers` the pool that multishot receives take theirs from. They must outlive every such receive, see
    /// [`Ring::in_flight`].
    pub(crate) fn register_buffers(&self, buffers: &Buffers) -> io::Result<()> {
        // SAFETY: the address is a page-aligned mapping of BUFFERS entries, which lives as long as `buffers`; the owner
        // of both drops the buffers only when no request is in flight, and leaks them otherwise.
        unsafe {
            self.inner.submitter().register_buf_ring_with_flags(
                buffers.offers_address(),
                BUFFERS as u16,
                BUFFER_GROUP,
                0,
            )
        }
    }

    /// Requests whose last completion is still to come.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Sees to it that so many requests can be queued and are submitted together.
    pub(super) fn make_room(&mut self, requests: usize) {
        loop {
            let submission = self.inner.submission();
            if submission.capacity() - submission.len() >= requests {
                return;
            }
            drop(submission);
            self.submit();
        }
    }

    /// Queues a request; it is submitted by the next `enter`.
    ///
    /// # Safety
    ///
    /// Memory that the request names must stay valid until its last completion.
    pub(super) unsafe fn push(&mut self, entry: &squeue::Entry, token: Token) {
        let entry = entry.clone().user_data(token.pack());
        self.in_flight += 1;
        loop {
            // SAFETY: the caller vouches for the memory.
            if unsafe { self.inner.submission().push(&entry) }.is_ok() {
                return;
            }
            self.submit();
        }
    }

    /// Hands what is queued to the kernel without making completions.
    pub(crate) fn submit(&mut self) {
        let queued = self.inner.submission().len();
        match self.inner.submitter().submit() {
            Ok(taken) => self.tore |= taken < queued,
            Err(error) if is_passing(&error) => {
                // The completion queue overflowed, or memory is short. Making completions is what helps.
                self.enter(Wait::No);
            }
            Err(error) => fail(&error),
        }
    }

    /// Whether completions wait to be collected.
    pub(crate) fn has_completions(&mut self) -> bool {
        !self.inner.completion().is_empty()
    }

    /// Whether the kernel says that it has more completions for us to make. It may be wrong: the flag is set behind the
    /// work, and if the work was done in between, it stays set with nothing to do.
    pub(crate) fn has_more(&mut self) -> bool {
        let submission = self.inner.submission();
        submission.taskrun() || submission.cq_overflow()
    }

    /// Submits what is queued, and waits as told.
    pub(crate) fn enter(&mut self, wait: Wait) {
        let submission = self.inner.submission();
        let queued = submission.len() as u32;
        let due = queued > 0 || submission.taskrun() || submission.cq_overflow();
        drop(submission);
        let submitter = self.inner.submitter();
        let result = match wait {
            Wait::No if !due => return,
            // SAFETY: no argument is passed.
            Wait::No => unsafe { submitter.enter::<libc::sigset_t>(queued, 0, GETEVENTS, None) },
            // SAFETY: no argument is passed.
            Wait::Forever => unsafe { submitter.enter::<libc::sigset_t>(queued, 1, self.wait_flags, None) },
            Wait::AtMost(_) | Wait::Exhaust => {
                let (least, time) =
                    if let Wait::AtMost(time) = wait { (1, time) } else { (COMPLETIONS, Duration::ZERO) };
                let timespec = Timespec::from(time);
                let args = SubmitArgs::new().timespec(&timespec);
                // SAFETY: EXT_ARG goes with a SubmitArgs, and its timespec lives through the call.
                unsafe { submitter.enter(queued, least, self.wait_flags | EXT_ARG, Some(&args)) }
            }
        };
        match result {
            Ok(taken) => self.tore |= taken < queued as usize,
            // The wait ended in some way: how much was taken is in the queue.
            Err(error) if is_passing(&error) => {
                let left = self.inner.submission().len() as u32;
                self.tore |= left > 0 && left < queued;
            }
            Err(error) => fail(&error),
        }
    }

    /// Whether links may have been torn apart since the last time. That happens only when the kernel is short of memory.
    pub(crate) fn take_tore(&mut self) -> bool {
        std::mem::take(&mut self.tore)
    }

    /// Makes the ring write to `eventfd` when there is something to collect, while [`Ring::signal`] allows it.
    pub(crate) fn register_signal(&mut self, eventfd: RawFd) -> io::Result<()> {
        self.inner.submitter().register_eventfd(eventfd)?;
        self.signal(false);
        Ok(())
    }

    /// Allows or forbids the writes to the registered eventfd.
    pub(crate) fn signal(&mut self, allowed: bool) {
        let completion = self.inner.completion();
        if allowed { completion.enable_eventfd() } else { completion.disable_eventfd() }
    }

    /// Moves all completions that are there to the end of `completions`.
    pub(crate) fn collect(&mut self, completions: &mut Vec<Completion>) {
        for entry in self.inner.completion() {
            let completion =
                Completion { token: Token::unpack(entry.user_data()), result: entry.result(), flags: entry.flags() };
            if !completion.more() {
                self.in_flight -= 1;
            }
            completions.push(completion);
        }
    }
}

/// Errors of `enter` after which one just goes on: a signal, the end of the wait, a full completion queue, want of memory.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINTR | libc::ETIME | libc::EBUSY | libc::EAGAIN))
}

/// A core whose ring is broken cannot go on, and must not pretend to.
#[cold]
fn fail(error: &io::Error) -> ! {
    tracing::error!(%error, "io_uring_enter failed");
    panic!("io_uring_enter failed: {error}");
}
