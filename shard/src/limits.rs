//! The limits of a core, each with its unit.

/// A connection with so many commands on their way to shards is not read.
pub const IN_FLIGHT_COMMANDS_MAX: usize = 4096;

/// A connection with so many bytes on their way to shards is not read.
pub const IN_FLIGHT_BYTES_MAX: usize = 1 << 20;

/// A connection's commands in flight are so few that replies as large as its recent ones would stay below this, in bytes:
/// what is not read by the client must not pile up here.
pub const REPLIES_IN_FLIGHT_BYTES: usize = 16 << 20;

/// What a reply is taken for before there was one, in bytes.
pub const REPLY_BYTES_GUESS: usize = 512 << 10;

/// Replies wait for those behind them that are on their way from other shards, for at most so many microseconds.
pub const WITHHELD_MICROS_MAX: u64 = 300;

/// A connection with more output than this is written at once, in bytes.
pub const WITHHELD_BYTES_MAX: usize = 128 << 10;

/// So many bytes of output never pass `client-output-buffer-limit`: Redis's fixed reply buffer.
pub const OUTPUT_BYTES_FREE: usize = 16 << 10;

/// A slice of background work (sweep, freeing) ends after so many microseconds.
pub const SLICE_MICROS: u64 = 100;

/// A script that takes longer gives way to others, in microseconds; with much to do besides, already after the lesser one.
pub const SCRIPT_SLICE_MICROS_MAX: u64 = 1000;
/// A script that is driven on runs for so long at least, in microseconds.
pub const SCRIPT_SLICE_MICROS_MIN: u64 = 100;

/// Items freed between two looks at the clock.
pub const FREE_ITEMS_PER_STEP: usize = 64;

/// Items freed within a command that frees what it removes, about: a millisecond's work. More than that is freed in slices
/// behind it.
pub const FREE_ITEMS_AT_ONCE: usize = 10_000;
const _: () = assert!(FREE_ITEMS_AT_ONCE > FREE_ITEMS_PER_STEP);

/// Between two rounds of a core's housekeeping while it works, in milliseconds.
pub const CRON_BUSY_MILLIS: i64 = 100;

/// Between two rounds of a core's housekeeping while it idles, in milliseconds.
pub const CRON_IDLE_MILLIS: i64 = 1000;

/// An element of a list of so many bytes stands alone, unless `DEBUG QUICKLIST-PACKED-THRESHOLD` says otherwise.
pub const PACKED_THRESHOLD_DEFAULT: u64 = 1 << 30;

const _: () = assert!(SCRIPT_SLICE_MICROS_MIN < SCRIPT_SLICE_MICROS_MAX);
const _: () = assert!(CRON_BUSY_MILLIS < CRON_IDLE_MILLIS);
const _: () = assert!(IN_FLIGHT_COMMANDS_MAX > 256, "a tick's worth of commands fits");
