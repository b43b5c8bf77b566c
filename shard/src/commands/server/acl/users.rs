//! ACL SETUSER and DELUSER.

use net::{Args, Reply};

use super::{changed, quoting};
use crate::acl::{DEFAULT_USER, is_name, join_selectors};
use crate::commands::server::ADMIN;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};

const NOT_A_NAME: CommandError = CommandError::new("ERR Usernames can't contain spaces or null characters");
const DEFAULT_STAYS: CommandError = CommandError::new("ERR The 'default' user cannot be removed");

/// ACL SETUSER username \[rule \[rule ...\]\]
pub const SETUSER: Command = Command {
    name: "setuser",
    arity: Arity::AtLeast(3),
    flags: ADMIN,
    docs: Docs {
        summary: "Makes a user, or changes one, by rules.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of rules provided.",
        history: &[("6.2.0", "Rules about channels."), ("7.0.0", "Selectors, and keys to read or to write only.")],
        arguments: &[
            Argument::new("username", ArgumentKind::String),
            Argument::new("rule", ArgumentKind::String).optional().multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(set_user),
    ..Command::BLANK
};

fn set_user(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    (2..args.len()).for_each(|place| ctx.redact(place));
    let name = args.at(2);
    if !is_name(name) {
        return Err(NOT_A_NAME);
    }
    let rules = join_selectors(args.from(3))
        .map_err(|word| quoting("ERR Unmatched parenthesis in acl selector starting at '", &word, "'."))?;
    let all_channels = ctx.config().new_users_hear_all();
    ctx.core.shared.acl.change(|users| {
        let mut user = users.to_change(name, all_channels);
        for rule in &rules {
            user.follow(rule, all_channels).map_err(|error| {
                quoting("ERR Error in ACL SETUSER modifier '", rule, &format!("': {}", error.text()))
            })?;
        }
        users.put(user);
        Ok(())
    })?;
    changed(ctx);
    reply.ok();
    Ok(())
}

/// ACL DELUSER username \[username ...\]
pub const DELUSER: Command = Command {
    name: "deluser",
    arity: Arity::AtLeast(3),
    flags: ADMIN,
    docs: Docs {
        summary: "Removes users, and closes the connections of theirs.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(1) amortized time considering the typical user.",
        arguments: &[Argument::new("username", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    run: Run::Session(delete_users),
    ..Command::BLANK
};

fn delete_users(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    (2..args.len()).for_each(|place| ctx.redact(place));
    let removed = ctx.core.shared.acl.change(|users| {
        if args.from(2).any(|name| name == DEFAULT_USER) {
            return Err(DEFAULT_STAYS);
        }
        Ok(args.from(2).map(|name| i64::from(users.remove(name))).sum())
    })?;
    changed(ctx);
    reply.integer(removed);
    Ok(())
}
