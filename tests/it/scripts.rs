//! Scripts that run for long: who is served meanwhile, who is told BUSY, and how a script ends.

use std::time::{Duration, Instant};

use crate::support::slots::key_on;
use crate::support::{Client, Launch, Server, Value, each_target, eventually};

const BUSY_EVAL: &str = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const BUSY_FCALL: &str = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
const ENDLESS: &str = "while true do end";

/// No answer of a core that runs a script may take longer, on a machine that does other things besides.
const WORST_ANSWER: Duration = Duration::from_millis(100);

fn threshold(server: &Server, millis: &str) {
    server.client().must(&format!("CONFIG SET busy-reply-threshold {millis}"));
}

/// A client whose script runs and is not over.
fn running(server: &Server, args: &[&str]) -> Client {
    let mut client = server.client();
    client.send(args);
    client
}

/// Waits until others are told that the server is busy.
fn until_busy(server: &Server) {
    let mut other = server.client();
    eventually("the script to be busy", || other.line("PING").is_error());
}

fn killed(client: &mut Client) {
    let error = client.read().error();
    assert!(error.contains("Script killed by user with SCRIPT KILL..."), "{error}");
}

/// The worst of many answers, each of which is `expected`.
fn worst_answer(client: &mut Client, words: &str, expected: &Value) -> Duration {
    let one = |_| {
        let asked = Instant::now();
        assert_eq!(client.line(words), *expected);
        asked.elapsed()
    };
    (0..300).map(one).max().expect("there are some")
}

#[test]
fn other_keys_are_served_while_a_script_runs() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        let key = &key_on("k", 0, server.shards());
        let beside = &key_on("beside", 0, server.shards());
        let mut other = server.client();
        other.must(&format!("SET {beside} 1"));
        for endless in [ENDLESS, "while true do redis.call('get', KEYS[1]) end"] {
            let mut script = running(server, &["EVAL", endless, "1", key]);
            let mut waits = running(server, &["APPEND", key, "x"]);
            let worst = worst_answer(&mut other, &format!("GET {beside}"), &Value::bulk("1"));
            assert!(worst < WORST_ANSWER, "an answer took {worst:?}");
            eventually("the script to be seen", || other.line("SCRIPT KILL") == Value::ok());
            killed(&mut script);
            assert!(waits.read().integer() > 0, "who has waited is served");
        }
        assert_eq!(other.must(&format!("GET {key}")), Value::bulk("xx"));
        assert_eq!(other.line("SCRIPT KILL").error(), "NOTBUSY No scripts in execution right now.");
    });
}

#[test]
fn who_would_wait_for_long_is_told_so() {
    each_target(|server| {
        threshold(server, "50");
        let (key, beside) = (&key_on("k", 0, server.shards()), &key_on("beside", 0, server.shards()));
        let mut open = server.client();
        open.must("MULTI");
        let mut script = running(server, &["EVAL", ENDLESS, "1", key]);
        until_busy(server);
        let mut other = server.client();
        for refused in [format!("GET {key}"), "DBSIZE".to_owned(), "PING".to_owned(), "SHUTDOWN".to_owned()] {
            assert_eq!(other.line(&refused).error(), BUSY_EVAL, "{refused}");
        }
        assert_eq!(other.line("FUNCTION KILL").error(), BUSY_EVAL);
        let kept = open.line(&format!("SET {key} 1"));
        assert_eq!(kept.error(), BUSY_EVAL, "what is refused behind MULTI breaks the transaction");
        if server.shards() > 1 {
            assert_eq!(other.line(&format!("GET {beside}")), Value::Null, "a key that the script does not hold");
        }
        assert_eq!(other.line("SCRIPT KILL"), Value::ok());
        killed(&mut script);
        eventually("the server to be free", || !other.line("PING").is_error());
        assert!(open.line("EXEC").error().starts_with("EXECABORT"));
        threshold(server, "5000");
    });
}

#[test]
fn a_script_that_has_written_cannot_be_killed() {
    each_target(|server| {
        threshold(server, "50");
        let key = &key_on("k", 0, server.shards());
        let long = "for i = 1, 1000000 do redis.call('incr', KEYS[1]) end return redis.call('get', KEYS[1])";
        let mut script = running(server, &["EVAL", long, "1", key]);
        let mut other = server.client();
        until_busy(server);
        assert_eq!(other.line(&format!("GET {key}")).error(), BUSY_EVAL);
        let refused = other.line("SCRIPT KILL").error();
        assert!(refused.starts_with("UNKILLABLE"), "{refused}");
        assert_eq!(script.read(), Value::bulk("1000000"));
        assert_eq!(other.must(&format!("GET {key}")), Value::bulk("1000000"));
        threshold(server, "5000");
    });
}

#[test]
fn a_function_that_runs_is_told_of_and_killed_as_one() {
    each_target(|server| {
        threshold(server, "50");
        let mut other = server.client();
        let code = "#!lua name=endless\nredis.register_function('spin', function() while true do end end)";
        other.call(&["FUNCTION", "LOAD", "REPLACE", code]);
        let mut script = running(server, &["FCALL", "SPIN", "0"]);
        until_busy(server);
        assert_eq!(other.line("PING").error(), BUSY_FCALL);
        assert_eq!(other.line("SCRIPT KILL").error(), BUSY_FCALL);
        let stats = other.line("FUNCTION STATS");
        let shown = stats.field("running_script").expect("it is running");
        assert_eq!(shown.field("name"), Some(&Value::bulk("spin")));
        assert_eq!(other.line("FUNCTION KILL"), Value::ok());
        killed(&mut script);
        eventually("the server to be free", || !other.line("PING").is_error());
        other.must("FUNCTION FLUSH");
        threshold(server, "5000");
    });
}

