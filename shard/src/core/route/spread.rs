//! Commands over several shards: their parts, which run side by side, and plans, which bring keys together.

use net::{Args, ConnId, OwnedArgs};

use super::{COMMAND_OVERHEAD_BYTES, Caller, RunBy};
use crate::core::Core;
use crate::core::hops::Placing;
use crate::exec::borrow::{Borrow, BorrowInput};
use crate::exec::hop::Plan;
use crate::exec::merge::Part;
use crate::exec::{Merge, Run, ShardHandler};
use crate::ids::{DbId, ShardId};
use crate::mesh::{Claims, Head, Rule};
use crate::session::{Gather, Gathered, ReplyMode};
use crate::spec::table::Row;
use crate::spec::{Find, Flag};

impl Core {
    /// The shard of each key, in order.
    pub(in crate::core) fn owners(&self, row: &Row, args: &Args<'_>) -> Vec<ShardId> {
        let mut owners = Vec::new();
        row.command.visit_keys(args, |place| owners.push(self.shared.slots.owner(args.at(place))));
        owners
    }

    /// A command of the form `name (key values...)+`: to each shard its keys.
    pub(super) fn split(&mut self, caller: Caller, row: &Row, args: &Args<'_>, merge: Merge) {
        if self.shard.shards == 1 {
            return self.run_on(self.id, caller, row, args);
        }
        let Find::Range { step, .. } = row.command.keys[0].find else {
            unreachable!("a split command's keys stand in a range")
        };
        let step = usize::from(step);
        if !(args.len() - 1).is_multiple_of(step) {
            // The handler words the error; any shard can say it.
            return self.run_on(self.id, caller, row, args);
        }
        let keys = (args.len() - 1) / step;
        let owners: Vec<ShardId> = (0..keys).map(|i| self.shared.slots.owner(args.at(1 + i * step))).collect();
        if owners.iter().all(|owner| *owner == owners[0]) {
            return self.run_on(owners[0], caller, row, args);
        }
        let mut shards = owners.clone();
        shards.sort_unstable();
        shards.dedup();
        let by_key = matches!(merge, Merge::ByKey);
        let mut parts = Vec::with_capacity(shards.len());
        for shard in &shards {
            let places = owners.iter().enumerate().filter(|(_, owner)| by_key && *owner == shard);
            parts.push(Part { reply: Vec::new(), places: places.map(|(i, _)| i as u32).collect() });
        }
        let seq = self.expect_parts(caller, row, args, Gathered::Replies(parts), matches!(merge, Merge::With(_)));
        for (part, shard) in shards.iter().enumerate() {
            let head = self.part_head(caller, row.id, seq, part as u16);
            if *shard == self.id && !self.shared.mesh.holds(Rule::OwnPartThroughInbox) {
                self.run_part_in_place(head, args, &owners, step);
                continue;
            }
            let places = owners.iter().enumerate().filter(|(_, owner)| *owner == shard);
            let places = places.flat_map(|(i, _)| 1 + i * step..1 + (i + 1) * step);
            self.batches[shard.index()].push(head, args, std::iter::once(0).chain(places), false);
        }
        self.routed(caller.conn);
    }

    /// A broken rule of the simulation: the own part does not go through the own inbox.
    fn run_part_in_place(&mut self, head: Head, args: &Args<'_>, owners: &[ShardId], step: usize) {
        let own = owners.iter().enumerate().filter(|(_, owner)| **owner == self.id);
        let places = std::iter::once(0).chain(own.flat_map(|(i, _)| 1 + i * step..1 + (i + 1) * step));
        let part: OwnedArgs = places.map(|place| args.at(place)).collect();
        self.arrive(self.id, &head, &part.as_args());
    }

    /// A command for every shard, whole.
    pub(super) fn run_on_all(&mut self, caller: Caller, row: &Row, args: &Args<'_>, merge: Merge) {
        let shards = self.shard.shards;
        if shards == 1 {
            return self.run_on(self.id, caller, row, args);
        }
        let parts = (0..shards).map(|_| Part::default()).collect();
        let seq = self.expect_parts(caller, row, args, Gathered::Replies(parts), matches!(merge, Merge::With(_)));
        for shard in 0..shards {
            let head = self.part_head(caller, row.id, seq, shard as u16);
            self.batches[shard].push(head, args, 0..args.len(), false);
        }
        self.routed(caller.conn);
    }

    /// The same, and nobody hears its reply.
    pub(super) fn run_unanswered(&mut self, caller: Caller, row: &Row, args: &Args<'_>, merge: Merge) {
        let session = self.session(caller.conn).expect("the command's client is there");
        let mode = std::mem::replace(&mut session.reply_mode, ReplyMode::Off);
        self.run_on_all(caller, row, args, merge);
        self.session(caller.conn).expect("it does not end before its command").reply_mode = mode;
    }

    /// A command for every core.
    pub(super) fn run_everywhere(&mut self, caller: Caller, row: &Row, args: &Args<'_>) {
        let shards = self.shard.shards;
        let shares = (0..shards).map(|_| None).collect();
        let seq = self.expect_parts(caller, row, args, Gathered::Shares(shares), true);
        for shard in 0..shards {
            let head = self.part_head(caller, row.id, seq, shard as u16);
            self.batches[shard].push(head, args, 0..args.len(), true);
        }
        self.routed(caller.conn);
    }

