//! Every bound of this crate, with its unit in its name.
//!
//! Those that configuration can change (`proto-max-bulk-len`, `client-query-buffer-limit`) are not here: the service
//! tells them through [`crate::service::InputLimits`].

use std::time::Duration;

/// Commands that one connection may run in one tick; the rest waits for the next, so that others get their turn.
pub const COMMANDS_PER_TICK: u32 = 256;
/// Bytes of input after which a connection's turn in a tick is over.
pub const INPUT_BYTES_PER_TICK: usize = 64 * 1024;
/// Completions after which a tick stops asking the kernel for more.
pub const COMPLETIONS_PER_TICK: usize = 256;
/// Bytes in pieces after which it does not either: most of what one connection sends at once is kept, not executed. An
/// enter brings as many more before a connection is told to wait.
pub const RECEIVED_BYTES_PER_TICK: usize = 256 * 1024;

/// Completions that the kernel makes at least in one enter, if so many are due (since Linux 6.13; all of them before).
pub const COMPLETIONS_PER_ENTER: usize = 20;

/// Size of one receive buffer: whole pages, so that it can be given back to the kernel by itself; what a short piece does
/// not touch takes no memory.
pub const BUFFER_BYTES: usize = 16 * 1024;
/// A piece that is longer than this touches more of its buffer than short ones do.
pub const SHORT_PIECE_BYTES: usize = 4096;
/// Receive buffers of a core. Those never used take no memory.
pub const BUFFERS: usize = 4096;
/// Receive buffers offered to the kernel at first and at least; more are offered as bursts need them.
pub const BUFFERS_OFFERED_MIN: usize = 128;

/// Longest line of the protocol: an inline command, or the digits of a length.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Most arguments of a command.
pub const ARGUMENTS_MAX: i64 = i32::MAX as i64;
/// Most arguments of a command of a client that has not authenticated.
pub const UNAUTHENTICATED_ARGUMENTS_MAX: i64 = 10;
/// Longest argument of a client that has not authenticated.
pub const UNAUTHENTICATED_BULK_BYTES_MAX: u64 = 16 * 1024;
/// Longest command as a whole: positions in it are 32 bits wide.
pub const COMMAND_BYTES_MAX: u64 = u32::MAX as u64;
/// From this length on an argument does not count against `client-query-buffer-limit` once it is complete.
pub const BIG_ARGUMENT_BYTES: usize = 32 * 1024;
/// Spans that a parser keeps room for between commands.
pub const SPANS_KEPT: usize = 1024;

/// Bytes not yet taken by the peer beyond which a connection's commands are no longer executed.
pub const UNSENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Executing goes on once the unsent bytes are fewer than this.
pub const UNSENT_BYTES_RESUME: usize = UNSENT_BYTES_MAX / 2;
/// Received commands that wait (for their turn, or behind a held one) beyond which a connection is not read.
pub const BACKLOG_BYTES_MAX: usize = 256 * 1024;
/// Reading goes on once the backlog is shorter than this.
pub const BACKLOG_BYTES_RESUME: usize = 64 * 1024;
/// From so many missing bytes of an argument on, they are received straight into the query buffer.
pub const FILL_BYTES_MIN: usize = 128 * 1024;
/// Most bytes that one such receive waits for.
pub const FILL_BYTES_MAX: usize = 1024 * 1024;
/// Most bytes given to the kernel in one send: it copies them, and delivers them on a loopback, before it returns.
pub const SEND_BYTES_MAX: usize = 256 * 1024;
/// Most bytes sent to one connection in a tick without a look at the messages of other cores.
pub const SEND_BYTES_AT_ONCE_MAX: usize = 512 * 1024;

/// Most bytes that one request sends to another server.
pub const LINK_SEND_BYTES_MAX: usize = 4 << 20;
/// Room for what is received from another server at once, in bytes.
pub const LINK_RECEIVE_BYTES: usize = 16 << 10;

/// Emptied output and query buffers that a core keeps for the next connection in need of one.
pub const SPARE_VECTORS: usize = 64;
/// Bytes that they take together at most, if there are several.
pub const SPARE_BYTES: usize = 32 * 1024;
/// Largest buffer kept that way.
pub const SPARE_VECTOR_BYTES: usize = 64 * 1024;

/// So many commands are announced to the service before they run, for their cache misses to overlap.
pub const COMMANDS_ANNOUNCED: usize = 16;

/// How long a listener rests after the system ran out of descriptors or memory, unless a connection closes before.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// How long a stopping loop waits for its clients to take their output.
pub const STOP_GRACE: Duration = Duration::from_secs(2);
/// How long a dropped loop waits for the kernel to let go of its buffers.
pub const TEARDOWN_GRACE: Duration = Duration::from_secs(2);

/// Entries of the submission queue.
pub const SUBMISSIONS: u32 = 1024;
/// Entries of the completion queue.
pub const COMPLETIONS: u32 = 8192;
/// Bits of a connection's slot in a request's user data.
pub const SLOT_BITS: u32 = 28;
/// Most connections of one core.
pub const CONNECTIONS_MAX: usize = 1 << SLOT_BITS;

const _: () = assert!(BUFFERS.is_power_of_two() && BUFFERS <= 1 << 15, "the kernel's bound for a buffer ring");
const _: () = assert!(BUFFERS_OFFERED_MIN.is_power_of_two() && BUFFERS_OFFERED_MIN <= BUFFERS);
const _: () = assert!(COMPLETIONS as usize >= 2 * BUFFERS, "each buffer may complete beside other requests");
const _: () = assert!(COMPLETIONS_PER_TICK <= COMPLETIONS as usize);
const _: () = assert!(UNSENT_BYTES_RESUME < UNSENT_BYTES_MAX);
const _: () = assert!(BACKLOG_BYTES_RESUME < BACKLOG_BYTES_MAX);
const _: () = assert!(INPUT_BYTES_PER_TICK <= BACKLOG_BYTES_MAX);
const _: () = assert!(SEND_BYTES_MAX <= i32::MAX as usize, "a completion's result is 32 bits");
const _: () = assert!(SLOT_BITS < 32);
const _: () = assert!(LINE_BYTES_MAX < COMMAND_BYTES_MAX as usize);
