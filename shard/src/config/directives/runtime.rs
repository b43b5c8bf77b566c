//! Shards, threads and the processors they run on.

use crate::config::directive::Directive;
use crate::config::value::{Flag, Integer, Text, anything, field};

/// Shards, threads and the processors they run on.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "shards",
        &Integer { at: field!(shards), min: 0, max: 1024 },
        &["0"],
        "How many shards to run, one thread each; 0 means one per processor the process may use.",
    )
    .fixed(),
    Directive::new(
        "pin-shards",
        &Flag(field!(pin_shards)),
        &["yes"],
        "Whether each shard's thread stays on one processor.",
    )
    .fixed(),
    Directive::new(
        "io-threads",
        &Integer { at: field!(io_threads), min: 1, max: 128 },
        &["1"],
        "Accepted for files written for Redis; the number of threads is the number of shards.",
    )
    .immutable(),
    Directive::new(
        "io-threads-do-reads",
        &Flag(field!(io_threads_do_reads)),
        &["no"],
        "Accepted for files written for Redis; every shard reads its own connections.",
    )
    .immutable(),
    Directive::new(
        "server_cpulist",
        &Text { at: field!(server_cpulist), check: anything },
        &[""],
        "The processors the shards may run on, for example 0-3,8 or 0-7:2.",
    )
    .alias("server-cpulist")
    .fixed(),
    Directive::new(
        "bio_cpulist",
        &Text { at: field!(bio_cpulist), check: anything },
        &[""],
        "Accepted for files written for Redis; background work runs on the shards.",
    )
    .alias("bio-cpulist")
    .fixed(),
    Directive::new(
        "aof_rewrite_cpulist",
        &Text { at: field!(aof_rewrite_cpulist), check: anything },
        &[""],
        "Accepted for files written for Redis; no process is forked for a rewrite.",
    )
    .alias("aof-rewrite-cpulist")
    .fixed(),
    Directive::new(
        "bgsave_cpulist",
        &Text { at: field!(bgsave_cpulist), check: anything },
        &[""],
        "Accepted for files written for Redis; no process is forked for a snapshot.",
    )
    .alias("bgsave-cpulist")
    .fixed(),
];
