//! Running a command whose keys are on several shards: its keys are brought together at the client's core.
//!
//! ```text
//!  hop 1   each shard, under its locks, takes the entries of its keys out          an entry that is large is a pointer
//!  then    the client's core puts them into a database of its own and runs the     to what it holds, so it travels at the
//!          handler there, as if it were the one shard                              cost of a small one
//!  hop 2   what is at the keys now goes back to their shards, and the locks go
//! ```
//!
//! Nobody sees the keys missing: commands on them wait for the locks, and so do commands on whole shards. The handler needs
//! no form of its own for several shards, whatever it does with its keys.

use net::{OwnedArgs, Reply, Resp};
use storage::keyspace::Detached;
use storage::{Database, Key, UnixMillis};

use super::ShardHandler;
use super::ctx::{Ctx, KeyEvent, KeyspaceCounters, ShardState};
use super::hop::{HopOp, HopValue, Plan, Step};
use crate::ids::{DbId, ShardId};
use crate::wait::{Claim, Claiming, WaitRequest};

/// What one shard hands out: its entries in the order of its keys, and the time of the push.
pub struct Borrowed {
    entries: Vec<Option<Detached>>,
    now: UnixMillis,
}

/// A command on borrowed keys.
pub struct Borrow {
    handler: ShardHandler,
    args: OwnedArgs,
    resp: Resp,
    db: DbId,
    no_touch: bool,
    /// The keys of each shard.
    keys: Vec<(ShardId, Vec<Vec<u8>>)>,
    /// The place where the keys come together.
    table: Box<ShardState>,
    reply: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Borrowed,
    Returned,
}

/// What a borrowing command is made of.
pub struct BorrowInput<'a> {
    /// Runs when the keys are together.
    pub handler: ShardHandler,
    /// The arguments, name first.
    pub args: OwnedArgs,
    /// The client's protocol version.
    pub resp: Resp,
    /// The client's database.
    pub db: DbId,
    /// The client's `CLIENT NO-TOUCH`.
    pub no_touch: bool,
    /// The keys with their shards.
    pub keys: Vec<(ShardId, Vec<u8>)>,
    /// The shard of the client's core: what is not of a key is as there.
    pub shard: &'a mut ShardState,
    /// The wait in whose name the command runs, if its client waits already.
    pub claim: Option<Claim>,
}

impl Borrow {
    /// The plan of a command.
    pub fn plan(input: BorrowInput<'_>) -> Box<dyn Plan> {
        let mut keys: Vec<(ShardId, Vec<Vec<u8>>)> = Vec::new();
        for (shard, key) in input.keys {
            match keys.iter_mut().find(|(of, _)| *of == shard) {
                None => keys.push((shard, vec![key])),
                Some((_, own)) if own.contains(&key) => {}
                Some((_, own)) => own.push(key),
            }
        }
        let mut table = input.shard.table_for_borrowed();
        table.claim = input.claim.map(Claiming::new);
        Box::new(Borrow {
            handler: input.handler,
            args: input.args,
            resp: input.resp,
            db: input.db,
            no_touch: input.no_touch,
            keys,
            table: Box::new(table),
            reply: Vec::new(),
            stage: Stage::Begin,
        })
    }

    fn borrow(&self) -> Step {
        let borrow = |(shard, keys): &(ShardId, Vec<Vec<u8>>)| {
            let keys = keys.clone();
            let op: HopOp = Box::new(move |ctx| {
                let entries = keys.iter().map(|key| ctx.database().take(key)).collect();
                HopValue::Borrowed(Box::new(Borrowed { entries, now: ctx.now() }))
            });
            (*shard, op)
        };
        Step::Run(self.keys.iter().map(borrow).collect())
    }

