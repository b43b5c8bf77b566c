//! Whether two replies say the same.
//!
//! They do if they are equal to the byte. What may differ is listed here, as narrowly as can be, with the reason.

use std::cmp::Ordering;

use super::script::{self, Carried};
use super::steps::{BUILDERS, GENERAL};
use super::{Arguments, NEWER};
use crate::support::Value;

/// Milliseconds that may pass between a command's run on one server and on the other.
const LAPSE_MS: i64 = 60_000;

/// What was asked, and of which referee.
pub struct Agreement<'a> {
    /// The command.
    pub command: &'a Arguments,
    /// If it is EXEC, the commands that it runs.
    pub queued: &'a [Arguments],
    /// The referee's version.
    pub version: (u32, u32),
}

/// How replies to a command are compared.
#[derive(Debug, PartialEq, Eq)]
enum Measure {
    /// Byte by byte.
    Exact,
    /// In any order: Redis walks a table, and ours is another one.
    Unordered,
    /// Pairs in any order.
    UnorderedPairs,
    /// Only how long and how deep: the server chooses by chance.
    Shape,
    /// Not at all if both are part of a walk: where a cursor stands is a server's own affair.
    Walk,
    /// Only how many: which of equals comes first is left to the sort.
    Length,
    /// Integers that a clock moves on, in these units a second.
    Clock(i64),
    /// The name of an encoding.
    Encoding,
    /// Scores, as numbers: Redis writes 17 digits before 7.2, as Tessera does, and since then as few as say the same. Also, a
    /// skip list keeps the sign of zero, and only in Redis does SORT make one.
    Scores,
    /// What XINFO and XPENDING tell.
    StreamFacts,
}

/// Whether Tessera's reply and the referee's say the same.
pub fn agree(of: &Agreement, ours: &Value, theirs: &Value) -> bool {
    if ours == theirs {
        return true;
    }
    let by = |command: &Arguments, ours: &Value, theirs: &Value| {
        agree(&Agreement { command, queued: &[], version: of.version }, ours, theirs)
    };
    let by_each = |commands: &[Arguments]| match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() && ours.len() == commands.len() => {
            (0..ours.len()).all(|at| by(&commands[at], &ours[at], &theirs[at]))
        }
        _ => false,
    };
    match script::carried_by(of.command) {
        Some(Carried::One(command)) => return by(&command, ours, theirs),
        Some(Carried::Many(commands)) => return by_each(&commands),
        None if !of.queued.is_empty() => return by_each(of.queued),
        None => {}
    }
    if of.version >= NEWER && is_refusal_to_block(ours) {
        return true;
    }
    if let (Value::Error(ours), Value::Error(theirs)) = (ours, theirs) {
        return errors_agree(of, ours, theirs);
    }
    match measure(of) {
        Measure::Exact => false,
        Measure::Unordered => sorted(ours) == sorted(theirs),
        Measure::UnorderedPairs => sorted_pairs(ours) == sorted_pairs(theirs),
        Measure::Shape => shape(ours) == shape(theirs),
        Measure::Length => match (ours, theirs) {
            (Value::Array(ours), Value::Array(theirs)) => ours.len() == theirs.len(),
            _ => false,
        },
        Measure::Walk => (is_part_of_walk(ours) && is_part_of_walk(theirs)) || scores_agree(ours, theirs),
        Measure::Clock(per_second) => near(ours, theirs, LAPSE_MS * per_second / 1000),
        Measure::Encoding => encodings_agree(of, ours, theirs),
        Measure::Scores => scores_agree(ours, theirs),
        Measure::StreamFacts => facts_agree(ours, theirs),
    }
}

