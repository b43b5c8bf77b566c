//! A keyspace for tests of commands: shards without cores, in one thread, with a clock that is turned by hand.
//!
//! [`Keyspace::call`] runs a command the way the cores do, one command at a time: on the shard of its key, split and
//! merged, routed, or by its plan, hop by hop. What a test says is the same for one shard and for several, so
//! [`check`] runs a script with both.
//!
//! A script is a line for each command, with its reply:
//!
//! ```text
//!   SET greeting "hello world" => OK
//!   GET greeting => "hello world"
//!   TICK 1500 => OK                       the clock moves on by so many milliseconds
//!   SELECT 1 => OK                        another database
//! ```
//!
//! Replies are written as: `OK` (a simple string), `7`, `"text"`, `nil`, `[7 "a" nil]`, `{"key" 7}`,
//! `-ERR the whole text`.

use std::sync::Arc;

use net::{Args, OwnedArgs, Reply, Resp};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use storage::UnixMillis;

use super::ctx::{KeyspaceCounters, ShardState};
use super::hop::{PlanInput, Step};
use super::merge::Part;
use super::{Ctx, Merge, Run, ShardHandler};
use crate::commands::parse::parse_db;
use crate::config::Config;
use crate::exec::borrow::{Borrow, BorrowInput};
use crate::exec::error;
use crate::ids::{DbId, ShardId};
use crate::pubsub::{Kind, Registry};
use crate::slot::SlotMap;
use crate::spec::CommandTable;
use crate::spec::Find;
use crate::spec::table::Row;

/// The time at which every test begins.
pub(crate) const BEGINNING: UnixMillis = UnixMillis(1_700_000_000_000);

/// All shards of a server, without the server.
pub(crate) struct Keyspace {
    /// The shards.
    pub(crate) shards: Vec<ShardState>,
    slots: Arc<SlotMap>,
    /// The client's database.
    pub(crate) db: DbId,
    /// The client's protocol version.
    pub(crate) resp: Resp,
}

/// Runs a script (see the module's head) with one shard, and with three.
pub(crate) fn check(script: &str) {
    for shards in [1, 3] {
        Keyspace::new(shards).check(script);
    }
}

impl Keyspace {
    /// Empty shards.
    pub(crate) fn new(shards: usize) -> Keyspace {
        let config = Arc::new(Config::default());
        let slots = Arc::new(SlotMap::new(shards));
        // Somebody hears all events, or none would be collected.
        let registry = Arc::new(Registry::default());
        registry.enter(Kind::Pattern, &Arc::from(&b"*"[..]), ShardId(0));
        let shard = |id| {
            let rng = SmallRng::seed_from_u64(id as u64);
            let (config, slots, registry) = (Arc::clone(&config), Arc::clone(&slots), Arc::clone(&registry));
            ShardState::empty(ShardId(id as u16), BEGINNING, rng, config, slots, registry)
        };
        let shards = (0..shards).map(shard).collect::<Vec<_>>();
        Keyspace { slots, shards, db: DbId(0), resp: Resp::V2 }
    }

    /// Changes the configuration of all shards.
    pub(crate) fn configure(&mut self, change: impl Fn(&mut Config)) {
        for shard in &mut self.shards {
            change(Arc::make_mut(&mut shard.config));
        }
    }

