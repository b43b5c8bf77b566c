//! Errors to the client: their exact texts, in one place.
//!
//! A text begins with its code (`ERR`, `WRONGTYPE`, ...), which INFO errorstats counts.

use std::borrow::Cow;

/// An error that becomes a client's reply. Errors of operation (I/O, configuration) and bugs never take this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError(Cow<'static, [u8]>);

impl CommandError {
    /// An error whose text is known.
    pub const fn new(text: &'static str) -> CommandError {
        CommandError(Cow::Borrowed(text.as_bytes()))
    }

    /// An error whose text is made now.
    pub fn text(text: impl Into<String>) -> CommandError {
        CommandError(Cow::Owned(text.into().into_bytes()))
    }

    /// An error whose text quotes bytes of the client.
    pub fn bytes(text: impl Into<Vec<u8>>) -> CommandError {
        CommandError(Cow::Owned(text.into()))
    }

    /// The whole text, without the leading `-`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The first word.
    pub fn code(&self) -> &[u8] {
        self.0.split(|&b| b == b' ').next().unwrap_or_default()
    }
}

/// CLIENT UNBLOCK ... ERROR.
pub const UNBLOCKED: CommandError = CommandError::new("UNBLOCKED client unblocked via CLIENT UNBLOCK");

/// A script keeps others waiting for long.
pub const BUSY_SCRIPT: CommandError =
    CommandError::new("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
/// A function keeps others waiting for long.
pub const BUSY_FUNCTION: CommandError =
    CommandError::new("BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.");

/// The value has another type.
pub const WRONG_TYPE: CommandError =
    CommandError::new("WRONGTYPE Operation against a key holding the wrong kind of value");
/// The arguments do not follow the syntax.
pub const SYNTAX: CommandError = CommandError::new("ERR syntax error");
/// A number is no signed 64-bit integer.
pub const NOT_AN_INTEGER: CommandError = CommandError::new("ERR value is not an integer or out of range");
/// A number is no floating-point number.
pub const NOT_A_FLOAT: CommandError = CommandError::new("ERR value is not a valid float");
/// There is no such key.
pub const NO_SUCH_KEY: CommandError = CommandError::new("ERR no such key");
/// An index is out of range.
pub const OUT_OF_RANGE: CommandError = CommandError::new("ERR index out of range");
/// Source and destination are the same.
pub const SAME_OBJECT: CommandError = CommandError::new("ERR source and destination objects are the same");
/// The sum left the range of 64 bits.
pub const OVERFLOW: CommandError = CommandError::new("ERR increment or decrement would overflow");
/// The sum is no finite number.
pub const NAN_OR_INFINITY: CommandError = CommandError::new("ERR increment would produce NaN or Infinity");
/// A string would be longer than `proto-max-bulk-len`.
pub const STRING_TOO_LONG: CommandError =
    CommandError::new("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
/// An offset is negative.
pub const OFFSET_OUT_OF_RANGE: CommandError = CommandError::new("ERR offset is out of range");
/// A database index is out of range.
pub const DB_OUT_OF_RANGE: CommandError = CommandError::new("ERR DB index is out of range");
/// SCAN and its kin: the cursor is no number.
pub const INVALID_CURSOR: CommandError = CommandError::new("ERR invalid cursor");
/// DECRBY: the decrement has no negative.
pub const DECREMENT_OVERFLOW: CommandError = CommandError::new("ERR decrement would overflow");
/// LCS: a key holds something else than a string.
pub const LCS_NOT_STRINGS: CommandError = CommandError::new("ERR The specified keys must contain string values");
/// LCS: two contradicting options.
pub const LCS_LEN_AND_IDX: CommandError =
    CommandError::new("ERR If you want both the length and indexes, please just use IDX.");
/// LCS: strings of 4 GiB.
pub const LCS_TOO_LONG: CommandError = CommandError::new("ERR String too long for LCS");
/// LCS: the table of all pairs of places would be longer than the longest string.
pub const LCS_TOO_MUCH_MEMORY: CommandError =
    CommandError::new("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
/// EXPIRE and its kin: NX with another condition.
pub const EXPIRE_NX_AND_OTHERS: CommandError =
    CommandError::new("ERR NX and XX, GT or LT options at the same time are not compatible");
/// EXPIRE and its kin: GT with LT.
pub const EXPIRE_GT_AND_LT: CommandError =
    CommandError::new("ERR GT and LT options at the same time are not compatible");
/// SWAPDB: the first index is no number.
pub const INVALID_FIRST_DB: CommandError = CommandError::new("ERR invalid first DB index");
/// SWAPDB: the second index is no number.
pub const INVALID_SECOND_DB: CommandError = CommandError::new("ERR invalid second DB index");
/// A cluster has one database.
pub const MOVE_IN_CLUSTER: CommandError = CommandError::new("ERR MOVE is not allowed in cluster mode");
/// A cluster has one database.
pub const COPY_DB_IN_CLUSTER: CommandError =
    CommandError::new("ERR Copying to another database is not allowed in cluster mode");
/// A cluster has one database.
pub const SWAPDB_IN_CLUSTER: CommandError = CommandError::new("ERR SWAPDB is not allowed in cluster mode");
/// OBJECT FREQ: frequencies are not kept.
pub const NO_FREQUENCIES: CommandError = CommandError::new(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
     between policies at runtime LRU and LFU data will take some time to adjust.",
);
/// OBJECT IDLETIME: idle times are not kept.
pub const NO_IDLE_TIMES: CommandError = CommandError::new(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies \
     at runtime LRU and LFU data will take some time to adjust.",
);
/// RESTORE: a negative time to live.
pub const INVALID_TTL: CommandError = CommandError::new("ERR Invalid TTL value, must be >= 0");
/// RESTORE: a negative idle time.
pub const INVALID_IDLETIME: CommandError = CommandError::new("ERR Invalid IDLETIME value, must be >= 0");
/// RESTORE: a frequency that is no byte.
pub const INVALID_FREQ: CommandError = CommandError::new("ERR Invalid FREQ value, must be >= 0 and <= 255");
/// RESTORE: the payload is from another version, or damaged.
pub const DUMP_CHECKSUM: CommandError = CommandError::new("ERR DUMP payload version or checksum are wrong");
/// RESTORE: the payload makes no sense.
pub const DUMP_FORMAT: CommandError = CommandError::new("ERR Bad data format");
/// The client has not authenticated.
pub const NO_AUTH: CommandError = CommandError::new("NOAUTH Authentication required.");
/// `enable-debug-command` does not allow it.
pub const DEBUG_NOT_ALLOWED: CommandError = CommandError::new(
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local \
     connection, otherwise you need to set this option in the configuration file, and then restart the server.",
);
/// `enable-module-command` does not allow it.
pub const MODULE_NOT_ALLOWED: CommandError = CommandError::new(
    "ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from a local \
     connection, otherwise you need to set this option in the configuration file, and then restart the server.",
);
/// A client would monitor in the middle of its own transaction.
pub const MONITOR_IN_EXEC: CommandError = CommandError::new("ERR MONITOR isn't allowed for DENY BLOCKING client");

/// A monitoring client wants to read, to change or to publish something.
pub const MONITORS_NO_KEYS: CommandError = CommandError::new("ERR Replica can't interact with the keyspace");

/// The data set is over `maxmemory`.
pub const OUT_OF_MEMORY: CommandError = CommandError::new("OOM command not allowed when used memory > 'maxmemory'.");
/// The last snapshot failed, and nothing more is to be acknowledged that may be lost.
pub const MISCONF: CommandError = CommandError::new(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may \
     modify the data set are disabled, because this instance is configured to report errors during writes if RDB \
     snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
);
/// RESTORE and COPY: the target exists.
pub const BUSY_KEY: CommandError = CommandError::new("BUSYKEY Target key name already exists.");

/// MULTI within MULTI.
pub const NESTED_MULTI: CommandError = CommandError::new("ERR MULTI calls can not be nested");
/// WATCH within MULTI.
pub const WATCH_IN_MULTI: CommandError = CommandError::new("ERR WATCH inside MULTI is not allowed");
/// EXEC alone.
pub const EXEC_WITHOUT_MULTI: CommandError = CommandError::new("ERR EXEC without MULTI");
/// DISCARD alone.
pub const DISCARD_WITHOUT_MULTI: CommandError = CommandError::new("ERR DISCARD without MULTI");
/// A command of the transaction was refused when it came.
pub const EXEC_ABORT: CommandError = CommandError::new("EXECABORT Transaction discarded because of previous errors.");
/// A command that no transaction may have.
pub const NOT_IN_MULTI: CommandError = CommandError::new("ERR Command not allowed inside a transaction");
/// In a transaction or a script: the command needs something that is not there.
pub const NOT_ON_GROUNDS: CommandError = CommandError::new("ERR This command is not allowed here");

/// EXEC itself is refused with `error`.
pub fn exec_aborted(error: &CommandError) -> CommandError {
    let text = error.as_bytes();
    let text = text.strip_prefix(b"ERR ").unwrap_or(text);
    CommandError::bytes([b"EXECABORT Transaction discarded because of: ", text].concat())
}

/// The number of arguments is wrong; `name` is the command's full name.
pub fn wrong_arity(name: &str) -> CommandError {
    CommandError::text(format!("ERR wrong number of arguments for '{name}' command"))
}

/// The client is subscribed to something and speaks RESP2; `name` is the command's full name.
pub fn only_while_subscribed(name: &str) -> CommandError {
    CommandError::text(format!(
        "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
         context"
    ))
}

/// An expiry is out of range; `name` is the command's name.
pub fn invalid_expire(name: &str) -> CommandError {
    CommandError::text(format!("ERR invalid expire time in '{name}' command"))
}

/// EXPIRE and its kin have no option `word`.
pub fn unsupported_option(word: &[u8]) -> CommandError {
    CommandError::bytes([b"ERR Unsupported option ", word].concat())
}

/// `command` (as the client wrote it) has no subcommand `word`.
pub fn unknown_subcommand(word: &[u8], command: &str) -> CommandError {
    let mut text = b"ERR unknown subcommand '".to_vec();
    text.extend(word.iter().take(128));
    text.extend(format!("'. Try {} HELP.", command.to_ascii_uppercase()).bytes());
    CommandError::bytes(text)
}

/// The subcommand `word` of `command` takes another number of arguments, or there is none of that name.
pub fn wrong_subcommand_arity(word: &[u8], command: &str) -> CommandError {
    let mut text = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
    text.extend(word.iter().take(128));
    text.extend(format!("'. Try {} HELP.", command.to_ascii_uppercase()).bytes());
    CommandError::bytes(text)
}