fn measure(of: &Agreement) -> Measure {
    let upper: Vec<String> = of.command.iter().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).collect();
    let has = |token: &str| upper.iter().any(|word| word == token);
    match upper[0].as_str() {
        "SPOP" if upper.len() == 2 => Measure::Shape,
        "SPOP" if upper.get(2).is_some_and(|count| count.parse::<i64>().is_ok_and(|count| count < 100_000)) => {
            Measure::Shape
        }
        "SMEMBERS" | "SINTER" | "SUNION" | "SDIFF" | "HKEYS" | "HVALS" | "KEYS" | "SPOP" => Measure::Unordered,
        "HGETALL" => Measure::UnorderedPairs,
        "SRANDMEMBER" | "HRANDFIELD" | "ZRANDMEMBER" | "RANDOMKEY" | "DUMP" => Measure::Shape,
        "MEMORY" => Measure::Shape,
        "TTL" | "EXPIRETIME" | "HTTL" | "HEXPIRETIME" => Measure::Clock(1),
        "PTTL" | "PEXPIRETIME" | "HPTTL" | "HPEXPIRETIME" => Measure::Clock(1000),
        "OBJECT" => match upper.get(1).map(String::as_str) {
            Some("ENCODING") => Measure::Encoding,
            Some("IDLETIME" | "FREQ") => Measure::Clock(1000),
            // Redis counts small integers that values share.
            Some("REFCOUNT") => Measure::Shape,
            _ => Measure::Exact,
        },
        "SORT" | "SORT_RO" if has("BY") && has("LIMIT") => Measure::Length,
        "SORT" | "SORT_RO" if has("BY") => Measure::Unordered,
        "GEORADIUS" | "GEORADIUS_RO" | "GEORADIUSBYMEMBER" | "GEORADIUSBYMEMBER_RO" | "GEOSEARCH" => {
            if has("COUNT") {
                Measure::Length
            } else {
                Measure::Unordered
            }
        }
        "SCAN" | "HSCAN" | "SSCAN" | "ZSCAN" => Measure::Walk,
        "XINFO" | "XPENDING" => Measure::StreamFacts,
        name if name.starts_with('Z') || name.starts_with("BZ") => Measure::Scores,
        _ => Measure::Exact,
    }
}

fn errors_agree(of: &Agreement, ours: &[u8], theirs: &[u8]) -> bool {
    // Redis ends a word that it quotes at the first zero byte.
    let cut = ours.iter().position(|&byte| byte == 0).is_some_and(|zero| theirs.starts_with(&ours[..zero]));
    // Since 7.2 there may be a word WITHSCORE.
    let name = of.command[0].to_ascii_lowercase();
    // A later Redis words errors of older commands anew: those have an older referee.
    let is_old =
        of.version >= NEWER && BUILDERS.iter().chain(&GENERAL).chain(&["command"]).any(|old| old.as_bytes() == name);
    let longer = of.version < (7, 2) && matches!(name.as_slice(), b"zrank" | b"zrevrank");
    let refusals: [&[u8]; 2] = [b"ERR wrong number of arg", b"ERR Wrong number of arg"];
    let is_refused = refusals.iter().any(|refusal| theirs.starts_with(refusal));
    cut || is_old || (longer && ours.starts_with(b"ERR syntax error") && is_refused)
}

/// A later Redis lets XREAD and XREADGROUP with BLOCK run in scripts, and wait for nothing.
fn is_refusal_to_block(ours: &Value) -> bool {
    let refusal = b"command is not allowed with BLOCK option from scripts";
    matches!(ours, Value::Error(text) if text.windows(refusal.len()).any(|part| part == refusal))
}

fn is_part_of_walk(reply: &Value) -> bool {
    matches!(reply, Value::Array(parts) if matches!(parts.as_slice(), [Value::Bulk(_), Value::Array(_)]))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) | Value::Set(items) => {
            let mut items = items.clone();
            items.sort_by_cached_key(ToString::to_string);
            match value {
                Value::Set(_) => Value::Set(items),
                _ => Value::Array(items),
            }
        }
        other => other.clone(),
    }
}

fn sorted_pairs(value: &Value) -> Value {
    match value {
        Value::Map(pairs) => {
            let mut pairs = pairs.clone();
            pairs.sort_by_cached_key(|(name, _)| name.to_string());
            Value::Map(pairs)
        }
        Value::Array(items) => sorted(&Value::Array(items.chunks(2).map(|pair| Value::Array(pair.to_vec())).collect())),
        other => other.clone(),
    }
}

/// `value` without what it holds.
fn shape(value: &Value) -> Value {
    match value {
        Value::Bulk(_) => Value::bulk(""),
        Value::Integer(_) => Value::Integer(0),
        Value::Double(_) => Value::Double(Vec::new()),
        Value::Array(items) => Value::Array(items.iter().map(shape).collect()),
        Value::Set(items) => Value::Set(items.iter().map(shape).collect()),
        other => other.clone(),
    }
}

