//! AUTH and HELLO: who the client is, and which version of the protocol it speaks.
//!
//! A client is the default user until it says otherwise; whether it may do anything before depends on whether that user has a
//! password ([`crate::acl`]). Passwords are compared in a time that does not tell where they differ, and never stand in the
//! slow log.

use std::sync::Arc;

use net::{Args, Reply, Resp};
use storage::number::parse_i64;

use super::basic::ANYONE;
use super::client::identity::{INVALID_NAME, is_printable};
use crate::acl::DEFAULT_USER;
use crate::core::SessionCtx;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};
use crate::version::REDIS_VERSION;

const WRONG_PASS: CommandError = CommandError::new("WRONGPASS invalid username-password pair or user is disabled.");
const NO_PASSWORD: CommandError = CommandError::new(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is \
     correct?",
);
const NO_PROTOCOL: CommandError = CommandError::new("NOPROTO unsupported protocol version");
const PROTOCOL_NOT_AN_INTEGER: CommandError =
    CommandError::new("ERR Protocol version is not an integer or out of range");
const HELLO_NO_AUTH: CommandError = CommandError::new(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> \
     option can be used to authenticate the client and select the RESP protocol version at the same time",
);

/// AUTH \[username\] password
pub const AUTH: Command = Command {
    name: "auth",
    arity: Arity::AtLeast(2),
    flags: ANYONE,
    docs: Docs {
        summary: "Says who the client is.",
        since: "1.0.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of passwords defined for the user",
        history: &[("6.0.0", "Takes a user's name as well, for access control lists.")],
        arguments: &[
            Argument::new("username", ArgumentKind::String).optional().since("6.0.0"),
            Argument::new("password", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(auth),
    ..Command::BLANK
};

fn auth(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    (1..args.len()).for_each(|place| ctx.redact(place));
    match args.len() {
        2 if ctx.core.shared.acl.users().default_user().no_password => return Err(NO_PASSWORD),
        2 => authenticate(ctx, args, DEFAULT_USER, args.at(1))?,
        3 => authenticate(ctx, args, args.at(1), args.at(2))?,
        _ => return Err(SYNTAX),
    }
    reply.ok();
    Ok(())
}

/// Makes the client `user`, if that is its password.
fn authenticate(ctx: &mut SessionCtx<'_>, args: &Args<'_>, user: &[u8], password: &[u8]) -> Outcome {
    ctx.core.refresh_users();
    let users = Arc::clone(ctx.core.users());
    let Some(user) = users.get(user).filter(|user| user.admits(password)) else {
        let conn = ctx.conn;
        ctx.core.note_failed_authentication(conn, user, args);
        return Err(WRONG_PASS);
    };
    ctx.session().become_user(user, true, &users);
    Ok(())
}

/// HELLO \[protover \[AUTH username password\] \[SETNAME clientname\]\]
pub const HELLO: Command = Command {
    name: "hello",
    arity: Arity::AtLeast(1),
    flags: ANYONE,
    docs: Docs {
        summary: "Greets the server: chooses the protocol version, and may authenticate and name the client at once.",
        since: "6.0.0",
        group: Group::Connection,
        history: &[("6.2.0", "The version may be left out; then the command tells how things stand.")],
        arguments: &[Argument::new(
            "arguments",
            ArgumentKind::Block(&[
                Argument::new("protover", ArgumentKind::Integer),
                Argument::new(
                    "username_password",
                    ArgumentKind::Block(&[
                        Argument::new("username", ArgumentKind::String),
                        Argument::new("password", ArgumentKind::String),
                    ]),
                )
                .after("AUTH")
                .optional(),
                Argument::new("clientname", ArgumentKind::String).after("SETNAME").optional(),
            ]),
        )
        .optional()],
        ..Docs::BLANK
    },
    run: Run::Session(hello),
    ..Command::BLANK
};

/// What HELLO asks for besides the version.
#[derive(Default)]
struct Greeting<'a> {
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

fn hello(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let version = args.get(1).map(protocol_version).transpose()?;
    let greeting = greeting(ctx, args)?;
    if let Some((user, password)) = greeting.credentials {
        authenticate(ctx, args, user, password)?;
    }
    if !ctx.session().authenticated {
        return Err(HELLO_NO_AUTH);
    }
    let session = ctx.session();
    if let Some(name) = greeting.name {
        session.info.name = name.to_vec();
    }
    if let Some(version) = version {
        session.resp = version;
    }
    let (resp, id) = (session.resp, session.id);
    // The reply is the first one in the new version.
    let mut bytes = Vec::new();
    describe(&mut Reply::new(&mut bytes, resp), id.0 as i64);
    reply.raw(&bytes);
    Ok(())
}

fn protocol_version(text: &[u8]) -> Result<Resp, CommandError> {
    match parse_i64(text).ok_or(PROTOCOL_NOT_AN_INTEGER)? {
        2 => Ok(Resp::V2),
        3 => Ok(Resp::V3),
        _ => Err(NO_PROTOCOL),
    }
}

fn greeting<'a>(ctx: &mut SessionCtx<'_>, args: &Args<'a>) -> Result<Greeting<'a>, CommandError> {
    let mut greeting = Greeting::default();
    let mut place = 2;
    while place < args.len() {
        let (option, rest) = (args.at(place), args.len() - place - 1);
        if option.eq_ignore_ascii_case(b"auth") && rest >= 2 {
            ctx.redact(place + 1);
            ctx.redact(place + 2);
            greeting.credentials = Some((args.at(place + 1), args.at(place + 2)));
            place += 3;
        } else if option.eq_ignore_ascii_case(b"setname") && rest >= 1 {
            let name = args.at(place + 1);
            greeting.name = Some(is_printable(name).then_some(name).ok_or(INVALID_NAME)?);
            place += 2;
        } else {
            let text = [b"ERR Syntax error in HELLO option '", option, b"'"].concat();
            return Err(CommandError::bytes(text));
        }
    }
    Ok(greeting)
}

fn describe(reply: &mut Reply<'_>, id: i64) {
    let version = if reply.is_resp3() { 3 } else { 2 };
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(version);
    reply.bulk(b"id");
    reply.integer(id);
    reply.bulk(b"mode");
    reply.bulk(b"standalone");
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
}
