//! What stands in an argument.
//!
//! Keys, members and numbers come from small sets, so that commands meet what others left; among them are the values at
//! which something changes: the ends of integers, numbers that are none, texts too long for an encoding.

use super::syntax::{Argument, Command, Kind};
use crate::support::Random;

/// Keys by the type they mostly have: their first letter, and the group whose commands prefer them.
const FAMILIES: [(&str, &str); 8] = [
    ("string", "s"),
    ("list", "l"),
    ("set", "t"),
    ("sorted-set", "z"),
    ("hash", "h"),
    ("stream", "x"),
    ("hyperloglog", "p"),
    ("geo", "g"),
];

/// How the keys of sorted sets begin whose members all have the score 0.
pub const EQUALS: &[u8] = b"y";

/// 2100-01-01 in seconds: later than anything a test lives to see.
const FAR: u64 = 4_102_444_800;

/// A word for `argument` of `command`.
pub fn choose(command: &Command, argument: &Argument, random: &mut Random) -> Vec<u8> {
    let name = argument.name.as_str();
    match (argument.kind, name) {
        (Kind::Key, _) => key(&command.group, random),
        (Kind::Time, _) => time(command, argument, random),
        (Kind::Pattern, _) => pattern(command, random),
        _ if command.group == "stream" => stream(command, argument, random),
        (_, "seconds" | "milliseconds" | "ttl") => time_left(name != "seconds", random),
        (_, "timeout") => one_of(&["0.01", "0.005", "0.01", "-1", "x", "nan"], random),
        (_, "db" | "destination-db" | "index1" | "index2") => one_of(&["0", "1", "1", "1", "16", "-1", "x"], random),
        (_, "cursor") => one_of(&["0", "0", "0", "x", "-1"], random),
        (_, "longitude") => coordinate(180, random),
        (_, "latitude") => coordinate(85, random),
        (_, "radius" | "width" | "height") => one_of(&["0", "1", "100", "500.5", "2000", "20000", "-1", "x"], random),
        (_, "encoding") => one_of(&["u8", "i8", "u1", "i64", "u63", "u64", "i5", "u0", "i65", "x"], random),
        (_, "offset") if command.group == "bitmap" => bit_offset(random),
        (_, "operation") => one_of(&["AND", "or", "XOR", "NOT", "NOR"], random),
        (_, "bit") => one_of(&["0", "1", "1", "2", "x"], random),
        (_, "min" | "max" | "start" | "stop") if command.group == "sorted-set" => bound(command, random),
        (_, "score" | "increment" | "weight") if command.group == "sorted-set" => score(random),
        (_, "increment") if argument.kind != Kind::Integer => score(random),
        (_, "type") => one_of(&["string", "list", "set", "zset", "hash", "stream", "STRING", "none"], random),
        (_, "field") if command.group == "hash" => one_of(&["f1", "f2", "f3", "f4", "f5"], random),
        (Kind::Double, _) => score(random),
        (Kind::Integer, _) => integer(random),
        _ => text(random),
    }
}

/// A key of a sorted set whose members all have the score 0.
pub fn key_of_equals(random: &mut Random) -> Vec<u8> {
    [EQUALS, &[b'1' + random.below(3) as u8]].concat()
}

/// A key, mostly one of those that commands of `group` work on.
pub fn key(group: &str, random: &mut Random) -> Vec<u8> {
    let own = FAMILIES.iter().find(|family| family.0 == group).map(|family| family.1);
    let letter = match own {
        Some(letter) if !random.chance(10) => letter,
        None if group == "bitmap" && !random.chance(10) => "b",
        _ => random.pick(&["s", "l", "t", "z", "h", "x", "p", "g", "b", "w_"]),
    };
    match random.below(40) {
        0 => format!("{{tag}}{letter}").into_bytes(),
        1 => format!("none{letter}").into_bytes(),
        _ => format!("{letter}{}", 1 + random.below(4)).into_bytes(),
    }
}

/// A member, an element, a value.
pub fn text(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0..8 => random.below(24).to_string().into_bytes(),
        8..15 => format!("m{}", random.below(24)).into_bytes(),
        15 | 16 => one_of(
            &["", "-1", "3.5", "1e3", " 1", "+5", "007", "a b", "\r\n", "nan", "inf", "é", "\u{1}\u{0}\u{7f}", "-0"],
            random,
        ),
        17 => {
            one_of(&["9223372036854775807", "-9223372036854775808", "9223372036854775808", "65536", "-40000"], random)
        }
        18 => vec![b'x'; random.pick(&[11, 12, 16, 17, 44, 45, 63, 64, 65])],
        _ => random.bytes(3),
    }
}

/// An integer, or what is almost one.
pub fn integer(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0..12 => (random.below(14) as i64 - 4).to_string().into_bytes(),
        12..17 => (random.below(400) as i64 - 100).to_string().into_bytes(),
        17 => one_of(&["9223372036854775807", "-9223372036854775808", "-9223372036854775807"], random),
        18 => one_of(&["4294967296", "2147483648", "-2147483649", "1000000", "9223372036854775808"], random),
        _ => one_of(&["x", "", "1.5", " 1", "+1", "01", "1e3", "-"], random),
    }
}

/// A score, or what is almost one. Numbers beyond the range of doubles are left out: they leave an errno behind that a later
/// SORT of Redis takes for its own.
fn score(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0..12 => (random.below(20) as i64 - 5).to_string().into_bytes(),
        12..17 => one_of(
            &["0.5", "-1.25", "1e10", "3.3333333333333335", "1e-7", "0.1", "-0.0", "1e22", "123456789.125", "0x10"],
            random,
        ),
        17 => one_of(&["inf", "-inf", "+inf", "Infinity"], random),
        18 => one_of(&["1.7976931348623157e308", "-1.7976931348623157e308", "9007199254740993"], random),
        _ => one_of(&["x", "", "nan", "1,5", " 1", "1 "], random),
    }
}

