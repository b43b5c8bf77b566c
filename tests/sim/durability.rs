//! Programs on a server with append-only files, cut off at any step: what another server finds in the files.
//!
//! A run goes on as if nothing were; but at some of its steps, and at its end, the disk is asked what it would hold if the
//! process were killed just now, or the power went, and the production code loads that on some number of cores. There must
//! be a serial order of what was sent, with every reply and message that a client has by then, that ends with what was
//! found: so whatever was shown is there, in one piece, and nothing without what stood before it. Requests that were not
//! answered may be in it or not. Where a power cut may take the last second (`everysec`), what was found is what there was
//! at some point of that order.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::config::types::choices::AppendFsync::{self, Always, Everysec};
use shard::mesh::{Rule, Rules};

use crate::program::{Bytes, Event, Program, Request, Script, key_on};
use crate::schedule::Broken;
use crate::verdict::{Wrong, first_failure, holds, run_seed, seeds};

/// Seeds for each of the small programs.
const SEEDS: u64 = 40;

/// Random programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 400;

const SCHEDULES: u64 = 3;

/// Requests of one program.
const REQUESTS_MAX: usize = 9;

/// A mutant that lives longer than this many seeds has not been caught.
const MUTANT_SEEDS: u64 = 4000;

fn program(name: &str, shards: usize) -> Program {
    Program::new(name, shards).with_log(Always)
}

/// Replies, and what is built on them.
fn replies() -> Vec<Program> {
    vec![
        program("acknowledged one by one", 2)
            .client(0, "SET x@0 1 | SET y@1 2 | SET x@0 3")
            .client(1, "SET z@0 4 | GET x@0"),
        program("a job is there before its number", 2)
            .client(0, "SET job@0 a; LPUSH q@1 i")
            .client(1, "LRANGE q@1 0 -1 | GET job@0"),
        program("a job and its number, at the other core", 3)
            .client(2, "SET job@1 a; LPUSH q@0 i; SET job2@2 b; LPUSH q@0 j")
            .client(1, "SET w@1 1 | SET w@1 2 | RPOP q@0 | GET job@1"),
        Program {
            withholds: true,
            ..program("a pipeline answered bit by bit", 4)
                .client(0, "SET x@1 1; SET y@2 1; SET z@3 1; SET x@1 2; SET y@2 2; GET z@3")
                .client(1, "SET w@1 1 | SET w@1 2 | SET w@1 3")
                .event(Event::Advance(1))
                .event(Event::Advance(1))
        },
        program("who reads passes on", 3)
            .client(0, "SET x@0 1; SET x@0 2")
            .client(1, "GET x@0 | SET y@1 1")
            .client(2, "GET y@1 | GET x@0"),
        program("pipelines that overtake", 2)
            .client(0, "SET x@1 1; SET y@0 1; GET x@1; SET y@0 2; SET x@1 2")
            .client(1, "GET y@0; GET x@1 | GET x@1; GET y@0"),
    ]
}

/// What is one, or not at all.
fn in_one_piece() -> Vec<Program> {
    vec![
        program("MSET beside a busy shard", 2)
            .client(0, "SET w@0 1 | SET w@0 2 | SET w@0 3")
            .client(1, "MSET x@0 1 y@1 1 | MSET y@1 2 x@0 2"),
        program("MSET over three shards", 3)
            .client(0, "MSET x@0 1 y@1 1 z@2 1 | MSET z@2 2 x@0 2")
            .client(2, "MGET x@0 y@1"),
        program("transactions", 3)
            .client(0, "multi SET x@0 1, SET y@1 1 | multi DEL x@0, SET z@2 2")
            .client(1, "SET y@1 7; MGET x@0 z@2"),
        program("scripts", 2)
            .client(0, "eval SET x@0 1, SET y@1 1 | evalany SET y@1 2, SET x@0 2")
            .client(1, "eval SET y@1 5, SET z@1 5; GET x@0"),
        program("scripts that give way", 2)
            .client(0, "eval SET x@0 1, SET y@1 1; eval SET x@0 2, SET z@0 2")
            .client(1, "GET x@0 | evalany SET y@1 3, SET x@0 3")
            .client(1, "SET w@0 1 | GET w@0")
            .with_giving_way(),
        program("a script that asks every core in the middle", 2)
            .client(0, "evalany SET x@0 1, PUBSUB NUMPAT, SET y@1 1 | evalany SET y@1 2, PUBSUB NUMPAT, SET x@0 2")
            .client(1, "SET y@1 5; SET x@0 5"),
        program("from shard to shard", 2)
            .client(0, "SET x@0 1; RENAME x@0 y@1; COPY y@1 x@0")
            .client(1, "GET y@1 | GET x@0"),
        program("everything at once", 3)
            .client(0, "SET x@0 1; FLUSHALL; SET y@1 1")
            .client(1, "SET y@1 5; SET z@2 5 | MGET x@0 y@1 z@2"),
        program("everything at once, in a transaction", 2)
            .client(0, "SET x@0 1 | multi SET y@1 1, FLUSHALL, SET x@0 2")
            .client(1, "SET y@1 5; GET x@0"),
    ]
}

