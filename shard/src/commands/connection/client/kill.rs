//! CLIENT KILL: closing connections, chosen by address, number, kind or age.

use net::{Args, Flow, Reply};
use storage::UnixMillis;
use storage::number::parse_i64;

use super::{ClientKind, OTHERS};
use crate::core::{Core, SessionCtx};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, EverywhereCall, Outcome, Run, Share};
use crate::ids::ClientId;
use crate::session::{Session, address, local_address};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};

const ID_TOO_SMALL: CommandError = CommandError::new("ERR client-id should be greater than 0");
const AGE_NOT_AN_INTEGER: CommandError = CommandError::new("ERR maxage is not an integer or out of range");
const AGE_TOO_SMALL: CommandError = CommandError::new("ERR maxage should be greater than 0");
const NO_SUCH_CLIENT: CommandError = CommandError::new("ERR No such client");

/// CLIENT KILL ip:port | filter value \[filter value...\]
pub const KILL: Command = Command {
    name: "kill",
    arity: Arity::AtLeast(3),
    flags: OTHERS,
    docs: Docs {
        summary: "Closes the connections that all the filters fit.",
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of client connections",
        history: &[
            ("2.8.12", "Takes filters in place of an address, `ID` among them."),
            ("3.2.0", "`TYPE` knows `master`."),
            ("5.0.0", "`TYPE` says `replica` for `slave`, which still works."),
            ("6.2.0", "`LADDR`."),
            ("7.4.0", "`MAXAGE`."),
        ],
        arguments: &[Argument::new("filter", ArgumentKind::OneOf(&[OLD_FORM, NEW_FORM]))],
        ..Docs::BLANK
    },
    run: Run::Everywhere { check, share, merge },
    ..Command::BLANK
};

const OLD_FORM: Argument = Argument::new("ip:port", ArgumentKind::String).deprecated("2.8.12");
const NEW_FORM: Argument = Argument::new("new-format", ArgumentKind::OneOf(FILTERS)).multiple();
const FILTERS: &[Argument] = &[
    Argument::new("client-id", ArgumentKind::Integer).after("ID").optional().since("2.8.12"),
    Argument::new(
        "normal_master_slave_pubsub",
        ArgumentKind::OneOf(&[
            Argument::word("normal", "NORMAL"),
            Argument::word("master", "MASTER").since("3.2.0"),
            Argument::word("slave", "SLAVE"),
            Argument::word("replica", "REPLICA").since("5.0.0"),
            Argument::word("pubsub", "PUBSUB"),
        ]),
    )
    .after("TYPE")
    .optional()
    .since("2.8.12"),
    Argument::new("username", ArgumentKind::String).after("USER").optional(),
    Argument::new("ip:port", ArgumentKind::String).after("ADDR").optional(),
    Argument::new("ip:port", ArgumentKind::String).after("LADDR").optional().since("6.2.0"),
    Argument::new("yes/no", ArgumentKind::String).after("SKIPME").optional(),
    Argument::new("maxage", ArgumentKind::Integer).after("MAXAGE").optional().since("7.4.0"),
];

/// Which clients are to go. What is not given fits everyone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter<'a> {
    id: Option<ClientId>,
    kind: Option<ClientKind>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    user: Option<&'a [u8]>,
    older_than_seconds: Option<i64>,
    spares_caller: bool,
}

impl<'a> Filter<'a> {
    pub(super) fn parse(args: &Args<'a>) -> Result<Filter<'a>, CommandError> {
        if args.len() == 3 {
            return Ok(Filter { address: Some(args.at(2)), ..Filter::default() });
        }
        let mut filter = Filter { spares_caller: true, ..Filter::default() };
        for place in (2..args.len()).step_by(2) {
            let value = args.get(place + 1).ok_or(SYNTAX)?;
            filter.add(args.at(place), value)?;
        }
        Ok(filter)
    }

    fn add(&mut self, option: &[u8], value: &'a [u8]) -> Outcome {
        match option.to_ascii_lowercase().as_slice() {
            b"id" => {
                let id = parse_i64(value).filter(|id| *id > 0).ok_or(ID_TOO_SMALL)?;
                self.id = Some(ClientId(id as u64));
            }
            b"type" => self.kind = Some(ClientKind::named(value)?),
            b"addr" => self.address = Some(value),
            b"laddr" => self.local_address = Some(value),
            b"user" => self.user = Some(value),
            b"skipme" if value.eq_ignore_ascii_case(b"yes") => self.spares_caller = true,
            b"skipme" if value.eq_ignore_ascii_case(b"no") => self.spares_caller = false,
            b"maxage" => {
                let age = parse_i64(value).ok_or(AGE_NOT_AN_INTEGER)?;
                self.older_than_seconds = Some(Some(age).filter(|age| *age > 0).ok_or(AGE_TOO_SMALL)?);
            }
            _ => return Err(SYNTAX),
        }
        Ok(())
    }

    fn fits(&self, session: &Session, now: UnixMillis) -> bool {
        let age = (now.0 - session.info.connected_at.0) / 1000;
        let endpoint = &session.info.endpoint;
        self.id.is_none_or(|id| session.id == id)
            && self.kind.is_none_or(|kind| kind.includes(session))
            && self.address.is_none_or(|wanted| address(endpoint).as_bytes() == wanted)
            && self.local_address.is_none_or(|wanted| local_address(endpoint).as_bytes() == wanted)
            && self.user.is_none_or(|wanted| session.user.name == wanted)
            && self.older_than_seconds.is_none_or(|limit| age >= limit)
    }
}

fn check(ctx: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    match Filter::parse(args)?.user.filter(|name| ctx.core.shared.acl.users().get(name).is_none()) {
        Some(name) => Err(CommandError::bytes([b"ERR No such user '", name, b"'"].concat())),
        None => Ok(()),
    }
}

/// What one core did.
struct Killed {
    count: i64,
    /// The caller is among them: it gets its reply before it goes.
    caller: bool,
}

fn share(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    let filter = Filter::parse(&call.args).expect("the arguments were checked before they were sent");
    let now = core.now();
    let fitting: Vec<_> = core
        .sessions()
        .filter(|session| !session.closing && filter.fits(session, now))
        .map(|session| (session.conn, session.id == call.client))
        .filter(|(_, is_caller)| !(*is_caller && filter.spares_caller))
        .collect();
    let mut killed = Killed { count: fitting.len() as i64, caller: false };
    for (conn, is_caller) in fitting {
        if is_caller {
            killed.caller = true;
        } else {
            core.kill(conn);
        }
    }
    Box::new(killed)
}

fn merge(ctx: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let mut count = 0;
    for share in shares {
        let killed = share.downcast::<Killed>().expect("each core says whom it closed");
        count += killed.count;
        if killed.caller {
            ctx.flow = Flow::Close;
        }
    }
    match (args.len(), count) {
        (3, 0) => return Err(NO_SUCH_CLIENT),
        (3, _) => reply.ok(),
        _ => reply.integer(count),
    }
    Ok(())
}
