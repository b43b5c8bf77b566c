//! ACL LOAD and SAVE: the file of users.

use net::{Args, Reply};

use super::changed;
use crate::commands::server::ADMIN;
use crate::config::error::system_text;
use crate::config::rewrite::replace_file;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Arity, Command, Docs, Group};

const NO_FILE: CommandError = CommandError::new(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
     command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users \
     in the Redis configuration.",
);
const NOT_SAVED: CommandError = CommandError::new(
    "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
);

/// ACL LOAD
pub const LOAD: Command = Command {
    name: "load",
    arity: Arity::Exactly(2),
    flags: ADMIN,
    docs: Docs {
        summary: "Takes the users from the file of users: all of them, or none if anything is wrong with it.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of configured users.",
        ..Docs::BLANK
    },
    run: Run::Session(load),
    ..Command::BLANK
};

fn load(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let config = ctx.config();
    if config.aclfile.is_empty() {
        return Err(NO_FILE);
    }
    let loaded = config.users_of_file().map_err(|errors| CommandError::text(format!("ERR {errors}")))?;
    ctx.core.shared.acl.change(|users| {
        *users = loaded.replacing(users);
        Ok::<(), CommandError>(())
    })?;
    changed(ctx);
    reply.ok();
    Ok(())
}

/// ACL SAVE
pub const SAVE: Command = Command {
    name: "save",
    arity: Arity::Exactly(2),
    flags: ADMIN,
    docs: Docs {
        summary: "Writes the users to the file of users.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N). Where N is the number of configured users.",
        ..Docs::BLANK
    },
    run: Run::Session(save),
    ..Command::BLANK
};

fn save(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let config = ctx.config();
    if config.aclfile.is_empty() {
        return Err(NO_FILE);
    }
    replace_file(&config.users_path(), &ctx.core.shared.acl.users().file_text()).map_err(|error| {
        tracing::warn!("The users could not be saved to {}: {}", config.aclfile, system_text(&error));
        NOT_SAVED
    })?;
    reply.ok();
    Ok(())
}
