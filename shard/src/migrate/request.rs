//! The arguments of MIGRATE.
//!
//! ```text
//! MIGRATE host port key destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password]
//! MIGRATE host port ""  destination-db timeout [...] KEYS key [key ...]
//! ```

use std::time::Duration;

use net::Args;

use super::cache::Target;
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::CommandError;
use crate::exec::error::SYNTAX;
use crate::spec::KeyFlag;

const KEY_NOT_EMPTY: CommandError =
    CommandError::new("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");

/// The place of the key, which is empty if there are several.
const KEY: usize = 3;
/// The place of the first option.
const OPTIONS: usize = 6;

/// A step of a dialogue may take so long if the command does not say it, in milliseconds.
const TIMEOUT_MILLIS: i64 = 1000;
/// Nobody waits longer than a year, in milliseconds.
const TIMEOUT_MILLIS_MAX: i64 = 366 * 24 * 3600 * 1000;

/// What a command asks for, but for the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) target: Target,
    pub(super) db: i64,
    /// Of each step of the dialogue.
    pub(super) timeout: Duration,
    /// The keys stay here, too.
    pub(super) copy: bool,
    /// They take the place of what is there.
    pub(super) replace: bool,
    /// What AUTH is called with: the password, or a name and the password.
    pub(super) auth: Option<Vec<Vec<u8>>>,
}

/// An option, by the place of its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Copy,
    Replace,
    /// So many arguments follow.
    Auth(usize),
    Keys,
    Unknown,
}

impl Choice {
    fn of(word: &[u8]) -> Choice {
        if is_word(word, "COPY") {
            Choice::Copy
        } else if is_word(word, "REPLACE") {
            Choice::Replace
        } else if is_word(word, "AUTH") {
            Choice::Auth(1)
        } else if is_word(word, "AUTH2") {
            Choice::Auth(2)
        } else if is_word(word, "KEYS") {
            Choice::Keys
        } else {
            Choice::Unknown
        }
    }

    /// How many arguments follow it that are no options.
    fn arguments(self) -> usize {
        if let Choice::Auth(count) = self { count } else { 0 }
    }
}

/// The options with their places, up to KEYS.
fn options<'a>(args: &'a Args<'_>) -> impl Iterator<Item = (usize, Choice)> + 'a {
    let mut next = OPTIONS;
    std::iter::from_fn(move || {
        let place = next;
        let option = Choice::of(args.get(place)?);
        next = if option == Choice::Keys { args.len() } else { place + 1 + option.arguments() };
        Some((place, option))
    })
}

impl Request {
    /// What `args` ask for, and the place of the first key; from there on they are all keys, if it is not that of the key.
    pub(super) fn parse(args: &Args<'_>) -> Result<(Request, usize), CommandError> {
        let (mut copy, mut replace, mut auth, mut first) = (false, false, None, KEY);
        for (place, option) in options(args) {
            match option {
                Choice::Copy => copy = true,
                Choice::Replace => replace = true,
                Choice::Auth(count) => {
                    let words: Vec<Vec<u8>> = args.from(place + 1).take(count).map(<[u8]>::to_vec).collect();
                    if words.len() < count {
                        return Err(SYNTAX);
                    }
                    auth = Some(words);
                }
                Choice::Keys if !args.at(KEY).is_empty() => return Err(KEY_NOT_EMPTY),
                Choice::Keys => first = place + 1,
                Choice::Unknown => return Err(SYNTAX),
            }
        }
        let millis = parse_i64(args.at(5))?;
        let db = parse_i64(args.at(4))?;
        let millis = if millis > 0 { millis.min(TIMEOUT_MILLIS_MAX) } else { TIMEOUT_MILLIS };
        let target = Target { host: args.at(1).to_vec(), port: args.at(2).to_vec() };
        let timeout = Duration::from_millis(millis.unsigned_abs());
        Ok((Request { target, db, timeout, copy, replace, auth }, first))
    }
}

/// The keys that `args` name.
pub(super) fn keys<'a>(args: &'a Args<'_>, first: usize) -> impl Iterator<Item = &'a [u8]> {
    args.from(first).take(if first == KEY { 1 } else { usize::MAX })
}

