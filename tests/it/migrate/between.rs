//! Two servers that behave.

use crate::support::server::referee;
use crate::support::slots::key_on;
use crate::support::{Launch, Server, Target, Value, each_target, eventually, targets};

use super::{Within, error_of, is_there, many, migrate, migrate_within, spread};

/// Runs `test` on pairs of servers: source and target.
fn each_pair(test: impl Fn(&Server, &Server)) {
    let other = targets()[targets().len() - 1];
    for target in targets() {
        test(&Server::start(target), &Server::start(other));
    }
    if referee().is_some() {
        test(&Server::start(other), &Server::start(Target::Referee));
        test(&Server::start(Target::Referee), &Server::start(other));
    }
}

/// Keys of all types and encodings that Redis 7.0 has.
const EVERYTHING: &[&str] = &[
    "SET string value",
    "SET number 12345",
    "SETRANGE long 100000 x",
    "RPUSH list a b c",
    "SADD integers 1 2 3",
    "SADD set a b c",
    "HSET hash f v g w",
    "ZADD zset 1.5 a -inf b",
    "XADD stream 1-1 f v",
    "XGROUP CREATE stream group 0",
    "XREADGROUP GROUP group consumer STREAMS stream >",
    "PFADD log a b c",
];
const KEYS: &[&str] = &[
    "string",
    "number",
    "long",
    "list",
    "integers",
    "set",
    "hash",
    "zset",
    "stream",
    "log",
    "large:list",
    "large:hash",
    "large:zset",
    "large:set",
];

#[test]
fn values_of_all_types_arrive_as_they_were() {
    each_pair(|source, target| {
        let (mut from, mut to) = (source.client(), target.client());
        for line in EVERYTHING {
            from.must(line);
        }
        for n in 0..600 {
            from.must(&format!("RPUSH large:list {n}"));
            from.must(&format!("HSET large:hash {n} {n}"));
            from.must(&format!("ZADD large:zset {n} {n}"));
            from.must(&format!("SADD large:set m{n}"));
        }
        let before: Vec<Value> = KEYS.iter().map(|key| from.call(&["DEBUG", "DIGEST-VALUE", key])).collect();
        let keys: Vec<String> = KEYS.iter().map(ToString::to_string).collect();
        assert_eq!(migrate(&mut from, target.port(), &many(&keys, &[])), Value::ok());
        let after: Vec<Value> = KEYS.iter().map(|key| to.call(&["DEBUG", "DIGEST-VALUE", key])).collect();
        assert_eq!(before, after, "{:?} to {:?}", source.target(), target.target());
        assert_eq!(from.must("DBSIZE"), Value::Integer(0));
    });
}

#[test]
fn a_key_takes_its_time_with_it() {
    each_pair(|source, target| {
        let (mut from, mut to) = (source.client(), target.client());
        from.must("SET k v PX 90000");
        from.must("SET forever v");
        for key in ["k", "forever"] {
            assert_eq!(migrate(&mut from, target.port(), &[key, "3", "5000"]), Value::ok());
        }
        to.must("SELECT 3");
        let Value::Integer(left) = to.must("PTTL k") else { panic!("it is a number") };
        assert!((30_000..=90_000).contains(&left), "{left}");
        assert_eq!(to.must("PTTL forever"), Value::Integer(-1));
    });
}

#[test]
fn what_is_there_is_not_replaced_unless_it_is_to_be() {
    each_pair(|source, target| {
        let (mut from, mut to) = (source.client(), target.client());
        let keys = spread(source, 5);
        for key in &keys {
            from.must(&format!("SET {key} new"));
        }
        to.must(&format!("SET {} old", keys[1]));
        let all = many(&keys, &[]);
        let reply = migrate(&mut from, target.port(), &all);
        assert_eq!(error_of(&reply), "ERR Target instance replied with error: BUSYKEY Target key name already exists.");
        let left: Vec<bool> = keys.iter().map(|key| is_there(&mut from, key)).collect();
        assert_eq!(left, [false, true, false, false, false], "who was refused stays");
        assert_eq!(to.must(&format!("GET {}", keys[1])), Value::bulk("old"));
        assert_eq!(migrate(&mut from, target.port(), &many(&keys, &["COPY", "REPLACE"])), Value::ok());
        assert!(is_there(&mut from, &keys[1]), "the original of a copy stays");
        assert_eq!(migrate(&mut from, target.port(), &many(&keys, &["REPLACE"])), Value::ok());
        assert_eq!(to.must(&format!("GET {}", keys[1])), Value::bulk("new"));
        assert_eq!(migrate(&mut from, target.port(), &all), Value::Simple(b"NOKEY".to_vec()));
        assert_eq!((from.must("DBSIZE"), to.must("DBSIZE")), (Value::Integer(0), Value::Integer(5)));
    });
}

#[test]
fn who_gives_a_password_is_let_in() {
    each_pair(|source, target| {
        let (mut from, mut to) = (source.client(), target.client());
        from.must("SET k v");
        to.must("CONFIG SET requirepass secret");
        let mut answer = |options: &[&str]| {
            let words: Vec<&str> = ["k", "0", "5000"].into_iter().chain(options.iter().copied()).collect();
            migrate(&mut from, target.port(), &words).text()
        };
        assert!(answer(&[]).starts_with("ERR Target instance replied with error: NOAUTH"));
        assert!(answer(&["AUTH", "wrong"]).starts_with("ERR Target instance replied with error: WRONGPASS"));
        assert_eq!(answer(&["COPY", "AUTH", "secret"]), "OK");
        assert_eq!(answer(&["REPLACE", "AUTH2", "default", "secret"]), "OK");
        assert!(!is_there(&mut from, "k"));
    });
}

