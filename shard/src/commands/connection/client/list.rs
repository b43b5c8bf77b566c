//! CLIENT LIST and INFO: a line of fields for each client, as Redis 7.2 writes it.
//!
//! Fields whose subject does not exist here have the value that says so (`multi=-1`, `redir=-1`). An idle client
//! has no buffer of either direction, so its `qbuf-free` and `rbs` are 0 where Redis keeps up to 16 KiB each. Output has
//! one buffer and not Redis's two: its first 16 KiB count as `obl`, the rest as `omem`, and `oll` says how many such
//! pieces the rest is, so that what watches for clients that do not read works as it did.

use std::fmt::Write as _;

use net::service::Endpoint;
use net::{Args, Reply, Resp};
use storage::UnixMillis;
use storage::number::parse_i64;

use super::tracking_info::redirect_of;
use super::{ClientKind, OTHERS, OWN};
use crate::core::{Core, SessionCtx};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, EverywhereCall, Outcome, Run, Share};
use crate::ids::ClientId;
use crate::pubsub::Kind;
use crate::session::{Hold, Session, address, local_address};
use crate::spec::{Argument, ArgumentKind, Arity, Command, CommandTable, Docs, Flag, Group};
use crate::txn::Transaction;

const INVALID_ID: CommandError = CommandError::new("ERR Invalid client ID");

/// So much output counts as the client's buffer, and more as a queue.
const OUTPUT_PIECE_BYTES: usize = 16 * 1024;

/// CLIENT LIST \[TYPE type | ID client-id...\]
pub const LIST: Command = Command {
    name: "list",
    arity: Arity::AtLeast(2),
    flags: OTHERS.with(Flag::LooksAtClients),
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Lists the clients, a line each.",
        since: "2.4.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of client connections",
        history: &[
            ("2.8.12", "Shows each client's number."),
            ("5.0.0", "Can be asked for one type of clients."),
            ("6.0.0", "Shows each client's user."),
            ("6.2.0", "Shows memory, the local address and redirection, and can be asked for single clients."),
            ("7.0.0", "Shows the protocol version, and more about memory."),
            ("7.0.3", "Shows the number of sharded subscriptions."),
            ("7.2.0", "Shows the client's library."),
        ],
        arguments: &[
            Argument::new(
                "normal_master_replica_pubsub",
                ArgumentKind::OneOf(&[
                    Argument::word("normal", "NORMAL"),
                    Argument::word("master", "MASTER"),
                    Argument::word("replica", "REPLICA"),
                    Argument::word("pubsub", "PUBSUB"),
                ]),
            )
            .after("TYPE")
            .optional()
            .since("5.0.0"),
            Argument::new("id", ArgumentKind::Block(&[Argument::new("client-id", ArgumentKind::Integer).multiple()]))
                .after("ID")
                .optional()
                .since("6.2.0"),
        ],
        ..Docs::BLANK
    },
    run: Run::Everywhere { check, share, merge },
    ..Command::BLANK
};

/// Which clients are asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Kind(ClientKind),
    /// These, in this order.
    Ids(Vec<ClientId>),
}

impl Wanted {
    fn parse(args: &Args<'_>) -> Result<Wanted, CommandError> {
        let Some(option) = args.get(2) else { return Ok(Wanted::All) };
        if option.eq_ignore_ascii_case(b"type") && args.len() == 4 {
            return ClientKind::named(args.at(3)).map(Wanted::Kind);
        }
        if option.eq_ignore_ascii_case(b"id") && args.len() > 3 {
            let id = |text| parse_i64(text).map(|id| ClientId(id as u64)).ok_or(INVALID_ID);
            return args.from(3).map(id).collect::<Result<_, _>>().map(Wanted::Ids);
        }
        Err(SYNTAX)
    }

    fn includes(&self, session: &Session) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Kind(kind) => kind.includes(session),
            Wanted::Ids(ids) => ids.contains(&session.id),
        }
    }
}

fn check(_: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    Wanted::parse(args).map(drop)
}

type Lines = Vec<(ClientId, String)>;

fn share(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    let wanted = Wanted::parse(&call.args).expect("the arguments were checked before they were sent");
    let now = core.now();
    let lines: Lines = core
        .sessions()
        .filter(|session| !session.closing && wanted.includes(session))
        .map(|session| (session.id, line_of(session, now, (session.id == call.client).then_some(&call.args))))
        .collect();
    Box::new(lines)
}

