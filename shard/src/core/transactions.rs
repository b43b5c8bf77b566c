//! Transactions at the client's core: keeping commands behind MULTI, and watching keys.

use std::sync::Arc;

use net::{Args, ConnId, Flow, Reply, Resp};

use super::replaying::REPLAY;
use super::route::COMMAND_OVERHEAD_BYTES;
use super::{Core, Grounds, SessionCtx};
use crate::exec::CommandError;
use crate::exec::error::{OUT_OF_MEMORY, exec_aborted};
use crate::exec::merge::Part;
use crate::exec::work::{Needs, Progress, Work};
use crate::ids::{DbId, ShardId};
use crate::mesh::HopMessage;
use crate::session::Gathered;
use crate::spec::table::Row;
use crate::spec::{Flag, Flags};
use crate::txn::queue::{Queue, Watching};
use crate::txn::{Presence, Watch};

/// The room for a transaction's commands is kept for the next up to this many bytes.
const QUEUE_BYTES_KEPT: usize = 16 * 1024;

/// Between other commands of a transaction there is nobody to give orders.
const NOT_DEBUGGED: CommandError =
    CommandError::new("ERR A script of a transaction cannot be debugged: use EVAL by itself, or SCRIPT DEBUG NO");

impl Core {
    /// Keeps a command if its client has called MULTI; `None` if the command is to run.
    #[inline]
    pub(super) fn keep_for_exec(&mut self, conn: ConnId, row: &'static Row, args: &Args<'_>) -> Option<Flow> {
        let session = self.session(conn)?;
        if !session.in_transaction() || row.command.flags.has(Flag::NotQueued) {
            return None;
        }
        Some(self.keep(conn, row, args))
    }

    fn keep(&mut self, conn: ConnId, row: &'static Row, args: &Args<'_>) -> Flow {
        if row.command.name.starts_with("eval") && self.session(conn).is_some_and(|session| session.debugs_scripts()) {
            return self.refuse(conn, Some(row.id), &NOT_DEBUGGED);
        }
        let now = self.shard.clock;
        // What is in a log was admitted when it was written there.
        let limit = if conn == REPLAY { u64::MAX } else { self.shard.config.client_query_buffer_limit };
        let flags = self.flags_of(conn, row, args);
        let session = self.session(conn).expect("its command is being kept");
        session.info.last_command = Some(row.id);
        session.info.active_at = now;
        session.info.commands += 1;
        let transaction = session.transaction.as_mut().expect("a transaction is open");
        // What is kept for a transaction that will fail anyway is kept in vain.
        let is_lost = transaction.is_broken || transaction.is_spoilt();
        let has_room = (transaction.queue.argument_bytes() + args.total_bytes()) as u64 <= limit;
        let is_kept = is_lost || (has_room && transaction.queue.push(row, flags, args));
        if !is_kept {
            self.stats.query_limit_disconnections += 1;
            let client = self.client_line(conn, None);
            tracing::warn!("Closing client that reached max query buffer length, in a transaction: {client}");
            self.kill(conn);
            return Flow::Hold;
        }
        self.answer_now(conn, |_, reply| reply.simple("QUEUED"));
        Flow::Continue
    }

    /// A command is refused: its client's transaction, if there is one, is refused with it. The error to answer.
    pub(super) fn break_transaction(
        &mut self,
        conn: ConnId,
        is_exec: bool,
        error: &CommandError,
    ) -> Option<CommandError> {
        let transaction = self.session(conn)?.transaction.as_mut().filter(|transaction| transaction.is_open)?;
        transaction.is_broken = true;
        if !is_exec {
            return None;
        }
        self.drop_transaction(conn);
        Some(exec_aborted(error))
    }

    /// Whether a command that takes no memory itself is refused while memory is over its limit: anything that is kept for
    /// EXEC takes some, and EXEC takes what its commands take.
    pub(super) fn takes_memory(&mut self, conn: ConnId, row: &Row) -> Option<CommandError> {
        let queue = &self.session(conn)?.transaction.as_ref().filter(|transaction| transaction.is_open)?.queue;
        let ends = matches!(row.command.name, "discard" | "quit" | "reset");
        let takes = if row.command.name == "exec" { queue.flags.has(Flag::Denyoom) } else { !ends };
        takes.then_some(OUT_OF_MEMORY)
    }

    /// The flags of the commands that EXEC would run.
    pub(super) fn kept_flags(&mut self, conn: ConnId) -> Flags {
        let transaction = self.session(conn).and_then(|session| session.transaction.as_ref());
        transaction.map_or(Flags::NONE, |transaction| transaction.queue.flags)
    }

