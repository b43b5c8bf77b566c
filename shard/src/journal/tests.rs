//! What is recorded, command by command; and that records replayed make the same keys.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::UnixMillis;

use super::{Stretch, put_content};
use crate::exec::testing::Keyspace;
use crate::ids::DbId;

/// A command's words.
type Command = Vec<Vec<u8>>;

/// Shards whose journals are read.
fn recording(shards: usize) -> Keyspace {
    let mut keys = Keyspace::new(shards);
    keys.shards.iter_mut().for_each(|shard| shard.journal.begin());
    keys
}

/// The commands of some records.
fn commands(records: &[u8]) -> Vec<Command> {
    let (mut rest, mut commands) = (records, Vec::new());
    while !rest.is_empty() {
        let words = length(&mut rest, b'*');
        let word = |rest: &mut &[u8]| {
            let len = length(rest, b'$');
            let (word, behind) = rest.split_at(len);
            *rest = behind.strip_prefix(b"\r\n").expect("a word ends with its line");
            word.to_vec()
        };
        commands.push((0..words).map(|_| word(&mut rest)).collect());
    }
    commands
}

fn length(rest: &mut &[u8], kind: u8) -> usize {
    assert_eq!(rest[0], kind);
    let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a length ends with its line");
    let number = std::str::from_utf8(&rest[1..end]).expect("digits").parse().expect("digits");
    *rest = &rest[end + 2..];
    number
}

/// What the shards have recorded since this was asked last, shard by shard.
fn taken(keys: &mut Keyspace) -> Vec<Vec<Command>> {
    let of_stretch = |stretch| match stretch {
        Stretch::Records(records) | Stretch::Whole(records) => commands(&records),
    };
    keys.shards.iter_mut().map(|shard| shard.journal.take().into_iter().flat_map(of_stretch).collect()).collect()
}

fn show(commands: &[Command]) -> String {
    let shown =
        |command: &Command| command.iter().map(|word| word.escape_ascii().to_string()).collect::<Vec<_>>().join(" ");
    commands.iter().filter(|command| command[0] != b"SELECT").map(shown).collect::<Vec<_>>().join(" | ")
}

/// Runs lines of the form `COMMAND => RECORDS` on one shard. Records are separated by ` | `; SELECT is not shown.
fn check(script: &str) {
    let mut keys = recording(1);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, expected) = line.split_once(" =>").expect("a line is COMMAND => RECORDS");
        keys.run(command);
        let shown = show(&taken(&mut keys).concat());
        assert_eq!(shown, expected.trim(), "records of `{command}`");
    }
}

#[test]
fn strings() {
    check(
        r#"
        SET a 1 => SET a 1
        SET a 2 NX =>
        SET a 2 XX => SET a 2 XX
        SET a 2 XX GET => SET a 2
        SET a 1 EX 10 => SET a 1 PXAT 1700000010000
        SET a 1 KEEPTTL => SET a 1 KEEPTTL
        SET a 2 GET KEEPTTL => SET a 2 KEEPTTL
        SETEX a 5 x => SET a x PXAT 1700000005000
        PSETEX a 7 x => SET a x PXAT 1700000000007
        GETSET a y => SET a y
        GETEX a => 
        GETEX a PX 50 => PEXPIREAT a 1700000000050
        GETEX a PERSIST => PERSIST a
        GETEX a PERSIST =>
        GETDEL a => DEL a
        GETDEL a =>
        INCR n => INCR n
        INCRBYFLOAT n 0.5 => SET n 1.5 KEEPTTL
        APPEND n 1 => APPEND n 1
        MSET a 1 b 2 => MSET a 1 b 2
        MSETNX a 1 c 2 =>
        MSETEX 2 a 1 b 2 EX 1 => MULTI | SET a 1 PXAT 1700000001000 | SET b 2 PXAT 1700000001000 | EXEC
        DELEX a IFEQ 2 =>
        DELEX a IFEQ 1 => DEL a
        "#,
    );
}

#[test]
fn keys_and_times() {
    check(
        r#"
        SET a 1 => SET a 1
        EXPIRE a 10 => PEXPIREAT a 1700000010000
        PEXPIRE a 10 NX =>
        EXPIREAT a 1700000020 => PEXPIREAT a 1700000020000
        PERSIST a => PERSIST a
        RENAME a b => RENAME a b
        COPY b c => COPY b c
        DEL b x => DEL b x
        DEL b x =>
        MOVE c 1 => MOVE c 1
        SET a 1 PX 10 => SET a 1 PXAT 1700000000010
        TICK 20 =>
        GET a => DEL a
        GET a =>
        SET a 1 PX 10 => SET a 1 PXAT 1700000000030
        TICK 20 =>
        INCR a => MULTI | DEL a | INCR a | EXEC
        EXPIRE a -1 => DEL a
        "#,
    );
}