/// Whether integers, also within arrays, are no further apart than `lapse`.
fn near(ours: &Value, theirs: &Value, lapse: i64) -> bool {
    match (ours, theirs) {
        // Negative numbers are answers of another kind.
        (Value::Integer(ours), Value::Integer(theirs)) => {
            ours == theirs || (*ours >= 0 && *theirs >= 0 && ours.abs_diff(*theirs) <= lapse as u64)
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| near(ours, theirs, lapse))
        }
        (ours, theirs) => ours == theirs,
    }
}

/// A newer Redis is not asked for encodings: it has others for fields that expire, and other limits for short strings.
/// Since 7.2 there are small sets and lists in one listpack, and a command that adds more elements than a listpack may have
/// does not begin with one, even if some of them are equal.
fn encodings_agree(of: &Agreement, ours: &Value, theirs: &Value) -> bool {
    let name = |value: &Value| value.as_bytes().map(|name| String::from_utf8_lossy(name).into_owned());
    let (Some(ours), Some(theirs)) = (name(ours), name(theirs)) else { return false };
    let newer = [
        ("listpack", "hashtable"),
        ("listpack", "quicklist"),
        ("hashtable", "listpack"),
        ("skiplist", "listpack"),
        ("hashtable", "intset"),
    ];
    // SORT turns a sorted set into a skip list to read it.
    let sorted = (ours.as_str(), theirs.as_str()) == ("listpack", "skiplist");
    sorted || of.version >= NEWER || (of.version < (7, 2) && newer.contains(&(ours.as_str(), theirs.as_str())))
}

fn scores_agree(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Bulk(ours), Value::Bulk(theirs)) | (Value::Double(ours), Value::Double(theirs)) => {
            let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<f64>().ok();
            ours == theirs
                || number(ours).partial_cmp(&number(theirs)) == Some(Ordering::Equal) && number(ours).is_some()
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| scores_agree(ours, theirs))
        }
        (ours, theirs) => ours == theirs,
    }
}

/// Fields of XINFO that say how Redis keeps a stream, that 7.2 added, or that later versions know more often.
const OWN_FIELDS: [&[u8]; 7] =
    [b"radix-tree-keys", b"radix-tree-nodes", b"inactive", b"active-time", b"seen-time", b"lag", b"entries-read"];

fn facts_agree(ours: &Value, theirs: &Value) -> bool {
    facts_are_near(&without_own_fields(ours), &without_own_fields(theirs))
}

fn without_own_fields(value: &Value) -> Value {
    let is_own = |name: &Value| name.as_bytes().is_some_and(|name| OWN_FIELDS.contains(&name));
    match value {
        Value::Map(pairs) => {
            let kept = pairs.iter().filter(|(name, _)| !is_own(name));
            Value::Map(kept.map(|(name, value)| (name.clone(), without_own_fields(value))).collect())
        }
        Value::Array(items) => {
            let mut kept = Vec::new();
            let mut at = 0;
            while at < items.len() {
                if is_own(&items[at]) {
                    at += 2;
                } else {
                    kept.push(without_own_fields(&items[at]));
                    at += 1;
                }
            }
            Value::Array(kept)
        }
        other => other.clone(),
    }
}

/// Times of delivery and idle times stand before the number of deliveries, and behind the word `idle`.
fn facts_are_near(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pending = matches!(ours.as_slice(), [.., Value::Bulk(_), Value::Integer(_), Value::Integer(_)]);
            (0..ours.len()).all(|at| {
                let is_time = (pending && at + 2 == ours.len()) || (at > 0 && ours[at - 1].as_bytes() == Some(b"idle"));
                let lapse = if is_time { LAPSE_MS } else { 0 };
                near(&ours[at], &theirs[at], lapse) || facts_are_near(&ours[at], &theirs[at])
            })
        }
        (Value::Map(ours), Value::Map(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| {
                    let lapse = if ours.0.as_bytes() == Some(b"idle") { LAPSE_MS } else { 0 };
                    ours.0 == theirs.0 && (near(&ours.1, &theirs.1, lapse) || facts_are_near(&ours.1, &theirs.1))
                })
        }
        (ours, theirs) => ours == theirs,
    }
}
