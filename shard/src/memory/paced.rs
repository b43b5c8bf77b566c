//! Giving pages back without keeping a core from its clients.
//!
//! Free pages side by side go back together, in one call of the kernel's: 50 ms for what a large hash had been. The
//! allocator's threads are the cores' equals, and whoever runs for long takes a processor for a whole time slice. (With
//! less of a claim to it they would be interrupted for seconds on a busy machine, while they hold a lock that a core wants:
//! measured with `SCHED_IDLE`.) So they give back a piece at a time and sleep between two pieces. A thread that sleeps
//! lets others in, and gets in itself when it wakes. No lock of the kernel's is held meanwhile, and of the allocator's only
//! one that a core wants when it gives pages back itself: when it is told to, is over the limit or has been idle. It does
//! that at once.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{CString, c_uint, c_void};
use std::io;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use tikv_jemalloc_sys::extent_hooks_t;

/// What is given back at once: some 70 us of the kernel's work.
const PIECE_BYTES: usize = 1024 * 1024;

/// What a call costs beyond the pages, in bytes that could be given back instead.
const CALL_BYTES: usize = 64 * 1024;

/// Between two pieces.
const REST: Duration = Duration::from_micros(100);

thread_local! {
    /// This thread serves clients.
    static IS_CORE: Cell<bool> = const { Cell::new(false) };
    /// Bytes given back since the last rest.
    static GIVEN: Cell<usize> = const { Cell::new(0) };
}

/// Has the pages of the calling core's arena given back in pieces.
pub(super) fn pace_own() -> io::Result<()> {
    /// The allocator's own functions, but for one. It keeps a pointer to them.
    static HOOKS: OnceLock<extent_hooks_t> = OnceLock::new();

    IS_CORE.set(true);
    let name = CString::new(format!("arena.{}.extent_hooks", super::control(c"thread.arena", None)?))?;
    let mut old: *mut extent_hooks_t = std::ptr::null_mut();
    let mut length = size_of_val(&old);
    // SAFETY: the name ends in zero, and the control of this name writes a pointer, for which there is room.
    let read = unsafe {
        let old = (&raw mut old).cast();
        tikv_jemalloc_sys::mallctl(name.as_ptr(), old, &raw mut length, std::ptr::null_mut(), 0)
    };
    super::outcome(read)?;
    // SAFETY: what was read is the allocator's table, which it never changes or frees.
    let hooks = HOOKS.get_or_init(|| extent_hooks_t { purge_forced: Some(give_back), ..unsafe { *old } });
    let mut new: *const extent_hooks_t = hooks;
    // SAFETY: as above; the control reads a pointer to a table that lives for ever, whose functions do as the allocator's
    // do, since but for one they are.
    let written = unsafe {
        let new = (&raw mut new).cast();
        tikv_jemalloc_sys::mallctl(name.as_ptr(), std::ptr::null_mut(), std::ptr::null_mut(), new, length)
    };
    super::outcome(written)
}

/// Gives `length` bytes back from `offset` on of the extent at `address`; they are zero from then on. True if that failed.
unsafe extern "C" fn give_back(
    _hooks: *mut extent_hooks_t,
    address: *mut c_void,
    _size: usize,
    offset: usize,
    length: usize,
    _arena: c_uint,
) -> bool {
    let piece_max = if IS_CORE.get() { usize::MAX } else { PIECE_BYTES };
    let mut given = 0;
    while given < length {
        let piece = piece_max.min(length - given);
        // SAFETY: the allocator owns this part of the extent, and nobody uses it.
        let failed = unsafe { libc::madvise(address.byte_add(offset + given), piece, libc::MADV_DONTNEED) != 0 };
        if failed {
            return true;
        }
        given += piece;
        rest_after(piece);
    }
    false
}

/// Sleeps, if enough was given back since the last time.
fn rest_after(bytes: usize) {
    let given = GIVEN.get() + bytes + CALL_BYTES;
    GIVEN.set(given);
    if given >= PIECE_BYTES {
        GIVEN.set(0);
        if !IS_CORE.get() {
            thread::sleep(REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_is_zero_whoever_does_it() {
        let bytes = 5 * PIECE_BYTES / 2;
        for is_core in [false, true] {
            IS_CORE.set(is_core);
            // SAFETY: a new mapping of nothing but memory.
            let address = unsafe {
                let (readable, private) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
                libc::mmap(std::ptr::null_mut(), bytes, readable, private, -1, 0)
            };
            assert_ne!(address, libc::MAP_FAILED);
            // SAFETY: the mapping is as long, and this test's alone.
            let memory = unsafe { std::slice::from_raw_parts_mut(address.cast::<u8>(), bytes) };
            memory.fill(7);
            // SAFETY: the range lies within the mapping; the slice is not used meanwhile.
            let failed = unsafe { give_back(std::ptr::null_mut(), address, bytes, 4096, bytes - 8192, 0) };
            assert!(!failed);
            assert!(memory[..4096].iter().chain(&memory[bytes - 4096..]).all(|&byte| byte == 7), "the rest stays");
            assert!(memory[4096..bytes - 4096].iter().all(|&byte| byte == 0));
            // SAFETY: the mapping is this test's, and its slice is not used any more.
            assert_eq!(unsafe { libc::munmap(address, bytes) }, 0);
        }
    }
}
