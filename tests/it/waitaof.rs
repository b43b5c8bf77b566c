//! WAIT and WAITAOF, without replicas.

use std::time::{Duration, Instant};

use crate::support::{Launch, Server, Target, Value, eventually, targets};

const NO_LOG: &str = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

fn acks(local: i64) -> Value {
    Value::Array(vec![Value::Integer(local), Value::Integer(0)])
}

fn start(target: Target, how: &str) -> Server {
    Launch::new(target).args(&["--appendonly", "yes", "--appendfsync", how]).start()
}

fn servers() -> Vec<Target> {
    targets().into_iter().filter(|target| *target != Target::Referee).collect()
}

#[test]
fn a_client_waits_until_its_writes_are_synced() {
    for target in servers() {
        let server = start(target, "everysec");
        let mut client = server.client();
        assert_eq!(client.line("WAITAOF 0 0 0"), acks(1), "{target:?}: nothing was written");
        // Right behind a sync, the next one is a second away.
        client.must("SET key x");
        assert_eq!(client.line("WAITAOF 1 0 0"), acks(1));
        for round in 0..3 {
            let before: u64 = server.info("persistence", "aof_fsyncs").parse().expect("a number");
            client.raw(format!("MSET a {round} b {round} c {round} d {round}\r\nWAITAOF 1 0 0\r\nPING\r\n").as_bytes());
            assert_eq!(client.read(), Value::ok());
            assert_eq!(client.read(), acks(1));
            assert_eq!(client.read().text(), "PONG");
            let after: u64 = server.info("persistence", "aof_fsyncs").parse().expect("a number");
            assert!(after > before, "{target:?}: nothing was synced meanwhile");
            assert_eq!(client.line("WAITAOF 0 0 0"), acks(1));
        }
    }
}

#[test]
fn a_wait_ends_with_its_time() {
    for target in servers() {
        let server = start(target, "no");
        let mut client = server.client();
        client.must("SET key x");
        let began = Instant::now();
        assert_eq!(client.line("WAITAOF 1 0 150"), acks(0), "{target:?}: nobody syncs");
        assert!(began.elapsed() >= Duration::from_millis(150));
        assert_eq!(client.line("WAITAOF 0 0 0"), acks(0));
        let began = Instant::now();
        assert_eq!(client.line("WAIT 1 120").integer(), 0);
        assert!(began.elapsed() >= Duration::from_millis(120), "there is no replica");
        client.must("CONFIG SET appendfsync always");
        client.must("SET key y");
        assert_eq!(client.line("WAITAOF 1 0 0"), acks(1), "{target:?}: one sync is for all that was written");
        assert_eq!(client.line("WAITAOF 1 1 50"), acks(1), "{target:?}: a replica is waited for");
        assert_eq!(client.line("WAITAOF 0 1 50"), acks(1));
        assert_eq!(client.line("WAIT 0 0").integer(), 0);
    }
}

#[test]
fn in_a_transaction_nobody_waits() {
    for target in servers() {
        let server = start(target, "no");
        let mut client = server.client();
        client.must("SET key x");
        client.must("MULTI");
        client.must("WAITAOF 1 0 0");
        client.must("WAIT 1 0");
        assert_eq!(client.line("EXEC"), Value::Array(vec![acks(0), Value::Integer(0)]), "{target:?}");
        let reply = client.call(&["EVAL", "return redis.call('waitaof', 0, 0, 0)", "0"]);
        assert!(reply.is_error(), "{target:?}: {reply:?}");
    }
}

#[test]
fn a_transaction_asks_for_what_was_written_before_it() {
    for target in servers() {
        let server = start(target, "always");
        let mut client = server.client();
        for round in 0..20 {
            client.must(&format!("SET key:{round} x"));
            client.must("MULTI");
            client.must(&format!("SET other:{round} x"));
            client.must("WAITAOF 1 0 0");
            client.must("WAITAOF 0 0 0");
            let expected = Value::Array(vec![Value::ok(), acks(1), acks(1)]);
            assert_eq!(client.line("EXEC"), expected, "{target:?}: what was answered is synced");
        }
        client.must("CONFIG SET appendfsync no");
        client.must("SET key x");
        client.must("MULTI");
        client.must("WAITAOF 1 0 0");
        assert_eq!(client.line("EXEC"), Value::Array(vec![acks(0)]), "{target:?}: nobody has synced it");
    }
}

#[test]
fn without_a_log_nothing_is_waited_for() {
    for target in servers() {
        let server = Server::start(target);
        let mut client = server.client();
        assert_eq!(client.line("WAITAOF 1 0 0").error(), NO_LOG);
        assert_eq!(client.line("WAITAOF 0 0 0"), acks(0));
        for (words, error) in [
            ("WAITAOF 2 0 0", "ERR value is out of range, value must between 0 and 1"),
            ("WAITAOF x 0 0", "ERR value is not an integer or out of range"),
            ("WAITAOF 0 -1 0", "ERR value is out of range, must be positive"),
            ("WAITAOF 0 0 -1", "ERR timeout is negative"),
            ("WAITAOF 0 0 x", "ERR timeout is not an integer or out of range"),
            ("WAIT x 0", "ERR value is not an integer or out of range"),
            ("WAIT 1 -1", "ERR timeout is negative"),
        ] {
            assert_eq!(client.line(words).error(), error, "{target:?}: {words}");
        }
        // Whoever waits when the log is turned off is told so.
        client.must("CONFIG SET appendfsync no");
        client.must("CONFIG SET appendonly yes");
        client.must("SET key x");
        eventually("the base", || server.info("persistence", "aof_rewrites") == "1");
        client.must("SET key y");
        client.send(&["WAITAOF", "1", "0", "0"]);
        eventually("the wait", || server.info("clients", "blocked_clients") == "1");
        server.client().must("CONFIG SET appendonly no");
        assert_eq!(client.read().error(), NO_LOG, "{target:?}");
    }
}

#[test]
fn a_wait_is_ended_by_others() {
    for target in servers() {
        let server = start(target, "no");
        let mut client = server.client();
        let id = client.line("CLIENT ID").integer();
        for (how, reply) in
            [("TIMEOUT", acks(0)), ("ERROR", Value::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".into()))]
        {
            client.must("SET key x");
            client.send(&["WAITAOF", "1", "1", "0"]);
            eventually("the wait", || server.info("clients", "blocked_clients") == "1");
            assert_eq!(server.client().line(&format!("CLIENT UNBLOCK {id} {how}")).integer(), 1);
            assert_eq!(client.read(), reply, "{target:?}");
        }
        client.send(&["WAITAOF", "0", "1", "0"]);
        eventually("the wait", || server.info("clients", "blocked_clients") == "1");
        drop(client);
        eventually("its end", || server.info("clients", "blocked_clients") == "0");
        server.client().must("SET other x");
    }
}