    pub(in crate::core) fn expect_parts(
        &mut self,
        caller: Caller,
        row: &Row,
        args: &Args<'_>,
        parts: Gathered,
        keep_args: bool,
    ) -> u32 {
        let missing = match &parts {
            Gathered::Replies(parts) => parts.len(),
            Gathered::Shares(shares) => shares.len(),
        };
        let gather = Gather {
            command: row.id,
            args: if keep_args || matches!(row.command.run, Run::Chosen(_)) {
                args.to_owned()
            } else {
                OwnedArgs::default()
            },
            shown: self.shown(row, args),
            micros: 0,
            resp: caller.resp,
            parts,
            missing,
        };
        let bytes = args.total_bytes() + COMMAND_OVERHEAD_BYTES;
        let session = self.session(caller.conn).expect("the command's client is there");
        let discard = session.discards_reply();
        session.in_flight_bytes += bytes;
        session.replies.expect_parts(Box::new(gather), discard, bytes)
    }

    /// Runs a command on the shard of its keys, or brings them together.
    pub(super) fn run_on_keys(&mut self, caller: Caller, row: &'static Row, args: &Args<'_>, handler: ShardHandler) {
        let owners = self.owners(row, args);
        if owners.iter().all(|owner| *owner == owners[0]) {
            let owner = owners.first().copied().unwrap_or(self.id);
            return self.run_on(owner, caller, row, args);
        }
        let no_touch = self.session(caller.conn).expect("the command's client is there").no_touch;
        let plan = self.borrowing(
            row,
            args,
            &owners,
            handler,
            RunBy { db: caller.db, no_touch, resp: caller.resp, claim: None },
        );
        self.place_plan(caller.conn, row, args, &owners, plan);
    }

    /// The plan that brings a command's keys together.
    pub(in crate::core) fn borrowing(
        &mut self,
        row: &Row,
        args: &Args<'_>,
        owners: &[ShardId],
        handler: ShardHandler,
        by: RunBy,
    ) -> Box<dyn Plan> {
        let RunBy { db, no_touch, resp, claim } = by;
        let mut keys: Vec<(ShardId, Vec<u8>)> = Vec::with_capacity(owners.len());
        row.command.visit_keys(args, |place| keys.push((owners[keys.len()], args.at(place).to_vec())));
        let shard = &mut self.shard;
        Borrow::plan(BorrowInput { handler, args: args.to_owned(), resp, db, no_touch, keys, shard, claim })
    }

    /// Sends a plan's parts to the shards of its keys; they hold the keys from there.
    pub(super) fn place_plan(
        &mut self,
        conn: ConnId,
        row: &Row,
        args: &Args<'_>,
        owners: &[ShardId],
        plan: Box<dyn Plan>,
    ) {
        let claims = self.claims_of(row, args, owners);
        // A client that comes to wait runs its command again: by its own arguments, secrets or not.
        let whole = row.command.flags.has(Flag::Blocking);
        let shown = if whole { args.to_owned() } else { self.shown(row, args) };
        let reads = self.tracked_reads(conn, row, args);
        self.begin_plan(conn, row.id, shown, Placing { claims, reads }, plan);
    }

    /// Sends a plan's parts to all shards; each holds the whole of its own from there.
    pub(super) fn place_plan_everywhere(&mut self, conn: ConnId, row: &Row, args: &Args<'_>, plan: Box<dyn Plan>) {
        let claims = (0..self.shard.shards).map(|shard| (ShardId(shard as u16), Claims::Whole)).collect();
        let shown = self.shown(row, args);
        let reads = self.tracked_reads(conn, row, args);
        self.begin_plan(conn, row.id, shown, Placing { claims, reads }, plan);
    }

    /// What a plan claims on the shards of its keys.
    #[expect(clippy::unused_self, reason = "its kin have one")]
    pub(in crate::core) fn claims_of(&self, row: &Row, args: &Args<'_>, owners: &[ShardId]) -> Vec<(ShardId, Claims)> {
        let mut keys: Vec<(ShardId, u64)> = Vec::new();
        let mut next = owners.iter();
        row.command.visit_keys(args, |place| {
            let owner = *next.next().expect("owners were taken from the same keys");
            keys.push((owner, storage::key_hash(args.at(place))));
        });
        let mut shards: Vec<ShardId> = owners.to_vec();
        shards.sort_unstable();
        shards.dedup();
        let claim = |shard: &ShardId| {
            let own = keys.iter().filter(|(owner, _)| owner == shard).map(|&(_, hash)| hash);
            (*shard, Claims::Keys(own.collect()))
        };
        shards.iter().map(claim).collect()
    }

    /// Takes the next place in the replies for a plan's; tells it, and by what its parts run.
    pub(in crate::core) fn expect_plan(&mut self, conn: ConnId) -> (u32, DbId, bool) {
        let seq = self.expect(conn, COMMAND_OVERHEAD_BYTES);
        self.routed(conn);
        let session = self.session(conn).expect("the command's client is there");
        (seq, session.db, session.no_touch)
    }
}
