//! Programs on a server with append-only files, cut off at any step: what another server finds in the files.
//!
//! A run goes on as if nothing were; but at some of its steps, and at its end, the disk is asked what it would hold if the
//! process were killed just now, or the power went, and the production code loads that on some number of cores. There must
//! be a serial order of what was sent, with every reply and message that a client has by then, that ends with what was
//! found: so whatever was shown is there, in one piece, and nothing without what stood before it. Requests that were not
//! answered may be in it or not. Where a power cut may take the last second (`everysec`), what was found is what there was
//! at some point of that order.

mod programs;
mod random;

use shard::config::types::choices::AppendFsync::Everysec;
use shard::mesh::{Rule, Rules};

use crate::disk::Directory;
use crate::program::{Event, Program, START_MILLIS};
use crate::restart::recovered;
use crate::schedule::Broken;
use crate::verdict::{Wrong, first_failure, holds, run_seed};
use programs::{all, evicted, in_one_piece, published, published_within, replies, told};

/// Seeds for each of the small programs.
const SEEDS: u64 = 40;

/// A mutant that lives longer than this many seeds has not been caught.
const MUTANT_SEEDS: u64 = 4000;

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

#[test]
fn forgetting_logs_before_they_are_run_is_caught() {
    let program = Program { recovers_hastily: true, ..replies().swap_remove(0) };
    let lost = (0..MUTANT_SEEDS).find_map(|seed| run_seed(&program, Rules::default(), seed).err());
    let lost = lost.expect("somebody notices that a recovery forgets what it has not run");
    assert!(matches!(lost.wrong, Wrong::Broken(Broken::Lost(_))), "{lost}");
}

/// The commands of Redis's file are read by one core, and may reach another before that one has looked what is to be done.
/// An expiry in the past is no reason for either to take the key away: what follows would make another one, without it.
#[test]
fn a_log_of_redis_is_run_without_expiry_on_every_shard() {
    let left = Directory::new();
    let files = left.path().join("appendonlydir");
    std::fs::create_dir_all(&files).expect("the directory is ours");
    std::fs::write(files.join("appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n")
        .expect("the directory is ours");
    let keys: Vec<Vec<u8>> = (b'a'..=b'p').map(|letter| vec![letter]).collect();
    let of_key = |key: &Vec<u8>| {
        let key = char::from(key[0]).to_string();
        ["SET {} v", "PEXPIREAT {} 1000", "APPEND {} w"].map(|line| resp(&line.replace("{}", &key))).concat()
    };
    let log: String = keys.iter().map(of_key).collect();
    std::fs::write(files.join("appendonly.aof.1.incr.aof"), log).expect("the directory is ours");
    for shards in 1..=4 {
        let found = recovered(left.path(), shards, START_MILLIS, &keys).expect("the file is whole");
        assert_eq!(found, vec![None; keys.len()], "on {shards} shards");
    }
}

/// A line of words as a log has it.
fn resp(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let tail: Vec<String> = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    format!("*{}\r\n{}", words.len(), tail.concat())
}
