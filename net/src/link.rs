//! Connections that this side opens, to other servers.
//!
//! A service asks for one step at a time: connect, send, receive. Each has a time in which something must happen, and is
//! told when it is over ([`Service::link_done`](crate::Service::link_done)). Nothing is read ahead, and nothing of a link is
//! kept between two steps but its socket, so that it may go on at another core.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use crate::io::socket;

/// A socket to another server. It is closed when nobody has it any more.
#[derive(Debug)]
pub struct Link(OwnedFd);

impl Link {
    /// A socket that can be connected to `address`.
    pub fn to(address: &SocketAddr) -> io::Result<Link> {
        let link = Link(socket::open(address)?);
        socket::prepare_tcp(link.fd(), 0)?;
        Ok(link)
    }

    /// Ends the connection: whatever waits for it is over.
    pub fn cut(&self) {
        // One that is gone already cannot be cut once more.
        let _ = socket::shutdown(self.fd());
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// What is done with a link.
#[derive(Debug)]
pub enum LinkOp {
    /// It is connected.
    Connect(SocketAddr),
    /// Some of the bytes from this place on are sent, as many as the socket takes at once.
    Send(Arc<Vec<u8>>, usize),
    /// Whatever comes is received.
    Receive,
}

/// Something to be done with a link, without waiting for it.
#[derive(Debug)]
pub struct LinkRequest {
    /// The service's name for it.
    pub number: u64,
    /// The socket.
    pub link: Arc<Link>,
    /// What is to be done.
    pub op: LinkOp,
    /// Longer than this it may not take.
    pub within: Duration,
}

/// What became of a [`LinkRequest`].
#[derive(Debug)]
pub struct LinkDone {
    /// Its name.
    pub number: u64,
    /// How many bytes were sent or received, none being received at the end of what comes; or why nothing was done:
    /// [`io::ErrorKind::TimedOut`], if the time is over.
    pub result: io::Result<usize>,
    /// The bytes that were received.
    pub received: Vec<u8>,
}
