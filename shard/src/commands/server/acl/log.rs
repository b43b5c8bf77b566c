//! ACL LOG: what was denied lately.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::number::parse_i64;

use crate::acl::LogEntry;
use crate::commands::server::{ADMIN, unchecked};
use crate::core::SessionCtx;
use crate::exec::error::{NOT_AN_INTEGER, wrong_subcommand_arity};
use crate::exec::{Outcome, Run, Share};
use crate::script::number::write_g;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};

/// Entries that are answered unless a number is told.
const ENTRIES_DEFAULT: usize = 10;

/// ACL LOG \[count | RESET\]
pub const LOG: Command = Command {
    name: "log",
    arity: Arity::AtLeast(2),
    flags: ADMIN,
    docs: Docs {
        summary: "Answers the newest entries of what users were denied, or forgets all.",
        since: "6.0.0",
        group: Group::Server,
        complexity: "O(N) with N being the number of entries shown.",
        arguments: &[Argument::new(
            "operation",
            ArgumentKind::OneOf(&[Argument::new("count", ArgumentKind::Integer), Argument::word("reset", "RESET")]),
        )
        .optional()],
        ..Docs::BLANK
    },
    // Behind what the client has sent before to any core.
    run: Run::Everywhere { check: unchecked, share: |_, _| Box::new(()), merge: log },
    ..Command::BLANK
};

fn log(ctx: &mut SessionCtx<'_>, args: &Args<'_>, _: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let shared = &ctx.core.shared;
    let count = match (args.len(), args.get(2)) {
        (2, _) => ENTRIES_DEFAULT,
        (3, Some(word)) if word.eq_ignore_ascii_case(b"reset") => {
            shared.acl.log().clear();
            reply.ok();
            return Ok(());
        }
        (3, Some(count)) => usize::try_from(parse_i64(count).ok_or(NOT_AN_INTEGER)?).unwrap_or(0),
        _ => return Err(wrong_subcommand_arity(args.at(1), "acl")),
    };
    let now = ctx.now();
    let entries: Vec<LogEntry> = shared.acl.log().entries().take(count).cloned().collect();
    reply.array(entries.len());
    for entry in &entries {
        show(entry, now, reply);
    }
    Ok(())
}

fn show(entry: &LogEntry, now: UnixMillis, reply: &mut Reply<'_>) {
    let denied = &entry.denied;
    reply.map(7);
    reply.bulk(b"count");
    reply.integer(entry.count as i64);
    let texts: [(&str, &[u8]); 4] = [
        ("reason", denied.reason.name().as_bytes()),
        ("context", denied.context.name().as_bytes()),
        ("object", &denied.object),
        ("username", &denied.user),
    ];
    for (field, text) in texts {
        reply.bulk(field.as_bytes());
        reply.bulk(text);
    }
    reply.bulk(b"age-seconds");
    let mut age = Vec::new();
    write_g(&mut age, (now.0 - entry.at.0) as f64 / 1000.0, 17);
    reply.double_text(&age);
    reply.bulk(b"client-info");
    reply.bulk(denied.client.as_bytes());
}
