//! What the operating system offers and the standard library does not: the only unsafe code of the binary besides the
//! signal handlers in `signal.rs`.
//!
//! Every function is a thin, safe wrapper; the decisions are elsewhere.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A resource with a soft and a hard limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Open files.
    OpenFiles,
    /// Bytes of locked memory.
    LockedMemory,
}

impl Resource {
    fn number(self) -> libc::__rlimit_resource_t {
        match self {
            Self::OpenFiles => libc::RLIMIT_NOFILE,
            Self::LockedMemory => libc::RLIMIT_MEMLOCK,
        }
    }
}

/// The limits of a resource; `u64::MAX` means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What is in force.
    pub soft: u64,
    /// How far the process itself may raise it.
    pub hard: u64,
}

/// The limits of `resource`.
pub fn limits(resource: Resource) -> io::Result<Limits> {
    let mut raw = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is valid for the call to fill.
    let result = unsafe { libc::getrlimit(resource.number(), &raw mut raw) };
    if result == 0 { Ok(Limits { soft: raw.rlim_cur, hard: raw.rlim_max }) } else { Err(io::Error::last_os_error()) }
}

/// Changes the limits of `resource`.
pub fn set_limits(resource: Resource, limits: Limits) -> io::Result<()> {
    let raw = libc::rlimit { rlim_cur: limits.soft, rlim_max: limits.hard };
    // SAFETY: the structure is valid for the call to read.
    let result = unsafe { libc::setrlimit(resource.number(), &raw const raw) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The process that asked.
    Parent,
    /// The new process.
    Child,
}

/// Forks. Must be called while the process has one thread, so that the child is whole; fails if it has more.
pub fn fork() -> io::Result<Forked> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        return Err(io::Error::other("a process with several threads cannot go to the background"));
    }
    // SAFETY: there is one thread, so no lock is held by a thread that the child lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        _ => Ok(Forked::Parent),
    }
}

/// Makes the process the leader of a session without a terminal, with its three standard streams at `/dev/null`.
pub fn detach() -> io::Result<()> {
    // SAFETY: the call has no arguments and changes no memory.
    if unsafe { libc::setsid() } == -1 {
        return Err(io::Error::last_os_error());
    }
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for stream in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: `null` is open for the call; the standard streams are not owned by any Rust object.
        if unsafe { libc::dup2(null.as_raw_fd(), stream) } == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// The time of day, broken down for this machine's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The year.
    pub year: i32,
    /// The month, 0 to 11.
    pub month: usize,
    /// The day of the month, from 1.
    pub day: i32,
    /// The hour.
    pub hour: i32,
    /// The minute.
    pub minute: i32,
    /// The second.
    pub second: i32,
}

/// Breaks down a number of seconds since 1970.
pub fn local_time(unix_seconds: i64) -> LocalTime {
    let mut raw = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; a `tm` of zeros is a valid value if the call fails.
    let raw = unsafe {
        libc::localtime_r(&raw const unix_seconds, raw.as_mut_ptr());
        raw.assume_init()
    };
    LocalTime {
        year: raw.tm_year + 1900,
        month: raw.tm_mon.clamp(0, 11) as usize,
        day: raw.tm_mday,
        hour: raw.tm_hour,
        minute: raw.tm_min,
        second: raw.tm_sec,
    }
}

/// Opens the connection to the system logger. `ident` is kept by the logger.
pub fn open_syslog(ident: &'static CStr, facility: i32) {
    // SAFETY: the identity lives as long as the process.
    unsafe { libc::openlog(ident.as_ptr(), libc::LOG_PID | libc::LOG_NDELAY | libc::LOG_NOWAIT, facility) };
}

/// Sends a message to the system logger.
pub fn syslog(priority: i32, message: &CStr) {
    // SAFETY: the format takes exactly one string, which is terminated.
    unsafe { libc::syslog(priority, c"%s".as_ptr(), message.as_ptr()) };
}

/// Keeps transparent huge pages from this process.
pub fn disable_huge_pages() -> io::Result<()> {
    // SAFETY: this option of prctl takes integers only.
    let result = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Stops the process until somebody continues it, which is how upstart is told that a server is ready.
pub fn stop_self() {
    // SAFETY: raising a signal changes no memory.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// A counter that one thread waits for and others, signal handlers included, may ring.
pub struct Bell(File);

impl Bell {
    /// A bell that nobody rang yet.
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes two integers and returns a descriptor or -1.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        if fd == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and nobody else knows it.
        Ok(Self(File::from(unsafe { OwnedFd::from_raw_fd(fd) })))
    }

    /// Rings; safe in a signal handler.
    pub fn ring(&self) {
        ring(self.0.as_raw_fd());
    }

    /// The descriptor for [`ring`].
    pub fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Waits until somebody rang since the last wait. A signal ends the wait as well.
    pub fn wait(&self) -> io::Result<()> {
        use std::io::Read;
        match (&self.0).read(&mut [0; 8]) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Rings the bell with this descriptor; safe in a signal handler.
pub fn ring(descriptor: i32) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: the eight bytes live through the call. A counter that is full was rung often enough.
    unsafe { libc::write(descriptor, one.as_ptr().cast(), one.len()) };
}

/// The memory in which the kernel keeps the command line of this process, to be overwritten with a title.
///
/// The kernel shows what lies between `arg_start` and `arg_end`, or, if the last byte of the arguments is not zero,
/// what lies before the first zero, even in the environment behind them. Both are one block, laid out when the process
/// began.
pub struct TitleMemory {
    start: *mut u8,
    arguments: usize,
    length: usize,
}

// SAFETY: the block belongs to whoever holds the only `TitleMemory`.
unsafe impl Send for TitleMemory {}

impl TitleMemory {
    /// Takes the block. The environment is copied out of it first; the arguments must have been read already.
    ///
    /// Call once, before there are threads: nobody else may look at the environment meanwhile.
    pub fn take() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name in parentheses may hold anything; the numbered fields begin behind it with the third.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<usize>().ok();
        let (arg_start, arg_end, env_start, env_end) = (field(48)?, field(49)?, field(50)?, field(51)?);
        if arg_start == 0 || arg_end <= arg_start || env_start != arg_end || env_end < env_start {
            return None;
        }
        for (name, value) in std::env::vars_os() {
            // SAFETY: there is one thread. Setting a variable to its value moves it to memory of its own.
            unsafe { std::env::set_var(name, value) };
        }
        let start = std::ptr::with_exposed_provenance_mut(arg_start);
        Some(Self { start, arguments: arg_end - arg_start, length: env_end - arg_start })
    }

    /// Writes a title, cut to what fits.
    pub fn write(&mut self, title: &str) {
        // SAFETY: the block is mapped and writable for as long as the process lives, nobody reads the arguments or the
        // environment from it any more, and `self` is the only handle.
        let block = unsafe { std::slice::from_raw_parts_mut(self.start, self.length) };
        block.fill(0);
        let length = title.len().min(self.length - 1);
        block[..length].copy_from_slice(&title.as_bytes()[..length]);
        // A byte that is not zero at the end of the arguments tells the kernel to show the text up to the first zero.
        if length + 1 < self.arguments {
            block[self.arguments - 1] = b'.';
        }
    }
}

#[cfg(test)]
mod tests;