#[test]
fn what_chance_or_a_wait_decides() {
    check(
        r#"
        SADD s 1 => SADD s 1
        SPOP s => SREM s 1
        SADD s 1 2 3 => SADD s 1 2 3
        SPOP s 5 => DEL s
        RPUSH l a b c d e => RPUSH l a b c d e
        LPOP l => LPOP l
        LMPOP 2 nothing l RIGHT COUNT 2 => RPOP l 2
        BLPOP nothing l 0 => LPOP l
        BLPOP nothing 0 =>
        BLMOVE l m LEFT RIGHT 0 => LMOVE l m LEFT RIGHT
        BRPOPLPUSH m l 0 => RPOPLPUSH m l
        ZADD z 1 a 2 b 3 c => ZADD z 1 a 2 b 3 c
        BZPOPMIN nothing z 0 => ZPOPMIN z
        ZMPOP 2 nothing z MAX COUNT 4 => ZPOPMAX z 4
        "#,
    );
}

#[test]
fn hashes() {
    check(
        r#"
        HSET h f 1 g 2 i 3 => HSET h f 1 g 2 i 3
        HINCRBYFLOAT h f 0.5 => HSET h f 1.5
        HEXPIRE h 10 FIELDS 3 f g none => HPEXPIREAT h 1700000010000 FIELDS 2 f g
        HINCRBYFLOAT h f 1 => MULTI | HSET h f 2.5 | HPEXPIREAT h 1700000010000 FIELDS 1 f | EXEC
        HGETEX h PERSIST FIELDS 1 g => HPERSIST h FIELDS 1 g
        HGETEX h PX 5 FIELDS 1 g => HPEXPIREAT h 1700000000005 FIELDS 1 g
        TICK 10 =>
        HSET h i 4 => MULTI | HDEL h g | HSET h i 4 | EXEC
        HGETDEL h FIELDS 2 i none => HDEL h i none
        HSETEX h PX 5 FIELDS 1 j 1 => HSETEX h PXAT 1700000000015 FIELDS 1 j 1
        HEXPIREAT h 1 FIELDS 2 j f => HDEL h j f
        "#,
    );
}

#[test]
fn streams() {
    check(
        r#"
        XADD x 1-* a 1 => XADD x 1-0 a 1
        XADD x MAXLEN 1 2-1 a 1 => XADD x MAXLEN = 1 2-1 a 1
        XADD x MAXLEN ~ 1 3-1 a 1 => XADD x 3-1 a 1
        XGROUP CREATE x g 0 => XGROUP CREATE x g 0
        XREADGROUP GROUP g c COUNT 1 STREAMS x > => MULTI | XGROUP CREATECONSUMER x g c | XCLAIM x g c 0 2-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1 | XGROUP SETID x g 2-1 ENTRIESREAD 2 | EXEC
        XCLAIM x g d 0 2-1 JUSTID => MULTI | XGROUP CREATECONSUMER x g d | XCLAIM x g d 0 2-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1 | EXEC
        XAUTOCLAIM x g c 0 0 => XCLAIM x g c 0 2-1 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 2-1
        XACK x g 2-1 => XACK x g 2-1
        XREADGROUP GROUP g c NOACK STREAMS x > => XGROUP SETID x g 3-1 ENTRIESREAD 3
        XTRIM x MAXLEN 0 => XTRIM x MAXLEN = 0
        "#,
    );
}

#[test]
fn nothing_is_recorded_when_nobody_reads() {
    let mut keys = Keyspace::new(1);
    keys.run("SET a 1");
    assert!(keys.shards[0].journal.is_empty());
}

#[test]
fn commands_for_all_keys_are_stretches_of_their_own() {
    let mut keys = recording(2);
    for command in ["SET a 1", "FLUSHALL", "SET b 2", "SWAPDB 0 1"] {
        keys.run(command);
    }
    for shard in &mut keys.shards {
        let stretches = shard.journal.take();
        let wholes = stretches.iter().filter(|stretch| matches!(stretch, Stretch::Whole(_))).count();
        assert_eq!(wholes, 2, "each shard has both");
    }
}

