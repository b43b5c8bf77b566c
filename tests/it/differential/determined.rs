//! Whether the outcome of a command is the same whenever and wherever it runs.
//!
//! Left out are: ids and elements that a server chooses, times to live that may end within a run, waits, sizes that fill the
//! memory of the machine, and orders that Redis leaves to the library's sort.

use super::Arguments;
use super::words::EQUALS;

/// Seconds within which a run may still go on.
const RUN_SECONDS: i64 = 900;
/// Larger offsets and lengths are those that a server refuses.
const SIZE_REASONABLE: i64 = 100_000;
const SIZE_REFUSED: i64 = 1 << 32;

/// Whether `words` may be sent.
pub fn is_determined(words: &Arguments, version: (u32, u32)) -> bool {
    let upper: Vec<String> = words.iter().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).collect();
    let command = Words { upper: &upper };
    let name = upper[0].as_str();
    // Subcommand listings are worded anew by every version.
    if upper.get(1).is_some_and(|word| word == "HELP") {
        return false;
    }
    if !command.keeps_its_time() || !command.waits_briefly() || !command.is_small() {
        return false;
    }
    match name {
        // Members are in order only where scores are equal, as steps::by_member sees to.
        "ZLEXCOUNT" | "ZRANGEBYLEX" | "ZREVRANGEBYLEX" | "ZREMRANGEBYLEX" => {
            words.get(1).is_some_and(|key| is_of_equals(key))
        }
        "ZRANGE" if command.has("BYLEX") => words.get(1).is_some_and(|key| is_of_equals(key)),
        "ZRANGESTORE" if command.has("BYLEX") => words.get(2).is_some_and(|key| is_of_equals(key)),
        // Since 7.4 the last entry has a name.
        "XREAD" | "XREADGROUP" => version >= (7, 4) || !command.has("+"),
        // Since 7.0.16 the smallest integer is refused.
        "LPOS" => version >= (7, 4) || !command.has("-9223372036854775808"),
        // Where its specifications find no number, Redis goes on with what atoi makes of the word.
        "COMMAND" if version < (7, 2) && (command.has("ZRANK") || command.has("ZREVRANK")) => false,
        // Since 7.4 an id below the largest that was deleted is refused.
        "XSETID" => version >= (7, 4),
        "COMMAND" => !upper.iter().any(|word| is_almost_number(word)),
        "SPOP" => words.len() > 2 && !command.number_at(2).is_some_and(|count| (1..100_000).contains(&count)),
        // What `~` leaves where references count is a server's own affair.
        "XADD" | "XTRIM" if command.has("~") && (command.has("ACKED") || command.has("DELREF")) => false,
        "XADD" => !upper[1..].iter().any(|word| word == "*"),
        "SORT" | "SORT_RO" => !(command.has("STORE") && command.has("BY")),
        // Which of several places as far away come first is left to the sort; with STORE that is seen later.
        "GEORADIUS" | "GEORADIUSBYMEMBER" | "GEOSEARCHSTORE" => !(command.has("COUNT") && command.stores()),
        // Where `~` trims depends on where blocks of entries end, which a payload or a deletion may have moved.
        "XTRIM" => version >= (8, 0) || !command.has("~"),
        _ => true,
    }
}

/// Whether a key holds, if anything, a sorted set in which all scores are 0.
fn is_of_equals(key: &[u8]) -> bool {
    key.starts_with(EQUALS)
}

fn is_almost_number(word: &str) -> bool {
    let digits = word.trim_start().trim_start_matches(['+', '-']);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && word.parse::<i32>().map(|n| n.to_string()).as_deref() != Ok(word)
}

struct Words<'a> {
    upper: &'a [String],
}

