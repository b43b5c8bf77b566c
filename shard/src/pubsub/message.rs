//! What is published: a channel and a payload, encoded once.
//!
//! ```text
//!  >3 $7 message   $n channel $m payload        to subscribers of the channel
//!  >4 $8 pmessage $k pattern   $n channel $m payload        to subscribers of a pattern
//!                              └──── the same ────┘
//! ```
//!
//! The frame is that of RESP3; RESP2 differs in the first byte, `*` for `>`. So one encoding serves all subscribers on all
//! cores, and a pattern takes a head of its own.

use std::ops::Range;

use net::{Reply, Resp};

use super::Kind;

/// Which channels: those of PUBLISH, or those of SPUBLISH. They have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// PUBLISH: heard by subscribers of the channel and of patterns.
    Channels,
    /// SPUBLISH: heard by subscribers of the channel.
    ShardChannels,
}

impl Space {
    /// The kind of subscriptions to its channels.
    pub const fn kind(self) -> Kind {
        match self {
            Space::Channels => Kind::Channel,
            Space::ShardChannels => Kind::ShardChannel,
        }
    }
}

/// What is published.
#[derive(Debug)]
pub struct Published {
    /// Where.
    pub space: Space,
    /// What its publisher has changed before may not be recorded yet: who hands it out waits for the log's next barrier.
    pub follows_changes: bool,
    frame: Vec<u8>,
    /// Where the part begins that frames of patterns share.
    shared: usize,
    channel: Range<usize>,
}

/// Bytes of a frame besides the channel and the payload, at most.
const FRAME_BYTES_MAX: usize = 64;

impl Published {
    /// Encodes a message.
    pub fn new(space: Space, channel: &[u8], payload: &[u8]) -> Published {
        let mut frame = Vec::with_capacity(FRAME_BYTES_MAX + channel.len() + payload.len());
        let mut reply = Reply::new(&mut frame, Resp::V3);
        reply.push(3);
        reply.bulk(if space == Space::Channels { b"message" } else { b"smessage" });
        let shared = frame.len();
        Reply::new(&mut frame, Resp::V3).bulk(channel);
        let end = frame.len() - b"\r\n".len();
        Reply::new(&mut frame, Resp::V3).bulk(payload);
        Published { space, follows_changes: false, frame, shared, channel: end - channel.len()..end }
    }

    /// The message, behind changes of its publisher that may not be recorded yet.
    #[must_use]
    pub fn behind_changes(self, follows_changes: bool) -> Published {
        Published { follows_changes, ..self }
    }

    /// The channel.
    pub fn channel(&self) -> &[u8] {
        &self.frame[self.channel.clone()]
    }

    /// The frame for subscribers of the channel.
    pub fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// The frame for subscribers of `pattern`: written to `head` as far as it is its own, and the rest.
    pub fn pattern_frame(&self, pattern: &[u8], head: &mut Vec<u8>) -> &[u8] {
        head.clear();
        let mut reply = Reply::new(head, Resp::V3);
        reply.push(4);
        reply.bulk(b"pmessage");
        reply.bulk(pattern);
        &self.frame[self.shared..]
    }
}
