//! The server is killed at random moments while clients write, and starts again: what anybody was told is there, and
//! nothing is there by halves.
//!
//! ```text
//!   start ─► writers ─► kill -9 ─► (start, kill -9 while it loads) ─► start, maybe with other shards ─► checks ─► writers …
//! ```
//!
//! | writer | what must hold when the server is back |
//! |---|---|
//! | [`numbered`]: INCR, MSET, EXEC, scripts, FUNCTION LOAD, large values | all places have one number, none below the last that was acknowledged |
//! | [`jobs`]: pipelined `SET job:i`, `LPUSH q i` on two shards | no id without its job |
//! | [`observed`]: readers of `x` and `INCR x` beside `MSET x y` | `x` is no less than anybody was told, and belongs to `y` |
//! | [`moves`]: RENAME, LMOVE and SPOP between shards | nothing is there twice, and nothing comes back |
//! | [`ends`]: keys that expire, and FLUSHDB | what ended stays so |
//!
//! A log is rewritten now and then meanwhile. Tests take seconds in CI; `TESSERA_CRASHES` says how often the server is
//! killed. With `TESSERA_TEST_TARGET=referee` it is Redis, which keeps to all this too.

mod ends;
mod jobs;
mod moves;
mod numbered;
mod observed;

use std::io;
use std::thread;
use std::time::Duration;

use crate::support::{Client, Launch, Random, Server, Target, Value, number_from_env, targets};

/// Kills of each test, if nobody says how many.
const CRASHES: u64 = 4;

/// Writers work for so many milliseconds before the server is killed.
const WORK_MILLIS: std::ops::Range<u64> = 20..400;

/// A start is killed after so many milliseconds.
const START_MILLIS: std::ops::Range<u64> = 1..60;

/// Somebody who writes, and knows what must be there afterwards.
trait Writer: Send {
    /// Writes something. An error of the connection is its end.
    fn step(&mut self, client: &mut Client, random: &mut Random) -> io::Result<()>;

    /// Looks at what there is after a crash, and goes on from there.
    fn check(&mut self, client: &mut Client);
}

fn writers() -> Vec<Box<dyn Writer>> {
    let mut all = numbered::writers();
    all.extend(jobs::writers());
    all.extend(observed::writers());
    all.extend(moves::writers());
    all.extend(ends::writers());
    all
}

/// Reads the reply of a command that must not fail.
fn good(client: &mut Client) -> io::Result<Value> {
    let reply = client.try_read()?;
    assert!(!reply.is_error(), "a writer was answered {reply}");
    Ok(reply)
}

/// The number that a key holds; 0 if there is none.
fn number(client: &mut Client, key: &str) -> u64 {
    match client.call(&["GET", key]) {
        Value::Null => 0,
        value => value.text().parse().unwrap_or_else(|_| panic!("{key} holds {value}")),
    }
}

fn launch(target: Target, fsync: &str) -> Launch {
    Launch::new(target).args(&["--appendonly", "yes", "--appendfsync", fsync])
}

/// Has the log rewritten now and then.
fn rewrite(client: &mut Client, random: &mut Random) {
    loop {
        thread::sleep(Duration::from_millis(random.below(300)));
        // One may be under way already.
        if client.try_read_after("BGREWRITEAOF").is_none() {
            return;
        }
    }
}

/// All write until the server is killed.
fn write_until_killed(server: &Server, writers: &mut [Box<dyn Writer>], random: &mut Random) {
    thread::scope(|scope| {
        for writer in writers.iter_mut() {
            let (mut client, mut random) = (server.client(), Random::new(random.next()));
            scope.spawn(move || while writer.step(&mut client, &mut random).is_ok() {});
        }
        if random.chance(30) {
            let (mut client, mut random) = (server.client(), Random::new(random.next()));
            scope.spawn(move || rewrite(&mut client, &mut random));
        }
        thread::sleep(Duration::from_millis(WORK_MILLIS.start + random.below(WORK_MILLIS.end - WORK_MILLIS.start)));
        server.signal(libc::SIGKILL);
    });
}

fn crash(fsync: &str) {
    let count = number_from_env("TESSERA_CRASHES").unwrap_or(CRASHES);
    let target = targets().pop().expect("there is one");
    let mut random = Random::new(number_from_env("TESSERA_CRASH_SEED").unwrap_or(1));
    let mut writers = writers();
    let mut server = launch(target, fsync).start();
    for _ in 0..count {
        for writer in &mut writers {
            writer.check(&mut server.client());
        }
        write_until_killed(&server, &mut writers, &mut random);
        server.wait();
        if random.chance(20) {
            server = launch(target, fsync).dir_of(server).spawn();
            let millis = START_MILLIS.start + random.below(START_MILLIS.end - START_MILLIS.start);
            thread::sleep(Duration::from_millis(millis));
            server.signal(libc::SIGKILL);
            server.wait();
        }
        let target = match target {
            Target::Tessera(shards) if random.chance(25) => Target::Tessera(1 + random.below(shards.into()) as u16),
            other => other,
        };
        server = launch(target, fsync).dir_of(server).start();
    }
    for writer in &mut writers {
        writer.check(&mut server.client());
    }
}

#[test]
fn a_killed_server_keeps_what_it_has_told_with_everysec() {
    crash("everysec");
}

#[test]
fn a_killed_server_keeps_what_it_has_told_with_always() {
    crash("always");
}
