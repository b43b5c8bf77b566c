//! Clients: what they sent, what they were answered, and when.

use std::collections::VecDeque;

use net::ConnId;

use crate::program::{Bytes, Request, Script, short};

/// One request in the history of a run.
#[derive(Clone, Debug)]
pub struct Op {
    /// Whose.
    pub client: usize,
    /// What.
    pub request: Request,
    /// The step at which it was sent, and the time of the clock then.
    pub sent: (usize, i64),
    /// The step at which its reply was there, and the time then.
    pub answered: Option<(usize, i64)>,
    /// The reply.
    pub reply: Bytes,
}

/// A message that no request asked for, as a client got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// So many replies had come before it.
    pub behind: usize,
    /// The frame.
    pub frame: Bytes,
}

impl Heard {
    /// Whether it tells what happened to a key.
    pub fn is_event(&self) -> bool {
        let channel = b"\r\n__keyevent@";
        self.frame.windows(channel.len()).any(|part| part == channel)
    }
}

/// Where a client's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not opened yet.
    Down,
    /// Open.
    Up(ConnId),
    /// Open, and closed by the client; its core does not know yet.
    Closing(ConnId),
    /// Closed, the slot free.
    Gone(ConnId),
}

/// A client that goes through its script.
pub struct Client {
    /// What it does.
    pub script: Script,
    /// Its connection.
    pub link: Link,
    /// The group that it sends next.
    pub next_group: usize,
    /// Requests sent that its core has not collected.
    pub socket: VecDeque<usize>,
    /// Requests that its core has collected and not executed.
    pub input: VecDeque<usize>,
    /// Its core executes nothing more of it until it says so.
    pub held: bool,
    /// Requests whose reply is to come, and whether the next reply is that of the whole request.
    awaited: VecDeque<(usize, bool)>,
    received: Bytes,
    replies: usize,
    /// What it was told of channels.
    pub heard: Vec<Heard>,
    /// What it was told of keys that changed.
    pub invalid: Vec<Heard>,
}

impl Client {
    /// A client before it connects.
    pub fn new(script: Script) -> Client {
        Client {
            script,
            link: Link::Down,
            next_group: 0,
            socket: VecDeque::new(),
            input: VecDeque::new(),
            held: false,
            awaited: VecDeque::new(),
            received: Vec::new(),
            replies: 0,
            heard: Vec::new(),
            invalid: Vec::new(),
        }
    }

    /// Whether it can send now.
    pub fn can_send(&self) -> bool {
        matches!(self.link, Link::Up(_)) && self.awaited.is_empty() && self.next_group < self.script.groups.len()
    }

    /// Whether it has sent anything.
    pub fn has_sent(&self) -> bool {
        self.next_group > 0
    }

    /// Whether it has been answered all that it will ever ask.
    pub fn is_done(&self) -> bool {
        match self.link {
            Link::Closing(_) | Link::Gone(_) => true,
            Link::Down | Link::Up(_) => self.awaited.is_empty() && self.next_group == self.script.groups.len(),
        }
    }

    /// Sends the next group; the requests get the next numbers of `history`.
    pub fn send(&mut self, client: usize, now: (usize, i64), history: &mut Vec<Op>) {
        for request in self.script.groups[self.next_group].clone() {
            let number = history.len();
            let first = if let Request::Multi(commands) = &request { 1 + commands.len() } else { 0 };
            history.push(Op { client, request, sent: now, answered: None, reply: Vec::new() });
            self.socket.push_back(number);
            self.awaited.extend(std::iter::repeat_n((number, false), first));
            self.awaited.push_back((number, true));
        }
        self.next_group += 1;
    }

    /// Bytes have come; an error if they are no answer to anything.
    pub fn receive(&mut self, bytes: &[u8], now: (usize, i64), history: &mut [Op]) -> Result<(), String> {
        self.received.extend_from_slice(bytes);
        while let Some(len) = reply_bytes(&self.received) {
            let mut reply: Bytes = self.received.drain(..len).collect();
            if reply.starts_with(b">3\r\n$7\r\nmessage\r\n") {
                self.heard.push(Heard { behind: self.replies, frame: reply });
                continue;
            }
            if reply.starts_with(b">2\r\n$10\r\ninvalidate\r\n") {
                self.invalid.push(Heard { behind: self.replies, frame: reply });
                continue;
            }
            reply = with_old_nulls(&reply);
            let Some((number, is_last)) = self.awaited.pop_front() else {
                return Err(format!("a reply to nothing: {}", short(&reply)));
            };
            if !is_last {
                continue;
            }
            self.replies += 1;
            history[number].answered = Some(now);
            history[number].reply = reply;
        }
        Ok(())
    }
}

/// To the judge, nothing is nothing in both versions. Values are never a `_`.
fn with_old_nulls(reply: &[u8]) -> Bytes {
    let lines = reply.split_inclusive(|&byte| byte == b'\n');
    lines.flat_map(|line| if line == b"_\r\n" { b"$-1\r\n" } else { line }).copied().collect()
}

/// Length of the first whole reply of `bytes`.
fn reply_bytes(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let count = || -> i64 {
        let text = std::str::from_utf8(&bytes[1..line]).expect("heads of replies are ASCII");
        text.parse().expect("a length is a number")
    };
    let head = line + 2;
    match bytes[0] {
        b'$' if count() >= 0 => {
            let whole = head + count() as usize + 2;
            (bytes.len() >= whole).then_some(whole)
        }
        b'*' | b'>' => (0..count().max(0)).try_fold(head, |at, _| Some(at + reply_bytes(&bytes[at..])?)),
        b'$' | b'+' | b'-' | b':' | b'_' => Some(head),
        other => panic!("a reply begins with {other:?}"),
    }
}

#[test]
fn replies_are_told_apart() {
    assert_eq!(reply_bytes(b"+OK\r\n:1\r\n"), Some(5));
    assert_eq!(reply_bytes(b"*2\r\n$1\r\na\r\n$-1\r\n+OK\r\n"), Some(16));
    assert_eq!(reply_bytes(b"*2\r\n$1\r\na\r\n$-1"), None);
    assert_eq!(reply_bytes(b"$3\r\nab"), None);
    assert_eq!(reply_bytes(b"*-1\r\n"), Some(5));
}
