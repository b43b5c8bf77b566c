//! What the kernel knows about a process, and what it lets us do to one.

use std::time::Duration;

/// Resident memory of process `pid`, in bytes.
pub fn rss_bytes(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:") * 1024
}

fn status_kib(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the kernel reports it");
    line.trim_end_matches("kB").trim().parse().expect("a number of KiB")
}

/// On which processors the threads called `name` of process `pid` may run, as the kernel lists them.
pub fn processors_of_threads(pid: u32, name: &str) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    // A thread may end between two looks.
    let states = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("status")).ok());
    let field =
        |state: &str, name| state.lines().find_map(|line| line.strip_prefix(name)).map(|it| it.trim().to_owned());
    let of_that_name = states.filter(|state| field(state, "Name:").as_deref() == Some(name));
    of_that_name.filter_map(|state| field(&state, "Cpus_allowed_list:")).collect()
}

/// CPU time that process `pid` has used, user and system.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let after_name = &stat[stat.rfind(')').expect("the name ends") + 2..];
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 1000 / ticks_per_second())
}

/// After how many seconds of silence the kernel probes the peer of the socket between these two ports of the loopback
/// address, as seen from `local`; `None` if it never does.
pub fn keepalive_seconds(local: u16, peer: u16) -> Option<u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel lists its sockets");
    let (local, peer) = (format!("0100007F:{local:04X}"), format!("0100007F:{peer:04X}"));
    let rows = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| row[1] == local && row[2] == peer).expect("the sockets are connected");
    // The kind of the timer that runs, 2 for this one, and the ticks that are left.
    let (kind, ticks) = row[5].split_once(':').expect("the kernel's format");
    let ticks = u64::from_str_radix(ticks, 16).expect("a number of ticks");
    (kind == "02").then(|| ticks.div_ceil(ticks_per_second()))
}

fn ticks_per_second() -> u64 {
    // SAFETY: sysconf only reads a constant of the system.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).expect("the clock ticks")
}

/// Sends `signal` to the process `pid` that a test started.
pub fn signal(pid: u32, signal: i32) {
    // SAFETY: kill takes two numbers; the process is a child of ours that was not waited for, so its id is its own.
    let outcome = unsafe { libc::kill(pid as i32, signal) };
    assert_eq!(outcome, 0, "kill({pid}, {signal}): {}", std::io::Error::last_os_error());
}

/// Raises the number of files this process may open to the hard limit, and returns it. Children inherit it.
pub fn raise_file_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit fills the struct whose address it is given.
    let outcome = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    assert_eq!(outcome, 0, "getrlimit: {}", std::io::Error::last_os_error());
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: setrlimit reads the struct, which is filled.
    let outcome = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(outcome, 0, "setrlimit: {}", std::io::Error::last_os_error());
    limit.rlim_cur
}

/// Lets no file of the process `pid` that a test started grow above so many bytes.
pub fn limit_file_size(pid: u32, bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: prlimit reads the struct whose address it is given, and writes nothing to a null pointer.
    let outcome = unsafe { libc::prlimit(pid as i32, libc::RLIMIT_FSIZE, &raw const limit, std::ptr::null_mut()) };
    assert_eq!(outcome, 0, "prlimit: {}", std::io::Error::last_os_error());
}
