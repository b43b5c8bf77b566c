//! Up to which size collections are kept in packed form.

use super::bounds::{INT_MAX, INT_MIN, LONG_MAX, SIGNED_MAX};
use crate::config::directive::Directive;
use crate::config::value::{Integer, Memory, field};

/// Up to which size collections are kept in packed form.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "hash-max-listpack-entries",
        &Integer { at: field!(hash_max_listpack_entries), min: 0, max: LONG_MAX },
        &["512"],
        "The most fields of a packed hash.",
    )
    .alias("hash-max-ziplist-entries"),
    Directive::new(
        "hash-max-listpack-value",
        &Memory { at: field!(hash_max_listpack_value), min: 0, max: SIGNED_MAX },
        &["64"],
        "The longest field or value of a packed hash.",
    )
    .alias("hash-max-ziplist-value"),
    Directive::new(
        "list-max-listpack-size",
        &Integer { at: field!(list_max_listpack_size), min: INT_MIN, max: INT_MAX },
        &["-2"],
        "The most elements of a list node, or, from -1 to -5, its size: 4 KiB to 64 KiB.",
    )
    .alias("list-max-ziplist-size"),
    Directive::new(
        "list-compress-depth",
        &Integer { at: field!(list_compress_depth), min: 0, max: INT_MAX },
        &["0"],
        "How many nodes at each end of a list are not compressed; 0 compresses none.",
    ),
    Directive::new(
        "set-max-intset-entries",
        &Integer { at: field!(set_max_intset_entries), min: 0, max: LONG_MAX },
        &["512"],
        "The most members of a set of integers that is kept sorted in one block.",
    ),
    Directive::new(
        "set-max-listpack-entries",
        &Integer { at: field!(set_max_listpack_entries), min: 0, max: LONG_MAX },
        &["128"],
        "The most members of a packed set.",
    ),
    Directive::new(
        "set-max-listpack-value",
        &Memory { at: field!(set_max_listpack_value), min: 0, max: SIGNED_MAX },
        &["64"],
        "The longest member of a packed set.",
    ),
    Directive::new(
        "zset-max-listpack-entries",
        &Integer { at: field!(zset_max_listpack_entries), min: 0, max: LONG_MAX },
        &["128"],
        "The most members of a packed sorted set.",
    )
    .alias("zset-max-ziplist-entries"),
    Directive::new(
        "zset-max-listpack-value",
        &Memory { at: field!(zset_max_listpack_value), min: 0, max: SIGNED_MAX },
        &["64"],
        "The longest member of a packed sorted set.",
    )
    .alias("zset-max-ziplist-value"),
    Directive::new(
        "hll-sparse-max-bytes",
        &Memory { at: field!(hll_sparse_max_bytes), min: 0, max: SIGNED_MAX },
        &["3000"],
        "The size at which a HyperLogLog goes over to its dense form.",
    ),
    Directive::new(
        "stream-node-max-bytes",
        &Memory { at: field!(stream_node_max_bytes), min: 0, max: SIGNED_MAX },
        &["4096"],
        "The size of a stream's node; 0 is no limit.",
    ),
    Directive::new(
        "stream-node-max-entries",
        &Integer { at: field!(stream_node_max_entries), min: 0, max: LONG_MAX },
        &["100"],
        "The most entries of a stream's node; 0 is no limit.",
    ),
];
