//! The dialogue with the other server, without its I/O: it says what is to be done next, and is told what became of it.
//!
//! ```text
//!   Resolve ─► Connect ─► Send ... Send ─► Receive ... Receive ─► Over
//!      ▲         │ next     ▲                 │
//!      │         ▼ address  └ a kept socket   │ broken before the first answer to a RESTORE, and not for want of time:
//!      └──────────────────────────────────────┘ once more, with a new socket
//! ```

use std::collections::VecDeque;
use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use storage::UnixMillis;

use super::cache::Target;
use super::replies::{Answer, Garbage, Lines};
use super::request::Request;
use crate::exec::CommandError;
use crate::journal::put_words;

const NOT_CONNECTED: CommandError = CommandError::new("IOERR error or timeout connecting to the client");
const NOT_WRITTEN: CommandError = CommandError::new("IOERR error or timeout writing to target instance");
const NOT_READ: CommandError = CommandError::new("IOERR error or timeout reading to target instance");

/// A payload of so many bytes is sent from where it is, a smaller one is copied to its command.
const PIECE_BYTES_MIN: usize = 64 << 10;

/// A key on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its name.
    pub key: Vec<u8>,
    /// What DUMP says.
    pub payload: Arc<Vec<u8>>,
    /// When it expires.
    pub expire_at: Option<UnixMillis>,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The addresses of the target are looked up.
    Resolve,
    /// A new socket is connected to this one.
    Connect(SocketAddr),
    /// Some of these bytes are sent, from this place on.
    Send(Arc<Vec<u8>>, usize),
    /// Whatever comes is received.
    Receive,
    /// Nothing more.
    Over,
}

/// What became of a step.
#[derive(Debug)]
pub enum Event<'a> {
    /// The addresses of the target, none if it is not known.
    Resolved(Vec<SocketAddr>),
    /// The socket is connected, or is not.
    Connected(io::Result<()>),
    /// So many bytes were sent.
    Sent(io::Result<usize>),
    /// These bytes were received, none at the end.
    Received(io::Result<&'a [u8]>),
}

/// What a dialogue came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The keys that the other server has.
    pub moved: Vec<Vec<u8>>,
    /// What the client is told, if it is an error.
    pub error: Option<CommandError>,
}

/// What the next answer is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// AUTH or SELECT.
    Ahead,
    /// RESTORE of this parcel.
    Restore(usize),
}

/// A dialogue.
pub struct Exchange {
    request: Request,
    parcels: Vec<Parcel>,
    /// The database that is selected at the other end, if that is known.
    selected: Option<i64>,
    addresses: VecDeque<SocketAddr>,
    /// What is to be said if none is left.
    unconnected: CommandError,
    /// What is still to be sent, and what of the first piece is.
    pieces: VecDeque<Arc<Vec<u8>>>,
    sent: usize,
    lines: Lines,
    asked: VecDeque<Asked>,
    /// An answer to a RESTORE has come.
    is_answered: bool,
    may_retry: bool,
    /// What AUTH or SELECT has met: then the parcels are taken for refused.
    ahead: Option<Vec<u8>>,
    /// What the first of the parcels has met that were refused.
    refused: Option<Vec<u8>>,
    moved: Vec<usize>,
    error: Option<CommandError>,
    /// The socket may be used again.
    is_clean: bool,
}

impl Exchange {
    /// The dialogue that brings these parcels where `request` says.
    pub(super) fn new(request: Request, parcels: Vec<Parcel>) -> Exchange {
        Exchange {
            request,
            parcels,
            selected: None,
            addresses: VecDeque::new(),
            unconnected: NOT_CONNECTED,
            pieces: VecDeque::new(),
            sent: 0,
            lines: Lines::default(),
            asked: VecDeque::new(),
            is_answered: false,
            may_retry: true,
            ahead: None,
            refused: None,
            moved: Vec::new(),
            error: None,
            is_clean: false,
        }
    }

    /// Where it goes.
    pub fn target(&self) -> &Target {
        &self.request.target
    }

    /// How long a step may take.
    pub fn timeout(&self) -> Duration {
        self.request.timeout
    }

    /// Begins: with a socket that was kept, and what is selected there, or without.
    pub fn begin(&mut self, kept: Option<Option<i64>>, now: UnixMillis) -> Step {
        let Some(selected) = kept else { return Step::Resolve };
        self.selected = selected;
        self.speak(now)
    }

    /// No time is left: whatever fails next ends it.
    pub fn give_up(&mut self) {
        self.may_retry = false;
        self.addresses.clear();
    }

    /// What becomes of the step before: what is to be done next.
    pub fn went(&mut self, event: Event<'_>, now: UnixMillis) -> Step {
        match event {
            Event::Resolved(addresses) => {
                self.addresses = addresses.into();
                self.connect()
            }
            Event::Connected(Ok(())) => {
                self.selected = None;
                self.speak(now)
            }
            Event::Connected(Err(error)) => {
                // Redis finds out only when it writes.
                let is_refused = error.kind() == io::ErrorKind::ConnectionRefused;
                self.unconnected = if is_refused { NOT_WRITTEN } else { NOT_CONNECTED };
                self.connect()
            }
            Event::Sent(Ok(sent)) if sent > 0 => {
                self.sent += sent;
                self.send()
            }
            Event::Sent(result) => self.broken(&NOT_WRITTEN, result.is_err_and(|error| is_late(&error))),
            Event::Received(Ok(bytes)) if !bytes.is_empty() => {
                self.lines.feed(bytes);
                self.read()
            }
            Event::Received(result) => self.broken(&NOT_READ, result.is_err_and(|error| is_late(&error))),
        }
    }

