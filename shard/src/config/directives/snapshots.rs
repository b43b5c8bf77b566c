//! RDB files.

use super::bounds::{INT_MAX, INT_MIN, SIGNED_MAX};
use super::checks::file_name;
use crate::config::directive::Directive;
use crate::config::value::{Choice, Flag, Integer, Many, Memory, Text, field};

/// RDB files.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "save",
        &Many(field!(save)),
        &["3600", "1", "300", "100", "60", "10000"],
        "After how many seconds and changes a snapshot is written.",
    )
    .always_written(),
    Directive::new(
        "dbfilename",
        &Text { at: field!(dbfilename), check: file_name },
        &["dump.rdb"],
        "The name of the snapshot in the directory dir.",
    )
    .protected(),
    Directive::new(
        "rdbcompression",
        &Flag(field!(rdbcompression)),
        &["yes"],
        "Whether long strings in snapshots are compressed.",
    ),
    Directive::new("rdbchecksum", &Flag(field!(rdbchecksum)), &["yes"], "Whether snapshots end with a checksum.")
        .immutable(),
    Directive::new(
        "rdb-del-sync-files",
        &Flag(field!(rdb_del_sync_files)),
        &["no"],
        "Whether files made for replication are removed when the server has no persistence of its own.",
    ),
    Directive::new(
        "rdb-save-incremental-fsync",
        &Flag(field!(rdb_save_incremental_fsync)),
        &["yes"],
        "Whether a snapshot is synced piece by piece while it is written.",
    ),
    Directive::new(
        "snapshot-buffer-limit",
        &Memory { at: field!(snapshot_buffer_limit), min: 0, max: SIGNED_MAX },
        &["64mb"],
        "How much a snapshot may hold that waits for the disk; above it, commands that write wait. 0 is no limit.",
    ),
    Directive::new(
        "rdb-key-save-delay",
        &Integer { at: field!(rdb_key_save_delay), min: INT_MIN, max: INT_MAX },
        &["0"],
        "How many microseconds to wait after each saved key, for tests; negative ones are spread over keys.",
    )
    .hidden(),
    Directive::new(
        "key-load-delay",
        &Integer { at: field!(key_load_delay), min: INT_MIN, max: INT_MAX },
        &["0"],
        "How many microseconds to wait after each loaded key, for tests; negative ones are spread over keys.",
    )
    .hidden(),
    Directive::new(
        "loading-process-events-interval-bytes",
        &Integer { at: field!(loading_process_events_interval_bytes), min: 1024, max: INT_MAX },
        &["2097152"],
        "After how many loaded bytes clients are looked at.",
    )
    .hidden(),
    Directive::new(
        "stop-writes-on-bgsave-error",
        &Flag(field!(stop_writes_on_bgsave_error)),
        &["yes"],
        "Whether writes are refused after a snapshot failed.",
    ),
    Directive::new(
        "sanitize-dump-payload",
        &Choice(field!(sanitize_dump_payload)),
        &["no"],
        "Whether packed values from outside are verified in depth.",
    ),
];
