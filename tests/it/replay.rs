//! Append-only files: those that Redis writes are loaded here, and those of shards by both.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use storage::log::{Manifest, Members, put_group, put_record};

use crate::support::server::referee;
use crate::support::{Client, Launch, Server, Target, Value, eventually};

const LOG: &str = "appendonly.aof";
const DIRECTORY: &str = "appendonlydir";

/// Commands of all kinds, with transactions and scripts, in several databases.
pub(crate) fn write(client: &mut Client, round: u32) {
    for db in [0, 3] {
        client.must(&format!("SELECT {db}"));
        for n in 0..200 {
            client.must(&format!("SET string:{n} {round}"));
            client.must(&format!("RPUSH list:{} a b {n}", n % 7));
            client.must(&format!("HSET hash:{} f{n} {n} g {round}", n % 5));
            client.must(&format!("SADD set:{} {n} m{n}", n % 5));
            client.must(&format!("ZADD zset:{} {n}.5 m{n}", n % 5));
            client.must(&format!("XADD stream:{} {round}-{} f {n}", n % 3, n + 1));
        }
        client.must("MSET string:1 x string:2 y string:3 z");
        client.must("RENAME string:2 renamed");
        client.must("COPY list:0 copied REPLACE");
        client.must("SMOVE set:0 set:1 m5");
        client.must("LMOVE list:1 list:2 LEFT RIGHT");
        client.must("SUNIONSTORE union set:0 set:1 set:2");
        client.must("ZUNIONSTORE zunion 2 zset:0 zset:1");
        client.must("SORT list:3 ALPHA STORE sorted");
        client.must("PEXPIRE string:4 100000000");
        client.must("SPOP set:2 3");
        client.must("INCRBYFLOAT float 1.25");
        client.must("SETRANGE string:9 10 tail");
        client.must("XGROUP CREATE stream:0 group 0 MKSTREAM");
        client.must("XREADGROUP GROUP group c COUNT 5 STREAMS stream:0 >");
        client.must("XACK stream:0 group 1-1");
        client.must("XGROUP DESTROY stream:0 group");
        client.must("GEOADD geo 13.36 38.11 a 15.08 37.5 b");
        client.must("PFADD hll a b c");
        client.must("MULTI");
        client.must("INCR counter");
        client.must("SET string:10 in-a-transaction");
        client.must("DEL string:11 string:12");
        client.must("EXEC");
        let script =
            "redis.call('set',KEYS[1],'s') redis.call('rpush',KEYS[2],'s') return redis.call('incr','undeclared')";
        client.call(&["EVAL", script, "2", "by:script", "list:by:script"]);
    }
    client.must("SELECT 15");
    client.must("SET last 1");
    let library = format!("#!lua name=library\nredis.register_function('round', function() return {round} end)");
    let loaded = client.call(&["FUNCTION", "LOAD", "REPLACE", &library]);
    assert_eq!(loaded, Value::bulk("library"));
    client.must("SELECT 0");
    client.must("SWAPDB 3 4");
    client.must("SET huge x");
    client.call(&["SET", "huge", &"v".repeat(300_000)]);
}

pub(crate) fn digest(server: &Server) -> String {
    server.client().line("DEBUG DIGEST").text()
}

/// A directory with the log of a Redis that has ended, and the digest of what is in it.
fn written_by_redis(arguments: &[&str], rewrites: bool) -> Option<(String, Server)> {
    let program = referee()?;
    let redis = Launch::new(Target::Referee).program(&program).args(&["--appendonly", "yes"]).args(arguments).start();
    let mut client = redis.client();
    write(&mut client, 1);
    if rewrites {
        client.must("BGREWRITEAOF");
        eventually("the rewrite", || redis.info("persistence", "aof_rewrite_in_progress") == "0");
        write(&mut client, 2);
    }
    let before = digest(&redis);
    Some((before, ended(redis)))
}

pub(crate) fn ended(mut server: Server) -> Server {
    server.client().send(&["SHUTDOWN", "NOSAVE"]);
    server.wait();
    server
}

/// Has a server load the log, in place of what it has.
fn load(server: &Server) -> String {
    let mut client = server.client();
    client.must("SET not:of:the:log 1");
    client.line("DEBUG LOADAOF").text()
}