impl Words<'_> {
    fn has(&self, token: &str) -> bool {
        self.upper[1..].iter().any(|word| word == token)
    }

    fn stores(&self) -> bool {
        self.upper[0].ends_with("STORE") || self.has("STORE") || self.has("STOREDIST")
    }

    fn number_at(&self, at: usize) -> Option<i64> {
        self.upper.get(at)?.parse().ok()
    }

    /// Numbers behind `token`, wherever it stands.
    fn numbers_behind(&self, token: &str) -> impl Iterator<Item = i64> {
        let pairs = self.upper.windows(2).filter(move |pair| pair[0] == token);
        pairs.filter_map(|pair| pair[1].parse().ok())
    }

    /// Whether no time to live ends while the run goes on.
    fn keeps_its_time(&self) -> bool {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
        let soon = |seconds: i64| (1..=RUN_SECONDS).contains(&seconds);
        let near = |seconds: i64| (now - RUN_SECONDS..=now + RUN_SECONDS).contains(&seconds);
        let relative: &[(&str, i64)] = &[
            ("EXPIRE", 1),
            ("PEXPIRE", 1000),
            ("SETEX", 1),
            ("PSETEX", 1000),
            ("RESTORE", 1000),
            ("HEXPIRE", 1),
            ("HPEXPIRE", 1000),
        ];
        let name = self.upper[0].as_str();
        if let Some((_, unit)) = relative.iter().find(|(command, _)| *command == name) {
            let absolute = name == "RESTORE" && self.has("ABSTTL");
            let at = |at| {
                self.number_at(at).is_some_and(|time| {
                    if absolute { near(time / unit) } else { time > 0 && time / unit <= RUN_SECONDS }
                })
            };
            if at(2) || at(3) {
                return false;
            }
        }
        let short = self.numbers_behind("EX").any(soon)
            || self.numbers_behind("PX").any(|time| time > 0 && soon(time / 1000 + 1));
        let close = self.numbers_behind("EXAT").any(near) || self.numbers_behind("PXAT").any(|time| near(time / 1000));
        let expires_at = matches!(name, "EXPIREAT" | "PEXPIREAT" | "HEXPIREAT" | "HPEXPIREAT");
        let close = close || (expires_at && self.number_at(2).is_some_and(|time| near(time) || near(time / 1000)));
        // Redis counts a key that SET made with its time past until it meets it by chance.
        let mut past = self.numbers_behind("EXAT").chain(self.numbers_behind("PXAT").map(|time| time / 1000));
        let lingers = matches!(name, "SET" | "MSETEX") && past.any(|time| (0..now).contains(&time));
        !short && !close && !lingers
    }

    /// Whether a wait for a key ends soon.
    fn waits_briefly(&self) -> bool {
        let seconds =
            |word: &String| word.parse::<f64>().is_ok_and(|time| !(0.001..=0.05).contains(&time) && time >= 0.0);
        match self.upper[0].as_str() {
            "BLPOP" | "BRPOP" | "BZPOPMIN" | "BZPOPMAX" | "BRPOPLPUSH" | "BLMOVE" => {
                !self.upper.last().is_some_and(seconds)
            }
            "BLMPOP" | "BZMPOP" => !self.upper.get(1).is_some_and(seconds),
            "XREAD" | "XREADGROUP" => self.numbers_behind("BLOCK").all(|time| (1..=20).contains(&time) || time < 0),
            _ => true,
        }
    }

    /// Whether it neither writes nor asks for what fills memory.
    fn is_small(&self) -> bool {
        let name = self.upper[0].as_str();
        let large = |number: i64| (SIZE_REASONABLE..SIZE_REFUSED).contains(&number);
        match name {
            "SETRANGE" | "SETBIT" => !self.number_at(2).is_some_and(large),
            "BITFIELD" => !self.upper.iter().any(|word| word.trim_start_matches('#').parse().is_ok_and(large)),
            // As many elements as asked for, the same one again if need be.
            "SRANDMEMBER" | "HRANDFIELD" | "ZRANDMEMBER" => {
                !self.number_at(2).is_some_and(|count| (-i64::MAX..-1000).contains(&count))
            }
            _ => true,
        }
    }
}