/// What is published tells of what was done before, by the publisher or within the same transaction.
fn published() -> Vec<Program> {
    vec![
        program("PUBLISH behind a write elsewhere", 3).client(0, "SET x@1 1; PUBLISH a 1").client(2, "SUBSCRIBE a"),
        program("the subscriber at the publisher's core", 2)
            .client(0, "SET x@1 1; PUBLISH a 1")
            .client(0, "SUBSCRIBE a"),
        program("PUBLISH in a later push", 3)
            .client(0, "MSET x@1 1 y@2 1; GET z@0; PUBLISH a 1; PUBLISH a 2")
            .client(2, "SUBSCRIBE a")
            .client(0, "SUBSCRIBE a"),
        program("PUBLISH behind a transaction", 3)
            .client(0, "multi SET x@1 1, SET y@2 1; PUBLISH a 1")
            .client(2, "SUBSCRIBE a"),
    ]
}

/// What is published within transactions and scripts.
fn published_within() -> Vec<Program> {
    vec![
        program("PUBLISH in a transaction over shards", 4)
            .client(3, "SUBSCRIBE a")
            .client(0, "multi SET x@1 1, PUBLISH a 1, SET y@2 1")
            .after(0),
        program("PUBLISH in a script over shards", 3)
            .client(2, "SUBSCRIBE a")
            .client(0, "eval SET x@1 1, PUBLISH a 1, SET y@2 1")
            .after(0),
        program("PUBLISH in a script that takes everything", 4)
            .client(3, "SUBSCRIBE a")
            .client(0, "evalany SET x@1 1, PUBLISH a 1, SET y@2 1")
            .after(0),
        program("PUBLISH in a script, to a client of its core", 2)
            .client(0, "SUBSCRIBE a")
            .client(0, "eval SET x@1 1, PUBLISH a 1, SET y@0 1")
            .after(0),
        program("PUBLISH in a script that gives way", 2)
            .client(1, "SUBSCRIBE a")
            .client(0, "eval SET x@1 1, PUBLISH a 1, SET y@1 1")
            .after(0)
            .with_giving_way(),
    ]
}

/// What happens to keys is told when it will stay so.
fn told() -> Vec<Program> {
    vec![
        program("keyspace events", 3)
            .client(2, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "SET x@0 1; SET y@1 1")
            .client(1, "SET z@1 1"),
        program("keyspace events of transactions and scripts", 3)
            .client(2, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "multi SET x@0 1, SET y@1 1; evalany SET z@2 1")
            .client(1, "eval SET w@0 1, SET v@1 1"),
        program("keyspace events of scripts that give way", 2)
            .client(1, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "eval SET x@0 1, SET y@0 1; eval SET z@1 1, SET w@1 1")
            .client(1, "eval SET u@0 1, SET v@1 1")
            .with_giving_way(),
        program("notices of changed keys", 2)
            .client(1, "CLIENT TRACKING ON; GET x@0 | GET y@1")
            .client(0, "SET x@0 1 | GET x@0"),
        program("notices of changed keys, of others and by transactions", 3)
            .client(1, "CLIENT TRACKING ON; MGET x@0 y@1 z@2 | GET y@1 | GET x@0")
            .client(2, "SET x@0 1; multi SET y@1 1, SET z@2 1"),
    ]
}

/// The log begins anew in the middle.
fn rewritten() -> Vec<Program> {
    vec![
        program("a rewrite beside writes", 2)
            .client(0, "SET x@0 1 | BGREWRITEAOF | SET x@0 2; SET y@1 2")
            .client(1, "SET y@1 1; MSET x@0 5 y@1 5 | GET x@0"),
        program("a rewrite beside transactions and scripts", 3)
            .client(0, "multi SET x@0 1, SET y@1 1; BGREWRITEAOF; RENAME x@0 z@2")
            .client(2, "eval SET y@1 2, SET z@2 2; evalany SET x@0 3, SET y@1 3")
            .with_giving_way(),
        program("a rewrite and everything at once", 2)
            .client(0, "SET x@0 1; BGREWRITEAOF; FLUSHALL; SET y@1 2")
            .client(1, "SET y@1 1 | SET x@0 7"),
    ]
}

