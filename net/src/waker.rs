//! Waking a core that sleeps in its ring, from any thread.
//!
//! The core keeps a poll of an eventfd in its ring; a wake is a write to that eventfd. The counter is never read: each
//! write triggers the poll anew, and 2^64 wakes do not happen. Whoever wakes should know that the core is parked, for
//! a wake costs a system call on this side and an extra turn on the other.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

/// A handle that wakes one core. Clones wake the same core.
#[derive(Clone, Debug)]
pub struct Waker {
    eventfd: Arc<OwnedFd>,
}

impl Waker {
    /// A waker, to be made before the core's thread starts and passed to its loop and to all that may wake it.
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes two integers and returns a descriptor or -1.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and nobody else knows it.
        let eventfd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { eventfd: Arc::new(eventfd) })
    }

    /// Makes the core's loop return from its sleep, or not fall asleep if it was about to.
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the eight bytes live through the call. The only error possible, a full counter, is a pending wake.
        unsafe { libc::write(self.eventfd.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// The eventfd, to be polled.
    pub(crate) fn fd(&self) -> RawFd {
        self.eventfd.as_raw_fd()
    }
}
