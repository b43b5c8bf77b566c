use std::collections::HashSet;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::config::value::{How, Words};
use crate::exec::testing::{Keyspace, check};

/// The elements of an array that a reply shows.
fn elements(shown: &str) -> HashSet<String> {
    let inner = shown.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).expect("it is an array");
    let elements: Vec<&str> = inner.split_whitespace().collect();
    let set: HashSet<String> = elements.iter().map(|element| element.trim_matches('"').to_owned()).collect();
    assert_eq!(set.len(), elements.len(), "no member is there twice");
    set
}

#[test]
fn computing_agrees_with_sets_of_the_library() {
    // Letters and integers, of sizes that make intsets, listpacks and tables.
    let mut rng = SmallRng::seed_from_u64(11);
    for round in 0..60 {
        let mut keyspace = Keyspace::new(1 + round % 3);
        let names: Vec<String> = (0..rng.random_range(1..8)).map(|number| format!("set{number}")).collect();
        let mut model: Vec<HashSet<String>> = Vec::new();
        for name in &names {
            let size = [0, 3, 40, 200, 700][rng.random_range(0..5)];
            let letters = rng.random_bool(0.5);
            let member = |number: u32| {
                if letters && number.is_multiple_of(2) { format!("m{number}") } else { number.to_string() }
            };
            let members: HashSet<String> = (0..size).map(|_| member(rng.random_range(0..900))).collect();
            if !members.is_empty() {
                let words: Vec<&str> = members.iter().map(String::as_str).collect();
                keyspace.run(&format!("SADD {name} {}", words.join(" ")));
            }
            model.push(members);
        }
        let all = names.join(" ");
        let union: HashSet<String> = model.iter().flatten().cloned().collect();
        let shared = |member: &&String| model.iter().all(|set| set.contains(*member));
        let intersection: HashSet<String> = model[0].iter().filter(shared).cloned().collect();
        let own = |member: &&String| !model[1..].iter().any(|set| set.contains(*member));
        let difference: HashSet<String> = model[0].iter().filter(own).cloned().collect();
        for (command, expected) in [("SUNION", &union), ("SINTER", &intersection), ("SDIFF", &difference)] {
            assert_eq!(elements(&keyspace.run(&format!("{command} {all}"))), *expected, "{command} in round {round}");
            let len = keyspace.run(&format!("{command}STORE result {all}"));
            assert_eq!(len, expected.len().to_string());
            assert_eq!(elements(&keyspace.run("SMEMBERS result")), *expected, "{command}STORE in round {round}");
        }
        let counted = keyspace.run(&format!("SINTERCARD {} {all}", names.len()));
        assert_eq!(counted, intersection.len().to_string());
    }
}

#[test]
fn many_small_sets_are_subtracted_from_a_large_one() {
    let mut keyspace = Keyspace::new(3);
    let members: Vec<String> = (0..5000).map(|number| format!("m{number}")).collect();
    keyspace.run(&format!("SADD large {}", members.join(" ")));
    let small: Vec<String> = (0..40).map(|number| format!("small{number}")).collect();
    for (number, name) in small.iter().enumerate() {
        keyspace.run(&format!("SADD {name} m{number} m{} other", number * 100));
    }
    // Of the 80 numbers, 0 is there twice.
    assert_eq!(keyspace.run(&format!("SDIFFSTORE result large {}", small.join(" "))), (5000 - 79).to_string());
    keyspace.check("SMISMEMBER result m0 m39 m40 m3900 m4999 => [0 0 1 0 1]");
}

#[test]
fn random_members_are_all_likely() {
    let mut keyspace = Keyspace::new(1);
    let members: Vec<String> = (0..300).map(|number| format!("m{number}")).collect();
    for (key, size) in [("table", 300), ("packed", 20)] {
        keyspace.run(&format!("SADD {key} {}", members[..size].join(" ")));
        let drawn = keyspace.run(&format!("SRANDMEMBER {key} -{}", size * 30));
        assert_eq!(drawn.split_whitespace().count(), size * 30);
        let distinct: HashSet<&str> = drawn.trim_matches(['[', ']']).split_whitespace().collect();
        assert_eq!(distinct.len(), size, "who is not drawn in thirty rounds of {key}?");
        assert_eq!(elements(&keyspace.run(&format!("SRANDMEMBER {key} {size}"))).len(), size);
        let popped = elements(&keyspace.run(&format!("SPOP {key} {}", size - 1)));
        assert_eq!(popped.len(), size - 1);
        let last = elements(&keyspace.run(&format!("SMEMBERS {key}")));
        assert!(last.is_disjoint(&popped) && last.len() == 1);
    }
}

#[test]
fn a_set_that_a_pause_keeps_is_not_there() {
    let mut keyspace = Keyspace::new(1);
    keyspace.check("SADD a 1 2 => 2\nSADD b 2 => 1\nPEXPIRE a 10 => 1");
    keyspace.tick(11);
    keyspace.shards[0].expiry_held = true;
    keyspace.check("SUNION a b => [\"2\"]\nSINTER b a => []\nSDIFF b a => [\"2\"]\nDBSIZE => 2");
}

#[test]
fn encodings_of_results() {
    check(
        r#"
        SADD ints 1 2 3 => 3
        SADD mixed 1 2 a => 3
        OBJECT ENCODING mixed => "listpack"
        SINTERSTORE d mixed ints => 2
        OBJECT ENCODING d => "intset"
        SUNIONSTORE d mixed ints => 4
        OBJECT ENCODING d => "listpack"
        SDIFFSTORE d mixed ints => 1
        OBJECT ENCODING d => "listpack"
        SMOVE mixed ints a => 1
        OBJECT ENCODING ints => "listpack"
        OBJECT ENCODING mixed => "listpack"
        "#,
    );
}

#[test]
fn every_change_counts_and_is_told() {
    let mut keyspace = Keyspace::new(1);
    keyspace.configure(|config| {
        config.notify_keyspace_events.read(&[b"KEA"], How::Set).expect("they are classes of events");
    });
    for (command, changes, events) in [
        ("SADD s a b b", 2, &["sadd"][..]),
        ("SADD s a", 0, &[]),
        ("SREM s z", 0, &[]),
        ("SREM s a z", 1, &["srem"]),
        ("SMOVE s t z", 0, &[]),
        ("SMOVE s s b", 0, &[]),
        ("SMOVE s t b", 2, &["srem", "del", "sadd"]),
        ("SADD s b c", 2, &["sadd"]),
        ("SMOVE s t b", 1, &["srem"]),
        ("SINTERSTORE d s t", 0, &[]),
        ("SUNIONSTORE d s t", 1, &["sunionstore"]),
        ("SDIFFSTORE d d s", 1, &["sdiffstore"]),
        ("SINTERSTORE d d t", 1, &["sinterstore"]),
        ("SDIFFSTORE d s s", 1, &["del"]),
        ("SADD s 1 2 3", 3, &["sadd"]),
        ("SPOP s", 1, &["spop"]),
        ("SPOP s 0", 0, &[]),
        ("SPOP s 2", 2, &["spop"]),
        ("SPOP s 9", 1, &["spop", "del"]),
        ("SPOP s", 0, &[]),
        ("SPOP t", 1, &["spop", "del"]),
    ] {
        let before = keyspace.counter(|counters| counters.dirty);
        keyspace.run(command);
        assert_eq!(keyspace.counter(|counters| counters.dirty) - before, changes, "{command}");
        let told: Vec<&str> = keyspace.shards[0].events.drain(..).map(|event| event.event).collect();
        assert_eq!(told, events, "{command}");
    }
}