/// Commands, in which a letter in braces stands for a key of a kind (s string, l list, e set, z sorted set, h hash,
/// x stream, p HyperLogLog, a any), n for a small number, m for a member, t for milliseconds.
const TEMPLATES: &[&str] = &[
    "SET {s} {n}",
    "SET {a} {n}",
    "SET {s} {n} PX {t}",
    "SET {s} {n} KEEPTTL GET",
    "SETEX {s} 1 {n}",
    "GETEX {s} PX {t}",
    "GETEX {s} PERSIST",
    "GETDEL {s}",
    "GET {s}",
    "INCR {s}",
    "INCRBYFLOAT {s} 0.25",
    "APPEND {s} {n}",
    "SETRANGE {s} {n} x",
    "SETBIT {s} {n} 1",
    "BITFIELD {s} INCRBY u8 {n} 3",
    "MSET {s} 1 {s} 2 {s} 3",
    "MSETNX {s} 1 {s} 2",
    "MSETEX 2 {s} 1 {s} 2 PX {t}",
    "BITOP OR {s} {s} {s}",
    "DEL {a}",
    "DEL {a} {a} {a}",
    "UNLINK {a} {a}",
    "EXPIRE {a} 1",
    "PEXPIRE {a} {t}",
    "PERSIST {a}",
    "PEXPIRE {a} -1",
    "RENAME {a} {a}",
    "RENAMENX {a} {a}",
    "COPY {a} {a} REPLACE",
    "COPY {a} {a} DB 1",
    "MOVE {a} 1",
    "TICK {t}",
    "RPUSH {l} {m} {m} {m}",
    "LPUSH {l} {m}",
    "LPOP {l}",
    "RPOP {l} {n}",
    "LMOVE {l} {l} LEFT RIGHT",
    "RPOPLPUSH {l} {l}",
    "LMPOP 2 {l} {l} LEFT COUNT 2",
    "BLPOP {l} {l} 0",
    "BLMPOP 0 2 {l} {l} RIGHT",
    "BLMOVE {l} {l} RIGHT LEFT 0",
    "LINSERT {l} BEFORE {m} {m}",
    "LSET {l} 0 {m}",
    "LTRIM {l} 0 5",
    "LREM {l} 0 {m}",
    "SORT {l} ALPHA STORE {l}",
    "SORT {e} BY nosort GET {s}* STORE {l}",
    "SADD {e} {m} {m} {n}",
    "SREM {e} {m}",
    "SPOP {e}",
    "SPOP {e} {n}",
    "SMOVE {e} {e} {m}",
    "SUNIONSTORE {e} {e} {e}",
    "SDIFFSTORE {e} {e} {e}",
    "SINTERSTORE {e} {e} {e}",
    "ZADD {z} {n} {m} {n} {m}",
    "ZADD {z} GT CH {n} {m}",
    "ZINCRBY {z} 1.5 {m}",
    "ZREM {z} {m}",
    "ZPOPMIN {z}",
    "ZPOPMAX {z} {n}",
    "BZPOPMIN {z} {z} 0",
    "ZMPOP 2 {z} {z} MAX COUNT 2",
    "ZUNIONSTORE {z} 2 {z} {e}",
    "ZRANGESTORE {z} {z} 0 3",
    "ZREMRANGEBYRANK {z} 0 0",
    "GEOADD {z} 13.3 52.5 {m}",
    "GEORADIUS {z} 13 52 900 km STORE {z}",
    "HSET {h} {m} {n} {m} {n}",
    "HSETNX {h} {m} {n}",
    "HINCRBY {h} {n} 2",
    "HINCRBYFLOAT {h} {n} 0.5",
    "HDEL {h} {m}",
    "HPEXPIRE {h} {t} FIELDS 2 {m} {n}",
    "HEXPIRE {h} 1 NX FIELDS 1 {m}",
    "HPERSIST {h} FIELDS 1 {m}",
    "HGETDEL {h} FIELDS 1 {m}",
    "HGETEX {h} PX {t} FIELDS 2 {m} {n}",
    "HSETEX {h} PX {t} FIELDS 1 {m} {n}",
    "HSETEX {h} FNX KEEPTTL FIELDS 1 {m} {n}",
    "HSETEX {h} PXAT 1 FIELDS 1 {m} {n}",
    "HGETALL {h}",
    "XADD {x} * {m} {n}",
    "XADD {x} MAXLEN ~ {n} * {m} {n}",
    "XADD {x} DELREF MAXLEN {n} * {m} {n}",
    "XADD {x} ACKED MAXLEN ~ {n} * {m} {n}",
    "XTRIM {x} MAXLEN {n}",
    "XADD {x} MINID ~ 1700000000500 * {m} {n}",
    "XGROUP CREATE {x} g $ MKSTREAM",
    "XGROUP CREATE {x} g 0",
    "XGROUP SETID {x} g 0",
    "XREADGROUP GROUP g {m} COUNT 3 STREAMS {x} >",
    "XREADGROUP GROUP g {m} COUNT 3 STREAMS {x} {x} > >",
    "XREADGROUP GROUP g {m} NOACK STREAMS {x} >",
    "XREADGROUP GROUP g {m} COUNT 2 STREAMS {x} 0",
    "XREADGROUP GROUP g {m} COUNT 4 CLAIM {t} STREAMS {x} >",
    "XAUTOCLAIM {x} g {m} {t} 0 COUNT 2",
    "XAUTOCLAIM {x} g {m} 0 0 JUSTID",
    "XGROUP DELCONSUMER {x} g {m}",
    "XDEL {x} 1700000000000-0",
    "XSETID {x} 1800000000000-0",
    "PFADD {p} {m} {n}",
    "PFCOUNT {p}",
    "PFMERGE {p} {p} {p}",
    "SELECT 1",
    "SELECT 0",
    "SELECT 0",
];

