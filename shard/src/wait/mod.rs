//! Waiting for keys: what BLPOP and its kin do when there is nothing to take.
//!
//! A handler that finds nothing asks to wait ([`Ctx::wait_for`](crate::exec::Ctx::wait_for)). Its client then becomes a
//! *waiter* on every shard that has one of its keys; the waiters of one client share a [`Claim`], and whoever wins it ends
//! the wait: a shard that serves the client, the client's core when the time is over, CLIENT UNBLOCK, or the closing of
//! the connection. The others drop their waiter when they meet it.
//!
//! A key at which something happens is *signalled*. When the command is over, the waiters of signalled keys run their
//! command once more, first come, first served; one that still finds nothing goes on waiting in its place.
//!
//! A command for which any one of its keys will do (BLPOP, XREAD) is run by the shard of the signalled key, to which the
//! keys of other shards look missing. One that needs several keys at once (BLMOVE) is run there if the shard has them all;
//! else the client's core brings them together anew, and until that try is through nobody behind it is served.

mod claim;
mod table;

pub use claim::{Claim, Claiming, Ended};
pub use table::{WaitTable, Waiter, WaiterId};

use net::OwnedArgs;
use storage::UnixMillis;

/// What a handler wants that found nothing to take.
#[derive(Clone, Debug)]
pub struct WaitRequest {
    /// The keys to wait for.
    pub keys: Vec<Vec<u8>>,
    /// When the client waits no longer; `None` if it waits for ever.
    pub deadline: Option<UnixMillis>,
    /// When there may be something to take though no key is signalled (XREADGROUP with CLAIM); each run in vain says so anew.
    pub look_again: Option<UnixMillis>,
    /// The command as it is to run when a key is signalled, if not as it came (XREAD with `$`).
    pub args: Option<OwnedArgs>,
    /// What the client gets when the time is over.
    pub nothing: Nothing,
}

/// The reply of a command that waited in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// A null array (BLPOP, XREAD).
    NullArray,
    /// A null (BLMOVE).
    Null,
    /// The number of replicas that have what was written (WAIT).
    Zero,
    /// Whether it is synced here, and the number of replicas (WAITAOF).
    Synced,
}
