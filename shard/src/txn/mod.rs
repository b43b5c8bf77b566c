//! Transactions: MULTI, EXEC, and the keys that are watched.
//!
//! Commands behind MULTI are kept in the session ([`queue`]). EXEC makes one piece of [`Work`](crate::exec::work::Work)
//! of them ([`exec`]), which claims all keys that they name, and the watched ones, from its place in the order of all
//! commands until the last of them has run. Where the work goes is for the core to say (`core/work.rs`):
//!
//! | keys | where |
//! |---|---|
//! | all of one shard | there: one message, and no locks that anybody waits for longer than it runs |
//! | of several shards | brought together at the client's core; other keys of these shards are served meanwhile |
//! | not known beforehand, or all of them | all shards' databases are brought to the client's core |
//!
//! # Watching
//!
//! ```text
//!   session ──► Watch ◄──┬── shard 0: (db, key) -> [Watch, Watch]      one flag for each client that watches, which any
//!               flag     └── shard 2: (db, key) -> [Watch]             shard sets on which a key of its is changed
//! ```
//!
//! WATCH enters the keys' shards like any command ([`watch::WatchTable`]). A change of the key sets the client's flag. EXEC
//! looks at the flag once it holds all its claims, the watched keys' among them. That is enough: a change of a watched key
//! that came before EXEC in the order of all commands has run when the claim on that key was granted, and the grant
//! travelled to EXEC's core behind it; one that comes later waits for EXEC's release.

pub mod exec;
pub mod queue;
pub mod watch;

pub use queue::Transaction;
pub use watch::{Presence, Watch, WatchTable};
