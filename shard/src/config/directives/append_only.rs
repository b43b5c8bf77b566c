//! The append-only file.

use super::bounds::{INT_MAX, SIGNED_MAX};
use super::checks::{append_dir_name, append_file_name};
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Choice, Flag, Integer, Memory, Text, field};

/// The append-only file.
pub(super) const ROWS: &[Directive] = &[
    Directive::new("appendonly", &Flag(field!(appendonly)), &["no"], "Log every write, and load the log at start-up.")
        .deny_loading()
        .effect(Effect::AppendOnly),
    Directive::new(
        "appendfilename",
        &Text { at: field!(appendfilename), check: append_file_name },
        &["appendonly.aof"],
        "The first part of the names of the log's files.",
    )
    .immutable(),
    Directive::new(
        "appenddirname",
        &Text { at: field!(appenddirname), check: append_dir_name },
        &["appendonlydir"],
        "The directory of the log's files, in dir.",
    )
    .immutable(),
    Directive::new("appendfsync", &Choice(field!(appendfsync)), &["everysec"], "When the log is forced to the disk.")
        .effect(Effect::AppendFsync),
    Directive::new(
        "no-appendfsync-on-rewrite",
        &Flag(field!(no_appendfsync_on_rewrite)),
        &["no"],
        "Whether the log is not forced to the disk while a snapshot or rewrite is under way.",
    ),
    Directive::new(
        "auto-aof-rewrite-percentage",
        &Integer { at: field!(auto_aof_rewrite_percentage), min: 0, max: INT_MAX },
        &["100"],
        "By how much the log has to grow before it is rewritten, in percent; 0 never rewrites.",
    ),
    Directive::new(
        "auto-aof-rewrite-min-size",
        &Memory { at: field!(auto_aof_rewrite_min_size), min: 0, max: SIGNED_MAX },
        &["64mb"],
        "The size below which the log is not rewritten.",
    ),
    Directive::new(
        "aof-load-truncated",
        &Flag(field!(aof_load_truncated)),
        &["yes"],
        "Whether a log that ends in the middle of a record is loaded up to there.",
    ),
    Directive::new(
        "aof-use-rdb-preamble",
        &Flag(field!(aof_use_rdb_preamble)),
        &["yes"],
        "Whether a rewritten log begins with a snapshot.",
    ),
    Directive::new(
        "aof-rewrite-incremental-fsync",
        &Flag(field!(aof_rewrite_incremental_fsync)),
        &["yes"],
        "Whether a rewrite is synced piece by piece while it is written.",
    ),
    Directive::new(
        "aof-timestamp-enabled",
        &Flag(field!(aof_timestamp_enabled)),
        &["no"],
        "Whether the log notes the time, for recovery up to a point in time.",
    ),
    Directive::new(
        "aof-disable-auto-gc",
        &Flag(field!(aof_disable_auto_gc)),
        &["no"],
        "Whether files of the log that are not needed any more are kept.",
    ),
];