#[test]
fn a_migration_is_a_removal_to_everybody_else() {
    each_target(|source| {
        let target = Server::start(Target::Tessera(1));
        for within in Within::ALL {
            let (mut from, mut other, mut third) = (source.client(), source.client(), source.client());
            target.client().must("FLUSHALL");
            from.must("FLUSHALL");
            from.must("CONFIG SET notify-keyspace-events Kg");
            from.must("SET k v");
            other.must("WATCH k");
            other.must("MULTI");
            other.must("PING");
            third.must("HELLO 3");
            third.must("CLIENT TRACKING ON");
            third.must("GET k");
            third.must("SUBSCRIBE __keyspace@0__:k");
            migrate_within(&mut from, within, target.port(), "k", &["0", "5000"]);
            assert_eq!(within.reply(&mut from), Value::ok(), "{within:?}");
            assert_eq!(other.must("EXEC"), Value::NullArray, "{within:?}");
            let mut told: Vec<String> = (0..2).map(|_| third.read().to_string()).collect();
            told.sort();
            assert!(told.iter().any(|push| push.contains("invalidate")), "{within:?}: {told:?}");
            assert!(told.iter().any(|push| push.contains("del")), "{within:?}: {told:?}");
        }
    });
}

#[test]
fn a_migration_is_in_the_log_as_a_removal() {
    for shards in [1, 2, 4] {
        let target = Server::start(Target::Tessera(1));
        let source = Launch::new(Target::Tessera(shards)).args(&["--appendonly", "yes"]).start();
        let mut from = source.client();
        let keys = spread(&source, 6);
        for key in &keys {
            from.must(&format!("SET {key} v"));
        }
        target.client().must(&format!("SET {} v", keys[2]));
        assert!(migrate(&mut from, target.port(), &many(&keys, &[])).is_error());
        migrate_within(&mut from, Within::Exec, target.port(), &keys[2], &["0", "5000", "REPLACE", "COPY"]);
        assert_eq!(Within::Exec.reply(&mut from), Value::ok());
        from.must("SET last 1");
        drop(from);
        source.signal(9);
        let again = Launch::new(Target::Tessera(shards)).args(&["--appendonly", "yes"]).dir_of(source).start();
        let mut client = again.client();
        let left: Vec<bool> = keys.iter().map(|key| is_there(&mut client, key)).collect();
        assert_eq!(left, [false, false, true, false, false, false]);
        assert_eq!(client.must("DBSIZE"), Value::Integer(3));
    }
}

#[test]
fn a_socket_is_used_again_until_it_breaks() {
    each_target(|source| {
        let target = Server::start(Target::Tessera(1));
        let (mut from, mut to) = (source.client(), target.client());
        let cached = || source.info("stats", "migrate_cached_sockets");
        let connections = || target.info("stats", "total_connections_received").parse::<u32>().expect("a number");
        assert_eq!(cached(), "0");
        let key = key_on("k", source.shards() - 1, source.shards());
        let mut go = |db: &str| {
            from.must(&format!("SET {key} v"));
            assert_eq!(migrate(&mut from, target.port(), &[&key, db, "5000", "REPLACE"]), Value::ok());
        };
        go("0");
        let before = connections();
        for db in ["0", "5", "5", "0"] {
            go(db);
        }
        assert_eq!(connections() - before, 1, "that of INFO itself");
        assert_eq!(cached(), "1");
        // It may have its end from a client that is about to be killed, or after.
        to.must("CLIENT KILL TYPE normal SKIPME yes");
        go("5");
        to.must("SELECT 5");
        assert!(is_there(&mut to, &key));
        if source.shards() > 1 {
            return;
        }
        let mut in_time = 0;
        eventually("the socket to be closed", || {
            in_time += usize::from(cached() == "1");
            cached() == "0"
        });
        assert!(in_time > 100, "it is kept for ten seconds");
    });
}

#[test]
fn a_name_is_looked_up() {
    each_target(|source| {
        let target = Server::start(Target::Tessera(1));
        let (mut from, port) = (source.client(), target.port().to_string());
        from.must("SET k v");
        assert_eq!(from.call(&["MIGRATE", "localhost", &port, "k", "0", "5000"]), Value::ok());
        from.must("SET k v");
        let reply = from.call(&["MIGRATE", "no.such.host.invalid", &port, "k", "0", "1000"]);
        assert_eq!(error_of(&reply), "IOERR error or timeout connecting to the client");
        assert!(is_there(&mut from, "k"));
    });
}

#[test]
fn migrations_of_many_clients_lose_nothing() {
    each_target(|source| {
        let target = Server::start(Target::Tessera(2));
        let (clients, rounds) = (6, 40);
        std::thread::scope(|scope| {
            for client in 0..clients {
                let (source, port) = (&source, target.port());
                scope.spawn(move || {
                    let mut from = source.client();
                    for round in 0..rounds {
                        // Each key is one that two clients want to move.
                        let key = format!("k{}:{round}", client / 2);
                        from.must(&format!("INCR {key}"));
                        let other = format!("own{client}:{round}");
                        from.must(&format!("SET {other} v"));
                        let keys = [key, other];
                        let reply = migrate(&mut from, port, &many(&keys, &["REPLACE"]));
                        assert_eq!(reply, Value::ok());
                    }
                });
            }
        });
        assert_eq!(source.client().must("DBSIZE"), Value::Integer(0));
        let all = i64::from(clients / 2 * rounds + clients * rounds);
        assert_eq!(target.client().must("DBSIZE"), Value::Integer(all));
    });
}
