//! What commands on the expiry of fields have in common: the clause that names the fields, the time, and the change.
//!
//! ```text
//!  HEXPIRE key seconds [NX] FIELDS 2 name age
//!                           └──────┬───────┘
//!                             ends the command, and the number must be that of the fields behind it
//! ```

use net::Args;
use storage::types::hash::Hash;
use storage::{Key, UnixMillis};

use crate::commands::parse::{Since, Time, Unit, is_word, parse_i64};
use crate::exec::error::invalid_expire;
use crate::exec::{CommandError, Ctx, Tools};
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind};

/// `FIELDS numfields field [field ...]` in COMMAND DOCS.
pub(super) const FIELDS: Argument = Argument::new(
    "fields",
    ArgumentKind::Block(&[
        Argument::new("numfields", ArgumentKind::Integer),
        Argument::new("field", ArgumentKind::String).multiple(),
    ]),
)
.after("FIELDS");

/// The times that HGETEX and HSETEX take.
pub(super) const TIMES: [(&str, Unit, Since); 4] = [
    ("EX", Unit::Seconds, Since::Now),
    ("PX", Unit::Milliseconds, Since::Now),
    ("EXAT", Unit::Seconds, Since::Epoch),
    ("PXAT", Unit::Milliseconds, Since::Epoch),
];

/// The number of fields is no positive one.
pub(super) const FIELD_COUNT: CommandError = CommandError::new("ERR Number of fields must be a positive integer");

const FIELDS_MISSING: CommandError =
    CommandError::new("ERR Mandatory argument FIELDS is missing or not at the right position");
const FIELD_COUNT_MISMATCH: CommandError =
    CommandError::new("ERR The `numfields` parameter must match the number of arguments");
const TIME_NEGATIVE: CommandError = CommandError::new("ERR invalid expire time, must be >= 0");

/// The latest time at which Redis lets a field expire, in milliseconds since 1970.
const FIELD_EXPIRE_MILLIS_MAX: i64 = (1 << 46) - 1;

/// The fields of the clause that begins at argument `at`. `bad_count` is the error for a number that is no positive one.
pub(super) fn parse<'a>(args: &Args<'a>, at: usize, bad_count: CommandError) -> Result<Args<'a>, CommandError> {
    if !args.get(at).is_some_and(|word| is_word(word, "FIELDS")) {
        return Err(FIELDS_MISSING);
    }
    let count = args.get(at + 1).and_then(|count| parse_i64(count).ok()).filter(|count| *count > 0).ok_or(bad_count)?;
    let fields = args.skip(at + 2);
    if fields.len() as i64 == count { Ok(fields) } else { Err(FIELD_COUNT_MISMATCH) }
}

/// When a field is to expire. That may be in the past.
pub(super) fn deadline(time: Time<'_>, now: UnixMillis, command: &str) -> Result<UnixMillis, CommandError> {
    let number = parse_i64(time.number)?;
    if number < 0 {
        return Err(TIME_NEGATIVE);
    }
    let millis = if time.unit == Unit::Seconds { number.checked_mul(1000) } else { Some(number) };
    let begin = if time.since == Since::Now { now.0 } else { 0 };
    let at = millis.and_then(|millis| millis.checked_add(begin)).filter(|at| *at <= FIELD_EXPIRE_MILLIS_MAX);
    at.map(UnixMillis).ok_or_else(|| invalid_expire(command))
}

/// Which expiries may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Any, and none.
    Always,
    /// None.
    Nx,
    /// Any.
    Xx,
    /// An earlier one.
    Gt,
    /// A later one, and none.
    Lt,
}

impl Condition {
    /// Whether `new` may come in place of `old`. No expiry is later than any other.
    const fn admits(self, old: Option<UnixMillis>, new: UnixMillis) -> bool {
        match (self, old) {
            (Self::Always, _) | (Self::Nx | Self::Lt, None) | (Self::Xx, Some(_)) => true,
            (Self::Nx, Some(_)) | (Self::Xx | Self::Gt, None) => false,
            (Self::Gt, Some(old)) => new.0 > old.0,
            (Self::Lt, Some(old)) => new.0 < old.0,
        }
    }
}

/// What became of a field that was to get an expiry. The numbers are those of the reply of HEXPIRE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub(super) enum Expired {
    /// There is no such field.
    Missing = -2,
    /// It has an expiry that the condition protects.
    Refused = 0,
    /// It has the expiry.
    Set = 1,
    /// It is removed, for the time is past.
    Removed = 2,
}

/// Lets a field expire.
pub(super) fn expire_field(
    hash: &mut Hash,
    field: &[u8],
    at: UnixMillis,
    condition: Condition,
    now: UnixMillis,
) -> Expired {
    hash.remove_if_expired(field, now);
    let Some(found) = hash.as_ref().field(field) else { return Expired::Missing };
    if !condition.admits(found.expire_at, at) {
        Expired::Refused
    } else if at <= now {
        hash.remove(field);
        Expired::Removed
    } else {
        hash.set_field_expire(field, Some(at));
        Expired::Set
    }
}

/// Does a change, and tells at what time the first field of the hash expires now, if that is sooner than before.
pub(super) fn noting_sooner<R>(hash: &mut Hash, change: impl FnOnce(&mut Hash) -> R) -> (R, Option<UnixMillis>) {
    let before = hash.as_ref().next_field_expire();
    let result = change(hash);
    let after = hash.as_ref().next_field_expire();
    (result, after.filter(|after| before.is_none_or(|before| *after < before)))
}

/// Changes the hash at `key`, if there is one, in a way that may let fields expire: the database gets to know when.
pub(super) fn edit<R>(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    change: impl FnOnce(&mut Hash, &mut Tools<'_>) -> R,
) -> Result<Option<R>, CommandError> {
    let key = Key::new(key);
    let edited = ctx.edit(key, |hash: &mut Hash, tools| noting_sooner(hash, |hash| change(hash, tools)))?;
    let Some((result, sooner)) = edited else { return Ok(None) };
    if let Some(at) = sooner {
        ctx.database().watch_fields(key.hash(), at);
    }
    Ok(Some(result))
}

/// Tells that fields expire at a time, in so many words.
pub(super) fn tell_expiring(ctx: &mut Ctx<'_>, key: &[u8], at: UnixMillis, fields: &[&[u8]]) {
    tell_fields(ctx, key, &["HPEXPIREAT".into(), key.into(), at.0.into()], fields);
}

/// Tells that fields were removed.
pub(super) fn tell_removed_fields(ctx: &mut Ctx<'_>, key: &[u8], fields: &[&[u8]]) {
    if ctx.is_recorded() && !fields.is_empty() {
        let head = ["HDEL".into(), key.into()];
        let words: Vec<Word<'_>> = head.into_iter().chain(fields.iter().copied().map(Word::from)).collect();
        ctx.effect(key, &words);
    }
}

/// Tells `head FIELDS number field...`, if there is any field.
pub(super) fn tell_fields(ctx: &mut Ctx<'_>, key: &[u8], head: &[Word<'_>], fields: &[&[u8]]) {
    if ctx.is_recorded() && !fields.is_empty() {
        let mut words = head.to_vec();
        words.extend([Word::from("FIELDS"), Word::from(fields.len() as i64)]);
        words.extend(fields.iter().copied().map(Word::from));
        ctx.effect(key, &words);
    }
}
