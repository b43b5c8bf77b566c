//! Small programs on a server with append-only files, by what each is about.

use shard::config::types::choices::AppendFsync::Always;

use crate::program::{Event, Program};

/// A program on a server with a log that is synced before each reply.
pub fn program(name: &str, shards: usize) -> Program {
    Program::new(name, shards).with_log(Always)
}

/// Replies, and what is built on them.
pub fn replies() -> Vec<Program> {
    vec![
        program("acknowledged one by one", 2)
            .client(0, "SET x@0 1 | SET y@1 2 | SET x@0 3")
            .client(1, "SET z@0 4 | GET x@0"),
        program("a job is there before its number", 2)
            .client(0, "SET job@0 a; LPUSH q@1 i")
            .client(1, "LRANGE q@1 0 -1 | GET job@0"),
        program("a job and its number, at the other core", 3)
            .client(2, "SET job@1 a; LPUSH q@0 i; SET job2@2 b; LPUSH q@0 j")
            .client(1, "SET w@1 1 | SET w@1 2 | RPOP q@0 | GET job@1"),
        Program {
            withholds: true,
            ..program("a pipeline answered bit by bit", 4)
                .client(0, "SET x@1 1; SET y@2 1; SET z@3 1; SET x@1 2; SET y@2 2; GET z@3")
                .client(1, "SET w@1 1 | SET w@1 2 | SET w@1 3")
                .event(Event::Advance(1))
                .event(Event::Advance(1))
        },
        program("who reads passes on", 3)
            .client(0, "SET x@0 1; SET x@0 2")
            .client(1, "GET x@0 | SET y@1 1")
            .client(2, "GET y@1 | GET x@0"),
        program("pipelines that overtake", 2)
            .client(0, "SET x@1 1; SET y@0 1; GET x@1; SET y@0 2; SET x@1 2")
            .client(1, "GET y@0; GET x@1 | GET x@1; GET y@0"),
    ]
}

/// What is one, or not at all.
pub fn in_one_piece() -> Vec<Program> {
    vec![
        program("MSET beside a busy shard", 2)
            .client(0, "SET w@0 1 | SET w@0 2 | SET w@0 3")
            .client(1, "MSET x@0 1 y@1 1 | MSET y@1 2 x@0 2"),
        program("MSET over three shards", 3)
            .client(0, "MSET x@0 1 y@1 1 z@2 1 | MSET z@2 2 x@0 2")
            .client(2, "MGET x@0 y@1"),
        program("transactions", 3)
            .client(0, "multi SET x@0 1, SET y@1 1 | multi DEL x@0, SET z@2 2")
            .client(1, "SET y@1 7; MGET x@0 z@2"),
        program("scripts", 2)
            .client(0, "eval SET x@0 1, SET y@1 1 | evalany SET y@1 2, SET x@0 2")
            .client(1, "eval SET y@1 5, SET z@1 5; GET x@0"),
        program("scripts that give way", 2)
            .client(0, "eval SET x@0 1, SET y@1 1; eval SET x@0 2, SET z@0 2")
            .client(1, "GET x@0 | evalany SET y@1 3, SET x@0 3")
            .client(1, "SET w@0 1 | GET w@0")
            .with_giving_way(),
        program("a script that asks every core in the middle", 2)
            .client(0, "evalany SET x@0 1, PUBSUB NUMPAT, SET y@1 1 | evalany SET y@1 2, PUBSUB NUMPAT, SET x@0 2")
            .client(1, "SET y@1 5; SET x@0 5"),
        program("from shard to shard", 2)
            .client(0, "SET x@0 1; RENAME x@0 y@1; COPY y@1 x@0")
            .client(1, "GET y@1 | GET x@0"),
        program("everything at once", 3)
            .client(0, "SET x@0 1; FLUSHALL; SET y@1 1")
            .client(1, "SET y@1 5; SET z@2 5 | MGET x@0 y@1 z@2"),
        program("everything at once, in a transaction", 2)
            .client(0, "SET x@0 1 | multi SET y@1 1, FLUSHALL, SET x@0 2")
            .client(1, "SET y@1 5; GET x@0"),
    ]
}

/// What is published tells of what was done before, by the publisher or within the same transaction.
pub fn published() -> Vec<Program> {
    vec![
        program("PUBLISH behind a write elsewhere", 3).client(0, "SET x@1 1; PUBLISH a 1").client(2, "SUBSCRIBE a"),
        program("the subscriber at the publisher's core", 2)
            .client(0, "SET x@1 1; PUBLISH a 1")
            .client(0, "SUBSCRIBE a"),
        program("PUBLISH in a later push", 3)
            .client(0, "MSET x@1 1 y@2 1; GET z@0; PUBLISH a 1; PUBLISH a 2")
            .client(2, "SUBSCRIBE a")
            .client(0, "SUBSCRIBE a"),
        program("PUBLISH behind a transaction", 3)
            .client(0, "multi SET x@1 1, SET y@2 1; PUBLISH a 1")
            .client(2, "SUBSCRIBE a"),
    ]
}

