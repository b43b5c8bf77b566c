//! FUNCTION DUMP and FUNCTION RESTORE: all libraries as bytes that another server can take in.
//!
//! ```text
//!  245  string(source of a library)     for each of them, as in a snapshot
//!  u16  version of RDB                  little-endian
//!  u64  CRC64 of all before
//! ```

use net::{Args, Reply};
use storage::snapshot::crc64::crc64;
use storage::snapshot::{RESTORE_VERSION_MAX, Reader, Writer};

use super::function::{CHANGES, docs};
use crate::commands::parse::is_word;
use crate::core::SessionCtx;
use crate::exec::error::DUMP_CHECKSUM;
use crate::exec::{CommandError, Outcome, Run};
use crate::script::engine::library_of;
use crate::script::functions::Libraries;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Flag, Flags};

/// The byte before a library.
const LIBRARY: u8 = 245;
/// The version that the form of libraries came with.
const VERSION: u16 = 10;
const FOOTER_BYTES: usize = 2 + 8;

const BAD_POLICY: CommandError =
    CommandError::new("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
const NOT_A_LIBRARY: CommandError = CommandError::new("ERR given type is not a function");
const UNREADABLE: CommandError = CommandError::new("ERR failed loading functions");

pub(super) const DUMP: Command = Command {
    name: "dump",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Noscript]),
    docs: docs(
        "Returns all libraries as bytes that FUNCTION RESTORE takes.",
        "O(N) where N is the number of functions",
        &[],
    ),
    run: Run::Session(dump),
    ..Command::BLANK
};

fn dump(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut writer = Writer::new(true);
    for library in ctx.core.shared.scripts.libraries().all() {
        writer.put(&[LIBRARY]);
        writer.put_bytes(&library.source);
    }
    writer.put(&VERSION.to_le_bytes());
    let crc = crc64(0, writer.bytes());
    writer.put(&crc.to_le_bytes());
    reply.bulk(&writer.take());
    Ok(())
}

pub(super) const RESTORE: Command = Command {
    name: "restore",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Noscript]),
    tips: CHANGES,
    docs: docs(
        "Makes libraries of what FUNCTION DUMP returned.",
        "O(N) where N is the number of functions on the payload",
        &[
            Argument::new("serialized-value", ArgumentKind::String),
            Argument::new(
                "policy",
                ArgumentKind::OneOf(&[
                    Argument::word("flush", "FLUSH"),
                    Argument::word("append", "APPEND"),
                    Argument::word("replace", "REPLACE"),
                ]),
            )
            .optional(),
        ],
    ),
    run: Run::Session(restore),
    ..Command::BLANK
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    Flush,
    Append,
    Replace,
}

fn restore(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if args.len() > 4 {
        return Err(crate::exec::error::wrong_subcommand_arity(args.at(1), "function"));
    }
    let policy = match args.get(3) {
        None => Policy::Append,
        Some(word) if is_word(word, "append") => Policy::Append,
        Some(word) if is_word(word, "replace") => Policy::Replace,
        Some(word) if is_word(word, "flush") => Policy::Flush,
        Some(_) => return Err(BAD_POLICY),
    };
    let registry = &ctx.core.shared.scripts;
    let mut libraries = Vec::new();
    for source in sources(args.at(2))? {
        libraries.push(library_of(registry, &source)?);
    }
    let changed = super::function::change_libraries(ctx, args, |all| {
        if policy == Policy::Flush {
            *all = Libraries::default();
        }
        libraries.into_iter().try_for_each(|library| {
            if policy == Policy::Append && all.named(&library.name).is_some() {
                return Err(format!("ERR Library {} already exists", library.name));
            }
            all.add(library, policy == Policy::Replace)
        })
    });
    changed.map_err(CommandError::text)?;
    reply.ok();
    Ok(())
}

/// The sources of the libraries in a payload.
fn sources(payload: &[u8]) -> Result<Vec<Vec<u8>>, CommandError> {
    let body_len = payload.len().checked_sub(FOOTER_BYTES).ok_or(DUMP_CHECKSUM)?;
    let (body, footer) = payload.split_at(body_len);
    let (version, crc) = footer.split_at(2);
    let version = version.iter().rev().fold(0, |number, &byte| number << 8 | u16::from(byte));
    let crc = crc.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    if version > RESTORE_VERSION_MAX || crc != crc64(0, &payload[..body_len + 2]) {
        return Err(DUMP_CHECKSUM);
    }
    let mut reader = Reader::new(body);
    let mut sources = Vec::new();
    while !reader.rest().is_empty() {
        if reader.byte().map_err(|_| UNREADABLE)? != LIBRARY {
            return Err(NOT_A_LIBRARY);
        }
        sources.push(reader.string().map_err(|_| UNREADABLE)?.into_bytes());
    }
    Ok(sources)
}