fn merge(_: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let mut lines = Lines::new();
    for share in shares {
        lines.append(&mut share.downcast::<Lines>().expect("each core answers with lines"));
    }
    lines.sort_unstable_by_key(|(id, _)| *id);
    let mut text = String::new();
    let mut add = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    match Wanted::parse(args)? {
        Wanted::Ids(ids) => {
            let found = ids.iter().filter_map(|id| lines.binary_search_by_key(id, |(id, _)| *id).ok());
            found.for_each(|at| add(&lines[at].1));
        }
        Wanted::All | Wanted::Kind(_) => lines.iter().for_each(|(_, line)| add(line)),
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// CLIENT INFO
pub const INFO: Command = Command {
    name: "info",
    arity: Arity::Exactly(2),
    flags: OWN,
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Answers this connection's line of CLIENT LIST.",
        since: "6.2.0",
        group: Group::Connection,
        ..Docs::BLANK
    },
    run: Run::Session(info),
    ..Command::BLANK
};

fn info(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now();
    let mut text = line_of(ctx.session(), now, Some(args));
    text.push('\n');
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// The line of one client. `command` is what it runs at this moment, if it is the one that asks.
pub fn line_of(session: &Session, now: UnixMillis, command: Option<&Args<'_>>) -> String {
    let info = &session.info;
    let seconds = |since: UnixMillis| (now.0 - since.0).max(0) / 1000;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let usage = usage(session, command);
    let mut line = String::with_capacity(400);
    let mut field = |name: &str, value: &dyn std::fmt::Display| {
        let space = if line.is_empty() { "" } else { " " };
        write!(line, "{space}{name}={value}").expect("a String takes any text");
    };
    field("id", &session.id.0);
    field("addr", &address(&info.endpoint));
    field("laddr", &local_address(&info.endpoint));
    field("fd", &info.fd);
    field("name", &text(&info.name));
    field("age", &seconds(info.connected_at));
    field("idle", &seconds(info.active_at));
    field("flags", &flags(session));
    field("db", &session.db.0);
    let subscribed = |kind| session.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.count(kind));
    field("sub", &subscribed(Kind::Channel));
    field("psub", &subscribed(Kind::Pattern));
    field("ssub", &subscribed(Kind::ShardChannel));
    let transaction = session.transaction.as_deref();
    let kept = transaction.filter(|transaction| transaction.is_open).map(|transaction| transaction.queue.len());
    let kept = kept.or(info.executes.map(|executing| executing.commands));
    field("multi", &kept.map_or(-1, |kept| kept as i64));
    field("qbuf", &usage.query);
    field("qbuf-free", &usage.query_free);
    field("argv-mem", &usage.arguments);
    field("multi-mem", &transaction.map_or(0, Transaction::heap_bytes));
    field("rbs", &session.out.capacity());
    field("rbp", &info.output_peak);
    field("obl", &usage.output.min(OUTPUT_PIECE_BYTES));
    let queued = usage.output.saturating_sub(OUTPUT_PIECE_BYTES);
    field("oll", &queued.div_ceil(OUTPUT_PIECE_BYTES));
    field("omem", &queued);
    field("tot-mem", &usage.total);
    field("events", &events(session));
    let last = info.last_command.map_or("NULL", |id| CommandTable::global().row(id).full_name.as_str());
    field("cmd", &last);
    field("user", &text(&session.user.name));
    field("redir", &redirect_of(session.tracking.as_deref()));
    field("resp", &if session.resp == Resp::V3 { 3 } else { 2 });
    field("lib-name", &text(&info.lib_name));
    field("lib-ver", &text(&info.lib_ver));
    line
}

/// What a client takes of memory, in bytes.
struct Usage {
    query: usize,
    query_free: usize,
    arguments: usize,
    output: usize,
    total: usize,
}

fn usage(session: &Session, command: Option<&Args<'_>>) -> Usage {
    let input = &session.info.input;
    let (running, request) = command.map_or((0, 0), |args| (args.total_bytes(), request_bytes(args)));
    let waiting = session.held_arguments().map_or(0, |args| args.as_args().total_bytes());
    Usage {
        query: input.query_bytes + request,
        query_free: input.query_capacity.saturating_sub(input.query_bytes + request),
        arguments: running + waiting,
        output: session.unsent_bytes(),
        // What is held back is in the session's own account.
        total: session.memory_bytes() + running,
    }
}

/// The bytes that these arguments were as a request.
fn request_bytes(args: &Args<'_>) -> usize {
    let digits = |number: usize| number.checked_ilog10().unwrap_or(0) as usize + 1;
    let head = |number: usize| 1 + digits(number) + 2;
    head(args.len()) + args.from(0).map(|arg| head(arg.len()) + arg.len() + 2).sum::<usize>()
}

fn flags(session: &Session) -> String {
    let flags = [
        (session.monitors, 'O'),
        (session.is_subscribed(), 'P'),
        (session.in_transaction() || session.info.executes.is_some(), 'x'),
        (session.blocked.is_some() || matches!(session.held, Some(Hold::Paused(_))), 'b'),
        (session.tracking.is_some(), 't'),
        (session.tracking.as_ref().is_some_and(|mode| mode.is_broken), 'R'),
        (session.tracking.as_ref().is_some_and(|mode| mode.broadcast), 'B'),
        (session.transaction.as_ref().is_some_and(|transaction| transaction.is_spoilt()), 'd'),
        (matches!(session.info.endpoint, Endpoint::Unix(_)), 'U'),
        (session.no_evict, 'e'),
        (session.no_touch, 'T'),
    ];
    let set: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, letter)| letter).collect();
    if set.is_empty() { "N".to_owned() } else { set }
}

/// What the loop waits for: to read, unless the client has too much under way, and to write what was not taken yet.
fn events(session: &Session) -> &'static str {
    let is_read = !matches!(session.held, Some(Hold::InFlight | Hold::Closing));
    match (is_read, session.info.in_flight.unsent_bytes > 0) {
        (true, false) => "r",
        (true, true) => "rw",
        (false, true) => "w",
        (false, false) => "",
    }
}
