//! Sleeping outside of the ring, for a thread that must wait for something else as well.
//!
//! The ring's own descriptor is no use for that: polling it does not show deferred completions, which nobody has made yet.
//! A registered eventfd is signalled for them, but only when the list of them goes from empty to not empty. Hence the
//! order: allow the signal, make *all* completions that are due, and sleep only if that came to nothing. What comes later
//! finds the list empty and signals.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::io::ring::Wait;
use crate::runtime::Loop;
use crate::service::{Park, Service};

/// The eventfd that tells of work during a sleep outside.
#[derive(Debug)]
pub(crate) struct Bell {
    eventfd: OwnedFd,
    /// The service is parked and the signal allowed.
    parked: bool,
}

impl Bell {
    fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes two integers and returns a descriptor or -1.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and nobody else knows it.
        Ok(Self { eventfd: unsafe { OwnedFd::from_raw_fd(fd) }, parked: false })
    }

    /// Makes the eventfd unreadable.
    fn clear(&self) {
        let mut count = [0_u8; 8];
        // SAFETY: the eight bytes live through the call. That there is nothing to read is no error here.
        unsafe { libc::read(self.eventfd.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl<S: Service> Loop<S> {
    /// The descriptor that becomes readable when a sleep that [`Loop::park_outside`] allowed is over. It is an eventfd,
    /// made on the first call and cleared by the next turn.
    pub fn outside_fd(&mut self) -> io::Result<RawFd> {
        if self.bell.is_none() {
            let bell = Bell::new()?;
            self.ring.register_signal(bell.eventfd.as_raw_fd())?;
            self.bell = Some(bell);
        }
        Ok(self.bell.as_ref().expect("it was just made").eventfd.as_raw_fd())
    }

    /// Prepares a sleep outside of the ring. `None`: there is work, a turn is due. `Some`: the service is parked, and a turn
    /// is due when [`Loop::outside_fd`] is readable or, if there is one, the time has passed; the turn unparks it. Without a
    /// call of `outside_fd` before, there is no sleep.
    pub fn park_outside(&mut self) -> Option<Option<Duration>> {
        self.accept_more();
        if self.bell.is_none() || !self.is_idle() {
            return None;
        }
        let Park::Sleep(limit) = self.service.park() else { return None };
        self.bell.as_mut().expect("it was looked for above").parked = true;
        self.ring.signal(true);
        self.ring.enter(Wait::Exhaust);
        if self.ring.has_completions() {
            self.end_outside();
            return None;
        }
        Some(self.limit_sleep(limit))
    }

    /// Ends a sleep outside, if there was one.
    pub(crate) fn end_outside(&mut self) {
        let Some(bell) = self.bell.as_mut().filter(|bell| bell.parked) else { return };
        bell.parked = false;
        bell.clear();
        self.ring.signal(false);
        self.service.unpark();
    }
}
