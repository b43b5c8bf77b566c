use crate::config::types::events::Events;
use crate::exec::testing::{Keyspace, check};

#[test]
fn readers_wait_for_what_is_not_there() {
    check(
        r#"
        XREAD BLOCK 0 STREAMS a b c $ + 0 => (waits)
        XADD b 5 f v => "5-0"
        XREAD BLOCK 0 STREAMS a b c $ $ 0 => (waits)
        XREAD BLOCK 0 STREAMS a b c $ + 0 => [["b" [["5-0" ["f" "v"]]]]]
        XGROUP CREATE b g $ => OK
        XGROUP CREATE a g 0 MKSTREAM => OK
        XREADGROUP GROUP g one BLOCK 0 STREAMS a b > > => (waits)
        XREADGROUP GROUP g one BLOCK 0 STREAMS a b > 0 => [["b" []]]
        XREADGROUP GROUP g one BLOCK 0 STREAMS a c > > => -NOGROUP No such key 'c' or consumer group 'g' in XREADGROUP with GROUP option
        XADD a 1 f v => "1-0"
        XREADGROUP GROUP g one BLOCK 0 STREAMS a b > > => [["a" [["1-0" ["f" "v"]]]]]
        "#,
    );
}

#[test]
fn an_entry_that_cannot_be_added_leaves_no_stream() {
    check(
        r#"
        XADD s 0-0 f v => -ERR The ID specified in XADD must be greater than 0-0
        EXISTS s => 0
        XADD s MAXLEN 0 1 f v => "1-0"
        EXISTS s => 1
        "#,
    );
}

#[test]
fn trimming_without_a_limit_of_its_own_is_bounded() {
    let mut keyspace = Keyspace::new(1);
    for shard in &mut keyspace.shards {
        shard.limits.stream.block_entries_max = 2;
    }
    for id in 1..=500 {
        keyspace.run(&format!("XADD s {id} f v"));
    }
    // A hundred blocks of two entries each.
    keyspace.check("XTRIM s MAXLEN ~ 0 => 200");
    keyspace.check("XTRIM s MAXLEN ~ 0 LIMIT 0 => 300");
}

#[test]
fn changes_are_counted_and_told() {
    let mut keyspace = Keyspace::new(1);
    keyspace.configure(|config| config.notify_keyspace_events = Events::ALL.with(Events::KEYSPACE));
    let commands = [
        ("XADD s 1 f v", 1, &["xadd"][..]),
        ("XADD s MAXLEN 1 2 f v", 1, &["xadd", "xtrim"]),
        ("XGROUP CREATE s g 0", 1, &["xgroup-create"]),
        ("XREADGROUP GROUP g one STREAMS s >", 2, &["xgroup-createconsumer"]),
        ("XREADGROUP GROUP g one STREAMS s >", 0, &[]),
        ("XCLAIM s g two 0 2", 2, &["xgroup-createconsumer"]),
        ("XAUTOCLAIM s g one 0 -", 1, &[]),
        ("XACK s g 2 3", 1, &[]),
        ("XGROUP SETID s g 0", 1, &["xgroup-setid"]),
        ("XGROUP DELCONSUMER s g two", 1, &["xgroup-delconsumer"]),
        ("XGROUP DESTROY s g", 1, &["xgroup-destroy"]),
        ("XDEL s 2 3", 1, &["xdel"]),
        ("XSETID s 9", 1, &["xsetid"]),
        ("XTRIM s MAXLEN 0", 0, &[]),
    ];
    for (command, changes, events) in commands {
        let before = keyspace.counter(|counters| counters.dirty);
        keyspace.run(command);
        assert_eq!(keyspace.counter(|counters| counters.dirty) - before, changes, "{command}");
        let told = std::mem::take(&mut keyspace.shards[0].events);
        assert_eq!(told.iter().map(|event| event.event).collect::<Vec<_>>(), events, "{command}");
    }
}
