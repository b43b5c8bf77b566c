//! Memory, eviction, expiry and freeing.

use super::bounds::{INT_MAX, LONG_MAX, SIGNED_MAX};
use super::checks::Defragmentation;
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Choice, Flag, Integer, Memory, MemoryOfMachine, field};

/// Memory, eviction, expiry and freeing.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "maxmemory",
        &MemoryOfMachine(field!(maxmemory)),
        &["0"],
        "How much memory the server may take, in bytes or in percent of the machine's or its cgroup's; 0 is no limit.",
    )
    .effect(Effect::MaxMemory),
    Directive::new(
        "maxmemory-policy",
        &Choice(field!(maxmemory_policy)),
        &["noeviction"],
        "What is evicted to stay below maxmemory.",
    )
    .effect(Effect::MaxMemory),
    Directive::new(
        "maxmemory-samples",
        &Integer { at: field!(maxmemory_samples), min: 1, max: INT_MAX },
        &["5"],
        "How many keys are compared to find one to evict.",
    ),
    Directive::new(
        "maxmemory-eviction-tenacity",
        &Integer { at: field!(maxmemory_eviction_tenacity), min: 0, max: 100 },
        &["10"],
        "How much time eviction may take from commands; 100 is all of it.",
    ),
    Directive::new(
        "lfu-log-factor",
        &Integer { at: field!(lfu_log_factor), min: 0, max: INT_MAX },
        &["10"],
        "How many uses it takes to raise a key's counter of uses.",
    ),
    Directive::new(
        "lfu-decay-time",
        &Integer { at: field!(lfu_decay_time), min: 0, max: INT_MAX },
        &["1"],
        "After how many minutes without use a key's counter goes down; 0 never.",
    ),
    Directive::new(
        "active-expire-effort",
        &Integer { at: field!(active_expire_effort), min: 1, max: 10 },
        &["1"],
        "How hard expired keys are looked for.",
    ),
    Directive::new(
        "activerehashing",
        &Flag(field!(activerehashing)),
        &["yes"],
        "Accepted for files written for Redis; tables grow in small steps as they are used.",
    ),
    Directive::new(
        "activedefrag",
        &Defragmentation(field!(activedefrag)),
        &["no"],
        "Move values together when memory is fragmented.",
    ),
    Directive::new(
        "active-defrag-cycle-min",
        &Integer { at: field!(active_defrag_cycle_min), min: 1, max: 99 },
        &["1"],
        "The least share of processor time for defragmentation, in percent.",
    ),
    Directive::new(
        "active-defrag-cycle-max",
        &Integer { at: field!(active_defrag_cycle_max), min: 1, max: 99 },
        &["25"],
        "The greatest share of processor time for defragmentation, in percent.",
    ),
    Directive::new(
        "active-defrag-ignore-bytes",
        &Memory { at: field!(active_defrag_ignore_bytes), min: 1, max: SIGNED_MAX },
        &["100mb"],
        "Fragmentation below this is left alone.",
    ),
    Directive::new(
        "active-defrag-max-scan-fields",
        &Integer { at: field!(active_defrag_max_scan_fields), min: 1, max: LONG_MAX },
        &["1000"],
        "The largest value that is moved in one step.",
    ),
    Directive::new(
        "active-defrag-threshold-lower",
        &Integer { at: field!(active_defrag_threshold_lower), min: 0, max: 1000 },
        &["10"],
        "The percentage of fragmentation at which defragmentation begins.",
    ),
    Directive::new(
        "active-defrag-threshold-upper",
        &Integer { at: field!(active_defrag_threshold_upper), min: 0, max: 1000 },
        &["100"],
        "The percentage of fragmentation at which it uses its greatest share.",
    ),
    Directive::new(
        "jemalloc-bg-thread",
        &Flag(field!(jemalloc_bg_thread)),
        &["yes"],
        "Whether the allocator returns memory from a thread of its own.",
    )
    .effect(Effect::AllocatorThreads),
    Directive::new(
        "lazyfree-lazy-eviction",
        &Flag(field!(lazyfree_lazy_eviction)),
        &["no"],
        "Whether evicted values are freed in the background.",
    ),
    Directive::new(
        "lazyfree-lazy-expire",
        &Flag(field!(lazyfree_lazy_expire)),
        &["no"],
        "Whether expired values are freed in the background.",
    ),
    Directive::new(
        "lazyfree-lazy-server-del",
        &Flag(field!(lazyfree_lazy_server_del)),
        &["no"],
        "Whether values that a command overwrites are freed in the background.",
    ),
    Directive::new(
        "lazyfree-lazy-user-del",
        &Flag(field!(lazyfree_lazy_user_del)),
        &["no"],
        "Whether DEL frees in the background, as UNLINK does.",
    ),
    Directive::new(
        "lazyfree-lazy-user-flush",
        &Flag(field!(lazyfree_lazy_user_flush)),
        &["no"],
        "Whether FLUSHALL and FLUSHDB free in the background unless they say how.",
    ),
];
