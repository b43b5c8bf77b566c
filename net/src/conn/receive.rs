//! From the socket to the pieces that [`super::pipeline`] executes.
//!
//! A connection is read in one of two ways. As a rule a multishot receive delivers pieces in the core's buffers. When an
//! argument is under way of which much is missing, that receive is cancelled and the query buffer itself is handed to the
//! kernel, a mebibyte at a time; when the argument is complete, the multishot receive is armed again. Pieces that were
//! received before the cancellation took effect are in order: one request at a time reads the socket.

use crate::conn::Conn;
use crate::io::ring::Completion;
use crate::io::{Op, Token, cancel, recv};
use crate::limits::{BACKLOG_BYTES_MAX, BACKLOG_BYTES_RESUME, FILL_BYTES_MAX, FILL_BYTES_MIN};
use crate::runtime::{Loop, Piece};
use crate::service::{ConnId, InputUsage, Service};

/// How a connection is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// Not at all.
    Paused,
    /// In pieces, as they come.
    Pieces,
    /// This many bytes into the query buffer.
    Fill(usize),
}

impl Conn {
    /// How the connection is to be read now. A pause ends well below the bound that began it.
    fn reading(&self) -> Reading {
        if self.closing || self.ended {
            return Reading::Paused;
        }
        if self.draining {
            return Reading::Pieces;
        }
        let bound = if self.receiving { BACKLOG_BYTES_MAX } else { BACKLOG_BYTES_RESUME };
        if self.stalled || (self.query.len() > bound && self.has_commands()) {
            return Reading::Paused;
        }
        let missing = self.needed.saturating_sub(self.query.len());
        if self.parser.is_some() && missing >= FILL_BYTES_MIN {
            return Reading::Fill(missing.min(FILL_BYTES_MAX));
        }
        Reading::Pieces
    }
}

impl<S: Service> Loop<S> {
    /// Begins, ends or changes the reading of a connection, as its state wants it.
    pub(crate) fn settle_receive(&mut self, id: ConnId) {
        let Some(conn) = self.conns.open(id) else { return };
        let reading = conn.reading();
        if conn.receiving {
            // A fill is never cancelled: it is short, and nothing it received may be lost.
            if reading != Reading::Pieces && !conn.filling && !conn.cancelling && !conn.ended {
                conn.cancelling = true;
                cancel::submit(&mut self.ring, Token::new(Op::Recv, id));
            }
            return;
        }
        let usage = conn.usage();
        match reading {
            Reading::Paused => return,
            Reading::Pieces => recv::submit(&mut self.ring, conn.fd(), id),
            // Pieces that were received before may still wait to be added.
            Reading::Fill(_) if self.feeding => return self.unsettled.push(id),
            Reading::Fill(missing) => match conn.query.lend(missing) {
                Some(buffer) => {
                    conn.filling = true;
                    let usage = InputUsage { query_capacity: buffer.capacity(), ..usage };
                    self.service.input_usage(id, usage);
                    self.fills.submit(&mut self.ring, conn.fd(), id, buffer, missing);
                }
                None => recv::submit(&mut self.ring, conn.fd(), id),
            },
        }
        conn.receiving = true;
    }

    /// A multishot receive completed: with a piece, with the end of the stream, or because it must be asked for anew.
    pub(crate) fn received(&mut self, completion: Completion) {
        let id = completion.token.id;
        let filled = self.buffers.claim(completion.result, completion.flags);
        let Some(conn) = self.conns.at(id) else {
            if let Some(filled) = filled {
                self.buffers.give_back(filled);
            }
            return;
        };
        if !completion.more() {
            conn.receiving = false;
            conn.cancelling = false;
            self.unsettled.push(id);
        }
        let closing = conn.closing;
        match (filled, completion.result) {
            (Some(filled), 1..) if !closing => self.pieces.push(Piece { id, filled }),
            (Some(filled), _) => self.buffers.give_back(filled),
            (None, _) => {}
        }
        self.conclude(id, completion.result);
    }

    /// A receive into the query buffer completed.
    pub(crate) fn filled(&mut self, completion: Completion) {
        let id = completion.token.id;
        let received = usize::try_from(completion.result).unwrap_or(0);
        let buffer = self.fills.finish(id, received);
        let Some(conn) = self.conns.at(id) else { return };
        conn.receiving = false;
        conn.filling = false;
        if !conn.closing {
            conn.received_bytes += received as u64;
            if !conn.draining {
                conn.query.put_back(buffer);
                if !conn.queued {
                    conn.queued = true;
                    self.ready.push(id);
                }
            }
            self.unsettled.push(id);
        }
        self.conclude(id, completion.result);
    }

    /// What the result of a receive means for the connection.
    fn conclude(&mut self, id: ConnId, result: i32) {
        let Some(conn) = self.conns.at(id) else { return };
        if conn.closing {
            return self.release(id);
        }
        match -result {
            ..0 | libc::ECANCELED | libc::EINTR | libc::EAGAIN => {}
            0 => conn.ended = true,
            libc::ENOBUFS | libc::ENOMEM => self.buffers.starved(),
            error => {
                tracing::debug!(error, "read from client");
                self.close(id);
            }
        }
    }
}
