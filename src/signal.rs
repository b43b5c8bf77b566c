//! Signals: the two that ask the server to end, and those by which it crashes.
//!
//! A handler runs between any two instructions of any thread, so it does next to nothing: SIGTERM and SIGINT leave a
//! note and ring the main thread's bell, and the main thread reads the note with [`take_request`]. Another one while the
//! server is going down because of a signal means that somebody insists: the process ends at once. SIGHUP, SIGPIPE
//! and SIGXFSZ are ignored.
//!
//! SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT are reported in the log with what is known, the return addresses of the
//! thread among it, and then raised again, so that the parent sees the signal and the kernel writes its core file. The
//! report allocates nothing and takes no lock: it formats into a buffer on the stack and calls `write`. A Rust panic
//! in any thread ends here, too: a hook logs its message and aborts.
//!
//! All of this module's unsafe code is system calls with valid pointers; what needs an argument is marked.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::sys::{self, Bell};

/// A signal that asks the server to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// SIGTERM, as supervisors send it.
    Terminate,
    /// SIGINT, as a terminal sends it.
    Interrupt,
}

impl Request {
    /// The signal's name.
    pub const fn name(self) -> &'static str {
        match self {
            Request::Terminate => "SIGTERM",
            Request::Interrupt => "SIGINT",
        }
    }
}

/// The signal number that was not looked at yet, or 0.
static REQUESTED: AtomicI32 = AtomicI32::new(0);
/// Whether the server is going down because of a signal.
static ENDING: AtomicBool = AtomicBool::new(false);
/// The descriptor of the main thread's bell, or -1.
static BELL: AtomicI32 = AtomicI32::new(-1);
/// Whether crashes are reported.
static REPORTS: AtomicBool = AtomicBool::new(true);
/// Whether a panic ends the process without a report.
static EXITS_ON_PANIC: AtomicBool = AtomicBool::new(false);
/// Whether a report is being written.
static REPORTING: AtomicBool = AtomicBool::new(false);
/// Where reports go; standard output if it is not set.
static REPORT_FILE: OnceLock<CString> = OnceLock::new();

/// The snapshot that is being written, in the working directory, if there is one.
static TEMPORARY_FILE: OnceLock<CString> = OnceLock::new();

/// The signals that mean a crash.
const CRASHES: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];
/// How many return addresses a report holds at most.
const FRAMES_MAX: usize = 100;

/// Installs all handlers. `bell` is rung when somebody asks the server to end and must live as long as the process;
/// crashes are reported to `log_file` or standard output.
pub fn install(bell: &'static Bell, log_file: Option<&Path>) {
    BELL.store(bell.descriptor(), Ordering::Relaxed);
    if let Some(path) = log_file.and_then(|path| CString::new(path.as_os_str().as_bytes()).ok()) {
        let _ = REPORT_FILE.set(path);
    }
    if let Ok(path) = CString::new(shard::snapshot::temporary_name()) {
        let _ = TEMPORARY_FILE.set(path);
    }
    ignore(libc::SIGHUP);
    ignore(libc::SIGPIPE);
    // A file that may not grow is an error where it is written.
    ignore(libc::SIGXFSZ);
    handle(libc::SIGTERM, on_request as *const () as usize, 0);
    handle(libc::SIGINT, on_request as *const () as usize, 0);
    load_unwinder();
    for signal in CRASHES {
        handle(signal, on_crash as *const () as usize, libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER);
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
        let payload = panic.payload();
        let owned = payload.downcast_ref::<String>().map(String::as_str);
        let words = owned.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("panic");
        tracing::error!("=== ASSERTION FAILED ===");
        tracing::error!("==> {place} '{words}' is not true");
        if EXITS_ON_PANIC.load(Ordering::Relaxed) {
            std::process::exit(1);
        }
        // The other threads would wait for this one for ever.
        std::process::abort();
    }));
}

/// The signal that asked the server to end, if one did since the last call.
pub fn take_request() -> Option<Request> {
    match REQUESTED.swap(0, Ordering::AcqRel) {
        0 => None,
        libc::SIGINT => Some(Request::Interrupt),
        _ => Some(Request::Terminate),
    }
}

/// The server does not go down after all: another signal asks it again, instead of ending the process at once.
pub fn stay() {
    ENDING.store(false, Ordering::Release);
}

/// Says whether crashes are reported (`crash-log-enabled`).
pub fn set_reports(reports: bool) {
    REPORTS.store(reports, Ordering::Relaxed);
}

/// Says whether a panic ends the process by `exit` (`use-exit-on-panic`), for tests that look at how it ended.
pub fn set_exits_on_panic(exits: bool) {
    EXITS_ON_PANIC.store(exits, Ordering::Relaxed);
}