/// What is published within transactions and scripts.
pub fn published_within() -> Vec<Program> {
    vec![
        program("PUBLISH in a transaction over shards", 4)
            .client(3, "SUBSCRIBE a")
            .client(0, "multi SET x@1 1, PUBLISH a 1, SET y@2 1")
            .after(0),
        program("PUBLISH in a script over shards", 3)
            .client(2, "SUBSCRIBE a")
            .client(0, "eval SET x@1 1, PUBLISH a 1, SET y@2 1")
            .after(0),
        program("PUBLISH in a script that takes everything", 4)
            .client(3, "SUBSCRIBE a")
            .client(0, "evalany SET x@1 1, PUBLISH a 1, SET y@2 1")
            .after(0),
        program("PUBLISH in a script, to a client of its core", 2)
            .client(0, "SUBSCRIBE a")
            .client(0, "eval SET x@1 1, PUBLISH a 1, SET y@0 1")
            .after(0),
        program("PUBLISH in a script that gives way", 2)
            .client(1, "SUBSCRIBE a")
            .client(0, "eval SET x@1 1, PUBLISH a 1, SET y@1 1")
            .after(0)
            .with_giving_way(),
    ]
}

/// What happens to keys is told when it will stay so.
pub fn told() -> Vec<Program> {
    vec![
        program("keyspace events", 3)
            .client(2, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "SET x@0 1; SET y@1 1")
            .client(1, "SET z@1 1"),
        program("keyspace events of transactions and scripts", 3)
            .client(2, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "multi SET x@0 1, SET y@1 1; evalany SET z@2 1")
            .client(1, "eval SET w@0 1, SET v@1 1"),
        program("keyspace events of scripts that give way", 2)
            .client(1, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "SUBSCRIBE __keyevent@0__:set")
            .client(0, "eval SET x@0 1, SET y@0 1; eval SET z@1 1, SET w@1 1")
            .client(1, "eval SET u@0 1, SET v@1 1")
            .with_giving_way(),
        program("notices of changed keys", 2)
            .client(1, "CLIENT TRACKING ON; GET x@0 | GET y@1")
            .client(0, "SET x@0 1 | GET x@0"),
        program("notices of changed keys, of others and by transactions", 3)
            .client(1, "CLIENT TRACKING ON; MGET x@0 y@1 z@2 | GET y@1 | GET x@0")
            .client(2, "SET x@0 1; multi SET y@1 1, SET z@2 1"),
    ]
}

/// The log begins anew in the middle.
pub fn rewritten() -> Vec<Program> {
    vec![
        program("a rewrite beside writes", 2)
            .client(0, "SET x@0 1 | BGREWRITEAOF | SET x@0 2; SET y@1 2")
            .client(1, "SET y@1 1; MSET x@0 5 y@1 5 | GET x@0"),
        program("a rewrite beside transactions and scripts", 3)
            .client(0, "multi SET x@0 1, SET y@1 1; BGREWRITEAOF; RENAME x@0 z@2")
            .client(2, "eval SET y@1 2, SET z@2 2; evalany SET x@0 3, SET y@1 3")
            .with_giving_way(),
        program("a rewrite and everything at once", 2)
            .client(0, "SET x@0 1; BGREWRITEAOF; FLUSHALL; SET y@1 2")
            .client(1, "SET y@1 1 | SET x@0 7"),
    ]
}

/// Keys that are evicted are gone in the log.
pub fn evicted() -> Vec<Program> {
    vec![
        program("eviction beside writes", 2)
            .client(0, "SET x@0 1; SET y@1 1 | MGET x@0 y@1")
            .client(1, "MSET x@0 2 y@1 2 | GET x@0; RENAME y@1 x@0")
            .evicting(2),
        program("eviction and transactions", 2)
            .client(0, "multi SET x@0 1, SET y@1 1 | evalany GET x@0, SET x@0 2")
            .client(1, "SET y@1 5; MGET x@0 y@1")
            .evicting(2),
    ]
}

/// All of them.
pub fn all() -> Vec<Program> {
    [replies(), in_one_piece(), published(), published_within(), told(), rewritten(), evicted()]
        .into_iter()
        .flatten()
        .collect()
}
