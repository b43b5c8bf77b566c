//! What the process uses of the machine's memory.

use tikv_jemalloc_ctl::{epoch, stats};

/// Bytes that the allocator has handed out (`used_memory`). Zero where jemalloc is not the allocator.
pub fn used_bytes() -> usize {
    if epoch::advance().is_err() {
        return 0;
    }
    stats::allocated::read().unwrap_or(0)
}
