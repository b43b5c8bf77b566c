//! Connecting, sending and receiving over links, each request with its deadline.
//!
//! ```text
//!   connect, send, receive ──link──► timeout        told when both have completed:
//!       │                               │
//!       ├ completes first ──────────────┴ cancelled
//!       └ cancelled ────────────────────┬ completes first: the time is over
//! ```
//!
//! What a request names belongs to [`Links`] from the submission to the last completion, and so does the socket.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use io_uring::types::{Fd, Timespec};
use io_uring::{opcode, squeue};

use crate::io::ring::Ring;
use crate::io::socket::{RawAddress, raw_address};
use crate::io::{Op, Token, cancel};
use crate::limits::{LINK_RECEIVE_BYTES, LINK_SEND_BYTES_MAX};
use crate::link::{Link, LinkDone, LinkOp, LinkRequest};

/// What the number of a request has in addition for the timeout behind it.
const TIMEOUT_BEHIND: u32 = 1 << 16;

/// A request on its way.
struct Flight {
    number: u64,
    /// The socket, and what the kernel reads and writes.
    _link: Arc<Link>,
    _sent: Option<Arc<Vec<u8>>>,
    received: Vec<u8>,
    _address: Option<Box<RawAddress>>,
    _timeout: Box<Timespec>,
    /// How it ended, while that of its timeout is missing.
    result: Option<i32>,
    /// How the timeout ended.
    timed: Option<i32>,
}

/// The requests of one core on links that are in flight.
#[derive(Default)]
pub(crate) struct Links {
    next: u32,
    flights: HashMap<u32, Flight>,
}

impl Links {
    /// Queues a request.
    pub(crate) fn submit(&mut self, ring: &mut Ring, request: LinkRequest) {
        let slot = self.free_slot();
        let LinkRequest { number, link, op, within } = request;
        let fd = Fd(link.fd());
        let (mut received, mut address, mut sent) = (Vec::new(), None, None);
        let entry = match op {
            LinkOp::Connect(to) => {
                let address = address.insert(Box::new(raw_address(&to)));
                opcode::Connect::new(fd, address.as_ptr(), address.len()).build()
            }
            LinkOp::Send(bytes, from) => {
                let rest = &sent.insert(bytes)[from..];
                let len = rest.len().min(LINK_SEND_BYTES_MAX) as u32;
                opcode::Send::new(fd, rest.as_ptr(), len).flags(libc::MSG_NOSIGNAL).build()
            }
            LinkOp::Receive => {
                received = vec![0; LINK_RECEIVE_BYTES];
                opcode::Recv::new(fd, received.as_mut_ptr(), LINK_RECEIVE_BYTES as u32).build()
            }
        };
        let timeout = Box::new(Timespec::from(within));
        let behind = opcode::LinkTimeout::new(&raw const *timeout).build();
        let flight = Flight {
            number,
            _link: link,
            _sent: sent,
            received,
            _address: address,
            _timeout: timeout,
            result: None,
            timed: None,
        };
        self.flights.insert(slot, flight);
        // A link holds between requests that are submitted together.
        ring.make_room(2);
        // SAFETY: what the request names is on the heap and owned by the table, which leaves it alone until the last
        // completion was collected, and the socket is open as long; on tear-down the table is leaked if it was not.
        unsafe { ring.push(&entry.flags(squeue::Flags::IO_LINK), Token::numbered(Op::Link, slot)) };
        // SAFETY: as above.
        unsafe { ring.push(&behind, Token::numbered(Op::Link, slot | TIMEOUT_BEHIND)) };
    }

    fn free_slot(&mut self) -> u32 {
        loop {
            self.next = (self.next + 1) % TIMEOUT_BEHIND;
            if !self.flights.contains_key(&self.next) {
                return self.next;
            }
        }
    }

    /// A request completed, or the timeout behind it: what is to be told, if both have.
    pub(crate) fn finish(&mut self, ring: &mut Ring, slot: u32, result: i32) -> Option<LinkDone> {
        let number = slot % TIMEOUT_BEHIND;
        let flight = self.flights.get_mut(&number).expect("what completes was submitted");
        if slot == number {
            flight.result = Some(result);
        } else {
            flight.timed = Some(result);
            if flight.result.is_none() && result != -libc::ETIME && result != -libc::ECANCELED {
                // The kernel took the two apart, or has no memory for the timeout: nothing waits without a deadline.
                cancel::submit(ring, Token::numbered(Op::Link, number));
            }
        }
        let (Some(result), Some(timed)) = (flight.result, flight.timed) else { return None };
        let Flight { number, mut received, .. } = self.flights.remove(&number).expect("it was looked at just now");
        let is_late = matches!(-result, libc::ECANCELED | libc::EINTR) && timed != -libc::ECANCELED;
        let result = if is_late {
            Err(io::ErrorKind::TimedOut.into())
        } else {
            usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
        };
        received.truncate(*result.as_ref().unwrap_or(&0));
        Some(LinkDone { number, result, received })
    }

