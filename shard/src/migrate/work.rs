//! MIGRATE as a piece of work: what is done on the shards of its keys, before and after the dialogue.

use std::sync::Arc;

use net::{Args, Reply};
use storage::snapshot::dump;

use super::request::{self, Request};
use super::{Exchange, ExchangeId, Outcome, Parcel};
use crate::config::types::events::Events;
use crate::core::Grounds;
use crate::exec::work::{Needs, Outside, Progress, Work};
use crate::exec::{CommandError, Ctx};
use crate::ids::ShardId;
use crate::journal::Word;

/// A call of MIGRATE.
pub struct Migration {
    request: Request,
    keys: Vec<Vec<u8>>,
    stage: Stage,
}

enum Stage {
    /// Nothing was done yet.
    Begin,
    /// The dialogue is under way, or over, since this time in the clock's microseconds.
    Sent(ExchangeId, u64),
}

impl Migration {
    /// What `args` ask for; an error is the reply.
    pub fn new(args: &Args<'_>) -> Result<Migration, CommandError> {
        let (request, first) = Request::parse(args)?;
        let keys = request::keys(args, first).map(<[u8]>::to_vec).collect();
        Ok(Migration { request, keys, stage: Stage::Begin })
    }

    /// When the dialogue began, in the clock's microseconds.
    pub fn began(&self) -> Option<u64> {
        match self.stage {
            Stage::Begin => None,
            Stage::Sent(_, began) => Some(began),
        }
    }

    /// Runs where all its keys are claimed. The dialogue to wait for, or nothing if the reply is written behind what is in
    /// `reply`.
    pub fn run_on(&mut self, grounds: &mut Grounds<'_>, reply: &mut Vec<u8>) -> Option<ExchangeId> {
        let id = match self.stage {
            Stage::Begin => {
                let began = grounds.core().micros();
                let parcels = self.take_copies(grounds);
                if parcels.is_empty() {
                    Reply::new(reply, grounds.actor.resp).simple("NOKEY");
                    return None;
                }
                let id = grounds.core().begin_exchange(Exchange::new(self.request.clone(), parcels));
                self.stage = Stage::Sent(id, began);
                id
            }
            Stage::Sent(id, _) => id,
        };
        let Some(Outcome { moved, error }) = grounds.core().take_outcome(id) else { return Some(id) };
        if !self.request.copy {
            remove(grounds, &moved);
        }
        let mut reply = Reply::new(reply, grounds.actor.resp);
        match error {
            None => reply.ok(),
            Some(error) => reply.error(error.as_bytes()),
        }
        None
    }

    fn take_copies(&self, grounds: &mut Grounds<'_>) -> Vec<Parcel> {
        let copy = |ctx: &mut Ctx<'_>, key: &[u8]| {
            let entry = ctx.read(key)?;
            let payload = Arc::new(dump(entry.value()));
            Some(Parcel { key: key.to_vec(), payload, expire_at: entry.expire_at() })
        };
        self.keys.iter().filter_map(|key| grounds.operate(key, |ctx| copy(ctx, key))).collect()
    }
}

/// Removes keys, those of one shard together.
fn remove(grounds: &mut Grounds<'_>, keys: &[Vec<u8>]) {
    let slots = Arc::clone(&grounds.shard().slots);
    let mut owners: Vec<ShardId> = Vec::new();
    for key in keys {
        let owner = slots.owner(key);
        if owners.contains(&owner) {
            continue;
        }
        owners.push(owner);
        let own = || keys.iter().filter(|key| slots.owner(key) == owner);
        grounds.operate(key, |ctx| {
            let mut removed = 0;
            for key in own() {
                if ctx.remove(key) {
                    ctx.notify(Events::GENERIC, "del", key);
                    removed += 1;
                }
            }
            ctx.changed(removed);
            let words: Vec<Word<'_>> = std::iter::once("DEL".into()).chain(own().map(Into::into)).collect();
            ctx.effect(key, &words);
        });
    }
}

impl Work for Migration {
    fn needs(&self) -> Needs {
        Needs::Keys
    }

    fn visit_keys(&self, visit: &mut dyn FnMut(&[u8])) {
        self.keys.iter().for_each(|key| visit(key));
    }

    fn wants_home(&self) -> bool {
        false
    }

    fn holds_client(&self) -> bool {
        true
    }

    fn bytes(&self) -> usize {
        size_of::<Migration>() + self.keys.iter().map(Vec::capacity).sum::<usize>()
    }

    fn run(&mut self, grounds: &mut Grounds<'_>, reply: &mut Vec<u8>) -> Progress {
        match self.run_on(grounds, reply) {
            None => Progress::Done,
            Some(exchange) => Progress::Outside(Outside { exchange, running: None, rests_at_home: true }),
        }
    }
}
