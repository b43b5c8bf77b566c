//! What a script says of itself: `#!lua name=... flags=...` in its first line, and the flags of functions.

use super::functions::{BAD_NAME, is_name};
use crate::config::grammar::split_words;

/// A set of a script's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptFlags(u8);

/// The flags by name, in the order in which they are shown.
const NAMES: [(&str, ScriptFlags); 5] = [
    ("no-writes", ScriptFlags::NO_WRITES),
    ("allow-oom", ScriptFlags::ALLOW_OOM),
    ("allow-stale", ScriptFlags::ALLOW_STALE),
    ("no-cluster", ScriptFlags(8)),
    ("allow-cross-slot-keys", ScriptFlags(16)),
];

impl ScriptFlags {
    /// No flag.
    pub const NONE: ScriptFlags = ScriptFlags(0);
    /// It writes nothing.
    pub const NO_WRITES: ScriptFlags = ScriptFlags(1);
    /// It may run when memory is short.
    pub const ALLOW_OOM: ScriptFlags = ScriptFlags(2);
    /// It may run on a replica whose link is down.
    pub const ALLOW_STALE: ScriptFlags = ScriptFlags(4);
    /// It has no shebang: nothing is asked of it before it runs.
    pub const UNDECLARED: ScriptFlags = ScriptFlags(128);

    /// Whether all of `flags` are in the set.
    pub fn has(self, flags: ScriptFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// With the flag of this name.
    pub fn with(self, name: &[u8]) -> Option<ScriptFlags> {
        let (_, flag) = NAMES.iter().find(|(known, _)| known.as_bytes() == name)?;
        Some(ScriptFlags(self.0 | flag.0))
    }

    /// The names of the flags in the set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().filter(move |(_, flag)| self.has(*flag)).map(|(name, _)| name)
    }
}

/// A script's flags, and where its code begins: behind the first line, if that is a shebang.
pub fn of_script(source: &[u8]) -> Result<(ScriptFlags, usize), String> {
    if !source.starts_with(b"#!") {
        return Ok((ScriptFlags::UNDECLARED, 0));
    }
    let Some(end) = source.iter().position(|&byte| byte == b'\n') else {
        return Err("ERR Invalid script shebang".into());
    };
    let mut words = words(&source[..end]);
    let engine = words.next().unwrap_or_default();
    if engine != "#!lua" {
        return Err(format!("ERR Unexpected engine in script shebang: {engine}"));
    }
    let mut flags = ScriptFlags::NONE;
    for word in words {
        let Some(list) = word.strip_prefix("flags=") else {
            return Err(format!("ERR Unknown lua shebang option: {word}"));
        };
        for name in list.split(',').filter(|name| !name.is_empty()) {
            flags =
                flags.with(name.as_bytes()).ok_or_else(|| format!("ERR Unexpected flag in script shebang: {name}"))?;
        }
    }
    Ok((flags, end))
}

/// A library's name, and where its code begins.
pub fn of_library(source: &[u8]) -> Result<(String, usize), String> {
    if !source.starts_with(b"#!") {
        return Err("ERR Missing library metadata".into());
    }
    let Some(end) = source.iter().position(|&byte| byte == b'\n') else {
        return Err("ERR Invalid library metadata".into());
    };
    // Of a library, unlike of a script, this line has quotes.
    let words = split_words(&source[..end]).ok_or("ERR Invalid library metadata")?;
    let mut words = words.iter().map(|word| String::from_utf8_lossy(word).into_owned());
    let first = words.next().unwrap_or_default();
    let engine = first.strip_prefix("#!").unwrap_or_default();
    let mut name = None;
    for word in words {
        match word.split_at_checked(5) {
            Some((option, value)) if option.eq_ignore_ascii_case("name=") => {
                if name.replace(value.to_owned()).is_some() {
                    return Err("ERR Invalid metadata value, name argument was given multiple times".into());
                }
            }
            _ => return Err(format!("ERR Invalid metadata value given: {word}")),
        }
    }
    let name = name.ok_or("ERR Library name was not given")?;
    if !is_name(name.as_bytes()) {
        return Err(format!("ERR {BAD_NAME}"));
    }
    if !engine.eq_ignore_ascii_case("lua") {
        return Err(format!("ERR Engine '{engine}' not found"));
    }
    Ok((name, end))
}

fn words(line: &[u8]) -> impl Iterator<Item = String> {
    let line = String::from_utf8_lossy(line).into_owned();
    line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_a_script_is() {
        assert_eq!(of_script(b"return 1"), Ok((ScriptFlags::UNDECLARED, 0)));
        let (flags, at) = of_script(b"#!lua flags=no-writes,allow-oom\nreturn 1").expect("a good shebang");
        assert_eq!(flags.names().collect::<Vec<_>>(), ["no-writes", "allow-oom"]);
        assert_eq!(at, 31);
        assert_eq!(of_script(b"#!lua"), Err("ERR Invalid script shebang".into()));
        assert_eq!(of_script(b"#!lu\n"), Err("ERR Unexpected engine in script shebang: #!lu".into()));
        assert_eq!(of_script(b"#!lua flags=x\n"), Err("ERR Unexpected flag in script shebang: x".into()));
        assert_eq!(of_library(b"#!lua name=a\n"), Ok(("a".into(), 12)));
        assert_eq!(of_library(b"#!lua name=\"a\"\n"), Ok(("a".into(), 14)));
        assert_eq!(of_library(b"#!lua name=\"a\n"), Err("ERR Invalid library metadata".into()));
        assert_eq!(of_library(b"#!lua name=a foo=b\n"), Err("ERR Invalid metadata value given: foo=b".into()));
    }
}
