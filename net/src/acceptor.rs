//! Accepting: which listening sockets have an accept in the ring.
//!
//! ```text
//!              arm                  out of descriptors
//!   listed ───────────► armed ─────────────────────────► resting ──► armed ...
//!                        │  not listed any more
//!                        ▼
//!                      ending ──► its last completion is in: the slot is free
//! ```
//!
//! What an accept yields before it ends is served like everything else: a client whose connection was made is not
//! dropped because the server stops listening where it connected.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Instant;

use crate::io::ring::Completion;
use crate::io::{Op, Token, accept, cancel, socket};
use crate::limits::ACCEPT_RETRY;
use crate::listen::{Listener, Place};
use crate::runtime::Loop;
use crate::service::{Endpoint, Service, Socket};

/// A place for a listener and the state of its accept. Its number is in the accept's token.
#[derive(Debug, Default)]
pub(crate) struct Acceptor {
    /// `None` while the place is free.
    listener: Option<Arc<Listener>>,
    /// There is an accept in the ring.
    armed: bool,
    /// It is not to be armed again.
    ending: bool,
    /// Descriptors ran out: not before this.
    retry_at: Option<Instant>,
}

impl Acceptor {
    fn new(listener: Arc<Listener>) -> Self {
        Self { listener: Some(listener), ..Self::default() }
    }

    /// When it wants to be armed again, if it rests.
    pub(crate) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    fn is_of(&self, listener: &Arc<Listener>) -> bool {
        self.listener.as_ref().is_some_and(|own| Arc::ptr_eq(own, listener))
    }

    /// Frees the place if nothing in the ring names it any more.
    fn settle(&mut self) {
        if self.ending && !self.armed {
            *self = Self::default();
        }
    }
}

impl<S: Service> Loop<S> {
    /// Arms the accepts that are not, unless they rest because descriptors ran out.
    pub(crate) fn accept_more(&mut self) {
        if self.listeners_version != self.listeners.version() {
            self.follow_listeners();
        }
        let freed = std::mem::take(&mut self.descriptors_freed);
        for (number, acceptor) in self.acceptors.iter_mut().enumerate() {
            if acceptor.armed || acceptor.ending {
                continue;
            }
            let Some(listener) = &acceptor.listener else { continue };
            if acceptor.retry_at.is_none_or(|at| freed || Instant::now() >= at) {
                accept::submit(&mut self.ring, listener.fd(), number as u32);
                acceptor.armed = true;
                acceptor.retry_at = None;
            }
        }
    }

    /// Brings the acceptors up to the list of listeners.
    fn follow_listeners(&mut self) {
        // Read before the list: a change in between is followed again.
        self.listeners_version = self.listeners.version();
        let open = self.listeners.open();
        for number in 0..self.acceptors.len() {
            let acceptor = &self.acceptors[number];
            if acceptor.listener.is_some() && !acceptor.ending && !open.iter().any(|open| acceptor.is_of(open)) {
                self.end_accept(number);
            }
        }
        for listener in open {
            if self.acceptors.iter().any(|acceptor| acceptor.is_of(&listener)) {
                continue;
            }
            match self.acceptors.iter_mut().find(|acceptor| acceptor.listener.is_none()) {
                Some(free) => *free = Acceptor::new(listener),
                None => self.acceptors.push(Acceptor::new(listener)),
            }
        }
    }

    /// Accepts nothing more, anywhere.
    pub(crate) fn stop_accepting(&mut self) {
        self.listeners.close();
        self.follow_listeners();
    }

    fn end_accept(&mut self, number: usize) {
        let acceptor = &mut self.acceptors[number];
        acceptor.ending = true;
        acceptor.retry_at = None;
        if acceptor.armed {
            cancel::submit(&mut self.ring, Token::numbered(Op::Accept, number as u32));
        }
        acceptor.settle();
    }

    /// An accept completed: hands the new socket to the service.
    pub(crate) fn accepted(&mut self, completion: Completion) {
        let socket = accept::socket(completion.result);
        let acceptor = &mut self.acceptors[completion.token.id.slot as usize];
        let listener = acceptor.listener.clone().expect("a place is freed after its accept's last completion");
        if !completion.more() {
            acceptor.armed = false;
            acceptor.settle();
        }
        let Some(fd) = socket else {
            return acceptor.failed(&listener, completion.result);
        };
        // A socket that comes while the loop stops is closed here.
        if self.stopping.is_some() {
            return;
        }
        let raw = fd.as_raw_fd();
        let endpoint = match listener.place() {
            Place::Unix { path, .. } => Ok(Endpoint::Unix(path.clone())),
            Place::Tcp(_) => socket::prepare_tcp(raw, self.listeners.keepalive_seconds())
                .and_then(|()| Ok(Endpoint::Tcp { peer: socket::peer(raw)?, local: socket::local(raw)? })),
        };
        match endpoint {
            Ok(endpoint) => self.service.accepted(Socket { fd, endpoint }),
            // The client has gone before we came to it.
            Err(error) => tracing::debug!(%error, "an accepted connection is gone"),
        }
    }
}

impl Acceptor {
    /// An accept from `listener` yielded no socket.
    fn failed(&mut self, listener: &Listener, result: i32) {
        match accept::failure(result) {
            accept::Failure::Passing => {}
            _ if self.listener.is_none() || self.ending => {}
            accept::Failure::Exhausted => {
                tracing::warn!(errno = -result, "out of descriptors or memory: not accepting for a while");
                self.retry_at = Some(Instant::now() + ACCEPT_RETRY);
            }
            accept::Failure::Ended => {
                // One that was silenced goes from the list as well, if it has not yet.
                if !listener.is_silenced() {
                    tracing::error!(errno = -result, "a listening socket failed");
                }
                self.ending = true;
                self.settle();
            }
        }
    }
}
