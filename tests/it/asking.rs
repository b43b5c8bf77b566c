//! Scripts that call commands of which every core has its share: INFO, the slow log's length, who is connected.

use crate::support::slots::key_on;
use crate::support::{Client, Server, Value, each_target, eventually};

/// Calls of INFO, before and behind which the script changes keys: all of it is one.
const COUNTS: &str = "
    local seen = 0
    for _ = 1, 5 do
        redis.call('incr', KEYS[1])
        local info = redis.call('info', 'keyspace')
        redis.call('incr', KEYS[2])
        if string.find(info, 'keys=', 1, true) then seen = seen + 1 end
    end
    return {seen, redis.call('get', KEYS[1]), redis.call('get', KEYS[2])}";

fn counts(script: &mut Client, first: &str, second: &str) -> Value {
    script.call(&["EVAL", COUNTS, "2", first, second])
}

#[test]
fn a_script_may_ask_every_core() {
    each_target(|server| {
        let last = server.shards() - 1;
        let (first, second) = (&key_on("first", 0, server.shards()), &key_on("second", last, server.shards()));
        let mut client = server.client();
        let expected = Value::Array(vec![Value::Integer(5), Value::bulk("5"), Value::bulk("5")]);
        assert_eq!(counts(&mut client, first, second), expected);
        let length = "return redis.call('slowlog', 'len') + 1 + #redis.call('pubsub', 'channels')";
        assert!(client.call(&["EVAL", length, "0"]).integer() > 0);
        let code = "#!lua name=asks\nredis.register_function('asks', function() return #redis.call('info') end)";
        client.call(&["FUNCTION", "LOAD", "REPLACE", code]);
        assert!(client.must("FCALL asks 0").integer() > 1000);
        client.must(&format!("DEL {first} {second}"));
    });
}

#[test]
fn a_script_that_asks_every_core_may_stand_in_a_transaction() {
    each_target(|server| {
        let mut client = server.client();
        client.must("MULTI");
        client.must("SET first 10");
        client.call(&["EVAL", COUNTS, "2", "first", "second"]);
        client.must("INFO server");
        client.call(&["EVAL", COUNTS, "2", "first", "second"]);
        let done = client.must("EXEC");
        let counted = |first, second| Value::Array(vec![Value::Integer(5), Value::bulk(first), Value::bulk(second)]);
        assert_eq!(done.elements()[1], counted("15", "5"));
        assert_eq!(done.elements()[3], counted("20", "10"));
        assert!(done.elements()[2].text().contains("uptime_in_seconds"));
        client.must("DEL first second");
    });
}

/// Nobody sees what such a script has done before it is over, though its keys go home whenever it asks.
#[test]
fn nobody_sees_half_of_a_script_that_asks() {
    each_target(|server| {
        let last = server.shards() - 1;
        let (first, second) = (&key_on("first", 0, server.shards()), &key_on("second", last, server.shards()));
        let (mut script, mut reader) = (server.client(), server.client());
        for round in 1..=20 {
            script.send(&["EVAL", COUNTS, "2", first, second]);
            let seen = reader.must(&format!("MGET {first} {second}"));
            let count = |place: usize| seen.elements()[place].as_bytes().map(<[u8]>::to_vec);
            assert_eq!(count(0), count(1), "round {round}");
            script.read();
        }
        reader.must(&format!("DEL {first} {second}"));
    });
}

fn until_busy(server: &Server) {
    let mut other = server.client();
    eventually("the script to be busy", || other.line("PING").is_error());
}

#[test]
fn a_script_that_asks_without_end_is_busy_and_can_be_killed() {
    each_target(|server| {
        let mut other = server.client();
        other.must("CONFIG SET busy-reply-threshold 50");
        let mut script = server.client();
        script.send(&["EVAL", "while true do redis.call('info', 'clients') end", "0"]);
        until_busy(server);
        assert_eq!(other.line("SCRIPT KILL"), Value::ok());
        let error = script.read().error();
        assert!(error.contains("Script killed by user with SCRIPT KILL..."), "{error}");
        eventually("the server to be free", || !other.line("PING").is_error());
        assert_eq!(script.must("PING"), Value::Simple("PONG".into()));
        other.must("CONFIG SET busy-reply-threshold 5000");
    });
}

/// A client that waits for a list is served when the script is over that pushed to it, and no sooner, whatever others are
/// let do meanwhile.
#[test]
fn who_waits_is_served_behind_a_script_that_looks_for_a_name() {
    each_target(|server| {
        let list = &key_on("list", 0, server.shards());
        let mut other = server.client();
        other.must("DEBUG SET-DISABLE-DENY-SCRIPTS 1");
        other.must("CONFIG SET busy-reply-threshold 10");
        let mut waits = server.client();
        waits.send(&["BLPOP", list, "0"]);
        eventually("the client to wait", || server.info("clients", "blocked_clients") == "1");
        let until_named = "
            redis.call('rpush', KEYS[1], 'second')
            while true do
                local clients = redis.call('client', 'list')
                if string.find(clients, 'name=go ', 1, true) then break end
            end
            redis.call('lpush', KEYS[1], 'first')
            return redis.call('llen', KEYS[1])";
        let mut script = server.client();
        script.send(&["EVAL", until_named, "1", list]);
        until_busy(server);
        assert!(other.line(&format!("LLEN {list}")).error().starts_with("BUSY"));
        other.line("HELLO 2 SETNAME go");
        assert_eq!(script.read(), Value::Integer(2));
        assert_eq!(waits.read(), Value::Array(vec![Value::bulk(list), Value::bulk("first")]));
        other.must("DEBUG SET-DISABLE-DENY-SCRIPTS 0");
        other.must("CONFIG SET busy-reply-threshold 5000");
        other.must(&format!("DEL {list}"));
    });
}

#[test]
fn a_script_that_asks_goes_on_when_its_client_is_gone() {
    each_target(|server| {
        let mut script = server.client();
        let long = "for _ = 1, 200 do redis.call('info', 'server') redis.call('incr', KEYS[1]) end";
        script.send(&["EVAL", long, "1", "count"]);
        drop(script);
        let mut other = server.client();
        eventually("the script to end", || other.line("GET count") == Value::bulk("200"));
        other.must("DEL count");
    });
}
