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

use super::ShardHandler;
use super::away::Lent;
use super::ctx::{Ctx, ShardState};
use super::hop::{HopOp, HopValue, Plan, Step};
use crate::ids::{DbId, ShardId};
use crate::wait::{Claim, Claiming, WaitRequest};

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
            let op: HopOp = Box::new(move |ctx| HopValue::Made(Box::new(ctx.shard.lend(&keys))));
            (*shard, op)
        };
        Step::Run(self.keys.iter().map(borrow).collect())
    }

    /// Runs the handler; what it wants to wait for, if it does.
    fn run(&mut self, values: Vec<HopValue>) -> Option<WaitRequest> {
        for (value, (_, keys)) in values.into_iter().zip(&self.keys) {
            let HopValue::Made(lent) = value else { unreachable!("it was asked to be lent") };
            self.table.borrow(keys, *lent.downcast::<Lent>().expect("entries were asked for"));
        }
        let Self { handler, args, resp, db, no_touch, table, reply, .. } = self;
        let mut ctx = Ctx { shard: table, db: *db, no_touch: *no_touch };
        let args = args.as_args();
        let before = ctx.before_record();
        let outcome = handler(&mut ctx, &args, &mut Reply::new(reply, *resp));
        ctx.settle(before.0);
        ctx.record(&args, before);
        if let Err(error) = outcome {
            reply.clear();
            // A client that waits goes on waiting, unless its wait was ended for this.
            if self.table.claim.as_ref().is_none_or(|claiming| claiming.won) {
                Reply::new(&mut self.reply, *resp).error(error.as_bytes());
            }
        }
        self.table.wanted.take()
    }

    fn give_back(&mut self) -> Vec<(ShardId, HopOp)> {
        let mut notes = self.table.take_notes();
        let mut leftover = Some(self.table.take_leftover());
        let give = |(shard, keys): &(ShardId, Vec<Vec<u8>>)| {
            let leftover = leftover.take().unwrap_or_default();
            let returned = self.table.to_return(keys, &mut notes, leftover);
            let op: HopOp = Box::new(move |ctx| {
                ctx.shard.return_lent(returned);
                HopValue::None
            });
            (*shard, op)
        };
        self.keys.iter().map(give).collect()
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