/// Keys that are evicted are gone in the log.
fn evicted() -> Vec<Program> {
    vec![
        program("eviction beside writes", 2)
            .client(0, "SET x@0 1; SET y@1 1 | MGET x@0 y@1")
            .client(1, "MSET x@0 2 y@1 2 | GET x@0; RENAME y@1 x@0")
            .evicting(2),
        program("eviction and transactions", 2)
            .client(0, "multi SET x@0 1, SET y@1 1 | evalany GET x@0, SET x@0 2")
            .client(1, "SET y@1 5; MGET x@0 y@1")
            .evicting(2),
    ]
}

fn all() -> Vec<Program> {
    [replies(), in_one_piece(), published(), published_within(), told(), rewritten(), evicted()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn what_was_shown_is_there() {
    for program in all() {
        holds(&program, SEEDS);
        holds(&program.with_put_offs(), SEEDS / 2);
    }
}

#[test]
fn what_the_power_takes_is_the_end() {
    for program in all() {
        let program = Program { log: Some(Everysec), ..program }.event(Event::Advance(1100));
        holds(&program, SEEDS);
    }
}

/// Asserts that one of the programs notices that `rule` is broken, by something that is lost and by nothing else, and is
/// right with the same schedule when it is not.
fn is_caught(rule: Rule, programs: &[Program]) {
    let failure = programs.iter().find_map(|program| Some((program, first_failure(program, rule, MUTANT_SEEDS)?)));
    let (program, failure) = failure.unwrap_or_else(|| panic!("nobody notices that {rule:?} is broken"));
    assert!(matches!(failure.wrong, Wrong::Broken(Broken::Lost(_))), "{rule:?} broken: {failure}");
    let seed = failure.seed.expect("seeds decided");
    assert!(run_seed(program, Rules::default(), seed).is_ok(), "the same schedule is right with the rule in force");
}

#[test]
fn replies_that_do_not_wait_are_caught() {
    is_caught(Rule::RepliesWaitForTheirEpoch, &replies());
}

#[test]
fn held_output_that_waits_for_an_earlier_epoch_is_caught() {
    is_caught(Rule::HeldOutputWaitsForItsOwn, &replies()[3..4]);
}

#[test]
fn messages_that_do_not_wait_are_caught() {
    is_caught(Rule::MessagesWaitForTheirEpoch, &published());
    is_caught(Rule::MessagesWaitForTheirEpoch, &told()[..2]);
    is_caught(Rule::MessagesWaitForTheirEpoch, &told()[3..]);
}

#[test]
fn messages_ahead_of_changes_on_their_way_are_caught() {
    is_caught(Rule::MessagesWaitForChangesBefore, &published()[..1]);
    is_caught(Rule::MessagesWaitForChangesBefore, &published()[1..2]);
    is_caught(Rule::MessagesWaitForChangesBefore, &published_within()[..1]);
    is_caught(Rule::MessagesWaitForChangesBefore, &published_within()[2..3]);
    is_caught(Rule::MessagesWaitForChangesBefore, &told()[2..3]);
}

#[test]
fn a_barrier_in_pieces_is_caught() {
    is_caught(Rule::BarrierIsOnePoint, &in_one_piece()[..1]);
    is_caught(Rule::BarrierIsOnePoint, &replies()[2..3]);
}

#[test]
fn passing_by_who_has_recorded_is_caught() {
    is_caught(Rule::IdleHasRecordedNothing, &all());
}

#[test]
fn an_eviction_that_is_not_recorded_is_caught() {
    is_caught(Rule::EvictionIsRecorded, &evicted());
}

#[test]
fn cutting_each_log_by_itself_is_caught() {
    let apart = |program: Program| Program { recovers_apart: true, ..program };
    for program in [in_one_piece().swap_remove(0), replies().swap_remove(1)] {
        let program = apart(program);
        let lost = (0..MUTANT_SEEDS).find_map(|seed| run_seed(&program, Rules::default(), seed).err());
        let lost = lost.unwrap_or_else(|| panic!("{}: nobody notices that each log is cut by itself", program.name));
        assert!(matches!(lost.wrong, Wrong::Broken(Broken::Lost(_))), "{lost}");
    }
}

struct Generator {
    rng: SmallRng,
    keys: Vec<Bytes>,
    lists: Vec<Bytes>,
    next_value: u32,
}

impl Generator {
    fn key(&mut self) -> Bytes {
        self.keys[self.rng.random_range(0..self.keys.len())].clone()
    }

    fn list(&mut self) -> Bytes {
        self.lists[self.rng.random_range(0..self.lists.len())].clone()
    }

    fn value(&mut self) -> Bytes {
        self.next_value += 1;
        self.next_value.to_string().into_bytes()
    }

    fn letter(&mut self) -> Bytes {
        vec![b'a' + self.rng.random_range(0..26)]
    }

    fn command(&mut self) -> Vec<Bytes> {
        let word = |word: &str| word.as_bytes().to_vec();
        match self.rng.random_range(0..28) {
            0..6 => vec![word("SET"), self.key(), self.value()],
            6..11 => vec![word("GET"), self.key()],
            11 => vec![word("MGET"), self.keys[0].clone(), self.keys[1].clone()],
            12..15 => vec![word("MSET"), self.keys[1].clone(), self.value(), self.keys[0].clone(), self.value()],
            15 => vec![word("DEL"), self.key(), self.key()],
            16..18 => vec![word("INCR"), self.key()],
            18 => vec![word("COPY"), self.keys[0].clone(), self.keys[1].clone(), word("REPLACE")],
            19 => vec![word("RENAME"), self.keys[1].clone(), self.keys[0].clone()],
            20..22 => vec![word("LPUSH"), self.list(), self.letter()],
            22 => vec![word("RPOP"), self.list()],
            23 => vec![word("LMOVE"), self.lists[0].clone(), self.lists[1].clone(), word("LEFT"), word("RIGHT")],
            24..26 => vec![word("PUBLISH"), word("a"), self.value()],
            26 => vec![word("DBSIZE")],
            _ => vec![word("FLUSHALL")],
        }
    }

    /// Commands of a transaction or a script. None of them is one whose error would end the script, or that is told of at
    /// another point.
    fn commands(&mut self) -> Vec<Vec<Bytes>> {
        let count = self.rng.random_range(1..=3);
        let mut commands: Vec<_> = (0..count).map(|_| self.command()).collect();
        commands.retain(|command| ![&b"RENAME"[..], b"PUBLISH"].contains(&command[0].as_slice()));
        if commands.is_empty() { self.commands() } else { commands }
    }

    fn request(&mut self) -> Request {
        match self.rng.random_range(0..12) {
            0..2 => Request::Multi(self.commands()),
            2 => Request::Eval { commands: self.commands(), declared: true },
            3 => Request::Eval { commands: self.commands(), declared: false },
            _ => Request::Command(self.command()),
        }
    }
}

fn random(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x4c4f_4753);
    let shards = rng.random_range(1..=3);
    let fsync: AppendFsync = if rng.random_bool(0.6) { Always } else { Everysec };
    let mut program = program(&format!("random logs {seed}"), shards).with_log(fsync);
    program.put_offs = rng.random_ratio(1, 4);
    program.gives_way = rng.random_ratio(1, 4);
    program.evictions = if rng.random_ratio(1, 4) { 2 } else { 0 };
    let named = |names: &[&str]| -> Vec<Bytes> {
        names.iter().enumerate().map(|(i, name)| key_on(shards, (i % shards) as u16, name)).collect()
    };
    let (keys, lists) = (named(&["x", "y", "z"]), named(&["p", "q"]));
    let mut generator = Generator { rng, keys, lists, next_value: 10 };
    let clients = generator.rng.random_range(2..=3);
    for _ in 0..clients {
        let home = generator.rng.random_range(0..shards);
        let requests = generator.rng.random_range(1..=REQUESTS_MAX / clients);
        let mut groups: Vec<Vec<Request>> = vec![Vec::new()];
        if generator.rng.random_ratio(1, 4) {
            groups[0].push(Request::Command(vec![b"SUBSCRIBE".to_vec(), b"a".to_vec()]));
        }
        for _ in 0..requests {
            if generator.rng.random_bool(0.4) {
                groups.push(Vec::new());
            }
            let request = generator.request();
            groups.last_mut().expect("there is one").push(request);
        }
        groups.retain(|group| !group.is_empty());
        program.clients.push(Script { home, groups, ..Script::default() });
    }
    if fsync == Everysec {
        program.events.push(Event::Advance(1100));
    }
    program
}

#[test]
fn random_programs_leave_what_was_shown() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&random(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}

/// What the random programs do not see broken, they cannot guard.
#[test]
fn random_programs_notice_every_broken_rule_of_the_log() {
    let rules = [
        Rule::RepliesWaitForTheirEpoch,
        Rule::MessagesWaitForTheirEpoch,
        Rule::BarrierIsOnePoint,
        Rule::MessagesWaitForChangesBefore,
    ];
    for rule in rules {
        let fails = |seed: u64| run_seed(&random(seed / SCHEDULES), Rules::without(rule), seed).is_err();
        assert!((0..MUTANT_SEEDS).any(fails), "random programs do not notice that {rule:?} is broken");
    }
}
