//! What users there are and what they may do: ACL GETUSER, LIST, USERS, WHOAMI, CAT, DRYRUN; and GENPASS.

use net::{Args, Reply};
use storage::number::parse_i64;

use super::{FREE, quoting};
use crate::acl::Selector;
use crate::commands::server::ADMIN;
use crate::core::SessionCtx;
use crate::exec::error::{NOT_AN_INTEGER, wrong_arity, wrong_subcommand_arity};
use crate::exec::{CommandError, Outcome, Run};
use crate::sha256::hex;
use crate::spec::flags::CATEGORIES;
use crate::spec::{Argument, ArgumentKind, Arity, Category, Command, CommandTable, Docs, Group};

const BAD_BITS: CommandError = CommandError::new(
    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
);

/// Bits of a password that is made.
const BITS_DEFAULT: i64 = 256;
const BITS_MAX: i64 = 4096;

/// ACL GETUSER username
pub const GETUSER: Command = Command {
    name: "getuser",
    arity: Arity::Exactly(3),
    flags: ADMIN,
    docs: Docs {
        summary: "Answers the rules of a user.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
        history: &[
            ("6.2.0", "Shows channels."),
            ("7.0.0", "Shows selectors, and keys and channels as rules in place of lists."),
        ],
        arguments: &[Argument::new("username", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Session(show_user),
    ..Command::BLANK
};

fn show_user(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    ctx.redact(2);
    let users = ctx.core.shared.acl.users();
    let Some(user) = users.get(args.at(2)) else {
        reply.null();
        return Ok(());
    };
    reply.map(6);
    reply.bulk(b"flags");
    let flags = user.flags();
    reply.set(flags.len());
    write_all(flags.iter(), reply);
    reply.bulk(b"passwords");
    reply.array(user.passwords.len());
    write_all(user.passwords.iter().map(|digest| hex(digest)), reply);
    show_selector(&user.selectors[0], reply);
    reply.bulk(b"selectors");
    reply.array(user.selectors.len() - 1);
    for selector in &user.selectors[1..] {
        reply.map(3);
        show_selector(selector, reply);
    }
    Ok(())
}

fn write_all<T: AsRef<[u8]>>(texts: impl Iterator<Item = T>, reply: &mut Reply<'_>) {
    for text in texts {
        reply.bulk(text.as_ref());
    }
}

/// Three fields of a map.
fn show_selector(selector: &Selector, reply: &mut Reply<'_>) {
    reply.bulk(b"commands");
    reply.bulk(&selector.command_rules());
    reply.bulk(b"keys");
    reply.bulk(&selector.key_rules());
    reply.bulk(b"channels");
    reply.bulk(&selector.channel_rules());
}

/// ACL LIST
pub const LIST: Command = Command {
    name: "list",
    arity: Arity::Exactly(2),
    flags: ADMIN,
    docs: Docs {
        summary: "Lists the users as lines of a file of users.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of configured users.",
        ..Docs::BLANK
    },
    run: Run::Session(list),
    ..Command::BLANK
};

fn list(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let users = ctx.core.shared.acl.users();
    reply.array(users.iter().len());
    for user in users.iter() {
        reply.bulk(&[b"user ", user.name.as_slice(), b" ", &user.rules()].concat());
    }
    Ok(())
}

/// ACL USERS
pub const USERS: Command = Command {
    name: "users",
    arity: Arity::Exactly(2),
    flags: ADMIN,
    docs: Docs {
        summary: "Lists the names of all users.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of configured users.",
        ..Docs::BLANK
    },
    run: Run::Session(names),
    ..Command::BLANK
};

fn names(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let users = ctx.core.shared.acl.users();
    reply.array(users.iter().len());
    write_all(users.iter().map(|user| &user.name), reply);
    Ok(())
}

/// ACL WHOAMI
pub const WHOAMI: Command = Command {
    name: "whoami",
    arity: Arity::Exactly(2),
    flags: FREE,
    docs: Docs {
        summary: "Answers the name of the connection's user.",
        since: "6.0.0",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Session(who_am_i),
    ..Command::BLANK
};

fn who_am_i(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.bulk(&ctx.session().user.name);
    Ok(())
}

/// ACL CAT \[category\]
pub const CAT: Command = Command {
    name: "cat",
    arity: Arity::AtLeast(2),
    flags: FREE,
    docs: Docs {
        summary: "Lists the categories of commands, or the commands of one.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(1) since the categories and commands are a fixed set.",
        arguments: &[Argument::new("categoryname", ArgumentKind::String).optional()],
        ..Docs::BLANK
    },
    run: Run::Session(categories),
    ..Command::BLANK
};

fn categories(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(wrong_subcommand_arity(args.at(1), "acl"));
    }
    let Some(name) = args.get(2) else {
        reply.array(CATEGORIES.len());
        write_all(CATEGORIES.iter().map(|(_, name)| name), reply);
        return Ok(());
    };
    let category = Category::named(name).ok_or_else(|| quoting("ERR Unknown category '", name, "'"))?;
    let rows = CommandTable::global().rows().iter();
    let names: Vec<&str> = rows.filter(|row| row.categories.has(category)).map(|row| row.full_name.as_str()).collect();
    reply.array(names.len());
    write_all(names.iter(), reply);
    Ok(())
}

/// ACL DRYRUN username command \[arg ...\]
pub const DRYRUN: Command = Command {
    name: "dryrun",
    arity: Arity::AtLeast(4),
    flags: ADMIN,
    docs: Docs {
        summary: "Answers whether a user may run a command, without running it.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(1).",
        arguments: &[
            Argument::new("username", ArgumentKind::String),
            Argument::new("command", ArgumentKind::String),
            Argument::new("arg", ArgumentKind::String).optional().multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(dry_run),
    ..Command::BLANK
};

fn dry_run(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let users = ctx.core.shared.acl.users();
    let user = users.get(args.at(2)).ok_or_else(|| quoting("ERR User '", args.at(2), "' not found"))?;
    let command = args.skip(3);
    let row = CommandTable::global().resolve(&command).ok().flatten();
    let row = row.ok_or_else(|| quoting("ERR Command '", command.at(0), "' not found"))?;
    if !row.command.arity.admits(command.len()) {
        return Err(wrong_arity(&row.full_name));
    }
    match user.check(row, &command) {
        Ok(()) => reply.ok(),
        Err(denial) => reply.bulk(&denial.told(row, &command)),
    }
    Ok(())
}

/// ACL GENPASS \[bits\]
pub const GENPASS: Command = Command {
    name: "genpass",
    arity: Arity::AtLeast(2),
    flags: FREE,
    docs: Docs {
        summary: "Answers a password that nobody can guess: 256 bits, or as many, in hexadecimal digits.",
        since: "6.0.0",
        group: Group::Server,
        arguments: &[Argument::new("bits", ArgumentKind::Integer).optional()],
        ..Docs::BLANK
    },
    run: Run::Session(make_password),
    ..Command::BLANK
};

fn make_password(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let bits = match args.len() {
        2 => BITS_DEFAULT,
        3 => parse_i64(args.at(2)).ok_or(NOT_AN_INTEGER)?,
        _ => return Err(wrong_subcommand_arity(args.at(1), "acl")),
    };
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(BAD_BITS);
    }
    let digits = bits.unsigned_abs().div_ceil(4) as usize;
    let text = hex(&ctx.core.shared.acl.secret(digits.div_ceil(2)));
    reply.bulk(&text.as_bytes()[..digits]);
    Ok(())
}
