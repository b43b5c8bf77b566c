//! What a snapshot may hold while the disk is slow, and how values are saved that are too large for one go.
//!
//! A disk is as slow as can be if the file that a snapshot is written to is a pipe that nobody reads.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::process::rss_bytes;
use crate::support::server::referee;
use crate::support::{Client, Launch, Server, Target, Value, eventually, targets};

const MIB: usize = 1 << 20;

/// Puts a pipe where the next snapshot will be written.
fn block_disk(server: &Server) -> PathBuf {
    let pipe = server.dir().join(format!("temp-{}.rdb", server.pid()));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it is there").success());
    pipe
}

/// Reads what was written to the pipe, until the server gives up: a pipe cannot be written as a file is.
fn unblock_disk(server: &Server, pipe: PathBuf) {
    thread::spawn(move || {
        let mut taken = Vec::new();
        File::open(pipe).and_then(|mut pipe| pipe.read_to_end(&mut taken)).expect("a pipe can be read");
    });
    eventually("the snapshot to end", || server.info("persistence", "rdb_bgsave_in_progress") == "0");
    assert_eq!(server.info("persistence", "rdb_last_bgsave_status"), "err");
}

fn save(server: &Server) {
    assert_eq!(server.client().line("BGSAVE").text(), "Background saving started");
    eventually("the snapshot to end", || server.info("persistence", "rdb_bgsave_in_progress") == "0");
    assert_eq!(server.info("persistence", "rdb_last_bgsave_status"), "ok");
}