const USE: &[KeyFlag] = &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete];

/// Visits the places of the keys, whether the rest makes sense or not. False if there is a key, and KEYS besides.
pub fn find_keys(args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    let keys = options(args).find(|(place, option)| *option == Choice::Keys && place + 1 < args.len());
    match keys {
        None => visit(KEY, USE),
        Some(_) if !args.at(KEY).is_empty() => return false,
        Some((place, _)) => (place + 1..args.len()).for_each(|place| visit(place, USE)),
    }
    true
}

/// The places of names and passwords.
pub fn secrets(args: &Args<'_>) -> Vec<usize> {
    let secrets = options(args).flat_map(|(place, option)| place + 1..place + 1 + option.arguments());
    secrets.take_while(|place| *place < args.len()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

    use net::OwnedArgs;

    use super::*;

    fn args(text: &str) -> OwnedArgs {
        text.split(' ').map(|word| if word == "''" { &b""[..] } else { word.as_bytes() }).collect()
    }

    fn parse(text: &str) -> Result<(Request, Vec<String>), CommandError> {
        let args = args(&format!("migrate host 6379 {text}"));
        let args = args.as_args();
        let (request, first) = Request::parse(&args)?;
        Ok((request, keys(&args, first).map(|key| String::from_utf8_lossy(key).into_owned()).collect()))
    }

    fn found(text: &str) -> Option<Vec<usize>> {
        let args = args(&format!("migrate host 6379 {text}"));
        let mut places = Vec::new();
        find_keys(&args.as_args(), &mut |place, _| places.push(place)).then_some(places)
    }

    #[test]
    fn options_may_come_in_any_order() {
        let (request, keys) = parse("'' 3 50 REPLACE auth2 auth keys COPY KEYS keys b").unwrap();
        assert!(request.copy && request.replace);
        assert_eq!(request.auth, Some(vec![b"auth".to_vec(), b"keys".to_vec()]));
        assert_eq!((request.db, request.timeout), (3, Duration::from_millis(50)));
        assert_eq!(keys, ["keys", "b"]);
        let (request, keys) = parse("key 0 0").unwrap();
        assert_eq!((request.timeout, request.auth), (Duration::from_secs(1), None));
        assert_eq!(keys, ["key"]);
    }

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        for text in ["k 0 1 AUTH", "k 0 1 AUTH2 user", "k 0 1 COPIED", "'' x 1 COPY AUTH", "'' 0 1 OTHER KEYS a"] {
            assert_eq!(parse(text), Err(SYNTAX), "{text}");
        }
        assert_eq!(parse("k x y KEYS a"), Err(KEY_NOT_EMPTY));
        assert_eq!(parse("k 0 1 KEYS"), Err(KEY_NOT_EMPTY));
        assert!(parse("k x 1").is_err() && parse("k 0 x").is_err());
        assert_eq!(parse("'' 0 1 KEYS").unwrap().1, [""; 0]);
    }

    #[test]
    fn keys_are_found_as_redis_finds_them() {
        assert_eq!(found("k 0 1"), Some(vec![3]));
        assert_eq!(found("'' 0 1 copy auth keys keys a b"), Some(vec![10, 11]));
        assert_eq!(found("'' 0 1 auth2 keys keys keys a b"), Some(vec![10, 11]));
        assert_eq!(found("k 0 1 copy keys a"), None);
        assert_eq!(found("k 0 1 keys"), Some(vec![3]));
        assert_eq!(found("'' 0 1 foo keys a"), Some(vec![8]));
        assert_eq!(found("k 0 1 auth2 x keys a"), Some(vec![3]));
    }

    #[test]
    fn what_is_secret_is_told() {
        let secrets = |text: &str| secrets(&args(&format!("migrate host 6379 {text}")).as_args());
        assert_eq!(secrets("k 0 1 AUTH password REPLACE"), [7]);
        assert_eq!(secrets("'' 0 1 COPY AUTH2 user password KEYS AUTH b"), [8, 9]);
        assert_eq!(secrets("k 0 1 AUTH2 user"), [7]);
        assert_eq!(secrets("k 0 1 KEYS AUTH b"), [0; 0]);
    }
}