    /// Runs the handler; what it wants to wait for, if it does.
    fn run(&mut self, values: Vec<HopValue>) -> Option<WaitRequest> {
        for (value, (_, keys)) in values.into_iter().zip(&self.keys) {
            let HopValue::Borrowed(borrowed) = value else { unreachable!("it was asked to be borrowed") };
            self.table.clock = self.table.clock.max(borrowed.now);
            for (entry, key) in borrowed.entries.into_iter().zip(keys) {
                if let Some(entry) = entry {
                    let replaced = self.table.databases[self.db.index()].put(key, entry);
                    assert!(replaced.is_none(), "a key is borrowed once");
                }
            }
        }
        let Self { handler, args, resp, db, no_touch, table, reply, .. } = self;
        let mut ctx = Ctx { shard: table, db: *db, no_touch: *no_touch };
        let args = args.as_args();
        if let Err(error) = handler(&mut ctx, &args, &mut Reply::new(reply, *resp)) {
            reply.clear();
            // A client that waits goes on waiting, unless its wait was ended for this.
            if self.table.claim.as_ref().is_none_or(|claiming| claiming.won) {
                Reply::new(&mut self.reply, *resp).error(error.as_bytes());
            }
        }
        self.table.wanted.take()
    }

    fn give_back(&mut self) -> Vec<(ShardId, HopOp)> {
        let changed = self.table.counters.dirty > 0;
        let mut counters = std::mem::take(&mut self.table.counters);
        let mut garbage = std::mem::take(&mut self.table.garbage);
        let mut events = std::mem::take(&mut self.table.events);
        let database = &mut self.table.databases[self.db.index()];
        let mut ops: Vec<(ShardId, HopOp)> = Vec::new();
        for (shard, keys) in &self.keys {
            let entries: Vec<(Vec<u8>, Option<Detached>)> =
                keys.iter().map(|key| (key.clone(), database.take(key))).collect();
            let (counters, garbage) = (std::mem::take(&mut counters), std::mem::take(&mut garbage));
            let own = |event: &mut KeyEvent| keys.contains(&event.key);
            let events: Vec<KeyEvent> = events.extract_if(.., own).collect();
            let op: HopOp = Box::new(move |ctx| {
                for (key, entry) in entries {
                    if let Some(entry) = entry {
                        let replaced = ctx.database().put(&key, entry);
                        assert!(replaced.is_none(), "nobody makes a key that is borrowed");
                    }
                    if changed {
                        ctx.signal(Key::new(&key));
                    }
                }
                ctx.shard.counters.add(&counters);
                ctx.shard.garbage.extend(garbage);
                ctx.shard.events.extend(events);
                HopValue::None
            });
            ops.push((*shard, op));
        }
        ops
    }
}

impl Plan for Borrow {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        match self.stage {
            Stage::Begin => {
                self.stage = Stage::Borrowed;
                self.borrow()
            }
            Stage::Borrowed => {
                self.stage = Stage::Returned;
                let request = self.run(values);
                let ops = self.give_back();
                match request {
                    None => Step::RunLast(ops),
                    Some(request) => Step::Wait(request, ops),
                }
            }
            Stage::Returned => Step::Reply(std::mem::take(&mut self.reply)),
        }
    }
}

impl ShardState {
    /// A shard without keys that is otherwise like this one, for a command whose keys come from several shards.
    fn table_for_borrowed(&mut self) -> ShardState {
        use rand::SeedableRng;
        ShardState {
            id: self.id,
            shards: self.shards,
            databases: (0..self.databases.len()).map(|_| Database::new()).collect(),
            clock: self.clock,
            rng: rand::rngs::SmallRng::from_rng(&mut self.rng),
            config: std::sync::Arc::clone(&self.config),
            limits: self.limits,
            counters: KeyspaceCounters::default(),
            active_expire: self.active_expire,
            expiry_held: self.expiry_held,
            check_sums: self.check_sums,
            waits: crate::wait::WaitTable::default(),
            wanted: None,
            claim: None,
            events: Vec::new(),
            slots: std::sync::Arc::clone(&self.slots),
            garbage: Vec::new(),
            snapshot: None,
            emptied: false,
        }
    }
}