fn ignore(signal: i32) {
    // SAFETY: ignoring a signal installs no code.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

fn handle(signal: i32, handler: usize, flags: i32) {
    // SAFETY: a structure of zeros is a valid `sigaction`, and so is what is made of it.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: `handler` is one of the two functions below, with the signature that `flags` promises; both only do what
    // is allowed in a handler.
    unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
}

/// Makes the unwinder load and initialise what it needs, which allocates, so that a report does not have to.
fn load_unwinder() {
    let mut frames = [ptr::null_mut(); 2];
    // SAFETY: the array has as many elements as said.
    unsafe { libc::backtrace(frames.as_mut_ptr(), frames.len() as i32) };
}

extern "C" fn on_request(signal: i32) {
    if ENDING.swap(true, Ordering::AcqRel) {
        Report::to_log().text("You insist... exiting now.\n");
        if let Some(path) = TEMPORARY_FILE.get() {
            // SAFETY: the path is terminated and lives as long as the process. A file that is not there does no harm.
            unsafe { libc::unlink(path.as_ptr()) };
        }
        // SAFETY: ends the process without running anything else.
        unsafe { libc::_exit(1) };
    }
    REQUESTED.store(signal, Ordering::Release);
    sys::ring(BELL.load(Ordering::Relaxed));
}

extern "C" fn on_crash(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    if REPORTS.load(Ordering::Relaxed) && !REPORTING.swap(true, Ordering::AcqRel) {
        report(signal, info);
    }
    // SAFETY: the default action is taken when the signal is raised again, now or on return from this handler.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Writes everything that is known about a crash.
fn report(signal: i32, info: *mut libc::siginfo_t) {
    let mut report = Report::to_log();
    report.text("\n\n=== REDIS BUG REPORT START: what follows describes the crash of this server ===\n");
    report.head().text("Tessera ").text(env!("CARGO_PKG_VERSION"));
    report.text(" crashed by signal: ").number(signal as u64);
    if !info.is_null() {
        // SAFETY: the kernel passed a valid structure, and these signals carry an address or a sender.
        let (code, address, sender) = unsafe { ((*info).si_code, (*info).si_addr() as u64, (*info).si_pid()) };
        report.text(", si_code: ").signed(i64::from(code)).text("\n");
        // A code that is not positive says that a process sent the signal.
        if code > 0 {
            report.head().text("Accessing address: 0x").hex(address);
        } else {
            report.head().text("Sent by the process ").signed(i64::from(sender));
        }
    }
    report.text("\n\n------ STACK TRACE ------\n");
    let mut frames = [ptr::null_mut(); FRAMES_MAX];
    // SAFETY: the array has as many elements as said, and the unwinder was loaded before. The symbols are written to a
    // descriptor without allocating.
    unsafe {
        let found = libc::backtrace(frames.as_mut_ptr(), frames.len() as i32);
        libc::backtrace_symbols_fd(frames.as_ptr(), found, report.descriptor);
    }
    report.text(
        "\n=== REDIS BUG REPORT END. The addresses above belong to this very executable; keep it with them. ===\n",
    );
}

/// Text on its way to the log, without allocation.
struct Report {
    descriptor: i32,
}

impl Report {
    fn to_log() -> Self {
        let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
        let opened = REPORT_FILE.get().map(|path| {
            // SAFETY: the path is terminated and lives as long as the process.
            unsafe { libc::open(path.as_ptr(), flags, 0o644) }
        });
        Self { descriptor: opened.filter(|descriptor| *descriptor >= 0).unwrap_or(libc::STDOUT_FILENO) }
    }

    fn text(&mut self, text: &str) -> &mut Self {
        // SAFETY: the bytes live through the call. A report that cannot be written is lost.
        unsafe { libc::write(self.descriptor, text.as_ptr().cast(), text.len()) };
        self
    }

    /// The beginning of a line, without the time, which cannot be told here.
    fn head(&mut self) -> &mut Self {
        self.number(u64::from(std::process::id())).text(":crash # ")
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.digits(number, 10)
    }

    fn hex(&mut self, number: u64) -> &mut Self {
        self.digits(number, 16)
    }

    fn signed(&mut self, number: i64) -> &mut Self {
        if number < 0 {
            self.text("-");
        }
        self.number(number.unsigned_abs())
    }

    fn digits(&mut self, mut number: u64, base: u64) -> &mut Self {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdef"[(number % base) as usize];
            number /= base;
            if number == 0 {
                break;
            }
        }
        self.text(std::str::from_utf8(&digits[at..]).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
