//! Load that `redis-benchmark` does not make: several commands that belong together, and readers of what is published.
//!
//! Connections take turns. One turn reads all replies to what the connection has sent in its last turn, and sends the same
//! again, so that all others' requests are on the server's desk meanwhile. Replies are counted in bytes, not parsed: a
//! request is answered with as many bytes each time, which its first time tells.

use std::io;
use std::time::Instant;

use crate::client::{Client, encode};
use crate::cpu::{self, Cores};
use crate::requests::Cost;
use crate::server::Server;

/// Connections that send, unless subscribers are to hear them.
const SENDERS: usize = 50;
/// Connections that publish.
const PUBLISHERS: usize = 10;
/// Messages that a subscriber may have before it is read.
const MESSAGES_UNREAD_MAX: usize = 100;

/// What is sent over and over.
pub struct Volley<'a> {
    /// Appends one operation of the connection of this number, which may be several commands.
    pub write: &'a dyn Fn(usize, &mut Vec<u8>),
    /// Replies to one operation.
    pub replies: usize,
    /// Operations that a connection sends in one turn.
    pub batch: usize,
    /// Operations in all, about.
    pub operations: usize,
    /// What one operation brings to those who listen, if anybody does.
    pub heard: Option<Heard<'a>>,
}

/// A message, and how many hear it.
#[derive(Clone, Copy)]
pub struct Heard<'a> {
    /// The channel.
    pub channel: &'a str,
    /// What is said there.
    pub payload: &'a str,
    /// Clients that listen.
    pub subscribers: usize,
}

/// A connection that sends.
struct Sender {
    client: Client,
    request: Vec<u8>,
    /// Bytes with which the request is answered.
    answer: usize,
}

impl Volley<'_> {
    /// Loads `server` from the load's cores.
    pub fn run(&self, server: &Server, cores: &Cores) -> io::Result<Cost> {
        let mut cost = None;
        // The thread that loads is this one: it goes back to where it may run afterwards.
        cpu::on_cores(&cores.load, || {
            cost = Some(self.load(server)?);
            Ok(())
        })?;
        cost.ok_or_else(|| io::Error::other("nothing was measured"))
    }

    fn load(&self, server: &Server) -> io::Result<Cost> {
        let mut listeners = self.listeners(server)?;
        let count = if self.heard.is_some() { PUBLISHERS } else { SENDERS };
        let mut senders = (0..count).map(|number| self.sender(server, number)).collect::<io::Result<Vec<_>>>()?;
        self.hear(&mut listeners, 2 * count * self.batch)?;
        let turns = self.operations.div_ceil(self.batch * count).max(2);
        let (started, before) = (Instant::now(), cpu::time_of(server.pid())?);
        for sender in &mut senders {
            sender.client.send(&sender.request)?;
        }
        let mut unheard = 0;
        for turn in 1..=turns {
            for sender in &mut senders {
                sender.client.skip_bytes(sender.answer)?;
                if turn < turns {
                    sender.client.send(&sender.request)?;
                }
            }
            unheard += count * self.batch;
            if unheard + count * self.batch > MESSAGES_UNREAD_MAX || turn == turns {
                self.hear(&mut listeners, std::mem::take(&mut unheard))?;
            }
        }
        let used = cpu::time_of(server.pid())?.saturating_sub(before);
        let operations = (turns * self.batch * count) as f64;
        Ok(Cost {
            throughput: operations / started.elapsed().as_secs_f64(),
            cpu_us: used.as_secs_f64() * 1e6 / operations,
        })
    }

    /// A connection that has sent its request twice: the second time tells how it is answered.
    fn sender(&self, server: &Server, number: usize) -> io::Result<Sender> {
        let mut client = Client::connect(server.port)?;
        let mut request = Vec::new();
        (0..self.batch).for_each(|_| (self.write)(number, &mut request));
        let mut answer = 0;
        for _ in 0..2 {
            client.send(&request)?;
            answer = client.skip_replies(self.replies * self.batch)?;
        }
        Ok(Sender { client, request, answer })
    }

    fn listeners(&self, server: &Server) -> io::Result<Vec<Client>> {
        let Some(Heard { channel, subscribers, .. }) = self.heard else { return Ok(Vec::new()) };
        let listen = |_| {
            let mut client = Client::connect(server.port)?;
            client.call(&["SUBSCRIBE", channel])?;
            Ok(client)
        };
        (0..subscribers).map(listen).collect()
    }

    /// Reads so many messages of each who listens.
    fn hear(&self, listeners: &mut [Client], messages: usize) -> io::Result<()> {
        let Some(Heard { channel, payload, .. }) = self.heard else { return Ok(()) };
        let mut message = Vec::new();
        encode(&mut message, &["message", channel, payload]);
        listeners.iter_mut().try_for_each(|client| client.skip_bytes(messages * message.len()))
    }
}
