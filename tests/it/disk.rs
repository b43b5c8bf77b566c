//! A disk that fails under the append-only files: writes are refused and say why, reads go on, what was acknowledged is
//! there afterwards, and the server works again when the disk does.
//!
//! A write fails where the process may not let its files grow, the last of them short; a sync fails on a file that is
//! `/dev/null`; no file can be made in a directory that is gone.

use std::os::unix::fs::symlink;
use std::{fs, thread, time::Duration};

use crate::replay::{digest, ended};
use crate::support::process::limit_file_size;
use crate::support::{Client, Launch, Server, Target, Value, eventually, targets};

const DIRECTORY: &str = "appendonlydir";
const TOO_LARGE: &str = "MISCONF Errors writing to the AOF file: File too large";

fn servers() -> Vec<Target> {
    targets().into_iter().filter(|target| *target != Target::Referee).collect()
}

fn start(target: Target, how: &str) -> Server {
    Launch::new(target).args(&["--appendonly", "yes", "--appendfsync", how]).start()
}

/// The same data, after the server was killed.
fn killed(mut server: Server, target: Target) -> Server {
    server.signal(libc::SIGKILL);
    server.wait();
    Launch::new(target).args(&["--appendonly", "yes"]).after(server).start()
}

/// Writes keys until one is refused; how many were not.
fn write_until_refused(client: &mut Client) -> usize {
    let value = "x".repeat(700);
    for n in 0..10_000 {
        let reply = client.call(&["SET", &format!("key:{n}"), &value]);
        if reply.is_error() {
            assert_eq!(reply.error(), TOO_LARGE);
            return n;
        }
        assert_eq!(reply, Value::ok());
    }
    panic!("nothing was refused");
}

#[test]
fn writes_are_refused_while_the_disk_takes_none() {
    for target in servers() {
        let server = start(target, "everysec");
        let mut client = server.client();
        client.must("SET before x");
        limit_file_size(server.pid(), 6000);
        let written = write_until_refused(&mut client);
        assert!(written > 5, "{target:?}: {written} fit into files of 6000 bytes");
        for refused in [
            "SET refused x",
            "FLUSHALL",
            "PING",
            "MSET a 1 b 2 c 3 d 4",
            "EVAL return(redis.call('set',KEYS[1],'x')) 1 refused",
        ] {
            let reply = client.line(refused);
            assert!(reply.is_error() && reply.error().contains(TOO_LARGE), "{target:?}: {refused}: {reply:?}");
        }
        client.must("MULTI");
        assert_eq!(client.line("SET refused x").error(), TOO_LARGE);
        assert!(client.line("EXEC").error().starts_with("EXECABORT"));
        assert_eq!(client.line("GET before").text(), "x", "reads go on");
        assert_eq!(client.line(&format!("EXISTS key:{written} refused a b c d")).integer(), 0);
        assert_eq!(server.info("persistence", "aof_last_write_status"), "err");
        limit_file_size(server.pid(), libc::RLIM_INFINITY);
        eventually("the disk works again", || !client.line("SET after x").is_error());
        assert_eq!(server.info("persistence", "aof_last_write_status"), "ok");
        assert!(server.log().contains("AOF write error looks solved"), "{}", server.log());
        let before = digest(&server);
        let server = killed(server, target);
        assert_eq!(digest(&server), before, "{target:?}");
        assert_eq!(server.client().line("DBSIZE").integer(), written as i64 + 2);
    }
}

#[test]
fn a_server_that_ends_tries_once_more() {
    for target in servers() {
        for is_solved in [true, false] {
            let mut server = start(target, "everysec");
            let mut client = server.client();
            limit_file_size(server.pid(), 3000);
            let written = write_until_refused(&mut client) as i64;
            if is_solved {
                limit_file_size(server.pid(), libc::RLIM_INFINITY);
            }
            server.signal(libc::SIGTERM);
            assert!(server.wait().success());
            let server = Launch::new(target).args(&["--appendonly", "yes"]).after(server).start();
            let found = server.client().line("DBSIZE").integer();
            assert!(
                if is_solved { found == written } else { found > 0 && found < written },
                "{target:?}: {found} of {written}"
            );
        }
    }
}

#[test]
fn with_always_a_server_that_cannot_write_ends_and_acknowledges_nothing_more() {
    for target in servers() {
        let mut server = start(target, "always");
        let mut client = server.client();
        limit_file_size(server.pid(), 4000);
        let mut acknowledged = 0;
        let value = "x".repeat(700);
        loop {
            client.send(&["SET", &format!("key:{acknowledged}"), &value]);
            match client.try_read() {
                Ok(reply) => assert_eq!(reply, Value::ok()),
                Err(_) => break,
            }
            acknowledged += 1;
        }
        assert_eq!(server.wait().code(), Some(1), "{target:?}");
        assert!(server.log().contains("Error writing to the AOF file: File too large"), "{}", server.log());
        let server = Launch::new(target).args(&["--appendonly", "yes"]).after(server).start();
        let mut client = server.client();
        for n in 0..acknowledged {
            assert_eq!(client.line(&format!("STRLEN key:{n}")).integer(), 700, "{target:?}: key {n} of {acknowledged}");
        }
    }
}

/// A server whose files are written to nowhere, where a sync fails.
fn start_on_null(target: Target, how: &str) -> Server {
    let server = ended(start(target, "everysec"));
    for entry in fs::read_dir(server.dir().join(DIRECTORY)).expect("there is a directory") {
        let path = entry.expect("it is read").path();
        if path.to_string_lossy().contains(".incr.") {
            fs::remove_file(&path).expect("it is ours");
            symlink("/dev/null", &path).expect("the directory is ours");
        }
    }
    Launch::new(target).args(&["--appendonly", "yes", "--appendfsync", how]).after(server).start()
}