#[test]
fn writers_wait_for_a_slow_disk_and_readers_do_not() {
    const KEYS: usize = 40_000;
    const VALUE_BYTES: usize = 1000;
    for shards in [1, 2] {
        let args = ["--snapshot-buffer-limit", "2mb", "--rdbcompression", "no"];
        let server = Launch::new(Target::Tessera(shards)).args(&args).start();
        let mut client = server.client();
        client.must(&format!("DEBUG POPULATE {KEYS} key {VALUE_BYTES}"));
        let pipe = block_disk(&server);
        let before = rss_bytes(server.pid());
        client.must("BGSAVE");
        let written = Arc::new(AtomicUsize::new(0));
        let writer = {
            let (mut client, written) = (server.client(), Arc::clone(&written));
            thread::spawn(move || {
                for number in 0..KEYS {
                    client.must(&format!("SETRANGE key:{number} 0 changed"));
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let mut last = usize::MAX;
        eventually("the writer to be held", || {
            thread::sleep(Duration::from_millis(200));
            std::mem::replace(&mut last, written.load(Ordering::Relaxed)) == last
        });
        assert!(last > 0 && last < 8 * MIB / VALUE_BYTES, "{last} changes");
        for number in 0..200 {
            client.must(&format!("GETRANGE key:{number} 0 6"));
        }
        assert_eq!(written.load(Ordering::Relaxed), last, "it is held still");
        let more = rss_bytes(server.pid()).saturating_sub(before) as usize;
        assert!(more < 24 * MIB, "{more} bytes more");
        let mut other = server.client();
        other.send(&["SET", "another", "1"]);
        unblock_disk(&server, pipe);
        assert_eq!(other.read().text(), "OK");
        writer.join().expect("nothing was refused");
        save(&server);
        let again = Launch::new(Target::Tessera(3 - shards)).dir_of(server).start();
        let mut client = again.client();
        assert_eq!(client.line("DBSIZE"), Value::Integer(KEYS as i64 + 1));
        assert_eq!(client.line(&format!("GETRANGE key:{} 0 6", KEYS - 1)).text(), "changed");
    }
}

#[test]
fn a_huge_string_is_there_once_while_it_is_saved_and_changed() {
    const HUGE: usize = 128 * MIB;
    let server = Launch::new(Target::Tessera(2)).args(&["--snapshot-buffer-limit", "4mb"]).start();
    let mut client = server.client();
    client.must(&format!("SETRANGE huge {} x", HUGE - 1));
    client.must("SET small 1");
    let pipe = block_disk(&server);
    let before = rss_bytes(server.pid());
    client.must("BGSAVE");
    client.must("SETRANGE huge 1000000 changed");
    client.must("SETBIT huge 800000007 1");
    client.must("PEXPIRE huge 100000000");
    let mut mover = server.client();
    mover.send(&["RENAME", "huge", "moved"]);
    mover.set_patience(Duration::from_millis(300));
    assert!(mover.try_read().is_err(), "who wants to take it elsewhere waits");
    client.must("INCR small");
    client.must("GET small");
    let more = rss_bytes(server.pid()).saturating_sub(before) as usize;
    assert!(more < HUGE / 4, "{more} bytes more");
    unblock_disk(&server, pipe);
    assert_eq!(client.line("GETRANGE moved 999999 1000007"), Value::Bulk(b"\0changed\0".to_vec()));
    assert_eq!(client.line("APPEND moved z"), Value::Integer(HUGE as i64 + 1));
    client.must("BGSAVE");
    // All this comes behind the cut.
    client.must("SETRANGE moved 1000000 written");
    client.must("APPEND moved more");
    client.must("DEL moved");
    eventually("the snapshot to end", || server.info("persistence", "rdb_bgsave_in_progress") == "0");
    assert_eq!(client.line("EXISTS moved"), Value::Integer(0));
    let dir = server.dir().join("copy");
    fs::create_dir(&dir).expect("the directory is ours");
    fs::copy(server.dir().join("dump.rdb"), dir.join("dump.rdb")).expect("it was saved");
    let again = Launch::new(Target::Tessera(1)).dir(dir).start();
    let mut client = again.client();
    assert_eq!(client.line("STRLEN moved"), Value::Integer(HUGE as i64 + 1));
    assert_eq!(client.line("GETRANGE moved 999999 1000007"), Value::Bulk(b"\0changed\0".to_vec()));
    assert_eq!(client.line("GETBIT moved 800000007"), Value::Integer(1));
    assert_eq!(client.line(&format!("GETRANGE moved {} -1", HUGE - 2)), Value::Bulk(b"\0xz".to_vec()));
}

/// A large value of each type.
fn fill(client: &mut Client) {
    for first in (0..30_000).step_by(100) {
        let numbers = || first..first + 100;
        let words = |word: fn(usize) -> String| numbers().map(word).collect::<Vec<_>>().join(" ");
        client.must(&format!("RPUSH list {}", words(|n| format!("element:{n:020}"))));
        client.must(&format!("HSET hash {}", words(|n| format!("field:{n:020} value:{n:020}"))));
        client.must(&format!("HSET times {}", words(|n| format!("field:{n:020} value:{n:020}"))));
        client.must(&format!("SADD set {}", words(|n| format!("member:{n:020}"))));
        client.must(&format!("ZADD zset {}", words(|n| format!("{}.5 member:{n:020}", n * 7919 % 30_000))));
    }
    client.must("HSET hash count 0");
    client.must("SET count 0");
    client.must(&format!("SETRANGE string {} x", 4 * MIB));
}

/// Changes of large values and of a small one that belong together, until it is told to end.
fn storm(server: &Server, ends: &Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let (mut client, ends) = (server.client(), Arc::clone(ends));
    thread::spawn(move || {
        let mut number = 0;
        while !ends.load(Ordering::Relaxed) {
            number += 1;
            client.must("MULTI");
            for command in ["INCR count", "HINCRBY hash count 1", "RPUSH list x", "APPEND string y"] {
                client.must(command);
            }
            client.must("EXEC");
            client.must(&format!("ZINCRBY zset 1 member:{:020}", number % 30_000));
            client.must(&format!("SADD set new:{number}"));
        }
    })
}

#[test]
fn large_values_are_of_one_point_in_time() {
    for shards in [1, 2] {
        let server = Server::start(Target::Tessera(shards));
        let mut client = server.client();
        fill(&mut client);
        let ends = Arc::new(AtomicBool::new(false));
        let writer = storm(&server, &ends);
        for _ in 0..2 {
            save(&server);
            let dir = server.dir().join("copy");
            fs::create_dir(&dir).expect("the directory is ours");
            fs::copy(server.dir().join("dump.rdb"), dir.join("dump.rdb")).expect("it was saved");
            let loaded = Launch::new(Target::Tessera(3 - shards)).dir(dir).start();
            let mut client = loaded.client();
            let count = client.line("GET count");
            let number: i64 = count.text().parse().expect("a count");
            assert_eq!(client.line("HGET hash count"), count);
            assert_eq!(client.line("LLEN list"), Value::Integer(30_000 + number));
            assert_eq!(client.line("STRLEN string"), Value::Integer(4 * MIB as i64 + 1 + number));
            assert_eq!(client.line("HLEN hash"), Value::Integer(30_001));
            assert_eq!(client.line("ZCARD zset"), Value::Integer(30_000));
        }
        ends.store(true, Ordering::Relaxed);
        writer.join().expect("a writer that did not panic");
    }
}

#[test]
fn large_values_are_as_redis_reads_them() {
    let Some(redis) = referee() else { return };
    let server = Server::start(Target::Tessera(2));
    let mut client = server.client();
    fill(&mut client);
    client.must("SELECT 9");
    fill(&mut client);
    client.must("DEL string");
    let digest = client.line("DEBUG DIGEST").text();
    save(&server);
    let seen = Launch::new(Target::Referee).program(&redis).dir_of(server).start();
    assert_eq!(seen.client().line("DEBUG DIGEST").text(), digest);
}

#[test]
fn times_of_fields_of_a_large_hash_come_back() {
    let server = Server::start(Target::Tessera(1));
    let mut client = server.client();
    fill(&mut client);
    for number in (0..30_000).step_by(500) {
        client.must(&format!("HPEXPIREAT times {} FIELDS 1 field:{number:020}", 9_000_000_000_000_i64 + number));
    }
    let digest = client.line("DEBUG DIGEST").text();
    save(&server);
    let again = Launch::new(Target::Tessera(2)).dir_of(server).start();
    let mut client = again.client();
    assert_eq!(client.line("DEBUG DIGEST").text(), digest);
    for number in (0..30_000).step_by(500) {
        let times = client.line(&format!("HPEXPIRETIME times FIELDS 1 field:{number:020}"));
        assert_eq!(times.elements(), [Value::Integer(9_000_000_000_000 + number)]);
    }
}

#[test]
fn what_is_emptied_does_not_come_back() {
    for target in targets() {
        let mut server = Launch::new(target).args(&["--save", "3600 1000000"]).start();
        let mut client = server.client();
        client.must("MSET one 1 two 2 three 3");
        client.must("SAVE");
        client.must("SET four 4");
        assert_eq!(client.line("FLUSHALL NOW").text(), "ERR syntax error");
        assert_eq!(client.line("DBSIZE"), Value::Integer(4));
        client.raw(b"SET five 5\r\nFLUSHALL ASYNC\r\nDBSIZE\r\nCLIENT REPLY SKIP\r\nFLUSHALL\r\nPING\r\n");
        client.read_many(2);
        assert_eq!(client.read(), Value::Integer(0));
        assert_eq!(client.read().text(), "PONG");
        assert_eq!(server.info("persistence", "rdb_changes_since_last_save"), "0");
        server.signal(libc::SIGKILL);
        server.wait();
        let server = Launch::new(target).after(server).start();
        assert_eq!(server.client().line("DBSIZE"), Value::Integer(0), "{target:?}");
    }
}

#[test]
fn who_empties_a_server_is_answered_though_that_cannot_be_saved() {
    for target in targets() {
        let server = Launch::new(target).args(&["--save", "3600 1000000"]).start();
        let mut client = server.client();
        client.must("SET one 1");
        // No file can take the place of a directory that is not empty.
        fs::create_dir_all(server.dir().join("dump.rdb").join("full")).expect("it is ours");
        assert_eq!(client.line("FLUSHALL").text(), "OK");
        assert_eq!(client.line("DBSIZE"), Value::Integer(0));
        assert_eq!(
            server.info("persistence", "rdb_last_bgsave_status"),
            "ok",
            "nothing was saved behind anybody's back"
        );
        fs::remove_dir_all(server.dir().join("dump.rdb")).expect("it is ours");
        client.must("SAVE");
        client.raw(b"MULTI\r\nSET one 1\r\nFLUSHALL\r\nSET two 2\r\nEXEC\r\n");
        client.read_many(4);
        let Value::Array(replies) = client.read() else { panic!("EXEC failed") };
        assert_eq!(replies.into_iter().filter(|reply| reply.text() == "OK").count(), 3);
        assert_eq!(client.line("DBSIZE"), Value::Integer(1));
    }
}