#[test]
fn a_transaction_goes_on_behind_its_long_script() {
    each_target(|server| {
        let mut client = server.client();
        let sum = "local sum = 0 for i = 1, 5000000 do sum = sum + 1 end return redis.call('incrby', KEYS[1], sum)";
        client.must("MULTI");
        client.must("SET total 1");
        client.call(&["EVAL", sum, "1", "total"]);
        client.must("INCR total");
        client.send(&["EXEC"]);
        let mut other = running(server, &["INCR", "total"]);
        let done = client.read();
        assert_eq!(done.elements(), [Value::ok(), Value::Integer(5_000_001), Value::Integer(5_000_002)]);
        assert!([1, 2, 5_000_003].contains(&other.read().integer()), "before the transaction, or behind it");
        client.must("DEL total");
    });
}

/// More scripts at once than a core has places for: the others wait for one.
#[test]
fn many_scripts_share_a_core() {
    each_target(|server| {
        let count = "local n = 0 for i = 1, 2000000 do n = n + 1 end redis.call('set', KEYS[1], n) return n + ARGV[1]";
        let name = |n: usize| format!("many:{n}");
        let start = |n: usize| running(server, &["EVAL", count, "1", &name(n), &n.to_string()]);
        let mut clients: Vec<Client> = (0..20).map(start).collect();
        for (n, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.read(), Value::Integer(2_000_000 + n as i64));
            assert_eq!(client.must(&format!("GET {}", name(n))), Value::bulk("2000000"));
        }
    });
}

#[test]
fn a_script_goes_on_when_its_client_is_gone() {
    each_target(|server| {
        let key = &key_on("k", 0, server.shards());
        let mut other = server.client();
        let long = "for i = 1, 300000 do redis.call('incr', KEYS[1]) end";
        drop(running(server, &["EVAL", long, "1", key]));
        eventually("the script to end", || other.line(&format!("GET {key}")) == Value::bulk("300000"));
    });
}

#[test]
fn waits_end_in_time_while_a_script_is_busy() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        let (key, queue) = (&key_on("k", 0, server.shards()), &key_on("queue", 0, server.shards()));
        let mut script = running(server, &["EVAL", ENDLESS, "1", key]);
        let mut waits = running(server, &["BLPOP", queue, "0.1"]);
        let asked = Instant::now();
        assert_eq!(waits.read(), Value::NullArray);
        assert!(asked.elapsed() < Duration::from_secs(5), "the script goes on for ever");
        eventually("the script to be seen", || server.client().line("SCRIPT KILL") == Value::ok());
        killed(&mut script);
    });
}

#[test]
fn shutdown_nosave_ends_a_server_whose_script_cannot_be_killed() {
    for target in crate::support::targets() {
        let mut server = Launch::new(target).args(&["--busy-reply-threshold", "20"]).start();
        let _script = running(&server, &["EVAL", "redis.call('set', KEYS[1], 1) while true do end", "1", "k"]);
        until_busy(&server);
        server.client().send(&["SHUTDOWN", "NOSAVE"]);
        assert!(server.wait().success());
    }
}

/// While a script runs that has written, nothing is complete in the log; who is refused for its sake hears that all the same.
#[test]
fn who_is_refused_hears_so_though_the_log_waits_for_the_script() {
    for target in crate::support::targets() {
        let server = Launch::new(target).args(&["--busy-reply-threshold", "20", "--appendonly", "yes"]).start();
        let (key, beside) = (&key_on("k", 0, server.shards()), &key_on("beside", 0, server.shards()));
        let mut other = server.client();
        other.must(&format!("SET {beside} 1"));
        let long = "redis.call('incr', KEYS[1]) for i = 1, 30000000 do end return redis.call('incr', KEYS[1])";
        let mut script = running(&server, &["EVAL", long, "1", key]);
        until_busy(&server);
        let mut waits = running(&server, &["MULTI"]);
        assert_eq!(waits.read(), Value::ok());
        assert!(server.client().line("SCRIPT KILL").error().starts_with("UNKILLABLE"));
        assert_eq!(other.line(&format!("INCR {key}")).error(), BUSY_EVAL);
        assert_eq!(script.read(), Value::Integer(2));
        assert_eq!(other.must(&format!("INCR {key}")), Value::Integer(3));
    }
}

#[test]
fn libraries_are_in_the_snapshot() {
    for target in crate::support::targets() {
        let mut server = Launch::new(target).start();
        let mut client = server.client();
        let library = |name: &str, reply: &str| {
            format!("#!lua name={name}\nredis.register_function('f_{name}', function() return '{reply}' end)")
        };
        client.call(&["FUNCTION", "LOAD", &library("kept", "old")]);
        client.must("SET k v");
        assert_eq!(client.line("DEBUG RELOAD"), Value::ok());
        assert_eq!(client.must("FCALL f_kept 0"), Value::bulk("old"));
        client.call(&["FUNCTION", "LOAD", "REPLACE", &library("kept", "new")]);
        client.call(&["FUNCTION", "LOAD", &library("other", "too")]);
        client.must("SAVE");
        client.must("FLUSHALL");
        assert_eq!(client.must("FCALL f_other 0"), Value::bulk("too"), "they are no data");
        client.must("FUNCTION DELETE other");
        assert_eq!(client.line("DEBUG RELOAD NOSAVE"), Value::ok());
        assert_eq!(client.must("FCALL f_other 0"), Value::bulk("too"), "what was in the file is there");
        client.send(&["SHUTDOWN", "SAVE"]);
        server.wait();
        let server = Launch::new(target).after(server).start();
        let mut client = server.client();
        assert_eq!(client.must("FCALL F_KEPT 0"), Value::bulk("new"));
        assert_eq!(client.must("FCALL f_other 0"), Value::bulk("too"));
    }
}
