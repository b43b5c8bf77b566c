//! The other server, to which keys are migrated: it takes whatever it is sent, and answers when it likes. A socket that was
//! kept from one migration to the next may turn out to be broken.

use std::sync::Arc;

use net::Link;
use net::link::{LinkDone, LinkOp, LinkRequest};

use crate::choice::Choice;

/// Once in so many times a socket that was kept is broken.
const BROKEN_ONE_IN: u32 = 3;

/// All connections to it.
#[derive(Default)]
pub struct Network {
    asked: Vec<(usize, LinkRequest)>,
    done: Vec<(usize, LinkDone)>,
    peers: Vec<Peer>,
}

/// Its end of a connection.
struct Peer {
    link: Arc<Link>,
    /// Answers that it owes.
    owed: usize,
    /// All that it was sent was answered once.
    was_kept: bool,
    is_broken: bool,
}

impl Network {
    /// A core asks for something.
    pub fn ask(&mut self, core: usize, request: LinkRequest) {
        self.asked.push((core, request));
    }

    /// How many requests are to be dealt with.
    pub fn pending(&self) -> usize {
        self.asked.len()
    }

    /// Whether something is done that `core` asked for.
    pub fn has_done(&self, core: usize) -> bool {
        self.done.iter().any(|(of, _)| *of == core)
    }

    /// What is done of that.
    pub fn take_done(&mut self, core: usize) -> Vec<LinkDone> {
        self.done.extract_if(.., |(of, _)| *of == core).map(|(_, done)| done).collect()
    }

    /// Deals with one request; tells what that was.
    pub fn apply(&mut self, place: usize, choice: &mut dyn Choice) -> String {
        let (core, LinkRequest { number, link, op, .. }) = self.asked.remove(place);
        let (mut received, mut told) = (Vec::new(), "is connected".to_owned());
        let result = match op {
            LinkOp::Connect(_) => {
                self.peers.push(Peer { link, owed: 0, was_kept: false, is_broken: false });
                0
            }
            LinkOp::Send(bytes, from) => {
                let sent = &bytes[from..];
                let count = |name: &[u8]| sent.windows(name.len()).filter(|window| *window == name).count();
                let peer = self.peer(&link);
                peer.owed += count(b"\r\nRESTORE\r\n") + count(b"\r\nSELECT\r\n");
                peer.is_broken = std::mem::take(&mut peer.was_kept) && choice.oddity(BROKEN_ONE_IN);
                told = format!("takes {} bytes", sent.len());
                sent.len()
            }
            LinkOp::Receive => {
                let peer = self.peer(&link);
                let answers = if peer.is_broken { 0 } else { 1 + choice.pick(peer.owed) };
                peer.owed -= answers;
                peer.was_kept = peer.owed == 0;
                received = b"+OK\r\n".repeat(answers);
                told = format!("gives {answers} answers");
                received.len()
            }
        };
        self.done.push((core, LinkDone { number, result: Ok(result), received }));
        format!("the other server {told} to core {core}")
    }

    fn peer(&mut self, link: &Arc<Link>) -> &mut Peer {
        self.peers.iter_mut().find(|peer| Arc::ptr_eq(&peer.link, link)).expect("it was connected")
    }
}
