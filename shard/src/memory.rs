//! What the process uses of the machine's memory, as its allocator counts it.
//!
//! Where jemalloc is not the allocator (tests), its counts are those of an allocator that nobody uses.
//!
//! # From a burst back to rest
//!
//! Pages that are free are given back to the system when they have been so for [`DECAY_MILLIS`], a little at a time. The
//! allocator's own threads do that, since threads that sleep allocate nothing and would never come to it; without them
//! (`jemalloc-bg-thread no`) the first core does it in its housekeeping, see [`decay`]. Those threads do not wake up for
//! the last 4 MiB of an arena: a core gives its own back when it has had nothing to do for as long, see [`purge_own`].

mod paced;

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp, deallocatedp};
use tikv_jemalloc_ctl::{epoch, stats, version};

/// Free pages are kept for this long for whoever allocates next, in milliseconds.
pub const DECAY_MILLIS: u64 = 500;

/// What a control of the allocator is called by its last word. Only these are changed or made to act, since others
/// take pointers, or take an arena away from under its threads.
const CHANGED: [&str; 5] =
    ["dirty_decay_ms", "muzzy_decay_ms", "background_thread", "max_background_threads", "enabled"];
const ACTING: [&str; 4] = ["flush", "idle", "purge", "decay"];

/// The arena whose number means all of them. It can act, and has no numbers of its own.
const ALL_ARENAS: &str = "arena.4096.";

/// Bytes that the allocator has handed out (`used_memory`). Zero where jemalloc is not the allocator.
pub fn used_bytes() -> usize {
    if epoch::advance().is_err() {
        return 0;
    }
    stats::allocated::read().unwrap_or(0)
}

/// Bytes that the calling thread has allocated and not freed, in all its life: what another thread freed of it still
/// counts, and what it freed of others counts against it. It costs two reads of memory. `None` where jemalloc is not the
/// allocator.
pub fn thread_bytes() -> Option<i64> {
    thread_local! {
        static COUNTERS: Option<(ThreadLocal<u64>, ThreadLocal<u64>)> =
            allocatedp::read().ok().zip(deallocatedp::read().ok());
    }
    let (allocated, freed) = COUNTERS.with(|counters| counters.map(|(one, other)| (one.get(), other.get())))?;
    (allocated > 0).then(|| allocated.wrapping_sub(freed) as i64)
}

/// What threads hold that are no cores.
static ELSEWHERE: AtomicI64 = AtomicI64::new(0);

/// Bytes that threads hold which are no cores, as they have told.
pub fn elsewhere() -> i64 {
    ELSEWHERE.load(Ordering::Relaxed)
}

