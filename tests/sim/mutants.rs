//! Each rule broken on purpose: the simulation must notice.
//!
//! A rule that can be broken without any of these programs failing would be one that nothing guards.

use shard::mesh::{Rule, Rules};

use crate::litmus;
use crate::program::Program;
use crate::pubsub;
use crate::tracking;
use crate::verdict::{Failure, first_failure, run_seed};

/// A mutant that lives longer than this many seeds has not been caught.
const SEEDS: u64 = 4000;

fn caught(rule: Rule, program: &Program) -> Failure {
    let failure = first_failure(program, rule, SEEDS);
    let failure = failure.unwrap_or_else(|| panic!("{}: nobody notices that {rule:?} is broken", program.name));
    let seed = failure.seed.expect("seeds decided");
    assert!(run_seed(program, Rules::default(), seed).is_ok(), "the same schedule is right with the rule in force");
    failure
}

#[test]
fn running_in_place_behind_a_push_is_caught() {
    let rule = Rule::InPlaceOnlyWhileNothingPushed;
    caught(rule, &litmus::store_buffering());
    caught(rule, &litmus::message_passing_pipelined()[0]);
}

#[test]
fn pushing_part_by_part_is_caught() {
    let programs = litmus::mset_is_one_point();
    for program in &programs[..2] {
        caught(Rule::PushIsAtomic, program);
    }
    caught(Rule::PushIsAtomic, &litmus::message_passing_pipelined()[1]);
    for program in &litmus::publishers() {
        caught(Rule::PushIsAtomic, program);
    }
}

#[test]
fn collecting_behind_the_tail_is_caught() {
    caught(Rule::CollectBeforeTail, &litmus::clients_who_talk());
}

#[test]
fn overtaking_what_was_put_off_is_caught() {
    caught(Rule::PutOffHoldsConnection, &litmus::put_off()[0]);
}

#[test]
fn waiting_in_one_queue_only_is_caught() {
    caught(Rule::WaitingKeepsAllPlaces, &litmus::waiting()[0]);
}

#[test]
fn an_own_part_in_place_is_caught() {
    let failure = caught(Rule::OwnPartThroughInbox, &litmus::multi_hop()[0]);
    assert!(failure.wrong.is_stuck(), "two plans wait for each other: {failure}");
    let both_sides = litmus::mset_is_one_point().swap_remove(5);
    caught(Rule::OwnPartThroughInbox, &both_sides);
}

#[test]
fn locks_asked_for_late_are_caught() {
    let failure = caught(Rule::LocksPlacedByPush, &litmus::served_move());
    assert!(failure.wrong.is_stuck(), "a transaction and a move wait for each other: {failure}");
    caught(Rule::LocksPlacedByPush, &litmus::waiting()[1]);
}

#[test]
fn a_clock_per_shard_is_caught() {
    caught(Rule::TimeTravelsWithBatch, &litmus::one_deadline()[0]);
}

#[test]
fn waiting_without_a_time_of_its_own_is_caught() {
    caught(Rule::WaitingKeepsItsTime, &litmus::one_deadline()[1]);
}

#[test]
fn sweeping_what_is_waited_for_is_caught() {
    caught(Rule::SweepSkipsClaimed, &litmus::one_deadline()[2]);
}

#[test]
fn an_unlocked_watched_key_is_caught() {
    for program in &litmus::watched_elsewhere() {
        caught(Rule::WatchedKeysAreLocked, program);
    }
}

#[test]
fn a_part_that_refuses_is_caught() {
    for program in &litmus::full_shard() {
        caught(Rule::PartsCannotRefuse, program);
    }
}

#[test]
fn a_reply_without_a_generation_is_caught() {
    caught(Rule::GenerationsAreChecked, &litmus::reused_slot()[0]);
}

#[test]
fn merged_reads_are_caught() {
    caught(Rule::ReadsAreNotMerged, &litmus::reads_in_one_pipeline());
}

#[test]
fn subscribing_without_a_point_is_caught() {
    caught(Rule::SubscribingHasAPoint, &pubsub::subscribe_then_read()[1]);
}

#[test]
fn publishing_to_who_was_there_before_is_caught() {
    caught(Rule::TargetsAreAskedAgain, &pubsub::subscribe_then_read()[1]);
}

#[test]
fn messages_that_do_not_know_their_place_are_caught() {
    caught(Rule::SubscribersLeaveMarks, &pubsub::reading_elsewhere());
}

#[test]
fn publishing_part_by_part_is_caught() {
    caught(Rule::PushIsAtomic, &pubsub::one_order()[0]);
}

#[test]
fn notices_behind_the_reply_are_caught() {
    let late = |program: &Program| first_failure(program, Rule::NoticesLeaveWithReplies, SEEDS).is_some();
    let programs = tracking::copies();
    assert!(programs.iter().any(late), "nobody notices that a copy is used which is out of date");
}

/// A failure is told so that a reader can follow it.
#[test]
fn a_failure_tells_its_story() {
    let failure = caught(Rule::InPlaceOnlyWhileNothingPushed, &litmus::store_buffering());
    let story = failure.to_string();
    for part in ["seed", "store buffering (2 shards)", "client 0 sends SET", "core 1 pushes: Done", "at the end:"] {
        assert!(story.contains(part), "no '{part}' in:\n{story}");
    }
}