#[test]
fn after_a_sync_that_failed_only_a_new_base_counts() {
    for target in servers() {
        let server = start_on_null(target, "everysec");
        let mut client = server.client();
        // The new base is to take a while.
        client.must("CONFIG SET rdb-key-save-delay 300000");
        // The first sync comes right behind them.
        client.must("MSET key:0 x key:1 x key:2 x key:3 x");
        let refused = "MISCONF Errors writing to the AOF file: Invalid argument";
        eventually("the sync fails", || client.line("SET other x") == Value::Error(refused.into()));
        assert_eq!(server.info("persistence", "aof_last_write_status"), "err");
        assert_eq!(client.line("GET key:1").text(), "x");
        client.must("CONFIG SET rdb-key-save-delay 0");
        eventually("the new base", || client.line("SET last x") == Value::ok());
        assert_eq!(server.info("persistence", "aof_last_write_status"), "ok");
        let before = digest(&server);
        let server = killed(server, target);
        assert_eq!(digest(&server), before, "{target:?}");
    }
}

#[test]
fn with_always_a_sync_that_fails_is_the_end() {
    for target in servers() {
        let mut server = start_on_null(target, "always");
        let mut client = server.client();
        client.send(&["SET", "key", "x"]);
        assert!(client.try_read().is_err(), "{target:?}: what is not synced is not acknowledged");
        assert_eq!(server.wait().code(), Some(1));
        assert!(server.log().contains("Can't persist AOF for fsync error"), "{}", server.log());
    }
}

#[test]
fn a_rewrite_that_finds_no_directory_leaves_the_old_files() {
    for target in servers() {
        let server = start(target, "everysec");
        let mut client = server.client();
        client.must("SET before x");
        let (here, away) = (server.dir().join(DIRECTORY), server.dir().join("away"));
        fs::rename(&here, &away).expect("the directory is ours");
        client.must("BGREWRITEAOF");
        eventually("its failure", || server.info("persistence", "aof_last_bgrewrite_status") == "err");
        client.must("SET meanwhile x");
        assert_eq!(server.info("persistence", "aof_last_write_status"), "ok", "{target:?}: it is not needed");
        // FLUSHALL has a file of its own.
        client.must("FLUSHALL");
        let refused = "MISCONF Errors writing to the AOF file: No such file or directory";
        eventually("the failure", || client.line("SET other x") == Value::Error(refused.into()));
        fs::rename(&away, &here).expect("the directory is ours");
        eventually("the directory is back", || client.line("SET after x") == Value::ok());
        client.must("BGREWRITEAOF");
        eventually("a rewrite", || server.info("persistence", "aof_last_bgrewrite_status") == "ok");
        let before = digest(&server);
        let server = killed(server, target);
        assert_eq!(digest(&server), before, "{target:?}");
    }
}

#[test]
fn a_log_that_cannot_be_made_is_not_turned_on() {
    for target in servers() {
        let server = Server::start(target);
        let mut client = server.client();
        let path = server.dir().join(DIRECTORY);
        fs::write(&path, "in the way").expect("the directory is ours");
        let reply = client.line("CONFIG SET appendonly yes").error();
        assert!(reply.ends_with("Unable to turn on AOF. Check server logs."), "{target:?}: {reply}");
        assert_eq!(client.line("CONFIG GET appendonly").elements()[1].text(), "no");
        assert_eq!(server.info("persistence", "aof_enabled"), "0");
        client.must("SET key x");
        fs::remove_file(&path).expect("it is ours");
        client.must("CONFIG SET appendonly yes");
        client.must("SET other x");
        eventually("the base", || server.info("persistence", "aof_rewrites") == "1");
        thread::sleep(Duration::from_millis(50));
        let server = killed(server, target);
        assert_eq!(server.client().line("EXISTS key other").integer(), 2);
    }
}

#[test]
fn history_that_is_gone_already_is_no_failure() {
    for target in servers() {
        let server = start(target, "everysec");
        server.client().must("SET key x");
        server.client().must("CONFIG SET aof-disable-auto-gc yes");
        server.client().must("BGREWRITEAOF");
        eventually("a rewrite", || server.info("persistence", "aof_rewrites") == "1");
        let server = ended(server);
        let directory = server.dir().join(DIRECTORY);
        let manifest = fs::read_to_string(directory.join("appendonly.aof.manifest")).expect("it is there");
        let history: Vec<&str> = manifest.lines().filter(|line| line.contains("type h")).collect();
        assert!(history.len() >= 2, "{target:?}: {manifest}");
        // As if the server had been killed before it wrote that it had removed one.
        let gone = history[0].split(' ').nth(1).expect("a line names its file");
        fs::remove_file(directory.join(gone)).expect("history is kept");
        let server = Launch::new(target).args(&["--appendonly", "yes"]).after(server).start();
        assert!(!server.log().contains("Failed to remove"), "{}", server.log());
        let manifest = fs::read_to_string(directory.join("appendonly.aof.manifest")).expect("it is there");
        assert!(!manifest.contains("type h"), "{manifest}");
        for line in &history {
            let name = line.split(' ').nth(1).expect("a line names its file");
            assert!(!directory.join(name).exists(), "{name}");
        }
        assert_eq!(server.client().line("GET key").text(), "x");
    }
}
