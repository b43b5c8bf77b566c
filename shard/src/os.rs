//! What the operating system tells about this process.
//!
//! The only calls into libc of this crate are here, each wrapped so that it cannot be used wrongly.

#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Processor time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// Spent in the program.
    pub user_micros: u64,
    /// Spent in the kernel for it.
    pub system_micros: u64,
}

/// Whose processor time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuOf {
    /// All threads of this process.
    Process,
    /// Processes that this one started and that ended.
    Children,
    /// The calling thread.
    Thread,
}

/// The processor time that was used so far.
pub fn cpu_time(of: CpuOf) -> CpuTime {
    let who = match of {
        CpuOf::Process => libc::RUSAGE_SELF,
        CpuOf::Children => libc::RUSAGE_CHILDREN,
        CpuOf::Thread => libc::RUSAGE_THREAD,
    };
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is to a whole rusage, which the call writes and does not keep.
    let failed = unsafe { libc::getrusage(who, usage.as_mut_ptr()) } != 0;
    if failed {
        return CpuTime::default();
    }
    // SAFETY: the call succeeded, so the kernel has written all of it.
    let usage = unsafe { usage.assume_init() };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    CpuTime { user_micros: micros(usage.ru_utime), system_micros: micros(usage.ru_stime) }
}

/// Ends the process as an access to memory that is not there does, unless that signal is ignored.
pub fn raise_segmentation_fault() {
    // SAFETY: raising a signal touches no memory of ours; its handler is made for being called at any point.
    unsafe { libc::raise(libc::SIGSEGV) };
}

/// The system's name, release and processor, as `uname -srm` shows them.
pub fn name() -> String {
    let read = |what: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{what}")).unwrap_or_default();
    format!("{} {} {}", read("ostype").trim(), read("osrelease").trim(), std::env::consts::ARCH)
}

/// All memory of the machine, in bytes.
pub fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    kibibytes.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Memory of this process that is in the machine's memory, in bytes.
pub fn resident_bytes() -> usize {
    const PAGE_BYTES: usize = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|number| number.parse::<usize>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_true_figures() {
        assert!(name().starts_with("Linux "));
        assert!(memory_bytes() > 16 << 20);
        assert!(resident_bytes() > 1 << 20);
        let before = cpu_time(CpuOf::Process);
        // A kernel that counts in ticks may take some of them for its own.
        let mut sum = 0u64;
        let takes_time = (0..100).any(|_| {
            (0..30_000_000u64).for_each(|i| sum = std::hint::black_box(sum ^ i));
            cpu_time(CpuOf::Process).user_micros > before.user_micros
        });
        assert!(takes_time, "work takes time {sum}");
    }
}
