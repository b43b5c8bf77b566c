//! CLIENT ID, GETNAME, SETNAME, SETINFO.

use net::{Args, Reply};

use super::OWN;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};

/// A client's name would break the lines of CLIENT LIST.
pub const INVALID_NAME: CommandError =
    CommandError::new("ERR Client names cannot contain spaces, newlines or special characters.");

/// Whether `text` may stand in a line of CLIENT LIST: printable ASCII without spaces.
pub fn is_printable(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

/// CLIENT ID
pub const ID: Command = Command {
    name: "id",
    arity: Arity::Exactly(2),
    flags: OWN,
    docs: Docs {
        summary: "Answers the connection's number, which no other connection will ever have.",
        since: "5.0.0",
        group: Group::Connection,
        ..Docs::BLANK
    },
    run: Run::Session(id),
    ..Command::BLANK
};

fn id(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.integer(ctx.session().id.0 as i64);
    Ok(())
}

/// CLIENT GETNAME
pub const GETNAME: Command = Command {
    name: "getname",
    arity: Arity::Exactly(2),
    flags: OWN,
    docs: Docs {
        summary: "Answers the connection's name, if it was given one.",
        since: "2.6.9",
        group: Group::Connection,
        ..Docs::BLANK
    },
    run: Run::Session(name),
    ..Command::BLANK
};

fn name(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let name = &ctx.session().info.name;
    if name.is_empty() {
        reply.null();
    } else {
        reply.bulk(name);
    }
    Ok(())
}

/// CLIENT SETNAME connection-name
pub const SETNAME: Command = Command {
    name: "setname",
    arity: Arity::Exactly(3),
    flags: OWN,
    docs: Docs {
        summary: "Names the connection; an empty name takes it away.",
        since: "2.6.9",
        group: Group::Connection,
        arguments: &[Argument::new("connection-name", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Session(set_name),
    ..Command::BLANK
};

fn set_name(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let name = args.at(2);
    if !is_printable(name) {
        return Err(INVALID_NAME);
    }
    ctx.session().info.name = name.to_vec();
    reply.ok();
    Ok(())
}

/// CLIENT SETINFO LIB-NAME libname | LIB-VER libver
pub const SETINFO: Command = Command {
    name: "setinfo",
    arity: Arity::Exactly(4),
    flags: OWN,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Notes which client library, in which version, uses the connection.",
        since: "7.2.0",
        group: Group::Connection,
        arguments: &[Argument::new(
            "attr",
            ArgumentKind::OneOf(&[
                Argument::new("libname", ArgumentKind::String).after("LIB-NAME"),
                Argument::new("libver", ArgumentKind::String).after("LIB-VER"),
            ]),
        )],
        ..Docs::BLANK
    },
    run: Run::Session(set_info),
    ..Command::BLANK
};

fn set_info(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (attribute, value) = (args.at(2), args.at(3));
    let info = &mut ctx.session().info;
    let field = if attribute.eq_ignore_ascii_case(b"lib-name") {
        &mut info.lib_name
    } else if attribute.eq_ignore_ascii_case(b"lib-ver") {
        &mut info.lib_ver
    } else {
        return Err(CommandError::bytes([b"ERR Unrecognized option '", attribute, b"'"].concat()));
    };
    if !is_printable(value) {
        let rest = b" cannot contain spaces, newlines or special characters.";
        return Err(CommandError::bytes([b"ERR ", attribute, rest].concat()));
    }
    *field = value.to_vec();
    reply.ok();
    Ok(())
}