    fn connect(&mut self) -> Step {
        let Some(address) = self.addresses.pop_front() else {
            self.error = Some(self.unconnected.clone());
            return Step::Over;
        };
        Step::Connect(address)
    }

    /// Says all that there is to say. The time that a key has left is that of this moment; one that has none is left out.
    fn speak(&mut self, now: UnixMillis) -> Step {
        let mut piece = Vec::new();
        if let Some(auth) = &self.request.auth {
            let words: Vec<_> = std::iter::once("AUTH".into()).chain(auth.iter().map(Into::into)).collect();
            put_words(&mut piece, &words);
            self.asked.push_back(Asked::Ahead);
        }
        if self.selected != Some(self.request.db) {
            put_words(&mut piece, &["SELECT".into(), self.request.db.into()]);
            self.asked.push_back(Asked::Ahead);
        }
        for (number, parcel) in self.parcels.iter().enumerate() {
            let left = parcel.expire_at.map(|at| at.0 - now.0);
            if left.is_some_and(|left| left < 0) {
                continue;
            }
            self.asked.push_back(Asked::Restore(number));
            let words = if self.request.replace { 5 } else { 4 };
            put(&mut piece, format_args!("*{words}\r\n$7\r\nRESTORE\r\n${}\r\n", parcel.key.len()));
            piece.extend_from_slice(&parcel.key);
            let ttl = left.map_or(0, |left| left.max(1)).to_string();
            put(&mut piece, format_args!("\r\n${}\r\n{ttl}\r\n${}\r\n", ttl.len(), parcel.payload.len()));
            if parcel.payload.len() < PIECE_BYTES_MIN {
                piece.extend_from_slice(&parcel.payload);
            } else {
                self.pieces.push_back(Arc::new(std::mem::take(&mut piece)));
                self.pieces.push_back(Arc::clone(&parcel.payload));
            }
            piece.extend_from_slice(if self.request.replace { b"\r\n$7\r\nREPLACE\r\n" } else { b"\r\n" });
        }
        self.pieces.push_back(Arc::new(piece));
        self.send()
    }

    fn send(&mut self) -> Step {
        while let Some(piece) = self.pieces.front() {
            if self.sent < piece.len() {
                return Step::Send(Arc::clone(piece), self.sent);
            }
            self.pieces.pop_front();
            self.sent = 0;
        }
        self.read()
    }

    /// Reads the answers that have come.
    fn read(&mut self) -> Step {
        while let Some(&asked) = self.asked.front() {
            match self.lines.next_answer() {
                Ok(None) => return Step::Receive,
                // Nobody knows what it has done.
                Err(Garbage) => return self.broken(&NOT_READ, true),
                Ok(Some(answer)) => self.take(asked, answer),
            }
            self.asked.pop_front();
        }
        self.is_clean = self.lines.is_empty();
        let is_selected = self.refused.is_none() && self.ahead.is_none();
        self.selected = is_selected.then_some(self.request.db);
        Step::Over
    }

    fn take(&mut self, asked: Asked, answer: Answer) {
        let text = match answer {
            Answer::Done => None,
            Answer::Refused(text) => Some(text),
        };
        match asked {
            Asked::Ahead => self.ahead = self.ahead.take().or(text),
            Asked::Restore(number) => {
                self.is_answered = true;
                match self.ahead.clone().or(text) {
                    None => self.moved.push(number),
                    Some(text) => self.refused = self.refused.take().or(Some(text)),
                }
            }
        }
    }

    /// The connection is of no use any more. What the other server has said is worth more than how it ended.
    fn broken(&mut self, error: &CommandError, is_final: bool) -> Step {
        if self.may_retry && !self.is_answered && !is_final {
            self.may_retry = false;
            (self.sent, self.ahead) = (0, None);
            self.lines = Lines::default();
            self.pieces.clear();
            self.asked.clear();
            return Step::Resolve;
        }
        if self.refused.is_none() {
            self.error = Some(error.clone());
        }
        Step::Over
    }

    /// What is selected at the other end, if that is known, of a socket that may be used again.
    pub fn kept(&self) -> Option<Option<i64>> {
        self.is_clean.then_some(self.selected)
    }

    /// What it came to.
    pub fn outcome(self) -> Outcome {
        let mut parcels: Vec<Option<Vec<u8>>> = self.parcels.into_iter().map(|parcel| Some(parcel.key)).collect();
        let moved = self.moved.iter().filter_map(|&number| parcels[number].take()).collect();
        let told = |text: Vec<u8>| {
            let clean = text.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte });
            CommandError::bytes(
                b"ERR Target instance replied with error: ".iter().copied().chain(clean).collect::<Vec<u8>>(),
            )
        };
        Outcome { moved, error: self.refused.map(told).or(self.error) }
    }
}

fn put(piece: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    piece.write_fmt(text).expect("a vector takes what is written to it");
}

fn is_late(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

#[cfg(test)]
mod tests;
