//! The errors of stream commands.

use crate::exec::CommandError;

/// A text is no id.
pub(super) const INVALID_ID: CommandError =
    CommandError::new("ERR Invalid stream ID specified as stream command argument");
/// An exclusive start behind which there is nothing.
pub(super) const INVALID_START: CommandError = CommandError::new("ERR invalid start ID for the interval");
/// An exclusive end before which there is nothing.
pub(super) const INVALID_END: CommandError = CommandError::new("ERR invalid end ID for the interval");
/// XADD of 0-0.
pub(super) const ID_ZERO: CommandError = CommandError::new("ERR The ID specified in XADD must be greater than 0-0");
/// XADD behind the largest id.
pub(super) const IDS_EXHAUSTED: CommandError =
    CommandError::new("ERR The stream has exhausted the last possible ID, unable to add more items");
/// XADD of an id that is not larger than the last.
pub(super) const ID_NOT_LARGER: CommandError =
    CommandError::new("ERR The ID specified in XADD is equal or smaller than the target stream top item");
/// XADD of more than an entry can hold.
pub(super) const ENTRY_TOO_LARGE: CommandError = CommandError::new("ERR Elements are too large to be stored");
/// Two ways to trim at once.
pub(super) const MAXLEN_AND_MINID: CommandError =
    CommandError::new("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
/// MAXLEN below zero.
pub(super) const NEGATIVE_MAXLEN: CommandError = CommandError::new("ERR The MAXLEN argument must be >= 0.");
/// LIMIT below zero.
pub(super) const NEGATIVE_LIMIT: CommandError = CommandError::new("ERR The LIMIT argument must be >= 0.");
/// LIMIT of nothing.
pub(super) const LIMIT_WITHOUT_TRIM: CommandError =
    CommandError::new("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
/// LIMIT of an exact trimming.
pub(super) const LIMIT_OF_EXACT: CommandError =
    CommandError::new("ERR syntax error, LIMIT cannot be used without the special ~ option");
/// XTRIM of nothing.
pub(super) const NO_STRATEGY: CommandError =
    CommandError::new("ERR syntax error, XTRIM must be called with a trimming strategy");
/// XSETID: a negative counter.
pub(super) const NEGATIVE_ENTRIES_ADDED: CommandError = CommandError::new("ERR entries_added must be positive");
/// XSETID: two arguments contradict each other.
pub(super) const BELOW_GIVEN_MAX_DELETED: CommandError =
    CommandError::new("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
/// XSETID: the argument contradicts the stream.
pub(super) const BELOW_MAX_DELETED: CommandError =
    CommandError::new("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
/// XSETID: the argument contradicts the stream.
pub(super) const BELOW_TOP: CommandError =
    CommandError::new("ERR The ID specified in XSETID is smaller than the target stream top item");
/// XSETID: the argument contradicts the stream.
pub(super) const ADDED_BELOW_LENGTH: CommandError =
    CommandError::new("ERR The entries_added specified in XSETID is smaller than the target stream length");
/// XGROUP without a key.
pub(super) const KEY_REQUIRED: CommandError = CommandError::new(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option \
     to create an empty stream automatically.",
);
/// XGROUP CREATE of a group that exists.
pub(super) const BUSY_GROUP: CommandError = CommandError::new("BUSYGROUP Consumer Group name already exists");
/// XGROUP: ENTRIESREAD below -1.
pub(super) const INVALID_ENTRIES_READ: CommandError =
    CommandError::new("ERR value for ENTRIESREAD must be positive or -1");
/// XREAD GROUP.
pub(super) const GROUP_IN_XREAD: CommandError =
    CommandError::new("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
/// XREAD NOACK.
pub(super) const NOACK_IN_XREAD: CommandError =
    CommandError::new("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
/// XREAD CLAIM.
pub(super) const CLAIM_IN_XREAD: CommandError =
    CommandError::new("ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.");
/// XREAD, XREADGROUP: not as many ids as keys.
pub(super) const UNBALANCED_STREAMS: CommandError =
    CommandError::new("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");
/// XREADGROUP without a group.
pub(super) const GROUP_MISSING: CommandError = CommandError::new("ERR Missing GROUP option for XREADGROUP");
/// XREADGROUP CLAIM with something else than a number of milliseconds.
pub(super) const INVALID_CLAIM: CommandError = CommandError::new("ERR min-idle-time is not an integer or out of range");
/// XREADGROUP CLAIM below zero.
pub(super) const NEGATIVE_CLAIM: CommandError = CommandError::new("ERR min-idle-time must be a positive integer");
/// XREAD of what only a group can have.
pub(super) const NEW_IN_XREAD: CommandError = CommandError::new(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
);
/// A timeout that is no number of milliseconds.
pub(super) const TIMEOUT_NOT_AN_INTEGER: CommandError =
    CommandError::new("ERR timeout is not an integer or out of range");
/// A timeout below zero.
pub(super) const TIMEOUT_NEGATIVE: CommandError = CommandError::new("ERR timeout is negative");
/// A timeout beyond all times.
pub(super) const TIMEOUT_OUT_OF_RANGE: CommandError = CommandError::new("ERR timeout is out of range");
/// A client waited for a stream that was removed, or replaced by something else.
pub(super) const STREAM_GONE: CommandError = CommandError::new("UNBLOCKED the stream key no longer exists");
/// A client waited for a group that was destroyed.
pub(super) const GROUP_GONE: CommandError =
    CommandError::new("NOGROUP the consumer group this client was blocked on no longer exists");
/// XAUTOCLAIM COUNT out of range.
pub(super) const INVALID_COUNT: CommandError = CommandError::new("ERR COUNT must be > 0");
/// XDELEX, XACKDEL: no number of ids.
pub(super) const INVALID_NUMIDS: CommandError = CommandError::new("ERR Number of IDs must be a positive integer");
/// XDELEX, XACKDEL: another number of ids.
pub(super) const NUMIDS_MISMATCH: CommandError =
    CommandError::new("ERR The `numids` parameter must match the number of arguments");

fn quoting(parts: &[&[u8]]) -> CommandError {
    CommandError::bytes(parts.concat())
}

/// There is no such key, or it has no such group.
pub(super) fn no_key_or_group(key: &[u8], group: &[u8]) -> CommandError {
    quoting(&[b"NOGROUP No such key '", key, b"' or consumer group '", group, b"'"])
}

/// The same, for XREADGROUP.
pub(super) fn no_group_to_read(key: &[u8], group: &[u8]) -> CommandError {
    quoting(&[b"NOGROUP No such key '", key, b"' or consumer group '", group, b"' in XREADGROUP with GROUP option"])
}

/// XGROUP, XINFO CONSUMERS: the stream has no such group.
pub(super) fn no_group_for_key(group: &[u8], key: &[u8]) -> CommandError {
    quoting(&[b"NOGROUP No such consumer group '", group, b"' for key name '", key, b"'"])
}

/// XREADGROUP: an id that only XREAD takes.
pub(super) fn meaningless_id(symbol: char) -> CommandError {
    CommandError::text(format!(
        "ERR The {symbol} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
         specifying a proper ID, or use the > ID to get new messages. The {symbol} ID would just return an empty result set."
    ))
}

/// XCLAIM: an option that is none.
pub(super) fn unknown_claim_option(option: &[u8]) -> CommandError {
    quoting(&[b"ERR Unrecognized XCLAIM option '", option, b"'"])
}

/// XCLAIM, XAUTOCLAIM: an argument that is no integer.
pub(super) fn invalid_claim_argument(argument: &str, command: &str) -> CommandError {
    CommandError::text(format!("ERR Invalid {argument} argument for {command}"))
}
