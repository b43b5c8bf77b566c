//! What the process uses of the machine's memory, as its allocator counts it.
//!
//! Where jemalloc is not the allocator (tests), its counts are those of an allocator that nobody uses.

use tikv_jemalloc_ctl::{epoch, stats, version};

/// Bytes that the allocator has handed out (`used_memory`). Zero where jemalloc is not the allocator.
pub fn used_bytes() -> usize {
    if epoch::advance().is_err() {
        return 0;
    }
    stats::allocated::read().unwrap_or(0)
}

/// The allocator's account, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocatorStats {
    /// Handed out.
    pub allocated: usize,
    /// In pages of which some of it is handed out.
    pub active: usize,
    /// In the machine's memory, as far as the allocator knows.
    pub resident: usize,
}

/// The allocator's account at this moment.
pub fn allocator() -> AllocatorStats {
    let allocated = used_bytes();
    AllocatorStats {
        allocated,
        active: stats::active::read().unwrap_or(0),
        resident: stats::resident::read().unwrap_or(0),
    }
}

/// The allocator's name and version.
pub fn allocator_name() -> String {
    let text: &str = version::read().unwrap_or("unknown");
    format!("jemalloc-{}", text.split('-').next().unwrap_or_default())
}

/// Everything that the allocator tells about itself, as text.
pub fn allocator_report() -> Vec<u8> {
    let mut text = Vec::new();
    match tikv_jemalloc_ctl::stats_print::stats_print(&mut text, tikv_jemalloc_ctl::stats_print::Options::default()) {
        Ok(()) => text,
        Err(error) => format!("the allocator gives no report: {error}").into_bytes(),
    }
}

/// Lets the allocator give unused pages back by threads of its own, or stops them.
pub fn set_background_threads(on: bool) {
    if tikv_jemalloc_ctl::background_thread::write(on).is_err() {
        tracing::warn!("The allocator has no background threads here.");
    }
}

/// Gives back what the calling thread keeps for itself.
pub fn flush_thread() {
    call(c"thread.tcache.flush");
}

/// Gives unused pages back to the system.
pub fn purge() {
    // The number that means all arenas.
    call(c"arena.4096.purge");
}

/// Runs a control of the allocator that takes and gives nothing. One that it does not have changes nothing.
#[allow(unsafe_code)]
fn call(control: &std::ffi::CStr) {
    use std::ptr::null_mut;
    // SAFETY: the name ends in zero and lives through the call; null pointers say that nothing is read or written.
    unsafe { tikv_jemalloc_sys::mallctl(control.as_ptr(), null_mut(), null_mut(), null_mut(), 0) };
}