/// The end of a range in a sorted set: a score, a rank, or a member.
fn bound(command: &Command, random: &mut Random) -> Vec<u8> {
    let name = command.words[0].as_str();
    let (by_lex, by_rank) = (name.contains("lex"), name.contains("rank") || name == "zrevrange");
    let any = matches!(name, "zrange" | "zrangestore");
    if by_lex || (any && random.chance(33)) {
        let open = random.pick(&["[", "(", "[", "(", ""]);
        return match random.below(4) {
            0 => one_of(&["-", "+", "+", "-", "++"], random),
            _ => [open.as_bytes(), &text(random)].concat(),
        };
    }
    if by_rank || (any && random.chance(50)) {
        return integer(random);
    }
    let open: &[u8] = if random.chance(25) { b"(" } else { b"" };
    [open, &score(random)].concat()
}

fn coordinate(limit: i64, random: &mut Random) -> Vec<u8> {
    if random.chance(8) {
        return one_of(&["181", "-181", "86", "x", "", "nan"], random);
    }
    // Four decimals: far from the borders of cells, so that no rounding is at stake.
    let whole = random.below(2 * limit as u64 - 2) as i64 - (limit - 1);
    format!("{whole}.{:04}", random.below(10_000)).into_bytes()
}

fn bit_offset(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => one_of(&["-1", "x", "4294967296", "#x", "9223372036854775807"], random),
        1 | 2 => format!("#{}", random.below(12)).into_bytes(),
        3 => random.below(9000).to_string().into_bytes(),
        _ => random.below(100).to_string().into_bytes(),
    }
}

/// A time to live: so long that no test sees it pass, or already over.
fn time_left(milliseconds: bool, random: &mut Random) -> Vec<u8> {
    let unit = if milliseconds { 1000 } else { 1 };
    match random.below(12) {
        0 => one_of(&["0", "-1", "x", "1.5", "", "-9223372036854775808"], random),
        1 => one_of(&["9223372036854775807", "9223372036854775", "-100", "9223372036854775808"], random),
        _ => ((1_000 + random.below(90_000_000)) * unit + random.below(unit)).to_string().into_bytes(),
    }
}

/// A point in time: far in the future, or long ago.
fn time(command: &Command, argument: &Argument, random: &mut Random) -> Vec<u8> {
    let name = command.words[0].as_str();
    let token = argument.token.as_deref().unwrap_or_default();
    let milliseconds =
        argument.name.contains("milli") || token == "PXAT" || name == "pexpireat" || name == "hpexpireat";
    let unit = if milliseconds { 1000 } else { 1 };
    if name == "xclaim" {
        return (1_000_000_000_000 + random.below(1_000_000_000)).to_string().into_bytes();
    }
    match random.below(12) {
        0 => one_of(&["0", "-1", "1", "1000000000", "x", "9223372036854775807"], random),
        _ => ((FAR + random.below(1_000_000)) * unit + random.below(unit)).to_string().into_bytes(),
    }
}

fn pattern(command: &Command, random: &mut Random) -> Vec<u8> {
    match command.words[0].as_str() {
        "sort" | "sort_ro" => one_of(
            &["w_*", "h1->f1", "h*->f1", "#", "nosort", "w_*->f2", "s*", "none*", "*", "h*->", "->f1", "z*"],
            random,
        ),
        _ => one_of(&["*", "s*", "?1", "[hlt]*", "*[1-3]", "h[^1]", "\\s*", "m*", "*1*", "", "f?"], random),
    }
}

/// Streams have words of their own: ids, groups, consumers.
fn stream(command: &Command, argument: &Argument, random: &mut Random) -> Vec<u8> {
    let name = command.words[0].as_str();
    match argument.name.as_str() {
        "group" | "groupname" => one_of(&["g1", "g1", "g2", "g3"], random),
        "consumer" | "consumername" => one_of(&["c1", "c1", "c2", "c3"], random),
        "milliseconds" => one_of(&["1", "5", "-1", "x"], random),
        "min-idle-time" => one_of(&["0", "0", "0", "100000000000", "-5", "x"], random),
        "ms" | "idle" => one_of(&["0", "100000", "90000000", "-1", "x"], random),
        "field" | "value" => text(random),
        "start" | "end" | "min" | "max" if name != "xautoclaim" => match random.below(5) {
            0 => one_of(&["-", "+", "-", "+", "x"], random),
            1 => [b"(", &id(random)[..]].concat(),
            _ => id(random),
        },
        "count" | "entriesread" | "entries-read" | "entries-added" | "entriesadded" => integer(random),
        "threshold" if random.chance(50) => integer(random),
        "id" if name == "xreadgroup" && random.chance(60) => b">".to_vec(),
        "id" if name == "xread" && random.chance(20) => b"$".to_vec(),
        _ if argument.kind == Kind::Integer => integer(random),
        _ => id(random),
    }
}

/// The id of an entry. Most grow, so that most additions are accepted.
fn id(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0 => one_of(&["0", "0-0", "1-", "-", "x", "1-x", "18446744073709551615-18446744073709551615", "1-1-1"], random),
        1 => one_of(&["18446744073709551616", "900-18446744073709551615", "-1", "+", "0-1"], random),
        2..5 => random.below(1000).to_string().into_bytes(),
        5..8 => format!("{}-*", random.below(1000)).into_bytes(),
        _ => format!("{}-{}", random.below(1000), random.below(4)).into_bytes(),
    }
}

fn one_of(texts: &[&str], random: &mut Random) -> Vec<u8> {
    random.pick(texts).as_bytes().to_vec()
}