fn fill(template: &str, rng: &mut SmallRng) -> String {
    let mut command = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        command.push_str(before);
        let kind = behind.chars().next().expect("a brace is closed");
        match kind {
            'n' => command.push_str(&rng.random_range(0..12).to_string()),
            'm' => command.push_str(["a", "b", "c", "5", "a-longer-member"][rng.random_range(0..5)]),
            't' => command.push_str(&rng.random_range(1..400).to_string()),
            'a' => {
                let kind = b"slezhxp"[rng.random_range(0..7)] as char;
                command.push_str(&format!("{kind}{}", rng.random_range(0..4)));
            }
            kind => command.push_str(&format!("{kind}{}", rng.random_range(0..4))),
        }
        rest = &behind[2..];
    }
    command + rest
}

/// All keys with what is at them, as rows that are the same whatever the order in which members came.
fn contents(keys: &Keyspace) -> BTreeMap<(u32, Vec<u8>), Vec<String>> {
    let mut all = BTreeMap::new();
    for shard in &keys.shards {
        for (db, database) in shard.databases.iter().enumerate() {
            database.for_each(|entry| {
                let mut records = Vec::new();
                put_content(&mut records, entry.key(), entry.value(), entry.expire_at());
                let mut rows = Vec::new();
                for mut command in commands(&records) {
                    // The replica's clock stands at nought, and no entry was delivered in times to come.
                    if let Some(at) = command.iter().position(|word| word == b"TIME") {
                        command.drain(at..at + 2);
                    }
                    let per_row = match command[0].as_slice() {
                        b"SADD" => 1,
                        b"HSET" => 2,
                        _ => usize::MAX,
                    };
                    rows.extend(command[2..].chunks(per_row).map(|row| show(&[row.to_vec()])));
                }
                rows.sort_unstable();
                all.insert((db as u32, entry.key().to_vec()), rows);
            });
        }
    }
    all
}

/// Replays what each shard recorded, one shard after another, at a time when nothing is past.
fn replay(replica: &mut Keyspace, journals: Vec<Vec<Command>>, selected: &mut [DbId]) {
    for (records, selected) in journals.into_iter().zip(selected) {
        replica.db = *selected;
        for command in records {
            if !matches!(command[0].as_slice(), b"MULTI" | b"EXEC") {
                let reply = replica.call(&command.iter().map(Vec::as_slice).collect::<Vec<_>>());
                assert!(!reply.starts_with(b"-"), "{}: {}", show(&[command]), reply.escape_ascii());
            }
        }
        *selected = replica.db;
    }
}

fn differs(shards: usize, seed: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let (mut keys, mut replica) = (recording(shards), Keyspace::new(shards));
    replica.shards.iter_mut().for_each(|shard| shard.clock = UnixMillis(0));
    let mut selected = vec![DbId(0); shards];
    let mut history = Vec::new();
    for step in 0..600 {
        let command = fill(TEMPLATES[rng.random_range(0..TEMPLATES.len())], &mut rng);
        keys.run(&command);
        let journals = taken(&mut keys);
        let shown: Vec<String> = journals.iter().map(|records| show(records)).collect();
        history.push(format!("{command}   {shown:?}"));
        replay(&mut replica, journals, &mut selected);
        if step % 5 == 4 {
            let (expected, found) = (contents(&keys), contents(&replica));
            let key = expected.keys().chain(found.keys()).find(|key| expected.get(*key) != found.get(*key));
            if let Some(key) = key {
                panic!(
                    "seed {seed}, {shards} shards, key {}: {:?} is replayed as {:?}\n{}",
                    key.1.escape_ascii(),
                    expected.get(key),
                    found.get(key),
                    history[history.len().saturating_sub(30)..].join("\n")
                );
            }
        }
    }
}

#[test]
fn replayed_records_make_the_same_keys() {
    let seeds = std::env::var("TESSERA_JOURNAL_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(20);
    for seed in 0..seeds {
        differs(1, seed);
        differs(3, seed);
    }
}