    /// Forgets a client's transaction: the commands, and what is watched.
    pub fn drop_transaction(&mut self, conn: ConnId) {
        let transaction = self.session(conn).and_then(|session| session.transaction.take());
        if let Some(watching) = transaction.and_then(|transaction| transaction.watching) {
            self.unwatch(&watching);
        }
    }

    /// A queue for the commands of a transaction.
    pub fn take_queue(&mut self) -> Queue {
        std::mem::take(&mut self.spare_queue)
    }

    /// Keeps the room of a queue whose commands have run, for the next transaction.
    pub fn give_back_queue(&mut self, mut queue: Queue) {
        let bytes = queue.heap_bytes();
        if (self.spare_queue.heap_bytes()..=QUEUE_BYTES_KEPT).contains(&bytes) {
            queue.clear();
            self.spare_queue = queue;
        }
    }

    /// Tells the shards of watched keys that a client watches no longer.
    pub fn unwatch(&mut self, watching: &Watching) {
        let Watching { watch, keys } = watching;
        // A shard that has yet to run the WATCH sees by this that it comes too late.
        watch.end();
        let mut shards: Vec<ShardId> = keys.iter().map(|(_, key)| self.shared.slots.owner(key)).collect();
        shards.sort_unstable();
        shards.dedup();
        for shard in shards {
            if shard == self.id {
                self.shard.observers.watched.forget(watch);
            } else {
                self.send_hop(shard, HopMessage::Unwatch(Arc::clone(watch)));
            }
        }
    }
}

impl SessionCtx<'_> {
    /// Enters this client at the shards of the keys that `args` name.
    pub fn place_watch(&mut self, row: &'static Row, args: &Args<'_>) {
        let session = self.session();
        let db = session.db;
        let watching = session
            .transaction
            .get_or_insert_default()
            .watching
            .get_or_insert_with(|| Watching { watch: Arc::default(), keys: Vec::new() });
        let watch = Arc::clone(&watching.watch);
        // One change is enough: what else is watched makes no difference.
        let mut keys: Vec<Vec<u8>> = Vec::new();
        if !watch.is_spoilt() {
            for key in args.from(1) {
                if !watching.keys.iter().any(|(of, known)| *of == db && known == key) {
                    watching.keys.push((db, key.to_vec()));
                    keys.push(key.to_vec());
                }
            }
        }
        let slots = Arc::clone(&self.core.shared.slots);
        let mut shards: Vec<(ShardId, Vec<Vec<u8>>)> = Vec::new();
        for key in keys {
            let owner = slots.owner(&key);
            match shards.iter_mut().find(|(shard, _)| *shard == owner) {
                Some((_, own)) => own.push(key),
                None => shards.push((owner, vec![key])),
            }
        }
        let enter = |keys| -> Box<dyn Work> { Box::new(Enter { watch: Arc::clone(&watch), db, keys }) };
        if shards.len() <= 1 {
            let keys = shards.pop().map_or_else(Vec::new, |(_, keys)| keys);
            return self.place_work(row, args, enter(keys));
        }
        let parts = shards.into_iter().map(|(shard, keys)| (shard, enter(keys))).collect();
        self.core.place_parts(self.conn, row, args, parts);
    }
}

impl Core {
    /// Sends work to several shards, each of which does its part where it stands; the first part's reply is the reply.
    fn place_parts(&mut self, conn: ConnId, row: &Row, args: &Args<'_>, works: Vec<(ShardId, Box<dyn Work>)>) {
        let caller = self.caller(conn);
        let parts = works.iter().map(|_| Part::default()).collect();
        let seq = self.expect_parts(caller, row, args, Gathered::Replies(parts), false);
        for (part, (shard, work)) in works.into_iter().enumerate() {
            let head = self.part_head(caller, row.id, seq, part as u16);
            self.push_errand(shard, head, work);
        }
        self.routed(conn);
    }
}

/// The part of WATCH on one shard.
struct Enter {
    watch: Arc<Watch>,
    db: DbId,
    keys: Vec<Vec<u8>>,
}

impl Work for Enter {
    fn needs(&self) -> Needs {
        Needs::Keys
    }

    fn visit_keys(&self, visit: &mut dyn FnMut(&[u8])) {
        self.keys.iter().for_each(|key| visit(key));
    }

    fn wants_home(&self) -> bool {
        false
    }

    fn bytes(&self) -> usize {
        self.keys.iter().map(|key| key.len() + COMMAND_OVERHEAD_BYTES).sum()
    }

    fn run(&mut self, grounds: &mut Grounds<'_>, reply: &mut Vec<u8>) -> Progress {
        for key in &self.keys {
            let shard = grounds.shard();
            let is_past = shard.presence(self.db, key) == Presence::Past;
            shard.observers.watched.add(&self.watch, self.db, key, is_past);
        }
        Reply::new(reply, Resp::V2).ok();
        Progress::Done
    }
}