#[test]
fn logs_of_redis_are_loaded() {
    let kinds: [(&[&str], bool); 4] = [
        (&[], false),
        (&[], true),
        (&["--aof-use-rdb-preamble", "no"], true),
        (&["--aof-timestamp-enabled", "yes"], true),
    ];
    for (arguments, rewrites) in kinds {
        let Some((before, mut server)) = written_by_redis(arguments, rewrites) else { return };
        for shards in [1, 2, 4] {
            let loaded = Launch::new(Target::Tessera(shards)).dir_of(server).start();
            assert_eq!(load(&loaded), "OK", "{}", loaded.log());
            assert_eq!(digest(&loaded), before, "{arguments:?} on {shards} shards: {}", loaded.log());
            let round = if rewrites { 2 } else { 1 };
            assert_eq!(loaded.client().line("FCALL round 0"), Value::Integer(round));
            assert!(!loaded.log().contains("CRITICAL"), "{}", loaded.log());
            assert_eq!(load(&loaded), "OK", "and again");
            assert_eq!(digest(&loaded), before);
            server = ended(loaded);
        }
    }
}

#[test]
fn a_single_log_of_old_becomes_the_base_of_a_new_one() {
    let Some((before, server)) = written_by_redis(&[], true) else { return };
    let directory = server.dir().join(DIRECTORY);
    let manifest = fs::read(directory.join("appendonly.aof.manifest")).expect("Redis has written it");
    let manifest = Manifest::parse(&manifest).expect("Redis knows how");
    // What Redis 6 wrote: an RDB file with commands behind it.
    let mut whole = fs::read(directory.join(&manifest.base().expect("there was a rewrite").name)).expect("it is there");
    for file in manifest.incremental() {
        whole.extend(fs::read(directory.join(&file.name)).expect("it is there"));
    }
    fs::remove_dir_all(&directory).expect("it is ours");
    fs::write(server.dir().join(LOG), whole).expect("the directory is ours");
    let loaded = Launch::new(Target::Tessera(3)).dir_of(server).start();
    assert_eq!(load(&loaded), "OK", "{}", loaded.log());
    assert_eq!(digest(&loaded), before);
    assert!(loaded.log().contains("Successfully migrated an old-style AOF configuration"));
    let manifest = loaded.dir().join(DIRECTORY).join("appendonly.aof.manifest");
    assert_eq!(fs::read_to_string(manifest).expect("it was written"), "file appendonly.aof seq 1 type b\n");
    assert_eq!(load(&loaded), "OK");
    assert_eq!(digest(&loaded), before);
}

