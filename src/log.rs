//! The log: lines as Redis writes them, so that whatever reads its logs reads these.
//!
//! ```text
//! 4711:M 21 Nov 2026 04:00:00.123 * Ready to accept connections
//! pid  │ local time               │ message
//!      role                       level
//! ```
//!
//! The role is `M` for a master, `S` for a replica and `C` while the server starts. Levels are those of `tracing`:
//!
//! | `tracing` | mark | `loglevel` | meaning |
//! |---|---|---|---|
//! | `error`, `warn` | `#` | warning | needs attention |
//! | `info` | `*` | notice | an operator wants to see it |
//! | `debug` | `-` | verbose | rarely of use |
//! | `trace` | `.` | debug | for development |
//!
//! Every line is one `write`, so lines of several threads do not mix and a reader sees a line as soon as it is logged.
//! The file is opened for every line: it can be moved away at any time, and the next line makes a new one.

use std::ffi::CString;
use std::fmt::{self, Write as _};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use shard::config::Config;
use shard::config::types::choices::{LogLevel, SyslogFacility};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::sys;

/// What the server is, for the letter in each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Starting.
    Starting = b'C' as isize,
    /// A master.
    Master = b'M' as isize,
    /// A replica.
    Replica = b'S' as isize,
}

static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Notice as u8);
static ROLE: AtomicU8 = AtomicU8::new(Role::Starting as u8);
static SYSLOG: AtomicBool = AtomicBool::new(false);
static FILE: OnceLock<PathBuf> = OnceLock::new();

/// Sends all events of the process to the log that `config` describes. The file, if there is one, is taken from the
/// working directory; an error says that it cannot be written.
pub fn init(config: &Config) -> io::Result<()> {
    LEVEL.store(config.loglevel as u8, Ordering::Relaxed);
    if !config.logfile.is_empty() {
        let path = std::path::absolute(&config.logfile)?;
        append(&path, b"")?;
        // A second call would name the same file, since the directive is fixed at start-up.
        let _ = FILE.set(path);
    }
    if config.syslog_enabled {
        let ident = CString::new(config.syslog_ident.as_str()).unwrap_or_else(|_| c"tessera".to_owned());
        sys::open_syslog(Box::leak(ident.into_boxed_c_str()), facility_number(config.syslog_facility));
        SYSLOG.store(true, Ordering::Relaxed);
    }
    // Only the first subscriber of a process is taken, which is this one except in tests.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Lines));
    Ok(())
}

/// Changes the least important level that is logged.
pub fn set_level(level: LogLevel) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

/// Changes the letter in each line.
pub fn set_role(role: Role) {
    ROLE.store(role as u8, Ordering::Relaxed);
}

/// The file that is logged to, if it is not standard output.
pub fn file() -> Option<&'static Path> {
    FILE.get().map(PathBuf::as_path)
}

/// Writes text that is no line, such as a banner, whatever the level.
pub fn raw(text: &str) {
    write(text.as_bytes());
}

/// Turns events into lines.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= least_level()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(least_level()))
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        let level = *event.metadata().level();
        write(line(level, &message.text, SystemTime::now()).as_bytes());
        if SYSLOG.load(Ordering::Relaxed) {
            let text = CString::new(message.text.replace('\0', " ")).expect("zeros were replaced");
            sys::syslog(priority(level), &text);
        }
    }
}

/// The least important level of `tracing` that is logged.
fn least_level() -> Level {
    match LEVEL.load(Ordering::Relaxed) {
        level if level == LogLevel::Debug as u8 => Level::TRACE,
        level if level == LogLevel::Verbose as u8 => Level::DEBUG,
        level if level == LogLevel::Notice as u8 => Level::INFO,
        _ => Level::WARN,
    }
}

/// A whole line, with the time `now`.
fn line(level: Level, message: &str, now: SystemTime) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = sys::local_time(since_1970.as_secs() as i64);
    format!(
        "{}:{} {:02} {} {} {:02}:{:02}:{:02}.{:03} {} {message}\n",
        std::process::id(),
        char::from(ROLE.load(Ordering::Relaxed)),
        time.day,
        MONTHS[time.month],
        time.year,
        time.hour,
        time.minute,
        time.second,
        since_1970.subsec_millis(),
        mark(level),
    )
}

fn mark(level: Level) -> char {
    match level {
        Level::TRACE => '.',
        Level::DEBUG => '-',
        Level::INFO => '*',
        _ => '#',
    }
}

fn priority(level: Level) -> i32 {
    match level {
        Level::TRACE => libc::LOG_DEBUG,
        Level::DEBUG => libc::LOG_INFO,
        Level::INFO => libc::LOG_NOTICE,
        _ => libc::LOG_WARNING,
    }
}

fn facility_number(facility: SyslogFacility) -> i32 {
    match facility {
        SyslogFacility::User => libc::LOG_USER,
        SyslogFacility::Local0 => libc::LOG_LOCAL0,
        SyslogFacility::Local1 => libc::LOG_LOCAL1,
        SyslogFacility::Local2 => libc::LOG_LOCAL2,
        SyslogFacility::Local3 => libc::LOG_LOCAL3,
        SyslogFacility::Local4 => libc::LOG_LOCAL4,
        SyslogFacility::Local5 => libc::LOG_LOCAL5,
        SyslogFacility::Local6 => libc::LOG_LOCAL6,
        SyslogFacility::Local7 => libc::LOG_LOCAL7,
    }
}

/// Writes to where the log goes. A log that cannot be written has nowhere to complain to.
fn write(bytes: &[u8]) {
    let _ = if let Some(path) = FILE.get() {
        append(path, bytes)
    } else {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    };
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

/// The text of an event: its message, then its other fields as `name=value`.
#[derive(Default)]
struct Message {
    text: String,
}

impl Message {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let mut part = String::new();
        if field.name() != "message" {
            part = format!(" {}=", field.name());
        }
        // Writing to a string does not fail.
        let _ = part.write_fmt(value);
        let text = part.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '?' } else { c });
        if field.name() == "message" {
            self.text.insert_str(0, &text.collect::<String>());
        } else {
            self.text.extend(text);
        }
    }
}

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests;
