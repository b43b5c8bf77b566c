//! Clients that are killed, unblocked and paused while their commands are under way on several shards: a command takes
//! effect whole or not at all, keeps no key to itself, and nothing is lost.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_to;
use crate::support::value::Value;
use crate::support::{Client, Random, Server, each_target, soak};

const QUEUES: u64 = 12;
const TOKENS: usize = 60;
const WORKERS: u64 = 6;

fn queue(number: u64) -> String {
    format!("queue:{number}")
}

/// Appends requests that move tokens between queues, and returns how many replies there will be. None of them makes or
/// loses one, wherever it is cut off.
fn moves(request: &mut Vec<u8>, random: &mut Random) -> usize {
    let mut two = || {
        let from = random.below(QUEUES);
        (queue(from), queue((from + 1 + random.below(QUEUES - 1)) % QUEUES))
    };
    let ((from, to), (other_from, other_to)) = (two(), two());
    let mut add = |args: &[&str]| encode_to(request, args);
    match random.below(6) {
        0 => add(&["LMOVE", &from, &to, "LEFT", "RIGHT"]),
        1 => add(&["BLMOVE", &from, &to, "RIGHT", "LEFT", "0.03"]),
        2 => add(&["EVAL", "return redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'LEFT')", "2", &from, &to]),
        3 => add(&["BLMPOP", "0.03", "3", "nothing:1", "nothing:2", "nothing:3", "LEFT"]),
        4 => {
            add(&["MULTI"]);
            add(&["LMOVE", &from, &to, "LEFT", "RIGHT"]);
            add(&["RPOPLPUSH", &other_from, &other_to]);
            add(&["EXEC"]);
            return 4;
        }
        _ => {
            add(&["WATCH", &from, &to]);
            add(&["MULTI"]);
            add(&["COPY", &from, "copied", "REPLACE"]);
            add(&["LMOVE", &to, &from, "LEFT", "RIGHT"]);
            add(&["EXEC"]);
            return 5;
        }
    }
    1
}

/// Moves tokens until told to stop, on a new connection whenever the old one is gone. Counts the replies.
fn work(server: &Server, seed: u64, stop: &AtomicBool, replies: &AtomicU64) {
    let mut random = Random::new(seed);
    let mut client = server.client();
    while !stop.load(Ordering::Relaxed) {
        let mut request = Vec::new();
        let expected: usize = (0..=random.below(4)).map(|_| moves(&mut request, &mut random)).sum();
        let mut outcome = client.try_raw(&request);
        for _ in 0..expected {
            outcome = outcome.and_then(|()| client.try_read()).map(drop);
        }
        match outcome {
            Ok(()) => drop(replies.fetch_add(expected as u64, Ordering::Relaxed)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stop.store(true, Ordering::Relaxed);
                panic!("a command is never answered");
            }
            Err(_) => client = server.client(),
        }
    }
}

/// Does to the others what an operator can.
fn meddle(client: &mut Client, random: &mut Random) {
    let list = client.must("CLIENT LIST TYPE normal").text();
    let own = client.must("CLIENT ID").integer().to_string();
    let ids: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("id=")?.split(' ').next()).collect();
    let id = ids[random.below(ids.len() as u64) as usize];
    if id == own {
        return;
    }
    client.line(&match random.below(8) {
        0..3 => format!("CLIENT KILL ID {id}"),
        3..5 => format!("CLIENT UNBLOCK {id}"),
        5 => format!("CLIENT UNBLOCK {id} ERROR"),
        6 => "CLIENT PAUSE 3 WRITE".to_owned(),
        _ => "CLIENT PAUSE 3 ALL".to_owned(),
    });
}

fn tokens(client: &mut Client) -> Vec<String> {
    let lists = (0..QUEUES).map(|number| client.must(&format!("LRANGE {} 0 -1", queue(number))));
    let mut tokens: Vec<String> =
        lists.flat_map(|list| list.elements().iter().map(Value::text).collect::<Vec<_>>()).collect();
    tokens.sort_unstable();
    tokens
}

#[test]
fn what_is_cut_off_is_whole_and_holds_nothing() {
    each_target(|server| {
        let mut client = server.client();
        for number in 0..TOKENS {
            client.must(&format!("RPUSH {} token:{number:02}", queue(number as u64 % QUEUES)));
        }
        let before = tokens(&mut client);
        assert_eq!(before.len(), TOKENS);
        let (stop, replies, mut meddled) = (AtomicBool::new(false), AtomicU64::new(0), 0);
        thread::scope(|scope| {
            for seed in 1..=WORKERS {
                let (stop, replies) = (&stop, &replies);
                scope.spawn(move || work(server, seed, stop, replies));
            }
            let mut random = Random::new(0);
            let deadline = Instant::now() + soak();
            while Instant::now() < deadline && !stop.load(Ordering::Relaxed) {
                meddle(&mut client, &mut random);
                meddled += 1;
                thread::sleep(Duration::from_millis(2));
            }
            stop.store(true, Ordering::Relaxed);
        });
        client.must("CLIENT UNPAUSE");
        assert!(meddled > 20 && replies.load(Ordering::Relaxed) > 100, "hardly anything happened");
        assert_eq!(tokens(&mut client), before);
        // Every key is free, for a command of its own and for one on all of them.
        for number in 0..QUEUES {
            client.must(&format!("RPUSHX {} last", queue(number)));
        }
        let all: Vec<String> = (0..QUEUES).map(queue).collect();
        client.must(&format!("DEL copied {}", all.join(" ")));
        assert_eq!(client.must("DBSIZE").integer(), 0);
    });
}