/// A server beside a log of one file with these bytes.
fn beside(shards: u16, log: &[u8], arguments: &[&str]) -> Server {
    let server = ended(Server::start(Target::Tessera(shards)));
    let directory = server.dir().join(DIRECTORY);
    fs::create_dir_all(&directory).expect("the directory is ours");
    fs::write(directory.join("appendonly.aof.1.incr.aof"), log).expect("the directory is ours");
    fs::write(directory.join("appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n")
        .expect("the directory is ours");
    Launch::new(Target::Tessera(shards)).dir_of(server).args(arguments).start()
}

fn log_of(lines: &[&str]) -> Vec<u8> {
    let mut log = Vec::new();
    for line in lines {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        put_record(&mut log, words.into_iter());
    }
    log
}

#[test]
fn nothing_is_past_while_a_log_is_loaded() {
    let log = log_of(&[
        "SET kept 1 PXAT 1600000000000",
        "INCR kept",
        "PERSIST kept",
        "SET gone 1 PXAT 1600000000000",
        "INCR gone",
        "RPUSH list a",
        "PEXPIREAT list 1600000000000",
        "RPUSH list b",
        "PERSIST list",
        "HSET hash f 1 g 1",
        "HPEXPIREAT hash 1600000000000 FIELDS 1 f",
        "HINCRBY hash f 1",
        "HPERSIST hash FIELDS 1 f",
    ]);
    for shards in [1, 3] {
        let server = beside(shards, &log, &[]);
        assert_eq!(load(&server), "OK");
        let mut client = server.client();
        assert_eq!(client.line("GET kept").text(), "2");
        assert_eq!(client.line("LRANGE list 0 -1").elements().len(), 2);
        assert_eq!(client.line("HGET hash f").text(), "2");
        assert_eq!(client.line("EXISTS gone not:of:the:log").integer(), 0);
        eventually("the sweep", || client.line("DBSIZE").integer() == 3);
    }
}

#[test]
fn a_log_may_end_short() {
    let whole = log_of(&["SET a 1", "SET b 2", "MULTI", "SET c 3"]);
    let log = [whole.as_slice(), b"*3\r\n$3\r\nSET\r\n$1\r\nd"].concat();
    let kept = log_of(&["SET a 1", "SET b 2"]).len();
    for log in [log, whole] {
        let server = beside(2, &log, &[]);
        assert_eq!(load(&server), "OK");
        assert_eq!(server.client().line("DBSIZE").integer(), 2);
        assert!(server.log().contains("short read while loading the AOF file appendonly.aof.1.incr.aof"));
        let file = server.dir().join(DIRECTORY).join("appendonly.aof.1.incr.aof");
        assert_eq!(fs::metadata(file).expect("it is there").len(), kept as u64);
    }
}

/// Has a server load what it must refuse, and looks for the reason in its log.
fn refused(log: &[u8], arguments: &[&str], why: &str) {
    let mut server = beside(2, log, arguments);
    server.client().send(&["DEBUG", "LOADAOF"]);
    assert!(!server.wait().success());
    assert!(server.log().contains(why), "{}", server.log());
}

#[test]
fn what_is_no_log_is_refused_with_its_place() {
    let mut damaged = log_of(&["SET a 1", "SET b 2", "SET c 3"]);
    let second = log_of(&["SET a 1"]).len();
    damaged[second + 5] = b'x';
    let why = format!(
        "Bad file format reading the append only file appendonly.aof.1.incr.aof: the length of an argument is \
                       missing at offset {}, in the record at offset {second}",
        second + 4
    );
    refused(&damaged, &[], &why);
    let short = log_of(&["SET a 1"]);
    let arguments = ["--aof-load-truncated", "no"];
    refused(&short[..20], &arguments, "Unexpected end of file reading the append only file appendonly.aof.1.incr.aof");
    refused(&log_of(&["FROB a"]), &[], "Unknown command 'FROB' reading the append only file appendonly.aof.1.incr.aof");
}

#[test]
fn a_base_that_is_gone_is_no_empty_data_set() {
    let server = ended(Server::start(Target::Tessera(2)));
    let directory = server.dir().join(DIRECTORY);
    fs::create_dir_all(&directory).expect("the directory is ours");
    fs::write(directory.join("appendonly.aof.manifest"), "file appendonly.aof seq 1 type b\n")
        .expect("the directory is ours");
    let launch = Launch::new(Target::Tessera(2)).dir_of(server).args(&["--appendonly", "yes"]);
    let failure = launch.try_start().map(|_| ()).expect_err("the base is nowhere");
    let why = "Unable to obtain the AOF file appendonly.aof length. stat: No such file or directory";
    assert!(failure.output.contains(why), "{}", failure.output);
}

#[test]
fn an_error_of_a_command_is_told_and_the_load_goes_on() {
    let server =
        beside(2, &log_of(&["SET a x", "INCR a", "MULTI", "RPUSH a 1", "SET b 1", "EXEC", "BLPOP none 0"]), &[]);
    assert_eq!(load(&server), "OK");
    assert_eq!(server.client().line("DBSIZE").integer(), 2);
    let log = server.log();
    assert!(log.contains("sending an error to its server: 'ERR value is not an integer or out of range'"), "{log}");
    assert!(log.contains("'WRONGTYPE Operation against a key holding the wrong kind of value'"), "{log}");
}

#[test]
fn clients_are_told_that_it_loads() {
    let lines: Vec<String> = (0..3000).map(|n| format!("SET key:{n} {n}")).collect();
    let log = log_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let server = beside(2, &log, &["--key-load-delay", "500"]);
    let mut client = server.client();
    client.send(&["DEBUG", "LOADAOF"]);
    eventually("the load", || server.info("persistence", "loading") == "1");
    assert!(server.client().line("GET key:1").text().starts_with("LOADING"));
    assert_eq!(server.info("persistence", "loading_total_bytes"), log.len().to_string());
    let read = || server.info("persistence", "loading_loaded_bytes").parse::<usize>().expect("a number");
    let first = read();
    eventually("progress", || read() > first);
    server.client().must("CONFIG SET key-load-delay 0");
    client.set_patience(Duration::from_secs(30));
    assert_eq!(client.read().text(), "OK");
    assert_eq!(client.line("DBSIZE").integer(), 3000);
}

/// Logs of shards in a directory, with a generation for FLUSHALL in between.
fn write_generations(directory: &Path) {
    let mut manifest = Manifest::default();
    let put = |names: &[String], groups: &[(usize, u64, &[usize], &[&str])]| {
        let mut files = vec![Vec::new(); names.len()];
        for (shard, epoch, members, lines) in groups {
            put_group(&mut files[*shard], *epoch, &Members::of(members.iter().copied()), &log_of(lines));
        }
        for (name, bytes) in names.iter().zip(files) {
            fs::write(directory.join(name), bytes).expect("the directory is ours");
        }
    };
    fs::create_dir_all(directory).expect("the directory is ours");
    let (_, names) = manifest.begin_generation(LOG, 2);
    put(&names, &[(0, 1, &[0, 1], &["SELECT 0", "SET a 1"]), (1, 1, &[0, 1], &["SELECT 0", "SET b 1"])]);
    let (_, names) = manifest.begin_generation(LOG, 1);
    put(&names, &[(0, 2, &[0], &["FLUSHALL"])]);
    let (_, names) = manifest.begin_generation(LOG, 3);
    put(
        &names,
        &[
            (0, 3, &[0, 2], &["SELECT 5", "MULTI", "SET a 2", "RPUSH l a b", "EXEC"]),
            (2, 3, &[0, 2], &["SELECT 5", "SET c 2"]),
            (1, 4, &[1], &["SELECT 0", "SET d 2"]),
            // Shard 1 has no group of this one: it never came to be.
            (0, 5, &[0, 1], &["SET a 3"]),
        ],
    );
    fs::write(directory.join("appendonly.aof.manifest"), manifest.to_text()).expect("the directory is ours");
}

#[test]
fn logs_of_shards_are_loaded_by_any_number_of_shards_and_by_redis() {
    for shards in [1, 2, 3, 4] {
        let server = ended(Server::start(Target::Tessera(shards)));
        write_generations(&server.dir().join(DIRECTORY));
        let loaded = Launch::new(Target::Tessera(shards)).dir_of(server).start();
        assert_eq!(load(&loaded), "OK", "{}", loaded.log());
        let mut client = loaded.client();
        assert_eq!(
            client.line("KEYS *").elements().iter().map(Value::text).collect::<Vec<_>>(),
            ["d"],
            "{}",
            loaded.log()
        );
        client.must("SELECT 5");
        assert_eq!(client.line("GET a").text(), "2");
        assert_eq!(client.line("LRANGE l 0 -1").elements().len(), 2);
        assert_eq!(client.line("DBSIZE").integer(), 3);
        assert!(loaded.log().contains("Truncating the AOF appendonly.aof.4.incr.aof at offset"));
        let before = digest(&loaded);
        let Some(program) = referee() else { return };
        let redis = Launch::new(Target::Referee).program(&program).dir_of(ended(loaded)).args(&["--appendonly", "yes"]);
        let redis = redis.start();
        assert_eq!(digest(&redis), before);
        // What it appends to the last log stays, with all before it.
        redis.client().must("SET by:redis 1");
        let before = digest(&redis);
        let again = Launch::new(Target::Tessera(shards)).dir_of(ended(redis)).start();
        assert_eq!(load(&again), "OK", "{}", again.log());
        assert_eq!(digest(&again), before);
    }
}

const KEEPS: [&str; 2] = ["--appendonly", "yes"];

#[test]
fn a_server_starts_with_its_log() {
    let Some((before, mut server)) = written_by_redis(&[], true) else { return };
    for shards in [2, 1, 4] {
        let started = Launch::new(Target::Tessera(shards)).dir_of(server).args(&KEEPS).start();
        assert_eq!(digest(&started), before, "{}", started.log());
        assert!(started.log().contains("DB loaded from append only file"), "{}", started.log());
        assert_eq!(started.client().line("FCALL round 0"), Value::Integer(2));
        server = ended(started);
    }
}

#[test]
fn a_server_does_not_start_without_all_of_its_log() {
    let whole = log_of(&["SET a 1", "SET b 2", "SET c 3"]);
    let mut damaged = whole.clone();
    damaged[log_of(&["SET a 1"]).len() + 5] = b'x';
    let with_option = ["--appendonly", "yes", "--aof-load-truncated", "no"];
    for (log, arguments, why) in [
        (&damaged[..], &KEEPS[..], "Bad file format reading the append only file appendonly.aof.1.incr.aof"),
        (&whole[..whole.len() - 3], &with_option[..], "Unexpected end of file reading the append only file"),
    ] {
        let server = ended(beside(2, log, &[]));
        let Err(failure) = Launch::new(Target::Tessera(2)).dir_of(server).args(arguments).try_start() else {
            panic!("it started without {why}");
        };
        assert_eq!(failure.status.code(), Some(1));
        assert!(failure.output.contains(why), "{}", failure.output);
    }
}

/// What was torn is still the end if nothing was recorded behind it.
#[test]
fn what_is_torn_is_cut_by_whoever_begins_after_one_that_did_not_get_so_far() {
    let log = log_of(&["SET a 1", "SET b 2", "SET c 3"]);
    for shards in [1, 2, 4] {
        let server = ended(beside(shards, &log, &["--appendonly", "yes"]));
        let first = server.dir().join(DIRECTORY).join("appendonly.aof.1.incr.aof");
        // As if it had been killed before it looked at this file, which the files of its own shards stand behind by then.
        fs::write(&first, &log[..log.len() - 3]).expect("the directory is ours");
        let server = Launch::new(Target::Tessera(shards)).dir_of(server).args(&["--appendonly", "yes"]).start();
        let mut client = server.client();
        assert_eq!(client.line("MGET a b c").elements(), [Value::bulk("1"), Value::bulk("2"), Value::Null]);
        assert_eq!(fs::read(&first).expect("it is there"), log_of(&["SET a 1", "SET b 2"]));
        client.must("SET d 4");
        let server = ended(server);
        // Now something was.
        fs::write(&first, &log[..log.len() - 3]).expect("the directory is ours");
        let launch = Launch::new(Target::Tessera(shards)).dir_of(server).args(&["--appendonly", "yes"]);
        let failure = launch.try_start().map(|_| ()).expect_err("there is a gap");
        assert!(failure.output.contains("appendonly.aof.1.incr.aof is not the last file"), "{}", failure.output);
    }
}

/// Nothing has been recorded by then, so there is nothing to wait for: neither for the log nor for other cores.
#[test]
fn a_server_that_is_told_to_end_while_it_cannot_load_ends_at_once() {
    let log = log_of(&["SET a 1", "SET b 2", "SET c 3"]);
    let mut server = ended(beside(2, &log[..log.len() - 3], &[]));
    for attempt in 0..60 {
        let arguments = ["--appendonly", "yes", "--aof-load-truncated", "no"];
        server = Launch::new(Target::Tessera(2)).dir_of(server).args(&arguments).spawn();
        eventually("the cores to begin", || server.log().contains("Server initialized") || !server.is_running());
        std::thread::sleep(Duration::from_micros(500 * (attempt % 10)));
        let told_at = Instant::now();
        server.signal(libc::SIGTERM);
        server.wait();
        assert!(told_at.elapsed() < Duration::from_millis(700), "attempt {attempt}: {}", server.log());
    }
}

#[test]
fn clients_are_told_that_the_server_starts() {
    let lines: Vec<String> = (0..3000).map(|n| format!("SET key:{n} {n}")).collect();
    let log = log_of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let server = ended(beside(2, &log, &[]));
    let arguments = ["--appendonly", "yes", "--key-load-delay", "500"];
    let server = Launch::new(Target::Tessera(2)).dir_of(server).args(&arguments).spawn();
    eventually("the server to listen", || Client::try_connect(server.port()).is_ok());
    let mut client = server.client();
    assert!(client.line("GET key:1").text().starts_with("LOADING"));
    assert_eq!(server.info("persistence", "loading"), "1");
    assert_eq!(server.info("persistence", "loading_total_bytes"), log.len().to_string());
    client.must("CONFIG SET key-load-delay 0");
    eventually("the data set", || client.line("GET key:2999") == Value::bulk("2999"));
    assert_eq!(server.info("persistence", "loading"), "0");
    assert_eq!(client.line("DBSIZE").integer(), 3000);
}