    /// Leaves everything to the kernel for ever: it did not say that it is done with it.
    pub(crate) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.flights));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::io::ring::Wait;

    /// What becomes of one request.
    fn done(ring: &mut Ring, links: &mut Links, link: &Arc<Link>, op: LinkOp, millis: u64) -> LinkDone {
        let within = Duration::from_millis(millis);
        links.submit(ring, LinkRequest { number: 7, link: Arc::clone(link), op, within });
        let mut completions = Vec::new();
        loop {
            ring.enter(Wait::Forever);
            ring.collect(&mut completions);
            for completion in completions.drain(..).filter(|completion| completion.token.op == Op::Link) {
                if let Some(done) = links.finish(ring, completion.token.id.slot, completion.result) {
                    assert_eq!((done.number, links.flights.len()), (7, 0));
                    return done;
                }
            }
        }
    }

    fn connected(ring: &mut Ring, links: &mut Links, at: SocketAddr) -> (Arc<Link>, io::Result<usize>) {
        let link = Arc::new(Link::to(&at).unwrap());
        let result = done(ring, links, &link, LinkOp::Connect(at), 5000).result;
        (link, result)
    }

    fn pair(ring: &mut Ring, links: &mut Links) -> (Arc<Link>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (link, result) = connected(ring, links, listener.local_addr().unwrap());
        result.unwrap();
        (link, listener.accept().unwrap().0)
    }

    #[test]
    fn bytes_go_there_and_back() {
        let (mut ring, mut links) = (Ring::new().unwrap(), Links::default());
        let (link, mut peer) = pair(&mut ring, &mut links);
        let bytes = Arc::new(b"--PING\r\n".to_vec());
        assert_eq!(done(&mut ring, &mut links, &link, LinkOp::Send(bytes, 2), 5000).result.unwrap(), 6);
        let mut there = [0; 6];
        peer.read_exact(&mut there).unwrap();
        assert_eq!(&there, b"PING\r\n");
        peer.write_all(b"+PONG\r\n").unwrap();
        assert_eq!(done(&mut ring, &mut links, &link, LinkOp::Receive, 5000).received, b"+PONG\r\n");
        drop(peer);
        let end = done(&mut ring, &mut links, &link, LinkOp::Receive, 5000);
        assert_eq!((end.result.unwrap(), end.received.len()), (0, 0));
    }

    #[test]
    fn nothing_takes_longer_than_it_may() {
        let (mut ring, mut links) = (Ring::new().unwrap(), Links::default());
        let (link, _peer) = pair(&mut ring, &mut links);
        let began = Instant::now();
        let late = done(&mut ring, &mut links, &link, LinkOp::Receive, 60);
        assert_eq!(late.result.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= Duration::from_millis(60));
        // Whoever does not read takes some of it, and then no more.
        let bytes = Arc::new(vec![0; 64 << 20]);
        let mut from = 0;
        let late = loop {
            match done(&mut ring, &mut links, &link, LinkOp::Send(Arc::clone(&bytes), from), 60).result {
                Ok(sent) => from += sent,
                Err(error) => break error,
            }
        };
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        assert!(from > 0 && from < bytes.len());
    }

    #[test]
    fn a_link_that_is_cut_ends_what_waits_for_it() {
        let (mut ring, mut links) = (Ring::new().unwrap(), Links::default());
        let (link, _peer) = pair(&mut ring, &mut links);
        let cutter = Arc::clone(&link);
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            cutter.cut();
        });
        assert_eq!(done(&mut ring, &mut links, &link, LinkOp::Receive, 60_000).result.unwrap(), 0);
        thread.join().unwrap();
    }

    #[test]
    fn nobody_is_there() {
        let (mut ring, mut links) = (Ring::new().unwrap(), Links::default());
        for host in ["127.0.0.1:0", "[::1]:0"] {
            // A port that was free a moment ago.
            let Ok(listener) = TcpListener::bind(host) else { continue };
            let at = listener.local_addr().unwrap();
            drop(listener);
            let (_, result) = connected(&mut ring, &mut links, at);
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionRefused, "{at}");
        }
    }
}