    /// What a handler gets on the shard of `key`, to put something there by hand.
    pub(crate) fn ctx(&mut self, key: &[u8]) -> Ctx<'_> {
        let owner = self.slots.owner(key);
        Ctx { shard: &mut self.shards[owner.index()], db: self.db, no_touch: false }
    }

    /// Moves the clock on.
    pub(crate) fn tick(&mut self, millis: i64) {
        for shard in &mut self.shards {
            shard.clock = UnixMillis(shard.clock.0 + millis);
        }
    }

    /// The sum of a counter over all shards.
    pub(crate) fn counter(&self, counter: impl Fn(&KeyspaceCounters) -> u64) -> u64 {
        self.shards.iter().map(|shard| counter(&shard.counters)).sum()
    }

    /// Runs a script.
    pub(crate) fn check(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (command, expected) = line.split_once(" => ").expect("a line is COMMAND => REPLY");
            let words = words(command);
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let reply = show(&self.call(&words));
            assert_eq!(reply, expected, "`{command}` with {} shards", self.shards.len());
        }
    }

    /// The reply of a command given as text, as a script shows it.
    pub(crate) fn run(&mut self, command: &str) -> String {
        let words = words(command);
        show(&self.call(&words.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    /// The reply of a command.
    pub(crate) fn call(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let owned: OwnedArgs = words.iter().copied().collect();
        let args = owned.as_args();
        let mut reply = Vec::new();
        if args.at(0) == b"TICK" {
            self.tick(std::str::from_utf8(args.at(1)).expect("a number").parse().expect("a number"));
            return b"+OK\r\n".to_vec();
        }
        if args.at(0) == b"SELECT" {
            self.db = parse_db(args.at(1), self.shards[0].databases.len()).expect("a database of the test");
            return b"+OK\r\n".to_vec();
        }
        match CommandTable::global().resolve(&args) {
            Ok(Some(row)) if row.command.arity.admits(args.len()) => return self.dispatch(row, &args),
            Ok(Some(row)) => Reply::new(&mut reply, self.resp).error(error::wrong_arity(&row.full_name).as_bytes()),
            Ok(None) => panic!("there is no such command: {:?}", String::from_utf8_lossy(args.at(0))),
            Err(parent) => {
                let error = error::unknown_subcommand(args.at(1), parent.command.name);
                Reply::new(&mut reply, self.resp).error(error.as_bytes());
            }
        }
        reply
    }

    fn dispatch(&mut self, row: &'static Row, args: &Args<'_>) -> Vec<u8> {
        let owners = self.owners(row, args);
        let first = owners.first().copied().unwrap_or(ShardId(0));
        let one_shard = owners.iter().all(|owner| *owner == first);
        match row.run(args) {
            Run::Shard(handler) => self.run_on(first, handler, args),
            Run::Split { part, .. } if one_shard => self.run_on(first, part, args),
            Run::Split { part, merge } => self.split(row, part, merge, args),
            Run::AllShards { part, .. } if self.shards.len() == 1 => self.run_on(first, part, args),
            Run::AllShards { part, merge } => {
                let shards = 0..self.shards.len();
                let parts: Vec<Part> = shards
                    .map(|shard| Part { reply: self.run_on(ShardId(shard as u16), part, args), places: Vec::new() })
                    .collect();
                self.merge(merge, args, &parts)
            }
            Run::Routed { route, run } => match route(args, self.shards.len()) {
                Ok(owner) => self.run_on(owner, run, args),
                Err(error) => self.error(&error),
            },
            Run::Hops { local, .. } if one_shard => self.run_on(first, local, args),
            Run::Hops { plan, .. } => {
                let databases = self.shards[0].databases.len() as u32;
                let slots = &Arc::clone(&self.slots);
                let input = PlanInput { args: *args, db: self.db, resp: self.resp, owners: &owners, databases, slots };
                match plan(&input) {
                    Ok(plan) => self.drive(plan, &owners),
                    Err(error) => self.error(&error),
                }
            }
            Run::AllHops { local, .. } if self.shards.len() == 1 => self.run_on(first, local, args),
            Run::AllHops { plan, .. } => {
                let databases = self.shards[0].databases.len() as u32;
                let slots = &Arc::clone(&self.slots);
                let input = PlanInput { args: *args, db: self.db, resp: self.resp, owners: &[], databases, slots };
                let all: Vec<ShardId> = (0..self.shards.len()).map(|shard| ShardId(shard as u16)).collect();
                match plan(&input) {
                    Ok(plan) => self.drive(plan, &all),
                    Err(error) => self.error(&error),
                }
            }
            Run::Keys(handler) if one_shard => self.run_on(first, handler, args),
            Run::Keys(handler) => {
                let mut keys = Vec::new();
                row.command.visit_keys(args, |place| keys.push((owners[keys.len()], args.at(place).to_vec())));
                let plan = Borrow::plan(BorrowInput {
                    handler,
                    args: args.to_owned(),
                    resp: self.resp,
                    db: self.db,
                    no_touch: false,
                    keys,
                    shard: &mut self.shards[first.index()],
                    claim: None,
                });
                self.drive(plan, &owners)
            }
            Run::Subscribe(_)
            | Run::Publish(_)
            | Run::Container
            | Run::Session(_)
            | Run::Everywhere { .. }
            | Run::Chosen(_)
            | Run::Outside(_)
            | Run::Placed(_) => {
                panic!("{} needs a whole core", row.full_name)
            }
        }
    }

    fn owners(&self, row: &Row, args: &Args<'_>) -> Vec<ShardId> {
        let mut owners = Vec::new();
        row.command.visit_keys(args, |place| owners.push(self.slots.owner(args.at(place))));
        owners
    }

    fn run_on(&mut self, shard: ShardId, handler: ShardHandler, args: &Args<'_>) -> Vec<u8> {
        let mut reply = Vec::new();
        let mut ctx = Ctx { shard: &mut self.shards[shard.index()], db: self.db, no_touch: false };
        let before = ctx.before_record();
        let outcome = handler(&mut ctx, args, &mut Reply::new(&mut reply, self.resp));
        ctx.settle(before.0);
        ctx.record(args, before);
        if self.shards[shard.index()].wanted.take().is_some() {
            return WAITS.to_vec();
        }
        match outcome {
            Ok(()) => reply,
            Err(error) => self.error(&error),
        }
    }

    fn error(&self, error: &super::CommandError) -> Vec<u8> {
        let mut reply = Vec::new();
        Reply::new(&mut reply, self.resp).error(error.as_bytes());
        reply
    }

    fn merge(&self, merge: Merge, args: &Args<'_>, parts: &[Part]) -> Vec<u8> {
        let mut reply = Vec::new();
        match merge.apply(args, parts, &mut Reply::new(&mut reply, self.resp)) {
            Ok(()) => reply,
            Err(error) => self.error(&error),
        }
    }

    fn split(&mut self, row: &Row, part: ShardHandler, merge: Merge, args: &Args<'_>) -> Vec<u8> {
        let Find::Range { step, .. } = row.command.keys[0].find else {
            panic!("keys of a split command stand in a row")
        };
        let step = usize::from(step);
        if !(args.len() - 1).is_multiple_of(step) {
            return self.run_on(ShardId(0), part, args);
        }
        let mut parts: Vec<(ShardId, OwnedArgs, Vec<u32>)> = Vec::new();
        for (index, place) in (1..args.len()).step_by(step).enumerate() {
            let owner = self.slots.owner(args.at(place));
            let at = parts.iter().position(|(shard, ..)| *shard == owner).unwrap_or_else(|| {
                parts.push((owner, std::iter::once(args.at(0)).collect(), Vec::new()));
                parts.len() - 1
            });
            (place..place + step).for_each(|place| parts[at].1.push(args.at(place)));
            parts[at].2.push(index as u32);
        }
        parts.sort_by_key(|(shard, ..)| *shard);
        let parts: Vec<Part> = parts
            .into_iter()
            .map(|(shard, own, places)| Part { reply: self.run_on(shard, part, &own.as_args()), places })
            .collect();
        self.merge(merge, args, &parts)
    }

    fn drive(&mut self, mut plan: Box<dyn super::hop::Plan>, owners: &[ShardId]) -> Vec<u8> {
        let (mut values, mut hops, mut released) = (Vec::new(), 0, false);
        loop {
            let (ops, last) = match plan.step(std::mem::take(&mut values)) {
                Step::Reply(reply) => return reply,
                Step::Run(ops) => (ops, false),
                Step::RunLast(ops) | Step::RunInTurn(ops) => (ops, true),
                Step::Shares(_) | Step::Later | Step::Listen(_) | Step::Outside(..) => {
                    panic!("a command on keys asks no other core, and runs to its end")
                }
                Step::Wait(_, ops) => {
                    for (shard, op) in ops {
                        self.operate(shard, op);
                    }
                    return WAITS.to_vec();
                }
            };
            assert!(!released && !ops.is_empty(), "a plan that goes on has something to do and its locks");
            released = last;
            if hops == 0 {
                let mut shards: Vec<ShardId> = ops.iter().map(|(shard, _)| *shard).collect();
                shards.sort_unstable();
                shards.dedup();
                assert!(!last && shards.len() == ops.len(), "a first step has one operation a shard");
            }
            hops += 1;
            for (shard, op) in ops {
                assert!(owners.contains(&shard), "a plan stays on its shards");
                values.push(self.operate(shard, op));
            }
        }
    }

    fn operate(&mut self, shard: ShardId, op: super::hop::HopOp) -> super::hop::HopValue {
        let mut ctx = Ctx { shard: &mut self.shards[shard.index()], db: self.db, no_touch: false };
        let before = ctx.before_record();
        let value = op(&mut ctx);
        ctx.settle(before.0);
        ctx.record_operation(before);
        value
    }
}

/// What a command is answered here that would wait.
const WAITS: &[u8] = b"+(waits)\r\n";

/// Splits at blanks, but not within double quotes; `\xNN` within them is a byte.
fn words(line: &str) -> Vec<Vec<u8>> {
    let (mut words, mut rest) = (Vec::new(), line.trim());
    while !rest.is_empty() {
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(' ').unwrap_or(rest.len());
            words.push(rest.as_bytes()[..end].to_vec());
            rest = rest[end..].trim_start();
            continue;
        };
        let (inside, behind) = quoted.split_once('"').expect("quotes are closed");
        let mut parts = inside.split("\\x");
        let mut word = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            word.push(u8::from_str_radix(&part[..2], 16).expect("two hexadecimal digits"));
            word.extend(&part.as_bytes()[2..]);
        }
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

/// A reply as a script shows it.
pub(crate) fn show(reply: &[u8]) -> String {
    let (text, rest) = show_one(reply);
    assert!(rest.is_empty(), "a reply is one");
    text
}

fn show_one(reply: &[u8]) -> (String, &[u8]) {
    let end = reply.windows(2).position(|pair| pair == b"\r\n").expect("a reply has lines");
    let (head, rest) = (String::from_utf8_lossy(&reply[1..end]).into_owned(), &reply[end + 2..]);
    match (reply[0], head.parse::<i64>()) {
        (b'+' | b':', _) => (head, rest),
        (b'-', _) => (format!("-{head}"), rest),
        (b'_', _) | (b'$' | b'*', Ok(-1)) => ("nil".to_owned(), rest),
        (b'$', Ok(len)) => {
            let (text, rest) = rest.split_at(len as usize);
            (format!("\"{}\"", text.escape_ascii()), &rest[2..])
        }
        (b'*', Ok(len)) => show_many('[', len, ']', rest),
        (b'%', Ok(pairs)) => show_many('{', pairs * 2, '}', rest),
        _ => panic!("what reply is {:?}?", String::from_utf8_lossy(reply)),
    }
}

fn show_many(open: char, len: i64, close: char, mut rest: &[u8]) -> (String, &[u8]) {
    let mut elements = Vec::new();
    for _ in 0..len {
        let (element, behind) = show_one(rest);
        elements.push(element);
        rest = behind;
    }
    (format!("{open}{}{close}", elements.join(" ")), rest)
}
