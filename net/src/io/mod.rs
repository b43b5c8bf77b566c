//! io_uring, one operation a file.
//!
//! [`ring`] builds and enters the ring; the other files each wrap one request ([`accept`], [`recv`], [`fill`], [`send`],
//! [`file`], [`link`], [`wake`], [`cancel`]) in a function that is safe to call: a request either names no memory of ours
//! (multishot receives take buffers from the registered pool) or owns it until its last completion ([`send::Sends`],
//! [`fill::Fills`], [`file::Files`], [`link::Links`]). [`socket`] has the few plain system calls on sockets, and [`probe`]
//! asks whether this system lets us do all that.
//!
//! # User data
//!
//! ```text
//!   63                       32 31      28 27                      0
//!   ┌──────────────────────────┬──────────┬────────────────────────┐
//!   │ generation of the slot   │ op       │ slot                   │
//!   └──────────────────────────┴──────────┴────────────────────────┘
//! ```
//!
//! A slot is freed only when no request names it any more. The generation guards against the mistakes that are left: a
//! completion of another generation is dropped (a cancellation may complete after the slot was reused).

pub(crate) mod accept;
pub(crate) mod cancel;
pub(crate) mod file;
pub(crate) mod fill;
pub(crate) mod link;
pub(crate) mod probe;
pub(crate) mod recv;
pub(crate) mod ring;
pub(crate) mod send;
pub(crate) mod socket;
pub(crate) mod wake;

use crate::limits::SLOT_BITS;
use crate::service::ConnId;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Op {
    /// Multishot accept; the slot is the listener's number.
    Accept,
    /// Multishot receive of a connection.
    Recv,
    /// Receive into a connection's query buffer.
    Fill,
    /// Send of a connection.
    Send,
    /// The poll that lets other threads wake this one.
    Wake,
    /// A cancellation. What matters is the completion of the request it cancels.
    Cancel,
    /// A write to a file, or its sync; the slot is the request's number.
    File,
    /// A request on a link, or the timeout behind it; the slot is the request's number.
    Link,
}

impl Op {
    const ALL: [Self; 8] =
        [Self::Accept, Self::Recv, Self::Fill, Self::Send, Self::Wake, Self::Cancel, Self::File, Self::Link];
}

/// Who a completion belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) op: Op,
    pub(crate) id: ConnId,
}

impl Token {
    /// A request of the connection `id`.
    pub(crate) fn new(op: Op, id: ConnId) -> Self {
        Self { op, id }
    }

    /// A request that belongs to no connection.
    pub(crate) fn numbered(op: Op, slot: u32) -> Self {
        Self { op, id: ConnId { slot, generation: 0 } }
    }

    pub(crate) fn pack(self) -> u64 {
        debug_assert!(self.id.slot < 1 << SLOT_BITS);
        u64::from(self.id.generation) << 32 | (self.op as u64) << SLOT_BITS | u64::from(self.id.slot)
    }

    /// The reverse of [`Token::pack`].
    pub(crate) fn unpack(user_data: u64) -> Self {
        let low = user_data as u32;
        Self {
            op: Op::ALL[(low >> SLOT_BITS) as usize],
            id: ConnId { slot: low & ((1 << SLOT_BITS) - 1), generation: (user_data >> 32) as u32 },
        }
    }
}

#[cfg(test)]
mod tests;