/// A thread that is no core tells what it holds now. Called when it has done something, before it waits or ends.
pub fn settle_thread() {
    thread_local! {
        static TOLD: Cell<i64> = const { Cell::new(0) };
    }
    let Some(bytes) = thread_bytes() else { return };
    let before = TOLD.replace(bytes);
    ELSEWHERE.fetch_add(bytes - before, Ordering::Relaxed);
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

/// Sets up how the allocator gives memory back, before the cores allocate much.
pub fn prepare(background_threads: bool) {
    let paced = control(c"arenas.dirty_decay_ms", Some(DECAY_MILLIS)).and_then(|_| {
        // That was for arenas to come; these are there.
        for arena in 0..control(c"arenas.narenas", None)? {
            let of_arena = |word| CString::new(format!("arena.{arena}.{word}")).expect("no zero is in it");
            if control(&of_arena("initialized"), None)? == 1 {
                control(&of_arena("dirty_decay_ms"), Some(DECAY_MILLIS))?;
            }
        }
        Ok(())
    });
    if let Err(error) = paced {
        tracing::warn!("The allocator keeps its own pace in giving memory back: {error}");
    }
    set_background_threads(background_threads);
}

/// Has the calling core's pages given back in such a way that other cores are not kept from their clients.
pub fn prepare_core() {
    if let Err(error) = paced::pace_own() {
        tracing::warn!("The allocator gives memory back at its own pace: {error}");
    }
}

/// Lets the allocator give unused pages back by threads of its own, or stops them. They run on all processors that the
/// process may use, wherever the calling thread is pinned.
pub fn set_background_threads(on: bool) {
    // A thread may run where the one may that starts it; the process's number is that of its first, which is not pinned.
    let first = std::process::id() as libc::pid_t;
    let own = processors_of(0);
    let unpinned = processors_of(first).and_then(|processors| run_on(&processors));
    let written = tikv_jemalloc_ctl::background_thread::write(on);
    if let Err(error) = unpinned.and(own).and_then(|processors| run_on(&processors)) {
        tracing::warn!("The allocator's threads share a processor with a core: {error}");
    }
    if written.is_err() {
        tracing::warn!("The allocator has no background threads here.");
    }
}

/// On which processors a thread may run; 0 is the calling one.
#[allow(unsafe_code)]
fn processors_of(thread: libc::pid_t) -> io::Result<libc::cpu_set_t> {
    // SAFETY: a set of processors is plain bits, of which none being set is a state.
    let mut processors: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes at most so many bytes to the set, which lives through the call.
    let status = unsafe { libc::sched_getaffinity(thread, size_of_val(&processors), &raw mut processors) };
    if status == 0 { Ok(processors) } else { Err(io::Error::last_os_error()) }
}

/// Has the calling thread, and those that it starts, run on these processors.
#[allow(unsafe_code)]
fn run_on(processors: &libc::cpu_set_t) -> io::Result<()> {
    // SAFETY: the kernel reads so many bytes of the set, which lives through the call; 0 is the calling thread.
    let status = unsafe { libc::sched_setaffinity(0, size_of_val(processors), processors) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gives back what the calling thread keeps for itself.
pub fn flush_thread() {
    call(c"thread.tcache.flush");
}

/// Gives unused pages back to the system.
pub fn purge() {
    call(c"arena.4096.purge");
}

/// Gives the unused pages back of the arena from which the calling thread allocates.
pub fn purge_own() {
    let own = control(c"thread.arena", None);
    if let Some(name) = own.ok().and_then(|arena| CString::new(format!("arena.{arena}.purge")).ok()) {
        call(&name);
    }
}

/// Gives those unused pages back whose time has come.
pub fn decay() {
    call(c"arena.4096.decay");
}

/// Runs a control of the allocator that takes and gives nothing. One that it does not have changes nothing.
fn call(name: &CStr) {
    // What is unknown to this build of the allocator has nothing to do in it.
    let _ = act(name);
}

fn last_word_is(name: &CStr, words: &[&str]) -> bool {
    let last = name.to_bytes().rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    words.iter().any(|word| word.as_bytes() == last)
}

fn refused() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

/// Runs a control of the allocator that takes and gives nothing.
#[allow(unsafe_code)]
pub fn act(name: &CStr) -> io::Result<()> {
    use std::ptr::null_mut;
    if !last_word_is(name, &ACTING) {
        return Err(refused());
    }
    // SAFETY: the name ends in zero and lives through the call; null pointers say that nothing is read or written. What
    // these controls do, they do to memory that nobody uses.
    outcome(unsafe { tikv_jemalloc_sys::mallctl(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0) })
}

/// Reads a number of the allocator's, and changes it if `new` is given. How wide it is, the allocator knows.
#[allow(unsafe_code)]
pub fn control(name: &CStr, new: Option<u64>) -> io::Result<u64> {
    let of_all = name.to_bytes().starts_with(ALL_ARENAS.as_bytes());
    if of_all || (new.is_some() && !last_word_is(name, &CHANGED)) {
        return Err(refused());
    }
    let (mut old, mut last) = ([0_u8; size_of::<u64>()], Ok(()));
    for width in [8, 4, 1] {
        let mut length: usize = width;
        let mut bytes = new.unwrap_or(0).to_le_bytes();
        let (value, value_length) = match new {
            Some(_) => (bytes.as_mut_ptr().cast(), width),
            None => (std::ptr::null_mut(), 0),
        };
        // SAFETY: the name ends in zero; the pointers are to eight bytes each, of which at most `width` are read or
        // written. A number of another width is refused before anything is done.
        last = outcome(unsafe {
            let old = old.as_mut_ptr().cast();
            tikv_jemalloc_sys::mallctl(name.as_ptr(), old, &raw mut length, value, value_length)
        });
        match &last {
            Ok(()) => return Ok(u64::from_le_bytes(old)),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(_) => break,
        }
    }
    last.map(|()| 0)
}

/// The controls whose value is a text.
const TEXTS: [&CStr; 4] = [c"version", c"config.malloc_conf", c"opt.dss", c"opt.metadata_thp"];

/// Reads a text of the allocator's; `None` if the control has no text.
#[allow(unsafe_code)]
pub fn text(name: &CStr) -> Option<&'static CStr> {
    if !TEXTS.contains(&name) {
        return None;
    }
    let mut text: *const std::ffi::c_char = std::ptr::null();
    let mut length = size_of_val(&text);
    let target = (&raw mut text).cast();
    // SAFETY: the name ends in zero, and the control of this name writes a pointer, for which there is room.
    let read = unsafe { tikv_jemalloc_sys::mallctl(name.as_ptr(), target, &raw mut length, std::ptr::null_mut(), 0) };
    if read != 0 || text.is_null() {
        return None;
    }
    // SAFETY: the allocator's texts are constants of the library that end in zero.
    Some(unsafe { CStr::from_ptr(text) })
}

fn outcome(status: i32) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_read_and_changed_whatever_their_width() {
        let page = control(c"arenas.page", None).expect("every build has pages");
        assert!(page.is_power_of_two() && page >= 4096, "{page}");
        assert!(control(c"arenas.narenas", None).is_ok_and(|count| (1..10_000).contains(&count)), "32 bits wide");
        assert!(control(c"config.debug", None).is_ok_and(|on| on <= 1), "8 bits wide");
        prepare(false);
        assert_eq!(control(c"arenas.dirty_decay_ms", None).expect("a number"), DECAY_MILLIS);
        let missing = control(c"arenas.nothing", None).expect_err("no such control");
        assert_eq!(missing.raw_os_error(), Some(libc::ENOENT));
    }

    #[test]
    fn texts_are_read_by_name_alone() {
        assert!(text(c"version").is_some_and(|text| text.to_bytes().starts_with(b"5.")));
        assert_eq!(text(c"arenas.page"), None, "a number is no text");
        assert!(act(c"thread.tcache.flush").is_ok());
        assert!(act(c"thread.nothing").is_err());
        assert!(act(c"arena.0.destroy").is_err() && control(c"arena.0.extent_hooks", Some(0)).is_err());
        assert!(control(c"arena.4096.dirty_decay_ms", None).is_err());
    }
}
