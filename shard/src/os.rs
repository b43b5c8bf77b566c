//! What the operating system tells about this process.
//!
//! The only calls into libc of this crate are here, each wrapped so that it cannot be used wrongly.

#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::AsRawFd;

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

/// Has the kernel begin to write a range of bytes of a file to its disk, and if it `waits`, waits until they are there.
/// Nothing is promised by that: what the file system itself notes of the file is not written, nor is the disk's own cache.
pub fn write_back(file: &File, range: Range<u64>, waits: bool) -> io::Result<()> {
    let around = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let flags = libc::SYNC_FILE_RANGE_WRITE | if waits { around } else { 0 };
    let [start, bytes] = [range.start, range.end - range.start].map(libc::off64_t::try_from);
    let (Ok(start), Ok(bytes)) = (start, bytes) else { return Err(io::ErrorKind::InvalidInput.into()) };
    // SAFETY: the descriptor is open for as long as the file is borrowed; the call takes no pointer.
    let failed = unsafe { libc::sync_file_range(file.as_raw_fd(), start, bytes, flags) } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
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

/// The memory that this process may have, in bytes: all of the machine's, or what its control group is allowed. Read once.
pub fn memory_allowed_bytes() -> u64 {
    static ALLOWED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *ALLOWED.get_or_init(|| {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        cgroup_limits(&groups, |file| std::fs::read_to_string(file).ok()).fold(memory_bytes(), u64::min)
    })
}

/// The limits on memory of a process's control groups, as `/proc/self/cgroup` names them, and of the groups around those.
/// In a container the path that it names may not exist: then the group is the root of what is mounted.
fn cgroup_limits(groups: &str, read: impl Fn(&str) -> Option<String>) -> impl Iterator<Item = u64> {
    let mut limits = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let mut group = path.trim_end_matches('/');
        loop {
            let limit = read(&format!("{root}{group}/{file}"));
            limits.extend(limit.and_then(|text| text.trim().parse::<u64>().ok()));
            let Some(parent) = group.rfind('/') else { break };
            group = &group[..parent];
        }
    }
    limits.into_iter()
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
    fn a_control_group_is_limited_by_those_around_it() {
        let files = |file: &str| match file {
            "/sys/fs/cgroup/a/b/memory.max" => Some("max\n".to_owned()),
            "/sys/fs/cgroup/a/memory.max" => Some("5000\n".to_owned()),
            "/sys/fs/cgroup/memory/c/memory.limit_in_bytes" => Some("7000\n".to_owned()),
            "/sys/fs/cgroup/memory/memory.limit_in_bytes" => Some("9223372036854771712\n".to_owned()),
            _ => None,
        };
        let limits = |groups: &str| cgroup_limits(groups, files).collect::<Vec<_>>();
        assert_eq!(limits("0::/a/b\n"), [5000]);
        assert_eq!(limits("4:cpu,memory:/c/gone\n3:pids:/a\n0::/\n"), [7000, 9_223_372_036_854_771_712]);
        assert_eq!(limits("nonsense"), [] as [u64; 0]);
        assert!((1 << 20..=memory_bytes()).contains(&memory_allowed_bytes()));
    }

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
