//! CLIENT TRACKING and CACHING: being told of changed keys. See [`crate::tracking`].

use std::collections::BTreeSet;

use net::{Args, Reply};
use storage::number::parse_i64;

use super::OWN;
use crate::core::SessionCtx;
use crate::exec::error::{NOT_AN_INTEGER, SYNTAX};
use crate::exec::{CommandError, Outcome, Run};
use crate::ids::ClientId;
use crate::session::places::Places;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};
use crate::tracking::{Choice, Mode};

const ONE_REDIRECTION: CommandError = CommandError::new("ERR A client can only redirect to a single other client");
const NO_SUCH_TARGET: CommandError = CommandError::new("ERR The client ID you want redirect to does not exist");
const PREFIX_WITHOUT_BCAST: CommandError = CommandError::new("ERR PREFIX option requires BCAST mode to be enabled");
const BCAST_WITH_CHOICE: CommandError = CommandError::new("ERR OPTIN and OPTOUT are not compatible with BCAST");
const TWO_CHOICES: CommandError = CommandError::new("ERR You can't specify both OPTIN mode and OPTOUT mode");
const SWITCHED_BCAST: CommandError = CommandError::new(
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a \
     different mode.",
);
const SWITCHED_CHOICE: CommandError = CommandError::new(
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a \
     different mode.",
);
const CACHING_WITHOUT_CHOICE: CommandError = CommandError::new(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
);
const YES_WITHOUT_OPTIN: CommandError =
    CommandError::new("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
const NO_WITHOUT_OPTOUT: CommandError =
    CommandError::new("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");

/// CLIENT TRACKING ON | OFF \[REDIRECT client-id\] \[PREFIX prefix...\] \[BCAST\] \[OPTIN\] \[OPTOUT\] \[NOLOOP\]
pub const TRACKING: Command = Command {
    name: "tracking",
    arity: Arity::AtLeast(3),
    flags: OWN,
    docs: Docs {
        summary: "Says whether and how the connection is told of changed keys.",
        since: "6.0.0",
        group: Group::Connection,
        complexity: "O(1). Some options may introduce additional complexity.",
        arguments: &[
            Argument::new("status", ArgumentKind::OneOf(&[Argument::word("on", "ON"), Argument::word("off", "OFF")])),
            Argument::new("client-id", ArgumentKind::Integer).after("REDIRECT").optional(),
            Argument {
                multiple_token: true,
                ..Argument::new("prefix", ArgumentKind::String).after("PREFIX").optional().multiple()
            },
            Argument::word("BCAST", "BCAST").optional(),
            Argument::word("OPTIN", "OPTIN").optional(),
            Argument::word("OPTOUT", "OPTOUT").optional(),
            Argument::word("NOLOOP", "NOLOOP").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(track),
    ..Command::BLANK
};

/// What CLIENT TRACKING asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request<'a> {
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
    redirect: Option<ClientId>,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Request<'a> {
    fn parse(args: &Args<'a>, places: &Places) -> Result<Request<'a>, CommandError> {
        let mut request = Request::default();
        let mut rest = args.from(3);
        while let Some(word) = rest.next() {
            match word.to_ascii_lowercase().as_slice() {
                b"redirect" => {
                    let id = rest.next().ok_or(SYNTAX)?;
                    if request.redirect.is_some() {
                        return Err(ONE_REDIRECTION);
                    }
                    let id = parse_i64(id).ok_or(NOT_AN_INTEGER)?;
                    let client = ClientId(u64::try_from(id).map_err(|_| NO_SUCH_TARGET)?);
                    places.of(client).ok_or(NO_SUCH_TARGET)?;
                    request.redirect = Some(client);
                }
                b"prefix" => request.prefixes.push(rest.next().ok_or(SYNTAX)?),
                b"bcast" => request.broadcast = true,
                b"optin" => request.opt_in = true,
                b"optout" => request.opt_out = true,
                b"noloop" => request.no_loop = true,
                _ => return Err(SYNTAX),
            }
        }
        Ok(request)
    }

    /// How the client tracks from now on, having tracked as `old` says.
    fn mode(&self, old: Option<&Mode>) -> Result<Mode, CommandError> {
        if !self.broadcast && !self.prefixes.is_empty() {
            return Err(PREFIX_WITHOUT_BCAST);
        }
        if old.is_some_and(|old| old.broadcast != self.broadcast) {
            return Err(SWITCHED_BCAST);
        }
        if self.broadcast && (self.opt_in || self.opt_out) {
            return Err(BCAST_WITH_CHOICE);
        }
        let choice = match (self.opt_in, self.opt_out) {
            (true, true) => return Err(TWO_CHOICES),
            (true, false) => Choice::OptIn,
            (false, true) => Choice::OptOut,
            (false, false) => Choice::All,
        };
        let old_choice = old.map_or(Choice::All, |old| old.choice);
        if old_choice != Choice::All && choice != Choice::All && old_choice != choice {
            return Err(SWITCHED_CHOICE);
        }
        let mut prefixes = old.map(|old| old.prefixes.clone()).unwrap_or_default();
        if self.broadcast {
            check_overlaps(&prefixes, &self.prefixes)?;
            prefixes.extend(self.prefixes.iter().map(|prefix| prefix.to_vec()));
            if self.prefixes.is_empty() {
                prefixes.insert(Vec::new());
            }
        }
        let (broadcast, no_loop, redirect) = (self.broadcast, self.no_loop, self.redirect);
        let caching = old.is_some_and(|old| old.caching);
        Ok(Mode { broadcast, prefixes, choice, no_loop, redirect, is_broken: false, caching })
    }
}

/// No prefix may be the beginning of another: a key would be told of twice.
fn check_overlaps(existing: &BTreeSet<Vec<u8>>, given: &[&[u8]]) -> Outcome {
    let overlap = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
    let error = |prefix: &[u8], which: &str, other: &[u8]| {
        let rest = b"'. Prefixes for a single client must not overlap.";
        let text = [b"ERR Prefix '", prefix, b"' overlaps with ", which.as_bytes(), b" prefix '", other, rest].concat();
        Err(CommandError::bytes(text))
    };
    for (index, prefix) in given.iter().enumerate() {
        if let Some(other) = existing.iter().find(|other| overlap(prefix, other)) {
            return error(prefix, "an existing", other);
        }
        if let Some(other) = given[index + 1..].iter().find(|other| overlap(prefix, other)) {
            return error(prefix, "another provided", other);
        }
    }
    Ok(())
}

fn track(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let request = Request::parse(args, &ctx.core.shared.places)?;
    let conn = ctx.conn;
    if args.at(2).eq_ignore_ascii_case(b"on") {
        let mode = request.mode(ctx.session().tracking.as_deref())?;
        ctx.core.track(conn, Some(mode));
    } else if args.at(2).eq_ignore_ascii_case(b"off") {
        ctx.core.track(conn, None);
    } else {
        return Err(SYNTAX);
    }
    reply.ok();
    Ok(())
}

/// CLIENT CACHING YES | NO
pub const CACHING: Command = Command {
    name: "caching",
    arity: Arity::Exactly(3),
    flags: OWN,
    docs: Docs {
        summary: "Says whether what the next command reads is remembered, where that has to be said.",
        since: "6.0.0",
        group: Group::Connection,
        arguments: &[Argument::new(
            "mode",
            ArgumentKind::OneOf(&[Argument::word("yes", "YES"), Argument::word("no", "NO")]),
        )],
        ..Docs::BLANK
    },
    run: Run::Session(caching),
    ..Command::BLANK
};

fn caching(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mode = ctx.session().tracking.as_mut().ok_or(CACHING_WITHOUT_CHOICE)?;
    let (needed, error) = match args.at(2).to_ascii_lowercase().as_slice() {
        b"yes" => (Choice::OptIn, YES_WITHOUT_OPTIN),
        b"no" => (Choice::OptOut, NO_WITHOUT_OPTOUT),
        _ => return Err(SYNTAX),
    };
    if mode.choice != needed {
        return Err(error);
    }
    mode.caching = true;
    reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use net::{ConnId, OwnedArgs};

    use super::*;
    use crate::ids::ShardId;
    use crate::session::places::Place;

    fn request(words: &str, old: Option<&Mode>) -> Result<Mode, String> {
        let owned: OwnedArgs = words.split(' ').map(str::as_bytes).collect();
        let places = Places::default();
        places.enter(ClientId(7), Place { core: ShardId(0), conn: ConnId { slot: 0, generation: 0 } });
        let mode = Request::parse(&owned.as_args(), &places).and_then(|request| request.mode(old));
        mode.map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    #[test]
    fn modes_are_not_mixed() {
        let fails = |words: &str, old: Option<&Mode>, text: &CommandError| {
            let error = request(&format!("client tracking on {words}"), old).expect_err(words);
            assert_eq!(error.as_bytes(), text.as_bytes(), "{words}");
        };
        fails("redirect 8", None, &NO_SUCH_TARGET);
        fails("redirect -1", None, &NO_SUCH_TARGET);
        fails("redirect 7 redirect 7", None, &ONE_REDIRECTION);
        fails("prefix a", None, &PREFIX_WITHOUT_BCAST);
        fails("prefix", None, &SYNTAX);
        fails("bcast optin", None, &BCAST_WITH_CHOICE);
        fails("optin optout", None, &TWO_CHOICES);
        let opt_in = Mode { choice: Choice::OptIn, ..Mode::default() };
        fails("optout", Some(&opt_in), &SWITCHED_CHOICE);
        fails("bcast", Some(&opt_in), &SWITCHED_BCAST);
        assert_eq!(request("client tracking on", Some(&opt_in)).map(|mode| mode.choice), Ok(Choice::All));
    }

    #[test]
    fn prefixes_of_a_client_do_not_overlap() {
        let first = request("client tracking on bcast prefix foo prefix bar", None).expect("they do not overlap");
        let error = request("client tracking on bcast prefix fo", Some(&first)).expect_err("it is part of foo");
        assert!(error.starts_with("ERR Prefix 'fo' overlaps with an existing prefix 'foo'."), "{error}");
        let error = request("client tracking on bcast prefix a prefix b prefix ab", None).expect_err("a is part of ab");
        assert!(error.starts_with("ERR Prefix 'a' overlaps with another provided prefix 'ab'."), "{error}");
        let all = request("client tracking on bcast noloop", Some(&first)).expect("everything may be added");
        let prefixes: Vec<&[u8]> = all.prefixes.iter().map(Vec::as_slice).collect();
        assert_eq!(prefixes, [&b""[..], b"bar", b"foo"]);
    }
}
