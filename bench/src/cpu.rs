//! What the kernel says about processes, and on which cores they may run.

use std::io;
use std::mem;
use std::time::Duration;

/// Cores for the server and for what loads it.
pub struct Cores {
    /// The server's.
    pub server: Vec<usize>,
    /// The load generator's.
    pub load: Vec<usize>,
    /// Threads of the load generator.
    pub load_threads: usize,
}

impl Cores {
    /// `count` cores for the server and as many others for the load; they share where there are too few.
    pub fn split(count: usize) -> io::Result<Self> {
        let all = allowed()?;
        let server: Vec<usize> = all.iter().copied().take(count).collect();
        let rest: Vec<usize> = all.iter().copied().skip(count).take(count.max(2)).collect();
        Ok(Self { load: if rest.is_empty() { all } else { rest }, server, load_threads: 1 })
    }

    /// The first `count` of `most` cores for the server; the load is the same whatever `count` is: a thread for each of the
    /// `most` cores, on others if there are enough, else on all. A load that could not keep `most` cores busy, or that
    /// crowded one of them alone, would measure how cores fall asleep and wake.
    pub fn of_several(count: usize, most: usize) -> io::Result<Self> {
        let all = allowed()?;
        let server: Vec<usize> = all.iter().copied().take(count).collect();
        let rest: Vec<usize> = all.iter().copied().skip(most).take(most).collect();
        Ok(Self { load: if rest.len() < most { all } else { rest }, server, load_threads: most })
    }
}

/// Runs `start` confined to `cores`: a process that it starts inherits them.
pub fn on_cores<T>(cores: &[usize], start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = allowed()?;
    confine(cores)?;
    let outcome = start();
    confine(&before)?;
    outcome
}

fn allowed() -> io::Result<Vec<usize>> {
    // SAFETY: an all-zero cpu_set_t is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: the kernel fills the set whose size and address it is given; 0 is the calling thread.
    let outcome = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: CPU_ISSET reads one bit of a set that holds CPU_SETSIZE of them.
    Ok((0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect())
}

fn confine(cores: &[usize]) -> io::Result<()> {
    // SAFETY: an all-zero cpu_set_t is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for &core in cores {
        // SAFETY: the core's number comes from the kernel and is below CPU_SETSIZE.
        unsafe { libc::CPU_SET(core, &mut set) };
    }
    // SAFETY: the kernel reads the set whose size and address it is given; 0 is the calling thread.
    let outcome = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// CPU time that process `pid` has used in all its threads, user and system, to the nanosecond. Time that a hypervisor gave
/// to others is not in it, where the kernel is told of that.
pub fn time_of(pid: u32) -> io::Result<Duration> {
    let mut clock = 0;
    // SAFETY: the clock's number is written where the pointer leads.
    let outcome = unsafe { libc::clock_getcpuclockid(pid.cast_signed(), &raw mut clock) };
    if outcome != 0 {
        return Err(io::Error::from_raw_os_error(outcome));
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written where the pointer leads.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32))
}

/// Resident memory of process `pid`, in bytes.
pub fn rss_bytes(pid: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other(format!("process {pid} has no VmRSS")))
}

/// Whether process `pid` has started another one that is still there.
pub fn has_child(pid: u32) -> io::Result<bool> {
    Ok(!std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?.trim().is_empty())
}

/// Raises the number of files this process and its children may open, and returns it.
pub fn raise_file_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit fills the struct whose address it is given.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: setrlimit reads the struct, which is filled.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}

/// The machine in a few words: processor, cores, kernel.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = allowed().map_or(0, |cores| cores.len());
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {}, Linux {}", model.unwrap_or("an unnamed processor"), kernel.trim())
}
